"""Restoring etcd from a snapshot: refused where it harms, resumable, and everybody rejoins."""

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.boot.sandbox import STOPPED, SUBNETS, Machine, Sandbox

HOSTILE = ("z'; touch pwned; echo '.zip", "$(touch pwned)", "`touch pwned`", "two words", "-rf", 'a"; touch pwned; "')
"""Names that a shell would run, or take apart."""

SNAPSHOT = "etcd-snapshot-ip-10-0-10-10.ec2.internal-1700000000"


@pytest.fixture
def lost(make_sandbox: Callable[..., Sandbox]) -> tuple[Sandbox, list[Machine]]:
    """Three replaced servers with empty volumes, a marker that says "ready", and snapshots in the bucket."""
    sandbox = make_sandbox(servers=3)
    for machine in sandbox.running_cluster():
        machine.power_off()
    sandbox.change(clusters={}, machines={})
    for key in (SNAPSHOT, "etcd-snapshot-ip-10-0-10-10.ec2.internal-1600000000", f".metadata/{SNAPSHOT}"):
        sandbox.client("s3").put_object(Bucket=sandbox.inputs.snapshots_bucket, Key=f"vet-dev/{key}", Body=b"snapshot")
    machines = [sandbox.server(slot) for slot in range(3)]
    for machine in machines:
        for program in ("install-rke2", "write-node-identity", "mount-data"):
            assert machine.run(program).code == 0
    return sandbox, machines


@pytest.mark.parametrize(
    ("step", "stopped"), [("waiting", True), ("resetting", True), ("left", False), ("done", False)]
)
def test_a_server_that_is_past_waiting_is_not_stopped_again(sandbox: Sandbox, step: str, stopped: bool) -> None:
    """The same command again, after an interruption: a server of the new cluster is left as it is."""
    (server,) = sandbox.running_cluster()
    assert server.run("progress", "write", "run-1", step, SNAPSHOT).code == 0
    result = server.run("stop-cluster-services", "run-1", SNAPSHOT)
    assert result.code == 0, result.log
    assert sandbox.state["machines"][server.address]["running"] is not stopped, result.log
    assert ("is past waiting in this restore" in result.log) is not stopped


def test_restore_makes_one_cluster_that_the_others_rejoin(lost: tuple[Sandbox, list[Machine]]) -> None:
    sandbox, (chosen, *others) = lost
    result = chosen.run("restore", SNAPSHOT)
    assert result.code == 0, result.log
    assert sandbox.state["resets"] == [SNAPSHOT]
    assert (chosen.root / "etc/rancher/rke2/token").read_text() == "server-token\n", (
        "not the token that encrypts the snapshot"
    )
    for other in others:
        assert other.run("rejoin").code == 0
        result = other.boot()  # what vet-boot.service does when it is restarted
        assert result.code == 0, result.log
        assert result.decisions() == ["join"], result.log
    assert sandbox.members() == sorted(SUBNETS)
    assert sandbox.problems() == []
    assert f"restore=by-hand done {SNAPSHOT}" in chosen.run("health").log.splitlines()


def test_restore_with_a_wrong_name_changes_nothing_and_shows_the_newest(lost: tuple[Sandbox, list[Machine]]) -> None:
    sandbox, (chosen, *_) = lost
    result = chosen.run("restore", "no-such-snapshot")
    assert result.code == STOPPED, result.log
    assert SNAPSHOT in result.log
    assert ".metadata" not in result.log
    assert sandbox.state["resets"] == []
    assert not chosen.calls("systemctl stop rke2-server")


def test_restore_runs_twice(lost: tuple[Sandbox, list[Machine]]) -> None:
    """The second time the cluster is healthy: refused; with the flag it restores again, and keeps the data that it
    replaces."""
    sandbox, (chosen, *_) = lost
    assert chosen.run("restore", SNAPSHOT).code == 0
    refused = chosen.run("restore", SNAPSHOT)
    assert refused.code == STOPPED, refused.log
    assert "etcd has a majority" in refused.log
    result = chosen.run("restore", SNAPSHOT, "by-hand", "--healthy-too")
    assert result.code == 0, result.log
    assert sandbox.state["resets"] == [SNAPSHOT, SNAPSHOT]
    assert list(chosen.on_volume("server/db").glob("etcd-old-*")), "the replaced database was not kept"


@pytest.mark.parametrize(
    "call", ["rke2-killall.sh", "mount --bind", "rke2 server --cluster-reset", "systemctl start rke2-server"]
)
def test_restore_resumes_after_a_crash(call: str, lost: tuple[Sandbox, list[Machine]]) -> None:
    sandbox, (chosen, *_) = lost
    chosen.crash_after(call)
    crashed = chosen.run("restore", SNAPSHOT)
    assert crashed.code == -9, crashed.log
    chosen.power_off()
    chosen.run("mount-data")
    chosen.run("write-node-identity")
    result = chosen.run("restore", SNAPSHOT)
    assert result.code == 0, result.log
    assert sandbox.members() == [chosen.address]


@pytest.mark.parametrize("program", ["stop-cluster-services", "rejoin"])
def test_data_is_out_of_reach_when_rke2s_script_ends_the_pods(
    program: str, make_sandbox: Callable[..., Sandbox]
) -> None:
    """That script deletes what is mounted below RKE2's folder when it cannot unmount it; see its stand-in."""
    sandbox = make_sandbox(servers=3)
    server = sandbox.running_cluster()[2]
    (server.folder / "busy").write_text("2")
    result = server.run(program)
    assert result.code == 0, result.log
    data = list((sandbox.folder / "volumes" / str(server.volume)).glob("files/**/db/etcd/name"))
    assert len(data) == 1, f"etcd's data is gone:\n{result.log}"
    assert (server.folder / "killed").exists(), "the pods go on running"


def test_pods_are_not_ended_while_the_data_volume_cannot_be_unmounted(make_sandbox: Callable[..., Sandbox]) -> None:
    sandbox = make_sandbox(servers=3)
    server = sandbox.running_cluster()[2]
    (server.folder / "busy").write_text("99")
    result = server.run("stop-cluster-services")
    assert result.code != 0
    assert not (server.folder / "killed").exists(), f"RKE2's script could reach the data:\n{result.log}"
    assert server.on_volume("server/db/etcd/name").exists()


def test_restore_is_refused_on_a_healthy_cluster(sandbox: Sandbox) -> None:
    server = sandbox.running_cluster()[0]
    sandbox.client("s3").put_object(Bucket=sandbox.inputs.snapshots_bucket, Key=f"vet-dev/{SNAPSHOT}", Body=b"snapshot")
    result = server.run("restore", SNAPSHOT)
    assert result.code == STOPPED, result.log
    assert "FORCE=yes" in result.log
    assert sandbox.state["resets"] == []


def test_a_snapshot_is_taken_by_name_and_a_bad_name_is_refused(sandbox: Sandbox) -> None:
    server = sandbox.running_cluster()[0]
    assert server.run("snapshot", "before-upgrade").code == 0
    assert sandbox.state["snapshots"] == ["before-upgrade"]
    assert server.run("snapshot", "Bad Name; rm").code == STOPPED


def test_health_tells_what_operations_need(make_sandbox: Callable[..., Sandbox]) -> None:
    sandbox = make_sandbox(servers=3)
    machines = sandbox.running_cluster()
    health = dict(
        line.split("=", 1) for line in machines[0].run("health").log.splitlines() if not line.startswith("vet ")
    )
    assert health | {"boot": ""} == {
        "slot": "0",
        "rke2": "active",
        "boot": "",
        "data": "present",
        "api": "ready",
        "etcd": "healthy",
        "quorum": "yes",
        "members": "3",
        "voting": "3",
        "servers_ready": "3",
        "leader": "yes",
        "database_bytes": "20971520",
        "database_bytes_in_use": "10485760",
        "alarms": "",
        "cordoned": "false",
        "data_written": health["data_written"],
        "restore": "",
    }
    machines[1].power_off()
    assert "data=unknown" in machines[1].run("health").log.splitlines(), "what is not mounted was taken for empty"
    health = dict(
        line.split("=", 1) for line in machines[0].run("health").log.splitlines() if not line.startswith("vet ")
    )
    assert health["etcd"] == "unhealthy"


def test_a_server_that_was_told_to_wait_stays_so_over_a_reboot_until_it_rejoins(
    make_sandbox: Callable[..., Sandbox],
) -> None:
    """The others' old data would otherwise be a second cluster beside the restored one."""
    sandbox = make_sandbox(servers=3)
    chosen, *others = sandbox.running_cluster()
    sandbox.client("s3").put_object(Bucket=sandbox.inputs.snapshots_bucket, Key=f"vet-dev/{SNAPSHOT}", Body=b"snapshot")
    for other in others:
        assert other.run("stop-cluster-services", "run-1", SNAPSHOT).code == 0
        other.power_off()
        held = other.boot()
        assert held.code == STOPPED, held.log
        assert "make restore ENV=dev again" in held.log
        assert not other.calls("systemctl start rke2-server"), held.log
    result = chosen.run("restore", SNAPSHOT, "run-1", "--healthy-too")
    assert result.code == 0, result.log
    for other in others:
        rejoined = other.run("rejoin", "run-1")
        assert rejoined.code == 0, rejoined.log
        assert other.boot().decisions() == ["join"]
    assert sandbox.state["resets"] == [SNAPSHOT]
    again = others[0].run("rejoin", "run-1")
    assert again.code == 0, again.log
    assert len(list(others[0].on_volume("set-aside").iterdir())) == 1, "new data was set aside by a repeated rejoin"
    assert others[0].boot().code == 0
    another = others[0].run("rejoin", "run-2")
    assert another.code == 0, another.log
    assert len(list(others[0].on_volume("set-aside").iterdir())) == 2, "the restore before it counted for another one"


def test_a_restore_that_ended_is_not_done_again_by_its_repetition(lost: tuple[Sandbox, list[Machine]]) -> None:
    sandbox, (chosen, *_) = lost
    for _ in range(2):
        assert chosen.run("restore", SNAPSHOT, "run-1").code == 0
    assert sandbox.state["resets"] == [SNAPSHOT]


def test_the_disk_of_the_last_server_is_restored_without_its_lost_members(make_sandbox: Callable[..., Sandbox]) -> None:
    sandbox = make_sandbox(servers=3)
    machines = sandbox.running_cluster()
    for machine in machines:
        machine.power_off()
    survivor = machines[1]
    assert survivor.run("mount-data").code == 0
    result = survivor.run("restore", "disk", "run-1")
    assert result.code == 0, result.log
    assert sandbox.state["resets"] == ["disk"]
    assert sandbox.members() == [survivor.address]
    assert sandbox.problems() == []


def test_a_restored_server_starts_again_although_its_volume_was_a_copy(lost: tuple[Sandbox, list[Machine]]) -> None:
    """A snapshot was restored on it on purpose: what the volume was made of matters no more."""
    _, (chosen, *_) = lost
    chosen.on_volume("identity").write_text("volume=vol-0fedcba9876543210 slot=0\n")
    assert chosen.run("restore", SNAPSHOT).code == 0
    chosen.power_off()
    again = chosen.boot()
    assert again.code == 0, again.log
    assert again.decisions() == ["start"]


def test_a_snapshot_of_no_bytes_is_not_restored(lost: tuple[Sandbox, list[Machine]]) -> None:
    sandbox, (chosen, *_) = lost
    sandbox.client("s3").put_object(Bucket=sandbox.inputs.snapshots_bucket, Key="vet-dev/empty", Body=b"")
    result = chosen.run("restore", "empty")
    assert result.code == STOPPED, result.log
    assert sandbox.state["resets"] == []


@pytest.mark.parametrize("name", HOSTILE)
def test_an_object_with_a_name_that_no_snapshot_has_is_never_restored_and_runs_nothing(
    name: str, lost: tuple[Sandbox, list[Machine]]
) -> None:
    """Anybody who can write into the bucket chooses names; the programs run as root."""
    sandbox, (chosen, *_) = lost
    sandbox.client("s3").put_object(Bucket=sandbox.inputs.snapshots_bucket, Key=f"vet-dev/{name}", Body=b"snapshot")
    result = chosen.run("restore", name)
    assert result.code == STOPPED, result.log
    assert sandbox.state["resets"] == []
    snapshots = chosen.root / "var/lib/rancher/rke2/server/db/snapshots"
    snapshots.mkdir(parents=True)
    for number in range(3):
        (snapshots / f"{number}{name.replace('/', '')}").write_text("snapshot")
    for program, arguments in (("trim-snapshots", ()), ("gather-facts", ("history",)), ("health", ())):
        done = chosen.run(program, *arguments)
        assert done.code == 0, f"{program}\n{done.log}"
    pwned = [*chosen.root.rglob("pwned"), *Path().glob("pwned"), *sandbox.folder.rglob("pwned")]
    assert not pwned, f"a name of an object was run: {pwned}"


def test_a_server_whose_vote_the_others_need_does_not_leave(make_sandbox: Callable[..., Sandbox]) -> None:
    sandbox = make_sandbox(servers=3)
    leaving, stays, gone = sandbox.running_cluster()
    gone.power_off()
    refused = leaving.run("rejoin")
    assert refused.code == STOPPED, refused.log
    assert "lose the majority" in refused.log
    stays.power_off()
    refused = leaving.run("rejoin")
    assert refused.code == STOPPED, refused.log
    assert "may be the last" in refused.log
    assert leaving.on_volume("server/db/etcd/name").exists()
    assert not leaving.calls("systemctl stop rke2-server")
