"""Servers that act at the same moment."""

from collections.abc import Callable
from datetime import timedelta

from tests.boot.sandbox import SUBNETS, World
from tests.boot.turns import leave_turn, stamp

MakeWorld = Callable[..., World]
LOST = 3


def test_exactly_one_of_two_servers_wins_the_marker_in_a_hundred_races(make_world: MakeWorld) -> None:
    world = make_world(servers=2)
    first, second = world.server(0), world.server(1)
    client = world.client("s3")
    winners = []
    for _ in range(100):
        processes = [machine.begin("marker", "claim") for machine in (first, second)]
        codes = [machine.finish(process).code for machine, process in zip((first, second), processes, strict=True)]
        assert sorted(codes) == [0, LOST], f"both or none won: {codes}"
        winner = (first, second)[codes.index(0)]
        assert f"volume={winner.volume}" in (world.marker() or ""), "the marker names somebody else than the winner"
        winners.append(winner.volume)
        client.delete_object(Bucket=world.inputs.nodes_bucket, Key=f"marker/{world.inputs.vpc_id}")
    assert len(winners) == 100


def test_three_servers_that_boot_at_once_form_one_cluster_joining_one_at_a_time(make_world: MakeWorld) -> None:
    world = make_world(servers=3)
    world.change(sleep=0.3, join_seconds=1.5)
    machines = [world.server(slot) for slot in range(3)]
    processes = [machine.begin("boot", VET_MAX_ATTEMPTS="60") for machine in machines]
    for machine, process in zip(machines, processes, strict=True):
        result = machine.finish(process)
        assert result.code == 0, result.log
    assert world.problems() == []
    assert world.members() == sorted(SUBNETS)
    assert world.state["clusters"]["cluster-0"]["leases"] == {}, "a turn to join was not given back"


def test_a_server_waits_for_its_turn(make_world: MakeWorld) -> None:
    world = make_world(servers=3)
    world.standing()[2].power_off()
    leave_turn(world, stamp(timedelta(minutes=2)))
    result = world.server(2).boot(VET_MAX_ATTEMPTS="3")
    assert result.code != 0
    assert "ip-10-0-11-10.ec2.internal is joining" in result.log, result.log
    assert not world.problems()


def test_the_turn_of_a_server_that_died_is_taken_over(make_world: MakeWorld) -> None:
    world = make_world(servers=3)
    world.standing()[2].power_off()
    leave_turn(world, stamp(timedelta(hours=1)))
    result = world.server(2).boot()
    assert result.code == 0, result.log
    assert "taking over the turn" in result.log
    assert world.members() == sorted(SUBNETS)
    assert world.state["clusters"]["cluster-0"]["leases"] == {}
