"""RKE2's profile for the CIS benchmark: what it looks for on a machine is there before it starts, on every way that leads to a start."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.boot.sandbox import SUBNETS, Machine, Sandbox
from tests.boot.test_restore import SNAPSHOT

ETCD = 400


@pytest.fixture
def hardened(make_sandbox: Callable[..., Sandbox]) -> Sandbox:
    """Three servers with ``cluster.hardening: cis``."""
    return make_sandbox(servers=3, hardening="cis")


def entry(machine: Machine, file: str) -> str:
    """The line of etcd in the machine's users or groups."""
    path = machine.root / "etc" / file
    lines = path.read_text().splitlines() if path.exists() else []
    return next((line for line in lines if line.startswith("etcd:")), "")


def strangers(path: Path) -> list[str]:
    """What below the path, it included, is not etcd's."""
    return [str(each) for each in (path, *path.rglob("*")) if each.stat().st_uid != ETCD]


def test_a_hardened_cluster_forms_and_starts_again(hardened: Sandbox) -> None:
    machines = hardened.bootstrap_cluster()
    assert hardened.members() == sorted(SUBNETS)
    for machine in machines:
        assert machine.config()["profile"] == "cis"
        assert entry(machine, "passwd") == f"etcd:x:{ETCD}:{ETCD}::/nonexistent:/usr/sbin/nologin"
        assert entry(machine, "group") == f"etcd:x:{ETCD}:"
    machines[0].power_off()
    again = machines[0].boot()
    assert again.code == 0, again.log
    assert len(machines[0].calls("useradd")) == 1, "made twice"


def test_nobody_is_made_where_nothing_is_hardened(sandbox: Sandbox) -> None:
    (server,) = sandbox.bootstrap_cluster()
    assert "profile" not in server.config()
    assert not server.calls("useradd")
    assert not server.calls("groupadd")


def test_an_agent_has_the_profile_and_no_etcd(hardened: Sandbox) -> None:
    hardened.bootstrap_cluster()
    agent = hardened.agent()
    result = agent.boot()
    assert result.code == 0, result.log
    assert agent.config()["profile"] == "cis"
    assert not agent.calls("useradd")


def test_an_image_that_has_the_user_keeps_it(hardened: Sandbox) -> None:
    server = hardened.server(0)
    (server.root / "etc/group").write_text("etcd:x:112:\n")
    (server.root / "etc/passwd").write_text("etcd:x:112:112::/var/lib/etcd:/bin/false\n")
    result = server.boot()
    assert result.code == 0, result.log
    assert entry(server, "passwd").startswith("etcd:x:112:")


@pytest.mark.parametrize("taken", ["group", "passwd"])
def test_a_number_that_somebody_has_stops_nothing(taken: str, hardened: Sandbox) -> None:
    server = hardened.server(0)
    (server.root / "etc" / taken).write_text(f"somebody:x:{ETCD}:{ETCD}::/:/bin/false\n")
    result = server.boot()
    assert result.code == 0, result.log
    assert entry(server, taken).split(":")[2] == "999"


def test_a_restore_on_new_machines_finds_its_user(hardened: Sandbox) -> None:
    """The reset runs RKE2 outside its unit, which looks at the machine all the same."""
    for machine in hardened.running_cluster():
        machine.power_off()
    hardened.change(clusters={}, machines={})
    hardened.client("s3").put_object(
        Bucket=hardened.inputs.snapshots_bucket, Key=f"vet-dev/{SNAPSHOT}", Body=b"snapshot"
    )
    chosen, *others = [hardened.server(slot) for slot in range(3)]
    assert chosen.boot().code != 0, "a cluster existed, and nothing was restored"
    result = chosen.run("restore", SNAPSHOT)
    assert result.code == 0, result.log
    for other in others:
        assert other.boot().decisions() == ["join"]
    assert hardened.members() == sorted(SUBNETS)
    assert hardened.problems() == []


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files away: run the boot tests as root to see it")
def test_etcds_data_stay_etcds_when_they_are_moved_aside_and_when_the_machine_is_replaced(hardened: Sandbox) -> None:
    machines = hardened.bootstrap_cluster()
    leaving = machines[2]
    assert not strangers(leaving.on_volume("server/db/etcd"))
    assert leaving.run("rejoin").code == 0
    (aside,) = leaving.on_volume("set-aside").iterdir()
    assert not strangers(aside / "db/etcd"), "what was moved aside has another owner"
    assert leaving.boot().code == 0
    assert not strangers(leaving.on_volume("server/db/etcd"))
    leaving.power_off()
    replacement = hardened.server(2, leaving.volume)
    assert replacement.run("prepare-host").code == 0
    assert replacement.run("mount-data").code == 0
    assert not strangers(replacement.on_volume("server/db/etcd")), "mounting changed the owner"
    assert replacement.boot().code == 0


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files away: run the boot tests as root to see it")
def test_turned_on_in_a_cluster_that_runs_the_data_get_their_owner_at_the_roll(
    make_sandbox: Callable[..., Sandbox],
) -> None:
    sandbox = make_sandbox()
    (before,) = sandbox.bootstrap_cluster()
    assert strangers(before.on_volume("server/db/etcd"))
    before.power_off()
    sandbox.hardening = "cis"
    del sandbox.inputs
    after = sandbox.server(0, before.volume)
    result = after.boot()
    assert result.code == 0, result.log
    assert not strangers(after.on_volume("server/db/etcd"))
    assert sandbox.problems() == []
