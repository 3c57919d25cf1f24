"""With etcd itself below the stand-in of RKE2: one cluster, and what was acknowledged is there, whatever happens to its members."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.boot.etcd_world import MISSING, EtcdWorld, Writer, client, programs
from tests.boot.machine import STOPPED, Machine
from tests.boot.sandbox import SUBNETS

MakeWorld = Callable[..., EtcdWorld]


@pytest.fixture
def make_world(tmp_path: Path, emulator: str, stand_ins: str) -> Iterator[MakeWorld]:
    """Worlds with etcd itself; they end with the test."""
    if programs() is None:
        pytest.skip(MISSING)
    worlds: list[EtcdWorld] = []

    def make(servers: int = 3) -> EtcdWorld:
        worlds.append(EtcdWorld(tmp_path / f"world{len(worlds)}", emulator, stand_ins, servers))
        return worlds[-1]

    yield make
    for world in worlds:
        world.end()


@pytest.fixture
def world(make_world: MakeWorld) -> EtcdWorld:
    """A world of three servers."""
    return make_world()


def boot(*machines: Machine) -> None:
    """Boot them all at once, as after a power cut; each must succeed."""
    processes = [machine.begin("boot") for machine in machines]
    for machine, process in zip(machines, processes, strict=True):
        result = machine.finish(process)
        assert result.code == 0, result.log


def whole(world: EtcdWorld, writer: Writer) -> None:
    """All servers vote in one cluster, it takes writes, and nothing that was acknowledged is missing."""
    assert world.members() == sorted(SUBNETS[: world.servers])
    assert writer.append(), "the cluster takes no write"
    assert writer.lost() == []
    assert world.problems() == []


def test_three_servers_form_one_cluster_and_each_is_a_learner_before_it_votes(world: EtcdWorld) -> None:
    boot(*[world.server(slot) for slot in range(3)])
    writer = Writer(world)
    whole(world, writer)
    for address in SUBNETS:
        assert client(world, address).get("probe") is not None, f"{address} does not take part"


def test_a_server_that_lost_its_disk_joins_while_writes_go_on(world: EtcdWorld) -> None:
    first, *_ = world.standing()
    writer = Writer(world)
    first.power_off()
    with writer.going_on():
        replacement = world.server(0)
        boot(replacement)
    assert len(writer.acknowledged) > 3, "nothing was written while the server joined"
    whole(world, writer)


def test_a_whole_cluster_comes_back_after_a_power_cut(world: EtcdWorld) -> None:
    machines = world.standing()
    writer = Writer(world)
    assert writer.append()
    for machine in machines:
        machine.power_off()
    boot(*machines)
    whole(world, writer)


def test_a_server_whose_member_was_removed_while_it_was_off_joins_anew(world: EtcdWorld) -> None:
    machines = world.standing()
    writer = Writer(world)
    assert writer.append()
    machines[2].power_off()
    world.remove(machines[2])
    result = machines[2].boot()
    assert result.code == 0, result.log
    assert result.decisions() == ["archive", "join"], result.log
    whole(world, writer)


def test_lost_quorum_is_restored_from_a_snapshot_as_a_cluster_with_a_new_id(world: EtcdWorld) -> None:
    machines = world.standing()
    writer = Writer(world)
    assert writer.append()
    before = world.cluster_ids()
    assert machines[0].run("snapshot", "before").code == 0
    assert writer.append()
    for machine in machines:
        machine.power_off()
    chosen, *others = (world.server(slot) for slot in range(3))
    for machine in (chosen, *others):
        for program in ("install-rke2", "write-node-identity", "mount-data"):
            assert machine.run(program).code == 0
    result = chosen.run("restore", "before", "run-1")
    assert result.code == 0, result.log
    for other in others:
        rejoined = other.run("rejoin", "run-1")
        assert rejoined.code == 0, rejoined.log
        boot(other)
    assert world.cluster_ids().isdisjoint(before), "members of the lost cluster could find this one"
    assert writer.lost() == writer.acknowledged[1:], "not the snapshot's content"
    writer.acknowledged = writer.acknowledged[:1]
    whole(world, writer)


def test_one_whole_disk_becomes_the_cluster_and_the_others_join_it(world: EtcdWorld) -> None:
    machines = world.standing()
    writer = Writer(world)
    assert writer.append()
    survivor = machines[1]
    # A reset drops what its disk does not know to be committed, and a member writes that down with the write after.
    client(world, SUBNETS[0]).put("probe", "the write after")
    assert client(world, survivor.address).get("probe") is not None, "it lags behind"
    for machine in machines:
        machine.power_off()
    assert survivor.run("mount-data").code == 0
    result = survivor.run("restore", "disk", "run-1")
    assert result.code == 0, result.log
    boot(world.server(0), world.server(2))
    whole(world, writer)


def test_a_full_database_is_named_and_takes_writes_again_once_it_is_defragmented(world: EtcdWorld) -> None:
    world.change(etcd=world.state["etcd"] | {"quota": 4 << 20})
    machines = world.standing()
    writer = Writer(world)
    assert writer.append()
    filled = client(world, SUBNETS[0])
    for _ in range(12):
        filled.put("large", "x" * (1 << 19))
    assert not writer.append(), "etcd's database did not fill"
    said = machines[1].run("health").log
    assert "alarms=NOSPACE" in said, said
    machines[2].power_off()
    asked = world.server(2)
    for program in ("install-rke2", "write-node-identity", "mount-data"):
        assert asked.run(program).code == 0
    peers = asked.run("peers").log
    assert "NOSPACE" in peers, peers
    assert "no quorum" not in peers, peers
    revision = (filled.get("large") or {})["header"]["revision"]
    filled.call("kv/compaction", {"revision": revision, "physical": True})  # as Kubernetes does every five minutes
    for machine in machines[:2]:
        assert machine.shell("sudo systemctl restart rke2-server").returncode == 0
    boot(asked)
    whole(world, writer)


def test_three_servers_become_one_without_losing_a_write(world: EtcdWorld) -> None:
    machines = world.standing()
    writer = Writer(world)
    with writer.going_on():
        for machine in machines[:0:-1]:
            deleted = machines[0].shell(f"kubectl --kubeconfig /etc/rancher/rke2/rke2.yaml delete node {machine.name}")
            assert deleted.returncode == 0, deleted.stdout
            machine.power_off()
    assert world.members() == [SUBNETS[0]]
    assert writer.append()
    assert writer.lost() == []


def test_a_server_whose_vote_is_needed_does_not_leave_etcd(world: EtcdWorld) -> None:
    leaving, _, gone = world.standing()
    gone.power_off()
    refused = leaving.run("rejoin")
    assert refused.code == STOPPED, refused.log
    assert "lose the majority" in refused.log
    assert client(world, leaving.address).get("probe") is not None
