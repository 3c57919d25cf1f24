"""The decision table as properties: what must hold for every combination of facts, checked on the real program."""

import itertools
import subprocess
from pathlib import Path

DECIDE = Path(__file__).parents[2] / "nodes/bin/decide"

FACTS = tuple(
    itertools.product(
        ("present", "none"),
        ("member", "removed", "unknown"),
        ("10.0.11.10", "none"),
        ("absent", "mine", "forming", "ready", "other"),
        ("0", "1", "2"),
    )
)


def violations(decide: Path = DECIDE) -> list[str]:
    """What a decision program does wrong; empty for the right one."""
    found = []
    for facts in FACTS:
        decision, _, reason = subprocess.run(
            [decide, *facts], capture_output=True, text=True, check=True
        ).stdout.partition(" ")
        allowed = _expected(*facts)
        if decision != allowed:
            found.append(f"{' '.join(facts)}: {decision}, must be {allowed}")
        if len(reason.strip()) < 20:
            found.append(f"{' '.join(facts)}: {decision} gives no reason")
    return found


def _expected(data: str, membership: str, peer: str, marker: str, slot: str) -> str:
    if data == "present":
        return "set-aside" if membership == "removed" else "start"
    if peer != "none":
        return "join"
    if marker in ("ready", "other"):
        return "stop"
    first = {"mine": "initialise", "forming": "stop", "absent": "claim"}
    others = {"mine": "initialise", "forming": "wait", "absent": "wait"}
    return (first if slot == "0" else others)[marker]
