"""Joining: peers are tried until one is healthy, and each reason why not has its own words; turns outlive nobody and no clock."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from tests.boot.sandbox import SUBNETS, Machine, World
from tests.boot.turns import leave_turn, stamp

MakeWorld = Callable[..., World]

ANSWERS: dict[str, tuple[dict[str, Any], str]] = {
    "a web page": ({"strange": {SUBNETS[0]: {"says": "<html>502</html>"}}}, "unproven it answers with a web page"),
    "a foreign service": ({"strange": {SUBNETS[0]: {"ends": 35}}}, "unproven it speaks no TLS"),
    "an expired certificate": ({"strange": {SUBNETS[0]: {"ends": 60, "verified": 10}}}, "expired-certificates.md"),
    "another CA": ({"cas": {SUBNETS[0]: "CA of somebody"}}, "foreign its certificate is of another CA"),
    "no connection": ({"unreachable": [SUBNETS[0]]}, "silent no connection"),
    "an ill kubelet": (
        {"kubectl_failures": [[SUBNETS[0], 99, "error dialing backend: dial tcp :10250"]]},
        "its kubelet",
    ),
    "a full database": ({"kubectl_failures": [[SUBNETS[0], 99, "unhealthy: Active Alarm(s)NOSPACE"]]}, "NOSPACE"),
    "no quorum": ({"kubectl_failures": [[SUBNETS[0], 99, "etcdserver: request timed out"]]}, "make restore ENV="),
    "too many requests": ({"kubectl_failures": [[SUBNETS[0], 99, "the server is currently unable to handle"]]}, "429"),
    "refused credentials": ({"kubectl_failures": [[SUBNETS[0], 99, "error: Unauthorized"]]}, "refuses the stored"),
    "something new": ({"kubectl_failures": [[SUBNETS[0], 99, "never seen"]]}, "cannot be asked: never seen"),
}


@pytest.mark.parametrize("answer", ANSWERS)
def test_each_answer_of_a_peer_has_its_own_words_and_the_next_peer_is_asked(answer: str, make_world: MakeWorld) -> None:
    world = make_world(servers=3)
    machines = world.standing()
    machines[2].power_off()
    changes, words = ANSWERS[answer]
    world.change(**changes)
    replacement = world.server(2)
    for program in ("install-rke2", "write-node-identity", "mount-data"):
        assert replacement.run(program).code == 0
    said = replacement.run("peers").log
    first = next(line for line in said.splitlines() if line.startswith(f"{SUBNETS[0]} "))
    assert words in first, said
    others = ("no quorum",) if answer != "no quorum" else ()
    assert not any(word in first for word in others), f"no quorum is said of something else: {first}"
    found = replacement.run("gather-facts").log
    assert f"peer={'foreign' if answer == 'another CA' else SUBNETS[1]} " in found, found


def test_a_cut_ca_is_said_and_nobody_is_believed(make_world: MakeWorld) -> None:
    world = make_world(servers=3)
    world.standing()[2].power_off()
    world.client("ssm").put_parameter(Name=world.inputs.ca_parameter, Value="-----BEGIN", Overwrite=True)
    result = world.server(2).boot()
    assert result.code == 1, result.log
    assert "is it cut?" in result.log
    assert world.problems() == []


def _joiner(make_world: MakeWorld) -> tuple[World, Machine]:
    world = make_world(servers=3)
    world.standing()[2].power_off()
    server = world.server(2)
    for program in ("install-rke2", "write-node-identity", "mount-data", "peers"):
        assert server.run(program).code == 0
    assert server.shell(f"VET_ROOT={server.root}; . /opt/vet/bin/lib.sh; peer_kubeconfig {SUBNETS[0]}").returncode == 0
    return world, server


def _take(server: Machine, uptime: int) -> bool:
    (server.root / "proc/uptime").write_text(f"{uptime}\n")
    return server.run("turn", "take", SUBNETS[0]).code == 0


@pytest.mark.parametrize("hours", [None, 5, -0.05], ids=["none", "in the future", "three minutes ago"])
def test_a_turn_whose_time_says_nothing_is_neither_taken_early_nor_waited_for_without_end(
    hours: float | None, make_world: MakeWorld
) -> None:
    world, server = _joiner(make_world)
    leave_turn(world, "" if hours is None else stamp(timedelta(hours=-hours)))
    assert not _take(server, 0)
    assert not _take(server, 500), "taken over although it may be used"
    assert _take(server, 700), "waited for without end"


def test_a_turn_that_is_renewed_by_a_clock_two_hours_off_is_left_alone(make_world: MakeWorld) -> None:
    world, server = _joiner(make_world)
    for uptime in (0, 100, 200):
        leave_turn(world, stamp(timedelta(hours=2)))
        state = world.state
        state["clusters"]["cluster-0"]["leases"]["vet-server-join"]["version"] = uptime
        world.write(state)
        assert not _take(server, uptime), "taken over while it is renewed"


def test_time_is_the_apis(make_world: MakeWorld) -> None:
    """This machine's clock is off by two hours: what it writes is right all the same, and it says so."""
    world, server = _joiner(make_world)
    world.change(api_clock=-7200)
    result = server.run("turn", "take", SUBNETS[0])
    assert result.code == 0, result.log
    assert "s off the API's" in result.log
    written = world.state["clusters"]["cluster-0"]["leases"]["vet-server-join"]["renewed"]
    assert written < stamp(timedelta(hours=1.9))


def test_a_turn_is_renewed_while_it_is_used_and_ends_with_it(make_world: MakeWorld) -> None:
    world, server = _joiner(make_world)
    assert _take(server, 0)
    process = server.begin("turn", "keep", SUBNETS[0])
    version = world.state["clusters"]["cluster-0"]["leases"]["vet-server-join"]["version"]
    for _ in range(200):
        if world.state["clusters"]["cluster-0"]["leases"]["vet-server-join"]["version"] != version:
            break
        server.shell("/usr/bin/sleep 0.1")
    else:
        pytest.fail("not renewed")
    state = world.state
    state["clusters"]["cluster-0"]["leases"].clear()
    world.write(state)
    assert server.finish(process).code == 0, "it goes on after the turn was given back"


def test_the_boot_without_any_peer_is_tried_again_without_end(make_world: MakeWorld) -> None:
    server = make_world().server(0)
    for unit in ("opt/vet/units/vet-boot.service", "etc/systemd/system/vet-fetch-programs.service"):
        text = (server.root / unit).read_text()
        assert "StartLimitIntervalSec=0" in text.splitlines(), (
            f"systemd gives up, and refuses a person's restart:\n{text}"
        )
        assert "Restart=on-failure" in text.splitlines(), text


def test_a_server_that_was_the_only_one_knows_those_that_came_later(make_world: MakeWorld) -> None:
    """Raised from one to three: its user data has one address. It loses its data, and joins."""
    world = make_world(servers=3)
    first = world.standing()[0]
    first.power_off()
    environment = first.root / "etc/vet/node.env"
    text = environment.read_text()
    assert " ".join(SUBNETS) in text
    environment.write_text(text.replace(" ".join(SUBNETS), SUBNETS[0]))
    first.on_volume("server/db").rename(first.on_volume("lost"))
    result = first.boot()
    assert result.code == 0, result.log
    assert result.decisions() == ["join"], result.log
    assert world.problems() == []


def test_a_record_of_servers_that_cannot_be_read_begins_no_cluster(world: World) -> None:
    world.change(aws_failures=[["--key nodes/servers", 99, "An error occurred (SlowDown)"]])
    result = world.server(0).boot()
    assert result.code == 1, result.log
    assert world.state["clusters"] == {}


def test_a_hasty_start_over_an_emptied_disk_makes_no_cluster(world: World) -> None:
    server = world.server(0)
    assert server.boot().code == 0
    server.power_off()
    server.run("mount-data")
    server.on_volume("server/db").rename(server.on_volume("lost"))
    assert server.shell("systemctl start rke2-server").returncode != 0
    assert list(world.state["clusters"]) == ["cluster-0"]
