"""The model of all decisions: no reachable state has two clusters, gives a volume up, or is without a way out; and its facts are those of gather-facts."""

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.boot.model import Facts, Rules, facts, play, schedule, search, way_out
from tests.boot.model_state import BLANK, State, nothing_yet, put, running_cluster
from tests.boot.sandbox import Sandbox
from tests.boot.table import DECIDE, PEER, answer

FORMING = ("server 0 boots", "server 0 decides: claim", "server 0 wins the marker", "server 0 initialises cluster 1")
READY = ("server {0} is ready, and the marker says ready", "server {0} publishes its CA")
BEFORE_THREE_VALUES = {
    "a marker that could not be read when it should say ready": (
        nothing_yet(9),
        (
            *(*FORMING, "AWS does not answer", "server 0 cannot read the marker and goes on", "AWS answers again"),
            *("server 0 publishes its CA", "server 1 boots", "server 1 decides: join"),
            *("server 1 removes its old member", "server 1 joins", "cluster 1 acknowledges a write"),
            *("power is lost on server 0", "power is lost on server 1", "server 0 gets volume 4", "server 0 boots"),
            *("the marker is deleted, as the message says", *FORMING[:3], "server 0 initialises cluster 2"),
            *("server 1 boots", "server 1 decides: archive", "server 1 sets its data aside"),
        ),
    ),
    "a marker deleted by mistake, and a peer that proves nothing": (
        running_cluster(9),
        (
            *("the marker is deleted by mistake", "power is lost on server 0", "volume 0 of server 0 is emptied"),
            *("power is lost on server 1", "power is lost on server 2", *FORMING[:3], "server 0 initialises cluster 2"),
            *("server 1 boots", "server 1 decides: archive", "server 1 sets its data aside"),
        ),
    ),
    "one damaged sector": (
        running_cluster(9),
        (
            "power is lost on server 2",
            "the first sector of volume 2 is damaged",
            "server 2 boots",
            "server 2 formats its damaged volume",
        ),
    ),
    "an old copy beside a server that was down": (
        running_cluster(9),
        (
            *("power is lost on server 2", "cluster 1 acknowledges a write", "power is lost on server 1"),
            *("power is lost on server 0", "server 1 gets volume 3", "server 1 boots", "server 1 decides: start"),
            *(
                "server 1 starts with its data",
                "server 2 boots",
                "server 2 decides: start",
                "server 2 starts with its data",
            ),
            *(step.format(1) for step in READY),
            "cluster 1 acknowledges a write",
        ),
    ),
}
"""Schedules of faults that happened to the programs of before: they broke an invariant each."""


def without_unknowns(facts: Facts) -> tuple[str, str, str]:
    """The decision table as it was: any peer was this cluster's, and no sign but the marker counted."""
    if facts["data"] == "present":
        return ("archive" if facts["membership"] == "removed" else "start", "none", "")
    if facts["peer"] != "none":
        return "join", "none", ""
    first = {"mine": "initialise", "forming": "stop", "absent": "claim", "unknown": "wait"}
    decision = (first if facts["slot"] == "0" else first | {"forming": "wait", "absent": "wait"}).get(
        facts["marker"], "stop"
    )
    return decision, "delete-marker" if facts["marker"] == "forming" else "restore", ""


AS_IT_WAS = Rules(without_unknowns, proves=False, careful=False)


@pytest.mark.parametrize("fault", BEFORE_THREE_VALUES)
def test_faults_that_broke_an_invariant_before_break_none_now(fault: str) -> None:
    start, events = BEFORE_THREE_VALUES[fault]
    was, missing = play(start, AS_IT_WAS, events)
    assert was, f"the schedule breaks nothing: the event {missing!r} does not happen"
    assert play(start, Rules(), events)[0] is None


OVER_ELSEWHERE = (
    *(*FORMING[:3], "power is lost on server 0", "server 0 gets volume 3", "server 0 boots", "server 0 starts over"),
    *("server 0 gets volume 4", "server 0 boots", "server 1 gets volume 3", "server 1 boots"),
    "server 1 decides: initialise",
)


def test_a_volume_that_was_told_to_start_over_does_not_in_another_server() -> None:
    """Found by ``make bench-model``: server 0 starts over a second time, and two clusters take writes."""

    def anywhere(facts: Facts) -> tuple[str, str, str]:
        over = facts["data"] == "none" and facts["peer"] == "none" and facts["marker"] == "over"
        return ("initialise", "none", "") if over else answer(facts)

    assert play(nothing_yet(4), Rules(anywhere), OVER_ELSEWHERE) == (None, None), "the schedule did not happen before"
    assert play(nothing_yet(4), Rules(), OVER_ELSEWHERE) == (None, OVER_ELSEWHERE[-1])


@pytest.mark.parametrize(
    ("start", "states"), [(nothing_yet(2), 15_000), (running_cluster(4), 5_000)], ids=["nothing yet", "running cluster"]
)
def test_no_reachable_state_breaks_an_invariant_or_is_without_a_way_out(start: State, states: int) -> None:
    result, came = search(start, Rules(), at_most=1_000_000)
    assert result.states >= states, f"the search has shrunk to {result.states} states"
    assert result.broken == []
    known: dict[State, bool] = {}
    stuck = [schedule(came, state) for state in came if not way_out(state, Rules(), known)]
    assert stuck == [], f"no message leads out after: {min(stuck, key=len)}"


@pytest.mark.parametrize(
    ("right", "wrong"),
    [
        ("  copy) echo", "  never) echo"),
        ("ready | other) lost", "never) lost"),
    ],
)
def test_a_broken_rule_shows_a_schedule(right: str, wrong: str, tmp_path: Path) -> None:
    program = tmp_path / "decide"
    text = DECIDE.read_text()
    assert text.count(right) == 1, f"{right!r} is not in the program once; adapt this test"
    program.write_text(text.replace(right, wrong))
    program.chmod(0o755)
    rules = Rules(lambda facts: answer(facts, program))
    for start in (running_cluster(5), nothing_yet(2)):
        result, came = search(start, rules, at_most=40_000)
        known: dict[State, bool] = {}
        if result.broken or not all(way_out(state, rules, known) for state in came):
            return
    pytest.fail("no schedule shows it")


CASES: dict[str, Callable[[State], State]] = {
    "two peers are healthy": lambda state: state,
    "the marker was deleted": lambda state: state._replace(marker=("absent", -1)),
    "no peer runs": lambda state: state._replace(slots=(state.slots[0], (1, "off"), (2, "off"))),
    "no peer runs, and the volume is empty": lambda state: put(state, 0, BLANK)._replace(
        slots=((0, "decide"), (1, "off"), (2, "off"))
    ),
    "one peer runs, and the volume is empty": lambda state: put(state, 0, BLANK)._replace(
        slots=((0, "decide"), (1, "settled"), (2, "off"))
    ),
    "two peers run, and the volume is empty": lambda state: put(state, 0, BLANK),
    "AWS does not answer, and the volume is empty": lambda state: put(state, 0, BLANK)._replace(
        aws=False, slots=((0, "decide"), (1, "off"), (2, "off"))
    ),
    "AWS does not answer": lambda state: state._replace(aws=False),
    "the volume is a copy": lambda state: put(state, 0, (1, 0, False, True, "copy")),
}
"""States of the model in which server 0 boots, made in the sandbox as well."""


@pytest.mark.parametrize("case", CASES)
def test_gather_facts_finds_what_the_model_assumes(case: str, make_sandbox: Callable[..., Sandbox]) -> None:
    sandbox = make_sandbox(servers=3)
    machines = sandbox.running_cluster()
    state = CASES[case](running_cluster(0)._replace(slots=((0, "decide"), (1, "settled"), (2, "settled"))))
    running = {
        f"{machine.address}": step == "settled" for machine, (_, step) in zip(machines, state.slots, strict=True)
    }
    sandbox.change(machines={address: {"running": on, "cluster": "cluster-0"} for address, on in running.items()})
    if state.volumes[0] == BLANK:
        machines[0].on_volume("server/db").rename(machines[0].on_volume("gone"))
    if state.volumes[0][4] == "copy":
        machines[0].on_volume("identity").write_text("volume=vol-0123 slot=0\n")
    if state.marker[0] == "absent":
        sandbox.client("s3").delete_object(Bucket=sandbox.inputs.nodes_bucket, Key=f"marker/{sandbox.inputs.vpc_id}")
    if not state.aws:
        sandbox.change(aws_failures=[[" ", 999, "An error occurred (InternalError)"]])
    line = machines[0].run("gather-facts").log.strip().splitlines()[-1]
    gathered = dict(word.split("=") for word in line.split())
    assumed = facts(state, 0, Rules())
    if gathered["peer"].startswith("10."):
        gathered["peer"] = PEER
    assert {name: gathered[name] for name in assumed} == assumed, line
