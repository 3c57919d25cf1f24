"""The runbooks' commands on servers, typed there or sent by ``make``, and what the pages promise of them."""

import os
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from urllib.request import Request, urlopen

import pytest

from nodes.inputs import ClusterInputs
from settings import load
from settings.names import Names
from tests.boot.sandbox import STOPPED, SUBNETS, Machine, Sandbox
from tests.boot.session_manager import enrol
from tests.runbooks import ROOT, follow

SNAPSHOT = "etcd-snapshot-ip-10-0-10-10.ec2.internal-1700000000"
WHOLE_SNAPSHOT = b"\0" * 16 + b"\xed\xda\x0c\xed" + b"\0" * (1024 + 12)
"""What ``make restore`` looks at: etcd's magic number, and a checksum after whole blocks."""

ON_A_SERVER = ("sudo ", "rke2 ")


class Production(Sandbox):
    """A sandbox whose names in AWS are those of ``prod``, so that ``make ... ENV=prod`` finds it."""

    @cached_property
    def inputs(self) -> ClusterInputs:
        """What user data is rendered from."""
        settings = load()
        names = Names(settings.project, settings.environment("prod"))
        buckets = {f"{purpose}_bucket": names.bucket(purpose) for purpose in ("nodes", "snapshots")}
        return replace(super().inputs, cluster=names.base, **buckets)


class Reader:
    """Somebody at a terminal, who types what begins with sudo on the first server and the rest at home."""

    def __init__(self, sandbox: Production) -> None:
        self.sandbox, self.machines = sandbox, sandbox.running_cluster()
        names = Names(load().project, load().environment("prod"))
        for slot, machine in enumerate(self.machines):
            tags = {**names.node_tags("server"), "vet:slot": str(slot)}
            tag_specifications = [
                {"ResourceType": "instance", "Tags": [{"Key": k, "Value": v} for k, v in tags.items()]}
            ]
            started = sandbox.client("ec2").run_instances(
                ImageId="ami-12345678",
                InstanceType="t3.large",
                MinCount=1,
                MaxCount=1,
                TagSpecifications=tag_specifications,
            )
            enrol(started["Instances"][0]["InstanceId"], machine)

    @property
    def server(self) -> Machine:
        """Where the reader has a shell."""
        return self.machines[0]

    def run(self, command: str) -> "subprocess.CompletedProcess[str]":
        """Run a command where it belongs."""
        if command.startswith(ON_A_SERVER):
            return self.server.shell(command)
        return subprocess.run(
            ["bash", "-c", command], cwd=ROOT, env=self._at_home, input="y\n", capture_output=True, text=True
        )

    def follow(self, page: str, values: dict[str, str | Callable[[], str]] | None = None) -> dict[str, str]:
        """The page's commands for servers, and what each printed."""
        return follow(page, "boot", self.run, values or {})

    @property
    def _at_home(self) -> dict[str, str]:
        environment = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "VET_"))}
        ours = {name: value for name, value in self.server.environment.items() if name.startswith("AWS_")}
        path = f"{ROOT / '.venv/bin'}:{os.environ['PATH']}"
        return {**environment, **ours, "PATH": path, "AWS_DEFAULT_REGION": "us-east-1", "AWS_PAGER": ""}


@pytest.fixture
def reader(tmp_path: Path, emulator: str, stand_ins: str) -> Iterator[Reader]:
    """At home with ``prod``, whose three servers run; the emulator forgets them at the end."""
    yield Reader(Production(tmp_path / "prod", emulator, stand_ins, servers=3, identity="vet-prod"))
    urlopen(Request(f"{emulator}/moto-api/reset", method="POST"))


def take(sandbox: Sandbox, name: str = SNAPSHOT) -> None:
    """Let a snapshot be in the bucket."""
    sandbox.client("s3").put_object(Bucket=sandbox.inputs.snapshots_bucket, Key=f"vet-prod/{name}", Body=WHOLE_SNAPSHOT)


def versions(sandbox: Sandbox) -> dict[str, str]:
    """Versions of the server's token by their labels."""
    answer = sandbox.client("secretsmanager").list_secret_version_ids(SecretId="vet-prod/server-token")
    return {label: each["VersionId"] for each in answer["Versions"] for label in each.get("VersionStages", [])}


def test_looking_at_a_server(reader: Reader) -> None:
    answers = reader.follow("README")
    assert "etcd=healthy\nquorum=yes\nmembers=3" in answers["sudo /opt/vet/bin/health"]


def test_renewing_certificates(reader: Reader) -> None:
    folder = reader.server.on_volume("server/tls")
    command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "3", "-subj", "/CN=test"]
    subprocess.run([*command, "-keyout", folder / "x.key", "-out", folder / "x.crt"], check=True, capture_output=True)
    changed = (folder / "x.crt").read_text()
    for machine in reader.machines:  # RKE2 brings a changed CA to all servers
        machine.on_volume("server/tls/server-ca.crt").write_text(changed)
    reader.sandbox.change(cas=dict.fromkeys(SUBNETS, changed.strip()))
    output = "\n".join(reader.follow("expired-certificates").values())
    assert "x.crt notAfter=" in output
    assert reader.server.calls("systemctl restart rke2-server")
    assert reader.sandbox.ca() == (folder / "server-ca.crt").read_text().strip(), "the changed CA was not published"
    assert reader.sandbox.problems() == []


def test_restoring_a_snapshot(reader: Reader) -> None:
    sandbox = reader.sandbox
    take(sandbox)
    secrets, before = sandbox.client("secretsmanager"), versions(sandbox)["AWSCURRENT"]
    secrets.put_secret_value(
        SecretId="vet-prod/server-token", SecretString="rotated since", ClientRequestToken="2" * 32
    )
    sandbox.change(clusters={}, machines={})
    for machine in reader.machines:
        machine.on_volume("server/db").rename(machine.on_volume("lost"))
    answers = reader.follow(
        "lost-quorum",
        {
            "SNAPSHOT=name": f"SNAPSHOT={SNAPSHOT}",
            "VERSION": before,
            "PRESENT": "2" * 32,
        },
    )
    assert SNAPSHOT in answers["make snapshots ENV=prod"]
    assert "nothing was changed" in answers["make restore ENV=prod SNAPSHOT=name DRY_RUN=yes"]
    assert (reader.server.root / "etc/rancher/rke2/token").read_text() == "server-token\n", "not the snapshot's token"
    assert sandbox.members() == sorted(SUBNETS)
    assert sandbox.problems() == []


def test_starting_over_on_purpose(make_sandbox: Callable[..., Sandbox]) -> None:
    """Nothing is restored, and everything that was is given up: only where nobody has it, and only when it is meant."""
    sandbox = make_sandbox()
    server = sandbox.running_cluster()[0]
    assert server.run("start-over", "vet-dev").code == STOPPED, "given up although its data is here"
    server.power_off()
    replacement = sandbox.server(0)
    assert replacement.boot().code == STOPPED
    asked = replacement.run("start-over")
    assert asked.code == STOPPED
    assert "gives up everything" in asked.log
    assert replacement.run("start-over", "vet-dev").code == 0
    again = replacement.boot()
    assert again.code == 0, again.log
    assert again.decisions() == ["initialise"], again.log
    assert sandbox.ca() == "CA of cluster-1"
    assert f"state=ready\nvolume={replacement.volume}" in (sandbox.marker() or "")


def test_restoring_in_another_region(reader: Reader, tmp_path: Path) -> None:
    sandbox = reader.sandbox
    sandbox.client("s3").create_bucket(Bucket="elsewhere")
    sandbox.client("s3").put_object(Bucket="elsewhere", Key=f"vet-prod/{SNAPSHOT}", Body=WHOLE_SNAPSHOT)
    (tmp_path / "old-token").write_text("server-token")
    reader.follow(
        "lost-region",
        {"BUCKET-ELSEWHERE": "elsewhere", "vet-prod-snapshots-ACCOUNT-NEWREGION": sandbox.inputs.snapshots_bucket}
        | {"file://old-token": f"file://{tmp_path / 'old-token'}", "SNAPSHOT=name": f"SNAPSHOT={SNAPSHOT}"},
    )
    assert sandbox.state["resets"] == [SNAPSHOT]
    restored = sandbox.state["clusters"][f"restored-{SNAPSHOT}"]
    assert len(restored["members"]) == len(SUBNETS), "the others did not join the restored cluster"
    assert restored["token"] == "server-token", "not the old region's token"


def test_rotating_the_join_token(reader: Reader) -> None:
    sandbox = reader.sandbox
    before = versions(sandbox)["AWSCURRENT"]
    answers = reader.follow("rotating-the-join-token", {"VERSION": before})
    labelled = versions(sandbox)
    # AWS keeps the reader's label as well; moto forgets it with the next value.
    assert labelled["AWSPREVIOUS"] == before
    (cluster,) = sandbox.state["clusters"].values()
    assert cluster["token"] == sandbox.secret("server-token") != "server-token"
    assert not [line for line in answers.values() if cluster["token"] in line], "the token was shown"
    assert (reader.server.root / "etc/rancher/rke2/token").read_text().strip() == cluster["token"]
    assert not list((reader.server.root / "etc/rancher/rke2").glob("*n-token")), "a copy of the token is left"
    assert sandbox.state["snapshots"] == ["before-token", "after-token"]
    assert sandbox.problems() == []


def test_a_rotation_resumes_after_a_crash(reader: Reader) -> None:
    reader.server.crash_after("secretsmanager put-secret-value")
    assert reader.server.run("tokens", "rotate").code == -9
    again = reader.server.run("tokens", "rotate")
    assert again.code == 0, again.log
    (cluster,) = reader.sandbox.state["clusters"].values()
    assert cluster["token"] == reader.sandbox.secret("server-token") != "server-token"


def test_a_rotation_that_may_have_reached_the_cluster_asks_a_person(reader: Reader) -> None:
    reader.server.crash_after("rke2 token rotate")
    assert reader.server.run("tokens", "rotate").code == -9
    asked = reader.server.run("tokens", "rotate")
    assert asked.code == STOPPED, asked.log
    assert reader.server.shell(asked.log.partition("already: ")[2].partition(",")[0]).returncode == 0, asked.log
    assert reader.server.run("tokens", "rotate").code == 0
    (cluster,) = reader.sandbox.state["clusters"].values()
    assert cluster["token"] == reader.sandbox.secret("server-token") != "server-token"


def test_growing_a_data_volume(reader: Reader) -> None:
    reader.follow("changing-instance-types")
    assert reader.server.calls("resize2fs")


def test_taking_a_snapshot_before_something_is_changed(reader: Reader) -> None:
    for page in ("destroying-an-environment", "upgrading"):
        reader.follow(page)
    assert reader.sandbox.state["snapshots"] == ["last", "before-1-27"]
