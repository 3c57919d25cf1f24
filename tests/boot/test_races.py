"""Servers that act at the same moment."""

from collections.abc import Callable
from datetime import timedelta

from tests.boot.join_lease import hold_join_lease, timestamp
from tests.boot.sandbox import SUBNETS, Sandbox

MakeSandbox = Callable[..., Sandbox]
LOST = 3


def test_exactly_one_of_two_servers_wins_the_marker_in_a_hundred_races(make_sandbox: MakeSandbox) -> None:
    sandbox = make_sandbox(servers=2)
    first, second = sandbox.server(0), sandbox.server(1)
    client = sandbox.client("s3")
    winners = []
    for _ in range(100):
        processes = [machine.begin("marker", "claim") for machine in (first, second)]
        codes = [machine.finish(process).code for machine, process in zip((first, second), processes, strict=True)]
        assert sorted(codes) == [0, LOST], f"both or none won: {codes}"
        winner = (first, second)[codes.index(0)]
        assert f"volume={winner.volume}" in (sandbox.marker() or ""), "the marker names somebody else than the winner"
        winners.append(winner.volume)
        client.delete_object(Bucket=sandbox.inputs.nodes_bucket, Key=f"marker/{sandbox.inputs.vpc_id}")
    assert len(winners) == 100


def test_three_servers_that_boot_at_once_form_one_cluster_joining_one_at_a_time(make_sandbox: MakeSandbox) -> None:
    sandbox = make_sandbox(servers=3)
    sandbox.change(sleep=0.3, join_seconds=1.5)
    machines = [sandbox.server(slot) for slot in range(3)]
    processes = [machine.begin("boot", VET_MAX_ATTEMPTS="60") for machine in machines]
    for machine, process in zip(machines, processes, strict=True):
        result = machine.finish(process)
        assert result.code == 0, result.log
    assert sandbox.problems() == []
    assert sandbox.members() == sorted(SUBNETS)
    assert sandbox.state["clusters"]["cluster-0"]["leases"] == {}, "a turn to join was not given back"


def test_a_server_waits_for_its_turn(make_sandbox: MakeSandbox) -> None:
    sandbox = make_sandbox(servers=3)
    sandbox.running_cluster()[2].power_off()
    hold_join_lease(sandbox, timestamp(timedelta(minutes=2)))
    result = sandbox.server(2).boot(VET_MAX_ATTEMPTS="3")
    assert result.code != 0
    assert "ip-10-0-11-10.ec2.internal is joining" in result.log, result.log
    assert not sandbox.problems()


def test_the_turn_of_a_server_that_died_is_taken_over(make_sandbox: MakeSandbox) -> None:
    sandbox = make_sandbox(servers=3)
    sandbox.running_cluster()[2].power_off()
    hold_join_lease(sandbox, timestamp(timedelta(hours=1)))
    result = sandbox.server(2).boot()
    assert result.code == 0, result.log
    assert "taking over the turn" in result.log
    assert sandbox.members() == sorted(SUBNETS)
    assert sandbox.state["clusters"]["cluster-0"]["leases"] == {}
