"""The data volume: found by its own id, formatted only when blank, grown, and holding two folders."""

import json

import pytest

from tests.boot.sandbox import STOPPED, Sandbox


def test_a_blank_volume_is_formatted_once_and_mounted(sandbox: Sandbox) -> None:
    server = sandbox.server(0)
    for _ in range(2):
        result = server.run("mount-data")
        assert result.code == 0, result.log
    assert len(server.calls("mkfs.ext4")) == 1
    (server.root / "var/lib/rancher/rke2/server/probe").write_text("x")
    (server.root / "etc/rancher/node/password").write_text("y")
    assert server.on_volume("server/probe").read_text() == "x"
    assert server.on_volume("node/password").read_text() == "y"
    assert sorted(path.name for path in server.on_volume("").iterdir()) == ["node", "server"]


@pytest.mark.parametrize("signature", ["xfs backups", "ext4 somebody-elses", "gpt", "LVM2_member", "ext4", "swap"])
def test_a_volume_with_foreign_content_is_never_formatted(signature: str, sandbox: Sandbox) -> None:
    server = sandbox.server(0)
    server.on_volume("signature", whole=True).write_text(signature)
    server.on_volume("precious").write_text("data")
    result = server.boot()
    assert result.code == STOPPED, result.log
    assert signature.split()[0] in result.log
    assert not server.calls("mkfs.ext4")
    assert not server.calls("mount UUID")
    assert server.on_volume("precious").read_text() == "data"
    assert sandbox.state["clusters"] == {}, "started without its data volume"


def test_the_volume_is_found_by_its_id_whatever_its_device_is_called(sandbox: Sandbox) -> None:
    server = sandbox.server(0)
    other = sandbox.new_volume()
    (server.folder / "devices.json").write_text(json.dumps({"/dev/nvme1n1": other, "/dev/nvme7n1": server.volume}))
    result = server.run("mount-data")
    assert result.code == 0, result.log
    assert server.calls("mkfs.ext4") == ["mkfs.ext4 -q -L vet-data /dev/nvme7n1"]


def test_a_volume_that_is_attached_late_is_mounted(sandbox: Sandbox) -> None:
    """AWS attaches it while the machine starts, before or after the first look."""
    server = sandbox.server(0)
    server.before("lsblk", '[ -e "$0.asked" ] || { touch "$0.asked"; exit 0; }')
    result = server.run("mount-data")
    assert result.code == 0, result.log
    assert "is mounted" in result.log


def test_a_volume_that_is_not_attached_is_waited_for_and_never_replaced(sandbox: Sandbox) -> None:
    server = sandbox.server(0)
    (server.folder / "devices.json").write_text("{}")
    result = server.boot()
    assert result.code == 1, result.log
    assert "is not attached" in result.log
    assert sandbox.state["clusters"] == {}
    (server.folder / "devices.json").write_text(json.dumps({"/dev/nvme1n1": server.volume}))
    assert server.boot().code == 0


def test_an_enlarged_volume_is_grown_while_mounted(sandbox: Sandbox) -> None:
    server = sandbox.server(0)
    server.run("mount-data")
    calls = server.calls()
    mounted = next(number for number, call in enumerate(calls) if call.startswith("mount UUID"))
    grown = next(number for number, call in enumerate(calls) if call.startswith("resize2fs"))
    assert mounted < grown


def test_fstab_survives_a_lost_volume(sandbox: Sandbox) -> None:
    """Without "nofail" a machine whose volume is gone ends in an emergency shell that nobody can reach."""
    server = sandbox.server(0)
    server.run("mount-data")
    lines = (server.root / "etc/fstab").read_text().splitlines()
    assert len(lines) == 3, lines
    assert all("nofail" in line for line in lines), lines


@pytest.mark.parametrize(
    ("code", "outcome"),
    [
        (0, "ours e2fsck: 0"),
        (1, "ours e2fsck: 1"),
        (4, "damaged e2fsck cannot repair it by itself. To repair it: sudo e2fsck -f"),
        (8, "could not be checked"),
    ],
)
def test_what_e2fsck_could_not_repair_is_for_a_person_and_what_it_could_not_read_is_unknown(
    code: int, outcome: str, sandbox: Sandbox
) -> None:
    """The exit statuses of e2fsck(8): of a sum from 8 on it has not looked at the file system."""
    server = sandbox.running_cluster()[0]
    server.on_volume("e2fsck", whole=True).write_text(str(code))
    result = server.run("inspect-volume", "/dev/nvme1n1", "vet-data")
    assert outcome in result.log.strip().splitlines()[-1], result.log
    assert (result.code == 0) is (code < 8), result.log
    assert ("repaired the file system" in result.log) is (code == 1), result.log
