"""``make fuzz [N=10000]``: settings with people's mistakes, one in so many of the accepted ones synthesised; the seed is the commit's hash.

A fault is printed with its seed; ``python -m tests.fuzz 1 --seed SEED`` plays it again.
"""

import argparse
import subprocess
import sys
import time

from rich.console import Console
from rich.progress import track

from tests.fuzz.trial import Outcome, trial

SYNTHESISED = 25
"""One of so many accepted ones is synthesised, which takes as long as many that are not."""


def run(count: int, seed: int) -> int:
    """Try; 0 if every answer was as it should be."""
    console = Console()
    start = time.monotonic()
    accepted = synthesised = 0
    faults: list[Outcome] = []
    console.print(f"seed {seed}, {count} trials")
    for number in track(range(count), console=console, description="settings with mistakes"):
        outcome = trial(seed + number, synthesise=count == 1)
        accepted += outcome.accepted
        if outcome.accepted and not outcome.fault and accepted % SYNTHESISED == 0:
            synthesised += 1
            outcome = trial(seed + number, synthesise=True)
        if outcome.fault:
            faults.append(outcome)
            console.print(str(outcome), markup=False)
    console.print(
        f"{count} trials: {count - accepted} refused, {accepted} accepted, {synthesised} of them synthesised, "
        f"{len(faults)} faults ({time.monotonic() - start:.0f} s)"
    )
    return 1 if faults else 0


def commit() -> int:
    """A number that is the same for a commit wherever it is checked out."""
    head = subprocess.run(["git", "rev-parse", "HEAD"], capture_output=True, text=True, check=True).stdout
    return int(head[:8], 16)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("count", type=int, nargs="?", default=10_000)
    parser.add_argument("--seed", type=int)
    arguments = parser.parse_args()
    sys.exit(run(arguments.count, commit() if arguments.seed is None else arguments.seed))
