"""The decision table as properties: what must hold for every combination of facts, checked on the real program."""

import itertools
import subprocess
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path

DECIDE = Path(__file__).parents[2] / "nodes/bin/decide"

PEER = "10.0.11.10"

VALUES = {
    "data": ("present", "none", "copy", "damaged", "unknown"),
    "membership": ("member", "removed", "unknown"),
    "peer": (PEER, "ill", "unproven", "foreign", "none", "unknown"),
    "marker": ("absent", "mine", "forming", "ready", "other", "over", "unknown"),
    "history": ("none", "some", "unknown"),
    "slot": ("0", "1"),
    "servers": ("1", "3"),
}
"""Every value of every fact; see the program."""

Facts = Mapping[str, str]


def every_combination() -> Iterator[Facts]:
    """All combinations that gather-facts can print: it asks only for what can matter."""
    for values in itertools.product(*VALUES.values()):
        facts = dict(zip(VALUES, values, strict=True))
        alone = facts["data"] == "none" and facts["peer"] == "none"
        asked_peer = facts["data"] == "present" and facts["peer"] == PEER
        if facts["membership"] != "unknown" and not asked_peer:
            continue
        if (facts["marker"], facts["history"]) != ("unknown", "unknown") and not alone:
            continue
        if facts["servers"] == "1" and (facts["slot"] != "0" or facts["peer"] not in ("none", "unknown")):
            continue
        yield facts


@cache
def _answer(decide: Path, facts: tuple[tuple[str, str], ...]) -> tuple[str, str, str]:
    words = [f"{name}={value}" for name, value in facts]
    output = subprocess.run([decide, *words], capture_output=True, text=True, check=True).stdout.strip()
    decision, remedy, reason = [*output.split(" ", 2), "", ""][:3]
    return decision, remedy, reason


def answer(facts: Facts, decide: Path = DECIDE) -> tuple[str, str, str]:
    """Decision, remedy and reason: the program's, which runs once for each combination."""
    return _answer(decide, tuple(sorted(facts.items())))


def violations(decide: Path = DECIDE) -> list[str]:
    """What a decision program does wrong; empty for the right one."""
    problems = []
    for facts in every_combination():
        decision, remedy, reason = answer(facts, decide)
        text = " ".join(f"{name}={value}" for name, value in facts.items())
        allowed = _allowed(facts)
        if decision != allowed:
            problems.append(f"{text}: {decision}, must be {allowed}")
        if len(reason) < 20:
            problems.append(f"{text}: {decision} gives no reason")
        if decision in ("stop", "wait") and remedy == "none":
            problems.append(f"{text}: {decision} names no next step")
        if "unknown" in (facts["peer"], facts["data"]) and decision in ("claim", "initialise", "archive"):
            problems.append(f"{text}: {decision}, although something could not be asked")
    return problems


def _allowed(facts: Facts) -> str:
    if facts["data"] != "none":
        return {"unknown": "wait", "copy": "stop", "damaged": "stop"}.get(facts["data"]) or _with_data(facts)
    if facts["peer"] in ("ill", "unproven", "unknown"):
        return "wait"
    if facts["peer"] != "none":
        return "stop" if facts["peer"] == "foreign" else "join"
    lost = "stop" if facts["servers"] == "1" else "wait"
    if facts["marker"] in ("ready", "other"):
        return lost
    if facts["marker"] in ("unknown", "over"):
        return "initialise" if facts["marker"] == "over" and facts["slot"] == "0" else "wait"
    if facts["history"] != "none":
        return lost if facts["history"] == "some" else "wait"
    first = {"mine": "initialise", "forming": "stop", "absent": "claim"}
    others = {"mine": "wait", "forming": "wait", "absent": "wait"}
    return (first if facts["slot"] == "0" else others)[facts["marker"]]


def _with_data(facts: Facts) -> str:
    if facts["peer"] == "foreign":
        return "stop"
    return "archive" if facts["membership"] == "removed" else "start"
