"""Joining: peers are tried until one is healthy, and each reason why not has its own words; turns outlive nobody and no clock."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from tests.boot.join_lease import hold_join_lease, timestamp
from tests.boot.sandbox import SUBNETS, Machine, Sandbox

MakeSandbox = Callable[..., Sandbox]

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
def test_each_answer_of_a_peer_has_its_own_words_and_the_next_peer_is_asked(
    answer: str, make_sandbox: MakeSandbox
) -> None:
    sandbox = make_sandbox(servers=3)
    machines = sandbox.running_cluster()
    machines[2].power_off()
    changes, words = ANSWERS[answer]
    sandbox.change(**changes)
    replacement = sandbox.server(2)
    for program in ("install-rke2", "write-node-identity", "mount-data"):
        assert replacement.run(program).code == 0
    log = replacement.run("peers").log
    first = next(line for line in log.splitlines() if line.startswith(f"{SUBNETS[0]} "))
    assert words in first, log
    others = ("no quorum",) if answer != "no quorum" else ()
    assert not any(word in first for word in others), f"no quorum is said of something else: {first}"
    facts = replacement.run("gather-facts").log
    assert f"peer={'foreign' if answer == 'another CA' else SUBNETS[1]} " in facts, facts


def test_a_cut_ca_is_said_and_nobody_is_believed(make_sandbox: MakeSandbox) -> None:
    sandbox = make_sandbox(servers=3)
    sandbox.running_cluster()[2].power_off()
    sandbox.client("ssm").put_parameter(Name=sandbox.inputs.ca_parameter, Value="-----BEGIN", Overwrite=True)
    result = sandbox.server(2).boot()
    assert result.code == 1, result.log
    assert "is it cut?" in result.log
    assert sandbox.problems() == []


def _joiner(make_sandbox: MakeSandbox) -> tuple[Sandbox, Machine]:
    sandbox = make_sandbox(servers=3)
    sandbox.running_cluster()[2].power_off()
    server = sandbox.server(2)
    for program in ("install-rke2", "write-node-identity", "mount-data", "peers"):
        assert server.run(program).code == 0
    assert server.shell(f"VET_ROOT={server.root}; . /opt/vet/bin/lib.sh; peer_kubeconfig {SUBNETS[0]}").returncode == 0
    return sandbox, server


def _take(server: Machine, uptime: int) -> bool:
    (server.root / "proc/uptime").write_text(f"{uptime}\n")
    return server.run("turn", "take", SUBNETS[0]).code == 0


@pytest.mark.parametrize("hours", [None, 5, -0.05], ids=["none", "in the future", "three minutes ago"])
def test_a_turn_whose_time_says_nothing_is_neither_taken_early_nor_waited_for_without_end(
    hours: float | None, make_sandbox: MakeSandbox
) -> None:
    sandbox, server = _joiner(make_sandbox)
    hold_join_lease(sandbox, "" if hours is None else timestamp(timedelta(hours=-hours)))
    assert not _take(server, 0)
    assert not _take(server, 500), "taken over although it may be used"
    assert _take(server, 700), "waited for without end"


def test_a_turn_that_is_renewed_by_a_clock_two_hours_off_is_left_alone(make_sandbox: MakeSandbox) -> None:
    sandbox, server = _joiner(make_sandbox)
    for uptime in (0, 100, 200):
        hold_join_lease(sandbox, timestamp(timedelta(hours=2)))
        state = sandbox.state
        state["clusters"]["cluster-0"]["leases"]["vet-server-join"]["version"] = uptime
        sandbox.write(state)
        assert not _take(server, uptime), "taken over while it is renewed"


def test_time_is_the_apis(make_sandbox: MakeSandbox) -> None:
    """This machine's clock is off by two hours: what it writes is right all the same, and it says so."""
    sandbox, server = _joiner(make_sandbox)
    sandbox.change(api_clock=-7200)
    result = server.run("turn", "take", SUBNETS[0])
    assert result.code == 0, result.log
    assert "s off the API's" in result.log
    written = sandbox.state["clusters"]["cluster-0"]["leases"]["vet-server-join"]["renewed"]
    assert written < timestamp(timedelta(hours=1.9))


def test_a_turn_is_renewed_while_it_is_used_and_ends_with_it(make_sandbox: MakeSandbox) -> None:
    sandbox, server = _joiner(make_sandbox)
    assert _take(server, 0)
    process = server.begin("turn", "keep", SUBNETS[0])
    version = sandbox.state["clusters"]["cluster-0"]["leases"]["vet-server-join"]["version"]
    for _ in range(200):
        if sandbox.state["clusters"]["cluster-0"]["leases"]["vet-server-join"]["version"] != version:
            break
        server.shell("/usr/bin/sleep 0.1")
    else:
        pytest.fail("not renewed")
    state = sandbox.state
    state["clusters"]["cluster-0"]["leases"].clear()
    sandbox.write(state)
    assert server.finish(process).code == 0, "it goes on after the turn was given back"


def test_the_boot_without_any_peer_is_tried_again_without_end(make_sandbox: MakeSandbox) -> None:
    server = make_sandbox().server(0)
    for unit in ("opt/vet/units/vet-boot.service", "etc/systemd/system/vet-fetch-programs.service"):
        text = (server.root / unit).read_text()
        assert "StartLimitIntervalSec=0" in text.splitlines(), (
            f"systemd gives up, and refuses a person's restart:\n{text}"
        )
        assert "Restart=on-failure" in text.splitlines(), text


def test_a_server_that_was_the_only_one_knows_those_that_came_later(make_sandbox: MakeSandbox) -> None:
    """Raised from one to three: its user data has one address. It loses its data, and joins."""
    sandbox = make_sandbox(servers=3)
    first = sandbox.running_cluster()[0]
    first.power_off()
    environment = first.root / "etc/vet/node.env"
    text = environment.read_text()
    assert " ".join(SUBNETS) in text
    environment.write_text(text.replace(" ".join(SUBNETS), SUBNETS[0]))
    first.on_volume("server/db").rename(first.on_volume("lost"))
    result = first.boot()
    assert result.code == 0, result.log
    assert result.decisions() == ["join"], result.log
    assert sandbox.problems() == []


def test_a_record_of_servers_that_cannot_be_read_begins_no_cluster(sandbox: Sandbox) -> None:
    sandbox.change(aws_failures=[["--key nodes/servers", 99, "An error occurred (SlowDown)"]])
    result = sandbox.server(0).boot()
    assert result.code == 1, result.log
    assert sandbox.state["clusters"] == {}


def test_a_hasty_start_over_an_emptied_disk_makes_no_cluster(sandbox: Sandbox) -> None:
    server = sandbox.server(0)
    assert server.boot().code == 0
    server.power_off()
    server.run("mount-data")
    server.on_volume("server/db").rename(server.on_volume("lost"))
    assert server.shell("systemctl start rke2-server").returncode != 0
    assert list(sandbox.state["clusters"]) == ["cluster-0"]


@pytest.mark.parametrize(
    ("program", "script"),
    [
        ("kubectl", 'case "$*" in *"delete node"*) echo "etcdserver: request timed out" >&2; exit 1 ;; esac'),
        ("base64", "exit 1"),
    ],
    ids=["its Node cannot be deleted", "the peer cannot be written down"],
)
def test_who_cannot_do_a_step_of_joining_tries_again_and_then_gives_up(
    program: str, script: str, make_sandbox: MakeSandbox
) -> None:
    """A Node that stays has the member of an earlier life; without the peer's file the one before it would be asked."""
    _, server = _joiner(make_sandbox)
    server.before(program, script)
    result = server.run("join-as-server", SUBNETS[0], VET_MAX_ATTEMPTS="2")
    assert result.code == 1, result.log
    assert "giving up after 2 attempts: enter" in result.log, result.log
    assert not (server.root / "run/vet/joining").exists(), "it goes on to join"
