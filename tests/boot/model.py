"""An exhaustive search through what three servers, five volumes, AWS and a person can do, with the shipped ``decide`` as the servers' mind.

A state is everything that exists: which volume is attached where, what is on it, which step each server is at, the marker, the published
CA, the members of etcd. From each state follow all that can happen next: a server decides, acts or settles one step further, power is lost
at any of them, AWS or the network goes away, a volume is exchanged, emptied, damaged or replaced by an old copy of it, the marker is deleted,
and a person does what a server's message says. The program runs once for each distinct set of facts.

What the model assumes of ``gather-facts`` (``facts``) is held against the real one in ``test_model.py``.
"""

import sys
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field

from tests.boot import model_person as person
from tests.boot.model_state import (
    BLANK,
    UP,
    State,
    Volume,
    at,
    nothing_yet,
    put,
    quorum,
    replaced,
    running,
    running_cluster,
)
from tests.boot.table import answer

AT_MOST = 1_000_000
"""States that are looked at from each beginning; some 1 KiB each."""

Facts = Mapping[str, str]
Decide = Callable[[Facts], tuple[str, str, str]]


@dataclass(frozen=True)
class Rules:
    """A generation of programs: how facts become decisions, and what the programs around them look at."""

    decide: Decide = answer
    proves: bool = True
    """Peers and copies prove what they are."""
    careful: bool = True
    """A failed read of the marker stops a program, and a damaged volume is not a blank one."""


@dataclass
class SearchResult:
    """What a search found."""

    states: int = 0
    broken: list[tuple[str, tuple[str, ...]]] = field(default_factory=list)
    """Broken invariants, each with the schedule that leads to it."""
    all: bool = True
    """Whether nothing is left to look at within the faults that were allowed."""


def facts(state: State, slot: int, rules: Rules) -> dict[str, str]:
    """What ``gather-facts`` finds on a server."""
    volume = state.slots[slot][0]
    cluster, at_home, _, listed, mark = state.volumes[volume]
    facts = {
        "data": "present" if cluster else "none",
        "membership": "unknown",
        "marker": "unknown",
        "history": "unknown",
    }
    # The file on a volume names its slot as well: one that is moved to another server is taken for a copy.
    if rules.proves and (mark == "copy" or (cluster and at_home != slot)):
        facts["data"] = "copy"
    facts["peer"], peer_cluster = _peer(state, slot, cluster, rules)
    if facts["data"] == "present" and facts["peer"].startswith("10."):
        facts["membership"] = "member" if peer_cluster == cluster and listed else "removed"
    if facts["data"] == "none" and facts["peer"] == "none":
        facts["marker"] = _marker(state, volume)
        # The environment has snapshots as soon as a cluster has taken writes.
        facts["history"] = "unknown" if not state.aws else "some" if state.ca or state.wrote else "none"
    return facts | {"slot": "0" if slot == 0 else "1", "servers": "3"}


def _marker(state: State, volume: int) -> str:
    if not state.aws:
        return "unknown"
    says, winner = state.marker
    names = {
        "absent": ("absent", "absent"),
        "initialising": ("mine", "forming"),
        "ready": ("ready", "other"),
        "over": ("over", "forming"),
    }
    return names[says][winner != volume]


def _peer(state: State, slot: int, cluster: int, rules: Rules) -> tuple[str, int]:
    trusted = cluster or state.ca
    worst, seen = "none", 0
    for other, (volume, step) in enumerate(state.slots):
        if other == slot or step not in UP or state.alone in (slot, other):
            continue
        theirs = state.volumes[volume][0]
        if not rules.proves:
            return "10.0.11.10", theirs
        if not cluster and (not state.aws or not state.ca):
            worst = "unproven"
        elif theirs != trusted:
            return "foreign", theirs
        elif state.aws and quorum(state, theirs):
            seen = seen or theirs
        else:
            worst = "ill"
    return ("10.0.11.10", seen) if seen else (worst, 0)


def steps(state: State, slot: int, rules: Rules) -> Iterator[tuple[str, State]]:
    """What a server does next."""
    volume, step = state.slots[slot]
    data = state.volumes[volume]
    if step == "decide":
        if data[4] == "damaged":
            if not rules.careful:
                yield f"server {slot} formats its damaged volume", put(state, volume, BLANK)
            return
        decision, _, _ = rules.decide(facts(state, slot, rules))
        if decision not in ("wait", "stop"):
            yield f"server {slot} decides: {decision}", at(state, slot, decision)
    elif step == "claim":
        yield _claim(state, slot, volume, rules)
    elif step == "initialise":
        cluster = 1 if not state.members[1] else 2
        initialised = put(
            state, volume, (cluster, slot, True, True, ""), members=replaced(state.members, cluster, 1 << slot)
        )
        yield f"server {slot} initialises cluster {cluster}", at(initialised, slot, "up")
    elif step == "start":
        refused = not data[3] and quorum(state, data[0])  # the others tell it that it is no member
        yield f"server {slot} starts with its data", at(state, slot, "decide" if refused else "up")
    elif step == "archive":
        yield f"server {slot} sets its data aside", at(put(state, volume, BLANK), slot, "decide")
    elif step in ("join", "joining"):
        yield _join(state, slot, volume, rules)
    elif step in ("up", "ready"):
        yield from _settle(state, slot, data, rules)


def _claim(state: State, slot: int, volume: int, rules: Rules) -> tuple[str, State]:
    refused = rules.proves and (state.ca or state.wrote)
    if not state.aws or refused or state.marker[0] != "absent":
        return f"server {slot} does not get the marker", at(state, slot, "decide")
    return f"server {slot} wins the marker", at(state, slot, "initialise", marker=("initialising", volume))


def _join(state: State, slot: int, volume: int, rules: Rules) -> tuple[str, State]:
    """First the old member goes, then the new one comes: power can be lost in between."""
    step = state.slots[slot][1]
    _, cluster = _peer(state, slot, 0, rules)
    if not cluster or not state.aws or not quorum(state, cluster):
        return f"server {slot} finds nobody to join through", at(state, slot, "decide")
    bits = state.members[cluster] & ~(1 << slot)
    old = tuple((*data[:3], False, data[4]) if data[:2] == (cluster, slot) else data for data in state.volumes)
    if step == "join":
        return f"server {slot} removes its old member", at(
            state, slot, "joining", volumes=old, members=replaced(state.members, cluster, bits)
        )
    joined = put(
        state, volume, (cluster, slot, True, True, ""), members=replaced(state.members, cluster, bits | 1 << slot)
    )
    return f"server {slot} joins", at(joined, slot, "up")


def _settle(state: State, slot: int, data: Volume, rules: Rules) -> Iterator[tuple[str, State]]:
    """Ready needs a majority; then the marker says so, and then the CA is published."""
    volume, step = state.slots[slot]
    if slot == state.alone or not quorum(state, data[0]) or slot not in running(state, data[0]):
        return
    if step == "up":
        if not state.aws:
            if not rules.careful:
                yield f"server {slot} cannot read the marker and goes on", at(state, slot, "ready")
            return
        says, winner = state.marker
        says_so = says == "ready" or (not rules.careful and winner != volume)
        marker = state.marker if says_so else ("ready", volume)
        yield f"server {slot} is ready, and the marker says {marker[0]}", at(state, slot, "ready", marker=marker)
    elif state.aws:
        yield f"server {slot} publishes its CA", at(state, slot, "settled", ca=data[0])


def remedy_of(state: State, slot: int, rules: Rules) -> str:
    """The next step that a server which waits or stops names; empty where it goes on by itself."""
    if state.volumes[state.slots[slot][0]][4] == "damaged":
        return "repair" if rules.careful else ""
    decision, remedy, _ = rules.decide(facts(state, slot, rules))
    return remedy if decision in ("wait", "stop") else ""


def write(state: State, cluster: int) -> State | None:
    """The cluster acknowledges a write: who does not run has no longer the newest."""
    up = [slot for slot in running(state, cluster) if slot != state.alone]
    if not quorum(state, cluster) or not any(state.slots[slot][1] == "settled" for slot in up):
        return None
    with_it = {state.slots[slot][0] for slot in up}
    after = tuple(
        (data[0], data[1], number in with_it, data[3], data[4]) if data[0] == cluster else data
        for number, data in enumerate(state.volumes)
    )
    return state._replace(volumes=after, wrote=state.wrote | 1 << cluster)


def faults(state: State) -> Iterator[tuple[str, State]]:
    """What can go wrong next."""
    left = state._replace(faults=state.faults - 1)
    for slot, (volume, step) in enumerate(state.slots):
        if step != "off":
            yield f"power is lost on server {slot}", at(left, slot, "off")
            continue
        if state.volumes[volume] != BLANK:
            yield f"volume {volume} of server {slot} is emptied", put(left, volume, BLANK)
            if not state.volumes[volume][4]:
                yield (
                    f"the first sector of volume {volume} is damaged",
                    put(left, volume, (*state.volumes[volume][:4], "damaged")),
                )
        attached = {other for other, _ in state.slots}
        for spare in (3, 4):
            if spare not in attached:
                yield (
                    f"server {slot} gets volume {spare}",
                    left._replace(slots=replaced(state.slots, slot, (spare, "off"))),
                )
        if slot not in attached:
            yield (
                f"server {slot} gets its volume {slot} back",
                left._replace(slots=replaced(state.slots, slot, (slot, "off"))),
            )
    if state.aws:
        yield "AWS does not answer", left._replace(aws=False)
    if state.alone < 0:
        for slot in (0, 2):
            yield f"the network cuts off server {slot}", left._replace(alone=slot)
    if state.marker[0] != "absent":
        yield "the marker is deleted by mistake", left._replace(marker=("absent", -1))


def successors(state: State, rules: Rules) -> Iterator[tuple[str, State]]:
    """All that can happen next."""
    for slot, (_, step) in enumerate(state.slots):
        if step == "off":
            yield f"server {slot} boots", at(state, slot, "decide")
        else:
            yield from steps(state, slot, rules)
    for cluster in (1, 2):
        written = write(state, cluster)
        if written is not None and written != state:
            yield f"cluster {cluster} acknowledges a write", written
    if not state.aws:
        yield "AWS answers again", state._replace(aws=True)
    if state.alone >= 0:
        yield "the network is whole again", state._replace(alone=-1)
    for slot, (_, step) in enumerate(state.slots):
        if step == "decide":
            yield from person.follow(state, slot, remedy_of(state, slot, rules))
    if state.faults:
        yield from faults(state)


def broken(before: State, event: str, after: State) -> str | None:
    """The invariant that a step breaks, in words."""
    if after.wrote == 0b110:
        return "two clusters acknowledged writes"
    if "sets its data aside" in event or "formats" in event:
        volume = before.slots[int(event.split()[1])][0]
        cluster, _, newest, listed, _ = before.volumes[volume]
        if cluster and newest and listed and before.wrote >> cluster & 1:
            return f"{event}, which held the newest committed data as a member"
    if "acknowledges" in event:
        cluster = int(event.split()[1])
        up = {before.slots[slot][0] for slot in running(before, cluster)}
        holding = {number for number, data in enumerate(before.volumes) if data[0] == cluster and data[2]}
        if holding and not holding & up:
            return "a majority of old data acknowledged a write, and the newest is on a volume beside it"
    return None


def search(
    start: State, rules: Rules, *, at_most: int, stop_at_first: bool = True
) -> tuple[SearchResult, dict[State, tuple[State, str] | None]]:
    """All states that can be reached, breadth first, so that a schedule that breaks something is a shortest one."""
    result = SearchResult()
    came: dict[State, tuple[State, str] | None] = {start: None}
    queue = deque([start])
    while queue and len(came) < at_most:
        state = queue.popleft()
        for event, after in successors(state, rules):
            wrong = broken(state, event, after)
            if wrong:
                result.broken.append((wrong, (*schedule(came, state), event)))
                if stop_at_first:
                    result.states = len(came)
                    return result, came
            elif after not in came:
                came[after] = (state, event)
                queue.append(after)
    result.states, result.all = len(came), not queue
    return result, came


def schedule(came: Mapping[State, tuple[State, str] | None], state: State) -> tuple[str, ...]:
    """The events that led to a state."""
    events: list[str] = []
    step = came[state]
    while step is not None:
        state, event = step
        events.append(event)
        step = came[state]
    return tuple(reversed(events))


def way_out(state: State, rules: Rules, known: dict[State, bool]) -> bool:
    """Whether one whole cluster comes of a state once nothing fails any more and a person follows the messages.

    :param known: what earlier calls found out; kept and filled.
    """
    state = state._replace(aws=True, alone=-1, faults=0)
    path: list[State] = []
    seen: set[State] = set()
    while state not in known and state not in seen:
        path.append(state)
        seen.add(state)
        if whole(state):
            known[state] = True
            break
        state = _onwards(state, rules, seen)
    result = known.get(state, False)
    known.update(dict.fromkeys(path, result))
    return result


def whole(state: State) -> bool:
    """All three servers settled in one cluster."""
    return any(len(running(state, cluster)) == 3 and state.members[cluster] == 0b111 for cluster in (1, 2)) and all(
        step == "settled" for _, step in state.slots
    )


def _onwards(state: State, rules: Rules, seen: set[State]) -> State:
    for slot, (_, step) in enumerate(state.slots):
        after = [at(state, slot, "decide")] if step == "off" else [next_ for _, next_ in steps(state, slot, rules)]
        for next_ in after:
            if next_ not in seen:
                return next_
    for slot, (_, step) in enumerate(state.slots):
        if step == "decide":
            for _, next_ in person.follow(state, slot, remedy_of(state, slot, rules)):
                if next_ not in seen:
                    return next_
    for slot, (_, step) in enumerate(state.slots):
        if step in UP and step != "settled" and at(state, slot, "decide") not in seen:
            return at(state, slot, "decide")
    return state


def play(state: State, rules: Rules, events: tuple[str, ...]) -> tuple[str | None, str | None]:
    """Follow a schedule: what it breaks, and the first event that these rules do not let happen."""
    for event in events:
        after = dict(successors(state, rules)).get(event)
        if after is None:
            return None, event
        wrong = broken(state, event, after)
        if wrong:
            return wrong, None
        state = after
    return None, None


def main() -> int:
    """Search from both beginnings, print the figures, and any schedule that breaks something."""
    total, bad = 0, 0
    for name, start in (("nothing yet", nothing_yet(4)), ("a running cluster", running_cluster(6))):
        began, worked = time.monotonic(), time.process_time()
        result, came = search(start, Rules(), at_most=AT_MOST)
        known: dict[State, bool] = {}
        stuck = [state for state in came if not way_out(state, Rules(), known)]
        total += result.states
        bad += len(result.broken) + len(stuck)
        print(
            f"{name}: {result.states:,} states with up to {start.faults} faults, {len(result.broken)} broken invariants,"
            f" {len(stuck)} without a way out, {time.monotonic() - began:.0f} s ({time.process_time() - worked:.0f} s of processor)"
            f"{'' if result.all else '; there are more states than were looked at'}",
            flush=True,
        )
        shown = [*result.broken, *(("no message leads out", schedule(came, state)) for state in stuck[:1])]
        for wrong, events in shown:
            print(f"  {wrong}:", *events, sep="\n    ")
    print(f"{total:,} states")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
