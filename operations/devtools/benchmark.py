"""``make bench``: speed and memory of synth, plain imports next to the fast bindings, and the cost of more environments.

Runs alternate, so that a machine whose speed drifts slows both alike; what counts is the ratio. Memory is the largest sum over Python and the
Node that it starts, sampled in runs whose time does not count, because looking slows what is looked at.
"""

import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

import psutil
from rich.box import SIMPLE
from rich.table import Table

from bindings import PLAIN
from operations.shared.console import terminal
from settings.loader import ENVIRONMENTS

ROUNDS = 3
"""Counted runs of each mode, after one that is not counted."""

COUNTS = (1, 10, 50)
"""How many environments the second table compares."""

PROGRAM = """
import sys
from pathlib import Path
import main
main.synthesise(Path(sys.argv[1]), outdir=sys.argv[2])
"""

console = terminal()


@dataclass(frozen=True)
class Run:
    """What was measured of a synth, in one run for its time and one for its memory."""

    seconds: float
    megabytes: float
    digest: str
    """Checksum over all files that it wrote."""


def run() -> None:
    """Measure and print both tables."""
    with _environments(None) as folder:
        for plain in (False, True):
            _synth(folder, plain=plain)  # what a first run keeps for the next ones is not what is compared
        pairs = [(_run(folder, plain=True), _run(folder, plain=False)) for _ in _rounds("plain and fast, in turn")]
    _compare(pairs)
    _grow()


def _compare(pairs: list[tuple[Run, Run]]) -> None:
    table = Table("", "seconds", "MB of Python and Node", box=SIMPLE)
    for name, index in (("plain imports", 0), ("fast bindings", 1)):
        runs = [pair[index] for pair in pairs]
        table.add_row(name, f"{_median(r.seconds for r in runs):.2f}", f"{_median(r.megabytes for r in runs):.0f}")
    seconds = _median(plain.seconds / fast.seconds for plain, fast in pairs)
    memory = _median(plain.megabytes / fast.megabytes for plain, fast in pairs)
    table.add_row("[bold]ratio[/]", f"[bold]{seconds:.1f}[/]", f"[bold]{memory:.1f}[/]")
    console.print(table)
    digests = {each.digest for pair in pairs for each in pair}
    console.print("same bytes in every run" if len(digests) == 1 else f"[red]{len(digests)} different outputs[/]")


def _grow() -> None:
    table = Table("environments", "seconds", "MB", "seconds for each further one", box=SIMPLE)
    first: Run | None = None
    for count in COUNTS:
        with _environments(count) as folder:
            runs = [_run(folder, plain=False) for _ in _rounds(f"{count} environments")]
        each = Run(_median(r.seconds for r in runs), _median(r.megabytes for r in runs), "")
        first = first or each
        further = f"{(each.seconds - first.seconds) / (count - COUNTS[0]):.3f}" if count > COUNTS[0] else ""
        table.add_row(str(count), f"{each.seconds:.2f}", f"{each.megabytes:.0f}", further)
    console.print(table)


def _run(environments: Path, *, plain: bool) -> Run:
    seconds, _, digest = _synth(environments, plain=plain)
    _, megabytes, _ = _synth(environments, plain=plain, weigh=True)
    return Run(seconds, megabytes, digest)


def _synth(environments: Path, *, plain: bool, weigh: bool = False) -> tuple[float, float, str]:
    """Seconds, megabytes (0 unless it was to be weighed) and checksum of one synth."""
    with tempfile.TemporaryDirectory() as output:
        command = [sys.executable, "-c", PROGRAM, str(environments), f"{output}/out"]
        variables = {**os.environ, PLAIN: "1" if plain else ""}
        started = time.perf_counter()
        process = subprocess.Popen(command, env=variables, stderr=subprocess.DEVNULL)
        peak = _peak(process) if weigh else 0.0
        process.wait()
        seconds = time.perf_counter() - started
        if process.returncode:
            sys.exit(f"synth failed: run `python main.py` to see why (exit status {process.returncode})")
        files = sorted(path for path in Path(output).rglob("*") if path.is_file())
        return seconds, peak / 1e6, sha256(b"".join(path.read_bytes() for path in files)).hexdigest()


def _peak(process: "subprocess.Popen[bytes]") -> float:
    peak = 0.0
    while process.poll() is None:
        peak = max(peak, _memory(process.pid))
        time.sleep(0.02)
    return peak


def _memory(pid: int) -> float:
    """Bytes that a process and its children hold; shared pages count once (proportional set size)."""
    total = 0.0
    try:
        parent = psutil.Process(pid)
        for process in (parent, *parent.children(recursive=True)):
            total += _share(process)
    except psutil.Error:
        pass  # it ended while it was looked at
    return total


def _share(process: psutil.Process) -> float:
    memory = process.memory_full_info()
    return float(getattr(memory, "pss", memory.rss))


@contextmanager
def _environments(count: int | None) -> Iterator[Path]:
    """The project's environments, or ``count`` copies of dev with names and hosts of their own."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name) / "environments"
        shutil.copytree(ENVIRONMENTS, folder)
        if count is not None:
            text = (folder / "dev.yaml").read_text()
            for path in folder.glob("[!_]*.yaml"):
                path.unlink()
            for number in range(count):
                copy = text.replace(".dev.{domain}", f".e{number}.{{domain}}")
                (folder / f"e{number}.yaml").write_text(copy)
        yield folder


def _rounds(what: str) -> Iterator[int]:
    for number in range(ROUNDS):
        console.print(f"[dim]{what}: round {number + 1} of {ROUNDS}[/]")
        yield number


def _median(values: Iterator[float]) -> float:
    return statistics.median(values)
