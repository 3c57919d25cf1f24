"""Small faults, each of which once led somewhere else: answers that are none, files that are cut, disks that are full."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from tests.boot.sandbox import STOPPED, Machine, Sandbox


def metadata_says(machine: Machine, path: str, times: int, answer: str) -> None:
    """Let the metadata service answer wrongly so many times."""
    file = machine.folder / "metadata.json"
    facts: dict[str, Any] = json.loads(file.read_text())
    file.write_text(json.dumps(facts | {"wrong": [[path, times, answer]]}))


@pytest.mark.parametrize("fact", ["instance-id", "placement/availability-zone", "local-ipv4", "local-hostname"])
@pytest.mark.parametrize("answer", ["<html>404</html>", ""])
def test_what_is_no_answer_of_the_metadata_service_is_asked_again(fact: str, answer: str, sandbox: Sandbox) -> None:
    server = sandbox.server(0)
    metadata_says(server, fact, 1, answer)
    result = server.run("write-node-identity")
    assert result.code == 0, result.log
    assert f"NODE_NAME='{server.name}'" in (server.root / "run/vet/identity").read_text()


@pytest.mark.parametrize("answer", ["<html>404</html>", ""])
def test_a_host_name_that_is_none_names_no_node(answer: str, sandbox: Sandbox) -> None:
    server = sandbox.server(0)
    metadata_says(server, "local-hostname", 99, answer)
    assert server.run("write-node-identity").code == 1
    assert not (server.root / "run/vet/identity").exists()
    assert not (server.root / "etc/rancher/rke2/config.yaml.d/20-node.yaml").exists()


def test_the_metadata_services_token_is_in_no_log_and_no_argument(sandbox: Sandbox) -> None:
    server = sandbox.server(0)
    result = server.run("write-node-identity")
    assert result.code == 0
    assert "imds-token" not in result.log
    assert server.calls("meta-data/instance-id"), "the metadata service was not asked"
    assert server.calls("imds-token") == []


@pytest.mark.parametrize("program_", ["boot", "health", "mount-data", "restore"])
def test_a_cut_environment_stops_every_program_before_it_does_anything(program_: str, sandbox: Sandbox) -> None:
    server = sandbox.server(0)
    file = server.root / "etc/vet/node.env"
    lines = file.read_text().splitlines(keepends=True)
    file.write_text("".join(lines[:-1]))
    result = server.run(program_, "snapshot")
    assert result.code == STOPPED, result.log
    assert "node.env is cut" in result.log
    assert "make roll-servers" in result.log
    assert server.calls() == []


def test_a_program_that_a_power_loss_emptied_is_installed_again(sandbox: Sandbox) -> None:
    server = sandbox.server(0)
    assert server.run("install-rke2").code == 0
    programs = [server.root / "usr/local/bin" / name for name in ("rke2", "kubectl")]
    whole = [path.read_bytes() for path in programs]
    for path in programs:
        path.write_bytes(b"")
    result = server.run("install-rke2")
    assert result.code == 0, result.log
    assert [path.read_bytes() for path in programs] == whole


def test_more_terminated_machines_than_a_filter_takes(sandbox: Sandbox) -> None:
    """EC2 takes 200 values in a filter (AWS API: DescribeInstances)."""
    server = sandbox.running_cluster()[0]
    nodes = server.folder / "nodes"
    nodes.write_text("".join(f"agent-{number} aws:///a/i-{number:017x} Unknown\n" for number in range(230)))
    deleted = server.folder / "deleted"
    server.before(
        "kubectl",
        f'case "$*" in *" get nodes "*) cat {nodes} ;; *" delete node "*) echo "$*" >>{deleted} ;; esac; exit',
    )
    result = server.run("remove-terminated-agents")
    assert result.code == 0, result.log
    assert len(deleted.read_text().splitlines()) == 230
    asked = [call.partition("Values=")[2].partition(" ")[0] for call in server.calls("describe-instances")]
    assert len(asked) > 1
    assert max(values.count(",") + 1 for values in asked) <= 200


def test_another_volume_replaces_the_old_ones_line_in_fstab(sandbox: Sandbox) -> None:
    """The old line would mount the old volume again, or leave the machine waiting for it."""
    server = sandbox.server(0)
    assert server.run("mount-data").code == 0
    old, new = server.volume, sandbox.new_volume()
    server.power_off()
    (server.folder / "devices.json").write_text(json.dumps({"/dev/nvme1n1": new}))
    environment = server.root / "etc/vet/node.env"
    environment.write_text(environment.read_text().replace(str(old), new))
    result = server.run("mount-data")
    assert result.code == 0, result.log
    lines = [line for line in (server.root / "etc/fstab").read_text().splitlines() if " /var/lib/vet/data " in line]
    assert len(lines) == 1, lines
    assert lines[0].startswith(f"UUID={new} "), lines


def test_data_archived_twice_in_one_second_stay_apart(sandbox: Sandbox) -> None:
    server = sandbox.running_cluster()[0]
    server.before("date", "echo 20260101T000000Z")
    for content in ("first", "second"):
        folder = server.on_volume("server/db")
        folder.mkdir(exist_ok=True)
        (folder / "content").write_text(content)
        result = server.run("archive-etcd-data")
        assert result.code == 0, result.log
    contents = {path.read_text() for path in server.on_volume("set-aside").glob("*/db/content")}
    assert contents == {"first", "second"}


@pytest.mark.parametrize(
    ("name", "script", "message", "step"),
    [
        ("head", "echo 'head: write error: No space left on device' >&2; exit 1", "is full", "set-aside"),
        ("mktemp", "echo 'mktemp: failed: Read-only file system' >&2; exit 1", "read-only", "dmesg"),
        ("mktemp", "echo 'mktemp: failed: Input/output error' >&2; exit 1", "Input/output error", "cannot be written"),
    ],
    ids=["full", "read-only", "neither"],
)
def test_a_volume_that_takes_no_data_is_named_with_the_step_that_helps(
    name: str, script: str, message: str, step: str, sandbox: Sandbox
) -> None:
    server = sandbox.server(0)
    probing = '[[ "$*" = *.probe-* || "$*" = *65536* ]]'
    server.before(name, f'{probing} || exec {_real(name)} "$@"\n{script}')
    result = server.run("mount-data")
    assert result.code == 1, result.log
    assert message in result.log, result.log
    assert step in result.log, result.log
    assert not list(server.on_volume("").glob(".probe-*"))


def _real(name: str) -> Path:
    return Path("/usr/bin") / name


def test_an_identity_that_cannot_be_read_is_not_written_again(sandbox: Sandbox) -> None:
    """It could say that this is a copy of another volume."""
    (server,) = sandbox.running_cluster()
    identity = server.on_volume("identity")
    identity.write_text("volume=vol-of-another slot=0\n")
    server.before(
        "stat", '[[ $* != */identity ]] || { echo "stat: Input/output error" >&2; exit 1; }\nexec /usr/bin/stat "$@"'
    )
    result = server.run("volume-identity", "check")
    assert result.code == 1, result.log
    assert "Input/output error" in result.log
    assert identity.read_text() == "volume=vol-of-another slot=0\n"


def test_an_identity_whose_content_cannot_be_read_is_not_an_empty_one(sandbox: Sandbox) -> None:
    """An empty one is of a power loss, and is written again."""
    (server,) = sandbox.running_cluster()
    identity = server.on_volume("identity")
    identity.unlink()
    identity.symlink_to("/proc/self/mem")  # which can be looked at, and whose first byte is an input/output error
    result = server.run("volume-identity", "check")
    assert result.code == 1, result.log
    assert identity.is_symlink(), "written again, although it could name another volume"


def orders(machine: Machine) -> list[str]:
    """What was asked of the API about taking workloads, in order."""
    return re.findall(r"kubectl\b.* (cordon|drain|uncordon) ", "\n".join(machine.calls("kubectl")))


def test_a_server_is_closed_before_it_is_emptied_and_opened_again(sandbox: Sandbox) -> None:
    (server,) = sandbox.bootstrap_cluster()
    result = server.run("drain")
    assert result.code == 0, result.log
    assert orders(server) == ["cordon", "drain"]
    result = server.run("drain", "undo")
    assert result.code == 0, result.log
    assert orders(server) == ["cordon", "drain", "uncordon"]
