"""With etcd itself below the stand-in of RKE2: one cluster, and what was acknowledged is there, whatever happens to its members."""

import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.boot.etcd_sandbox import MISSING, EtcdSandbox, Writer, client, programs
from tests.boot.machine import STOPPED, Machine
from tests.boot.sandbox import SUBNETS

MakeSandbox = Callable[..., EtcdSandbox]


@pytest.fixture
def make_sandbox(tmp_path: Path, emulator: str, stand_ins: str) -> Iterator[MakeSandbox]:
    """Sandboxes with etcd itself; they end with the test."""
    if programs() is None:
        pytest.skip(MISSING)
    sandboxes: list[EtcdSandbox] = []

    def make(servers: int = 3) -> EtcdSandbox:
        sandboxes.append(EtcdSandbox(tmp_path / f"sandbox{len(sandboxes)}", emulator, stand_ins, servers))
        return sandboxes[-1]

    yield make
    for sandbox in sandboxes:
        sandbox.end()


@pytest.fixture
def sandbox(make_sandbox: MakeSandbox) -> EtcdSandbox:
    """A sandbox of three servers."""
    return make_sandbox()


def boot(*machines: Machine) -> None:
    """Boot them all at once, as after a power cut; each must succeed."""
    processes = [machine.begin("boot") for machine in machines]
    for machine, process in zip(machines, processes, strict=True):
        result = machine.finish(process)
        assert result.code == 0, result.log


def whole(sandbox: EtcdSandbox, writer: Writer) -> None:
    """All servers vote in one cluster, it takes writes, and nothing that was acknowledged is missing."""
    assert sandbox.members() == sorted(SUBNETS[: sandbox.servers])
    assert writer.append(), "the cluster takes no write"
    assert writer.lost() == []
    assert sandbox.problems() == []


def test_three_servers_form_one_cluster_and_each_is_a_learner_before_it_votes(sandbox: EtcdSandbox) -> None:
    boot(*[sandbox.server(slot) for slot in range(3)])
    writer = Writer(sandbox)
    whole(sandbox, writer)
    for address in SUBNETS:
        assert client(sandbox, address).get("probe") is not None, f"{address} does not take part"


def test_a_server_that_lost_its_disk_joins_while_writes_go_on(sandbox: EtcdSandbox) -> None:
    first, *_ = sandbox.running_cluster()
    writer = Writer(sandbox)
    first.power_off()
    with writer.going_on():
        replacement = sandbox.server(0)
        boot(replacement)
    assert len(writer.acknowledged) > 3, "nothing was written while the server joined"
    whole(sandbox, writer)


def test_a_whole_cluster_comes_back_after_a_power_cut(sandbox: EtcdSandbox) -> None:
    machines = sandbox.running_cluster()
    writer = Writer(sandbox)
    assert writer.append()
    for machine in machines:
        machine.power_off()
    boot(*machines)
    whole(sandbox, writer)


def test_a_server_whose_member_was_removed_while_it_was_off_joins_anew(sandbox: EtcdSandbox) -> None:
    machines = sandbox.running_cluster()
    writer = Writer(sandbox)
    assert writer.append()
    machines[2].power_off()
    sandbox.remove(machines[2])
    result = machines[2].boot()
    assert result.code == 0, result.log
    assert result.decisions() == ["archive", "join"], result.log
    whole(sandbox, writer)


def test_lost_quorum_is_restored_from_a_snapshot_as_a_cluster_with_a_new_id(sandbox: EtcdSandbox) -> None:
    machines = sandbox.running_cluster()
    writer = Writer(sandbox)
    assert writer.append()
    before = sandbox.cluster_ids()
    assert machines[0].run("snapshot", "before").code == 0
    assert writer.append()
    for machine in machines:
        machine.power_off()
    chosen, *others = (sandbox.server(slot) for slot in range(3))
    for machine in (chosen, *others):
        for program in ("install-rke2", "write-node-identity", "mount-data"):
            assert machine.run(program).code == 0
    result = chosen.run("restore", "before", "run-1")
    assert result.code == 0, result.log
    for other in others:
        rejoined = other.run("rejoin", "run-1")
        assert rejoined.code == 0, rejoined.log
        boot(other)
    assert sandbox.cluster_ids().isdisjoint(before), "members of the lost cluster could find this one"
    assert writer.lost() == writer.acknowledged[1:], "not the snapshot's content"
    writer.acknowledged = writer.acknowledged[:1]
    whole(sandbox, writer)


def test_one_whole_disk_becomes_the_cluster_and_the_others_join_it(sandbox: EtcdSandbox) -> None:
    machines = sandbox.running_cluster()
    writer = Writer(sandbox)
    assert writer.append()
    survivor = machines[1]
    # A reset drops what its disk does not know to be committed, and a member writes that down with the write after.
    client(sandbox, SUBNETS[0]).put("probe", "the write after")
    assert client(sandbox, survivor.address).get("probe") is not None, "it lags behind"
    for machine in machines:
        machine.power_off()
    assert survivor.run("mount-data").code == 0
    result = survivor.run("restore", "disk", "run-1")
    assert result.code == 0, result.log
    boot(sandbox.server(0), sandbox.server(2))
    whole(sandbox, writer)


def test_a_full_database_is_named_and_takes_writes_again_once_it_is_defragmented(sandbox: EtcdSandbox) -> None:
    sandbox.change(etcd=sandbox.state["etcd"] | {"quota": 4 << 20})
    machines = sandbox.running_cluster()
    writer = Writer(sandbox)
    assert writer.append()
    filled = client(sandbox, SUBNETS[0])
    for _ in range(12):
        filled.put("large", "x" * (1 << 19))
    assert not writer.append(), "etcd's database did not fill"
    health = machines[1].run("health").log
    assert "alarms=NOSPACE" in health, health
    machines[2].power_off()
    asked = sandbox.server(2)
    for program in ("install-rke2", "write-node-identity", "mount-data"):
        assert asked.run(program).code == 0
    peers = asked.run("peers").log
    assert "NOSPACE" in peers, peers
    assert "no quorum" not in peers, peers
    for machine in machines[:2]:
        defragmented = machine.run("defragment")
        assert defragmented.code == 0, defragmented.log
    cleared = machines[0].run("defragment", "disarm")
    assert cleared.code == 0, cleared.log
    assert "alarms=\n" in machines[1].run("health").log
    boot(asked)
    whole(sandbox, writer)


def test_three_servers_become_one_without_losing_a_write(sandbox: EtcdSandbox) -> None:
    machines = sandbox.running_cluster()
    writer = Writer(sandbox)
    with writer.going_on():
        for machine in machines[:0:-1]:
            deleted = machines[0].shell(f"kubectl --kubeconfig /etc/rancher/rke2/rke2.yaml delete node {machine.name}")
            assert deleted.returncode == 0, deleted.stdout
            machine.power_off()
    assert sandbox.members() == [SUBNETS[0]]
    assert writer.append()
    assert writer.lost() == []


def test_a_server_whose_vote_is_needed_does_not_leave_etcd(sandbox: EtcdSandbox) -> None:
    leaving, _, gone = sandbox.running_cluster()
    gone.power_off()
    refused = leaving.run("rejoin")
    assert refused.code == STOPPED, refused.log
    assert "lose the majority" in refused.log
    assert client(sandbox, leaving.address).get("probe") is not None


def test_health_says_what_etcd_says_of_its_majority(sandbox: EtcdSandbox) -> None:
    machines = sandbox.running_cluster()

    def known() -> str:
        lines = machines[0].run("health").log.splitlines()
        return next(line for line in lines if line.startswith("quorum="))

    assert known() == "quorum=yes"
    machines[2].power_off()
    assert known() == "quorum=yes", "two of three are a majority"
    machines[1].power_off()
    until = time.monotonic() + 20
    while known() != "quorum=no" and time.monotonic() < until:
        time.sleep(0.5)
    assert known() == "quorum=no"
    machines[0].power_off()
    assert machines[0].run("mount-data").code == 0
    machines[0].shell("sudo systemctl start rke2-server")  # it finds no majority, and says so
    assert known() == "quorum=no", "etcd that has just started and has no majority"
    refused = machines[0].run("restore", "no-such-snapshot", "run-1")
    assert "no snapshot no-such-snapshot" in refused.log, refused.log
