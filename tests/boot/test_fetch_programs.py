"""What user data starts: an AWS CLI that AWS signed, programs with the right checksum, and nothing else."""

import io
import subprocess
import zipfile
from pathlib import Path

import pytest
import yaml

from nodes.boot import server_user_data
from tests.boot.sandbox import Machine, Sandbox
from tests.boot.signing import GPG, make_key


@pytest.fixture(scope="module")
def signing(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A key of our own in place of AWS's, so that the check of the signature is the real one."""
    return make_key(tmp_path_factory.mktemp("g"))


@pytest.fixture
def machine(sandbox: Sandbox, signing: Path) -> Machine:
    """A server whose internet has a signed AWS CLI of another version than the one that is there."""
    machine = sandbox.server(0)
    (machine.root / "etc/vet/aws-cli.gpg").write_bytes((signing / "key.gpg").read_bytes())
    env = machine.root / "etc/vet/node.env"
    env.write_text(env.read_text().replace("AWS_CLI_VERSION='2.36.7'", "AWS_CLI_VERSION='2.99.0'"))
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as zipped:
        zipped.writestr("aws/install", '#!/bin/sh\necho "install $*" >>"$VET_ROOT/installed"\n')
        zipped.writestr("aws/dist/aws", "#!/bin/sh\n")
    file = sandbox.folder / "internet/awscli-exe-linux-x86_64-2.99.0.zip"
    file.write_bytes(archive.getvalue())
    subprocess.run([*GPG, "--homedir", signing, "--detach-sign", "--output", f"{file}.sig", str(file)], check=True)
    subprocess.run(["rm", "-r", str(machine.root / "opt/vet")], check=True)
    return machine


def _fetch(machine: Machine) -> "subprocess.CompletedProcess[str]":
    script = machine.root / "usr/local/lib/vet/fetch-programs.sh"
    return subprocess.run(
        [script],
        env=machine.environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        start_new_session=True,
    )


def test_the_script_installs_and_hands_over(machine: Machine) -> None:
    result = _fetch(machine)
    assert result.returncode == 0, result.stdout + result.stderr
    assert "--install-dir" in (machine.root / "installed").read_text()
    assert (machine.root / "opt/vet/bin/boot").stat().st_mode & 0o111
    assert (machine.root / "etc/systemd/system/vet-boot.service").exists()
    assert machine.calls("systemctl enable vet-boot.service")
    assert machine.calls("systemctl start --no-block vet-boot.service")


def test_the_script_runs_twice(machine: Machine) -> None:
    assert _fetch(machine).returncode == 0
    assert _fetch(machine).returncode == 0


def test_a_crash_of_the_script_is_made_good_at_the_next_power_on(machine: Machine) -> None:
    """cloud-init runs commands once, whatever becomes of them; the unit stays enabled until it is done."""
    machine.crash_after("s3 cp")
    crashed = _fetch(machine)
    assert crashed.returncode != 0
    assert not machine.calls("systemctl disable vet-fetch-programs.service"), "would not run again"
    assert _fetch(machine).returncode == 0
    assert machine.calls("systemctl disable vet-fetch-programs.service"), "runs again at every power-on"


def test_cloud_init_enables_the_unit_and_systemd_repeats_it(machine: Machine) -> None:
    document = yaml.safe_load(server_user_data(machine.sandbox.inputs, slot=0, data_volume_id="vol-1"))
    assert document["runcmd"][-1] == ["systemctl", "enable", "--now", "--no-block", "vet-fetch-programs.service"]
    unit = (machine.root / "etc/systemd/system/vet-fetch-programs.service").read_text()
    for line in ("ExecStart=/usr/local/lib/vet/fetch-programs.sh", "Restart=on-failure", "RestartPreventExitStatus=78"):
        assert line in unit.splitlines(), f"{line} is not in the unit:\n{unit}"
    assert "StartLimitIntervalSec=0" in unit, "it would give up one day"


def test_an_aws_cli_with_another_signature_is_not_installed(machine: Machine) -> None:
    archive = machine.sandbox.folder / "internet/awscli-exe-linux-x86_64-2.99.0.zip"
    archive.write_bytes(archive.read_bytes() + b"tampered")
    result = _fetch(machine)
    assert result.returncode != 0
    assert "not signed by AWS's key" in result.stdout
    assert not (machine.root / "installed").exists()


def test_programs_with_another_checksum_are_not_run(machine: Machine) -> None:
    inputs = machine.sandbox.inputs
    key = next(
        line for line in (machine.root / "etc/vet/node.env").read_text().splitlines() if line.startswith("BUNDLE_KEY")
    ).split("'")[1]
    machine.sandbox.client("s3").put_object(Bucket=inputs.nodes_bucket, Key=key, Body=b"tampered")
    result = _fetch(machine)
    assert result.returncode != 0
    assert "checksum" in result.stdout
    assert not (machine.root / "opt/vet").exists()


def test_a_bucket_that_refuses_is_tried_again_and_then_given_up(machine: Machine) -> None:
    machine.sandbox.change(aws_failures=[["s3 cp", 99, "fatal error: An error occurred (403)"]])
    result = _fetch(machine)
    assert result.returncode != 0
    assert "attempt 8 of 8" in result.stdout
