"""What nodes log goes to CloudWatch by AWS's agent, if AWS signed it."""

import json
import subprocess
from base64 import b64encode
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from nodes.release import CLOUDWATCH_AGENT
from tests.boot.sandbox import Machine, Sandbox
from tests.boot.signing import GPG, make_key

MakeSandbox = Callable[..., Sandbox]

AGENT = "opt/aws/amazon-cloudwatch-agent"


@pytest.fixture(scope="module")
def signing(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A key of our own in place of AWS's."""
    return make_key(tmp_path_factory.mktemp("g"))


def publish(sandbox: Sandbox, signing: Path, *, content: bytes = b"the package", signs: Path | None = None) -> None:
    """The package, its signature and the key, where AWS has them; the key is armoured."""
    internet = sandbox.folder / "internet"
    package = internet / "amazon-cloudwatch-agent.deb"
    package.write_bytes(content)
    Path(f"{package}.sig").unlink(missing_ok=True)
    home = signs or signing
    subprocess.run([*GPG, "--homedir", home, "--detach-sign", "--output", f"{package}.sig", str(package)], check=True)
    lines = b64encode((home / "key.gpg").read_bytes()).decode()
    armour = f"-----BEGIN PGP PUBLIC KEY BLOCK-----\nVersion: GnuPG v2\n\n{lines}\n=abcd\n-----END PGP PUBLIC KEY BLOCK-----\n"
    (internet / "amazon-cloudwatch-agent.gpg").write_text(armour)


def sending(machine: Machine, signing: Path) -> Machine:
    """The machine told to send its logs, with a program that knows our key instead of AWS's."""
    environment = machine.root / "etc/vet/node.env"
    environment.write_text(environment.read_text().replace("LOG_GROUPS=''", "LOG_GROUPS='/vet-dev'"))
    program = machine.root / "opt/vet/bin/ship-logs"
    text = program.read_text()
    key = (signing / "fingerprint").read_text()
    assert "KEY=937616F3450B7D806CBD9725D58167303B789C72" in text, "AWS's key, as its user guide has it"
    program.write_text(text.replace("KEY=937616F3450B7D806CBD9725D58167303B789C72", f"KEY={key}"))
    control = machine.root / AGENT / "bin/amazon-cloudwatch-agent-ctl"
    control.parent.mkdir(parents=True)
    control.write_text('#!/bin/sh\necho "$*" >>"$VET_ROOT/controlled"\n')
    control.chmod(0o755)
    return machine


def configured_logs(machine: Machine) -> dict[str, Any]:
    """What the agent is told to send."""
    collected: dict[str, Any] = json.loads((machine.root / AGENT / "etc/vet.json").read_text())["logs"][
        "logs_collected"
    ]
    return collected


def test_a_lock_that_somebody_else_holds_is_waited_for(sandbox: Sandbox, signing: Path) -> None:
    """Unattended upgrades hold dpkg's for a while after a start."""
    publish(sandbox, signing)
    server = sending(sandbox.server(0), signing)
    held = "dpkg: error: dpkg frontend lock was locked by another process"
    server.before("dpkg", f'[ -e "$0.tried" ] || {{ touch "$0.tried"; echo "{held}" >&2; exit 2; }}')
    result = server.run("ship-logs")
    assert result.code == 0, result.log
    assert held in result.log
    assert server.calls("dpkg --install")


def test_a_server_sends_its_journal_and_the_audit_log(sandbox: Sandbox, signing: Path) -> None:
    publish(sandbox, signing)
    server = sending(sandbox.server(0), signing)
    result = server.run("ship-logs")
    assert result.code == 0, result.log
    assert server.calls("dpkg --install")
    groups = {
        kind: [each["log_group_name"] for each in section["collect_list"]]
        for kind, section in configured_logs(server).items()
    }
    assert groups == {"files": ["/vet-dev/audit"], "journald": ["/vet-dev/journal"]}
    assert configured_logs(server)["files"]["collect_list"][0]["file_path"] == "/var/log/kube-audit/audit.log"
    (control,) = (server.root / "controlled").read_text().splitlines()
    assert control == f"-a fetch-config -m ec2 -s -c file:{server.root}/{AGENT}/etc/vet.json"


def test_an_agent_sends_its_journal_alone(make_sandbox: MakeSandbox, signing: Path) -> None:
    sandbox = make_sandbox()
    publish(sandbox, signing)
    agent = sending(sandbox.agent(), signing)
    result = agent.run("ship-logs")
    assert result.code == 0, result.log
    assert configured_logs(agent).keys() == {"journald"}


def test_a_second_run_installs_nothing_and_starts_the_agent_again(sandbox: Sandbox, signing: Path) -> None:
    publish(sandbox, signing)
    server = sending(sandbox.server(0), signing)
    assert server.run("ship-logs").code == 0
    before = len(server.calls("dpkg --install"))
    assert server.run("ship-logs").code == 0
    assert len(server.calls("dpkg --install")) == before == 1
    assert len((server.root / "controlled").read_text().splitlines()) == 2


def test_what_another_key_signed_is_not_installed(sandbox: Sandbox, signing: Path, tmp_path: Path) -> None:
    """Anybody who replaces the package replaces the key that lies beside it, too."""
    (tmp_path / "o").mkdir()
    publish(sandbox, signing, signs=make_key(tmp_path / "o"))
    server = sending(sandbox.server(0), signing)
    result = server.run("ship-logs")
    assert result.code == 78, result.log
    assert "is not signed by AWS's key" in result.log
    assert not server.calls("dpkg --install")


def test_what_was_changed_after_it_was_signed_is_not_installed(sandbox: Sandbox, signing: Path) -> None:
    publish(sandbox, signing)
    (sandbox.folder / "internet/amazon-cloudwatch-agent.deb").write_bytes(b"something else")
    server = sending(sandbox.server(0), signing)
    assert server.run("ship-logs").code == 78
    assert not server.calls("dpkg --install")


def test_the_agent_goes_through_the_proxy(sandbox: Sandbox, signing: Path) -> None:
    publish(sandbox, signing)
    server = sending(sandbox.server(0), signing)
    lines = "http_proxy=http://proxy.example.com:3128\nhttps_proxy=http://proxy.example.com:3128\nno_proxy=localhost\n"
    (server.root / "etc/vet/proxy.env").write_text(lines)
    assert server.run("ship-logs").code == 0
    told_of_it = (server.root / AGENT / "etc/common-config.toml").read_text()
    assert 'https_proxy = "http://proxy.example.com:3128"' in told_of_it


def test_nodes_send_logs_only_where_they_are_told_to_and_boot_without_waiting(sandbox: Sandbox) -> None:
    server = sandbox.server(0)
    assert server.boot().code == 0
    assert not server.calls("vet-logs.service")
    environment = server.root / "etc/vet/node.env"
    environment.write_text(environment.read_text().replace("LOG_GROUPS=''", "LOG_GROUPS='/vet-dev'"))
    assert server.boot().code == 0
    assert server.calls("systemctl start --no-block vet-logs.service")
    assert f"CLOUDWATCH_AGENT_VERSION='{CLOUDWATCH_AGENT}'" in environment.read_text()
