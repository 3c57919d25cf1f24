"""Room on a server's disk: snapshots that lie there, and what etcd's database no longer uses."""

import os
from pathlib import Path

import pytest

from tests.boot.sandbox import STOPPED, Machine, Sandbox

ETCD = """
say() {{ echo "$*" >>{folder}/etcd.log; }}
case "$*" in
  *" alarm list") [ ! -e {folder}/ill ] || exit 1; [ ! -e {folder}/alarm ] || echo "memberID:1 alarm:NOSPACE"; exit ;;
  *" alarm disarm") say disarm; [ -e {folder}/full ] || rm -f {folder}/alarm; exit ;;
  *" endpoint status --cluster") [ ! -e {folder}/silent ]; exit ;;
  *" endpoint status --write-out fields")
    size=2000; grep -q defrag {folder}/etcd.log 2>/dev/null && size=500
    printf '"Revision" : 7\\n"Leader" : 1\\n"DBSize" : %s\\n"DBSizeInUse" : 400\\n' "$size"; exit ;;
  *" compact "*) say "compact ${{@: -1}}"; [ ! -e {folder}/compacted ] || {{ cat {folder}/compacted >&2; exit 1; }}; exit ;;
  *" defrag --command-timeout 600s") [[ $* = *"--request-timeout 0"* ]] || exit 9; say defrag; exit ;;
esac
"""
"""etcd as etcdctl shows it, in front of the stand-in for kubectl."""


@pytest.fixture
def server(sandbox: Sandbox) -> Machine:
    """A server whose etcd keeps a log of what is done to it."""
    machine = sandbox.running_cluster()[0]
    machine.before("kubectl", ETCD.format(folder=machine.folder))
    return machine


def done(server: Machine) -> list[str]:
    """What was done to etcd."""
    log = server.folder / "etcd.log"
    return log.read_text().splitlines() if log.exists() else []


def test_etcd_is_compacted_and_defragmented(server: Machine) -> None:
    result = server.run("defragment")
    assert result.code == 0, result.log
    assert done(server) == ["compact 7", "defrag"]
    assert "had 2000 bytes and has 500" in result.log


def test_a_server_is_not_kept_busy_while_another_member_is_away(server: Machine) -> None:
    (server.folder / "silent").touch()
    result = server.run("defragment")
    assert result.code == STOPPED, result.log
    assert done(server) == []
    (server.folder / "alarm").touch()  # nothing can be written now, so room comes first
    assert server.run("defragment").code == 0
    assert done(server) == ["compact 7", "defrag"]


def test_alarms_that_cannot_be_asked_are_not_none(server: Machine) -> None:
    (server.folder / "ill").touch()
    result = server.run("defragment")
    assert result.code == STOPPED, result.log
    assert "cannot be asked: nothing was changed" in result.log
    assert done(server) == []
    assert server.run("defragment", "disarm").code != 0, "the alarm is called gone, and nobody knows"


@pytest.mark.parametrize(
    ("error", "code"), [("required revision has been compacted", 0), ("etcdserver: request timed out", STOPPED)]
)
def test_what_is_compacted_already_is_no_failure_and_anything_else_is(error: str, code: int, server: Machine) -> None:
    (server.folder / "compacted").write_text(f"Error: etcdserver: mvcc: {error}\n")
    result = server.run("defragment")
    assert result.code == code, result.log
    assert ("defrag" in done(server)) == (code == 0)


def test_the_alarm_is_cleared_and_one_that_comes_again_is_named(server: Machine) -> None:
    (server.folder / "alarm").touch()
    assert server.run("defragment", "disarm").code == 0
    for name in ("alarm", "full"):
        (server.folder / name).touch()
    result = server.run("defragment", "disarm")
    assert result.code == STOPPED
    assert "is there again: NOSPACE" in result.log


def snapshots(server: Machine, count: int, *, size: int) -> Path:
    """So many on the disk, the last the newest; a disk of so many GiB."""
    folder = server.on_volume("server/db/snapshots")
    folder.mkdir(parents=True)
    for number in range(count):
        (folder / f"etcd-snapshot-{number}.zip").write_text("snapshot")
        os.utime(folder / f"etcd-snapshot-{number}.zip", (1000 + number, 1000 + number))
    server.before("df", f"printf 'Size\\n  %s\\n' {size}")
    return folder


@pytest.mark.parametrize(("size", "kept"), [(20, 5), (8, 2), (1, 1)])
def test_as_many_snapshots_stay_on_the_disk_as_half_of_it_holds(size: int, kept: int, sandbox: Sandbox) -> None:
    server = sandbox.running_cluster()[0]
    folder = snapshots(server, 8, size=size)
    for number in range(8):
        key = f"vet-dev/etcd-snapshot-{number}.zip"
        sandbox.client("s3").put_object(Bucket=sandbox.inputs.snapshots_bucket, Key=key, Body=b"snapshot")
    result = server.run("trim-snapshots")
    assert result.code == 0, result.log
    assert {path.name for path in folder.iterdir()} == {f"etcd-snapshot-{n}.zip" for n in range(8 - kept, 8)}


def test_a_snapshot_that_the_bucket_does_not_have_stays(sandbox: Sandbox) -> None:
    server = sandbox.running_cluster()[0]
    folder = snapshots(server, 7, size=20)
    sandbox.client("s3").put_object(
        Bucket=sandbox.inputs.snapshots_bucket, Key="vet-dev/etcd-snapshot-0.zip", Body=b"snapshot"
    )
    sandbox.client("s3").put_object(Bucket=sandbox.inputs.snapshots_bucket, Key="vet-dev/etcd-snapshot-1.zip", Body=b"")
    result = server.run("trim-snapshots")
    assert result.code == 0, result.log
    assert {path.name for path in folder.iterdir()} == {f"etcd-snapshot-{n}.zip" for n in range(1, 7)}, result.log


def test_a_bucket_that_cannot_be_asked_keeps_all(sandbox: Sandbox) -> None:
    server = sandbox.running_cluster()[0]
    folder = snapshots(server, 7, size=20)
    sandbox.change(aws_failures=[["s3api list-objects-v2", 9, "AccessDenied"]])
    assert server.run("trim-snapshots").code != 0
    assert len(list(folder.iterdir())) == 7


def test_a_server_without_any_snapshot_has_nothing_to_do(sandbox: Sandbox) -> None:
    assert sandbox.running_cluster()[0].run("trim-snapshots").code == 0
