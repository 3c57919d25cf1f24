"""What each optimization gains: ``python -m packages.quick_bindings.measure ROUNDS COMMAND...`` runs a command with each of them left out in turn.

All are measured in one run, in rounds, so that a machine whose speed drifts slows all of them alike. What counts is the share of processor time,
and of memory (the largest sum over Python and Node), that a run without the optimization takes more. Needs psutil.
"""

import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import psutil

from .optimizations import NAMES, WITHOUT

ALL = ",".join(NAMES)


@dataclass(frozen=True)
class Run:
    """One run of the command."""

    seconds: float
    processor: float
    megabytes: float


class Broken(Exception):
    """The command ended with an error. The text is what it said last."""


def run(command: list[str], variables: Mapping[str, str], folder: Path | None = None) -> Run:
    """Run a command and measure it.

    :param variables: its whole environment.
    :param folder: where it runs, if not here.

    Raises:
        Broken: it ends with an error.
    """
    before, started, peak = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter(), 0.0
    with tempfile.TemporaryFile() as output:
        process = subprocess.Popen(command, cwd=folder, env=variables, stdout=output, stderr=output)
        while process.poll() is None:
            peak = max(peak, _memory(process.pid))
            time.sleep(0.05)
        if process.returncode:
            output.seek(0)
            raise Broken(output.read().decode()[-3000:])
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    used = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return Run(time.perf_counter() - started, used, peak / 1e6)


def _memory(pid: int) -> float:
    try:
        parent = psutil.Process(pid)
        memory = [each.memory_full_info() for each in (parent, *parent.children(recursive=True))]
    except psutil.Error:  # it ended while it was looked at
        return 0
    return sum(float(getattr(each, "pss", each.rss)) for each in memory)


def table(runs: dict[str, list[Run]]) -> Iterator[str]:
    """One line for each optimization: what its absence costs."""
    whole = runs[""]
    yield f"{'all of them':12} {_median(whole, 'processor'):6.2f} s {_median(whole, 'megabytes'):6.0f} MB {_median(whole, 'seconds'):6.2f} s by the clock"
    for name, samples in runs.items():
        if name:
            ratio = [
                statistics.median(_ratio(one, other, key) for one, other in zip(samples, whole, strict=True))
                for key in ("processor", "megabytes")
            ]
            label = "none of them" if name == ALL else name
            yield f"{label:12} {ratio[0] - 1:+7.0%} processor {ratio[1] - 1:+7.0%} memory {_median(samples, 'seconds'):6.2f} s by the clock"


def _median(runs: list[Run], key: str) -> float:
    return float(statistics.median(getattr(run, key) for run in runs))


def _ratio(one: Run, other: Run, key: str) -> float:
    return float(getattr(one, key) / getattr(other, key))


def _without(optimizations: str, command: list[str]) -> Run:
    try:
        return run(command, {**os.environ, WITHOUT: optimizations})
    except Broken as broken:
        sys.exit(f"without {optimizations or 'nothing'}: {broken}")


def main(arguments: list[str]) -> int:
    """Measure and print; returns the exit status."""
    rounds, command = int(arguments[0]), arguments[1:]
    for without in ("", ALL, *NAMES):  # what a first run keeps for the next ones is not what is compared
        _without(without, command)
    runs: dict[str, list[Run]] = {without: [] for without in ("", *NAMES, ALL)}
    for number in range(rounds):
        for without, samples in runs.items():
            samples.append(_without(without, command))
        print(f"round {number + 1} of {rounds}", *table(runs), "", sep="\n", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
