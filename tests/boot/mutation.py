"""``make bench-mutation``: change the node programs in one place at a time, and see whether anything turns red.

Each condition is negated, each retry removed, each quote removed, each ``|| return`` or ``|| exit`` dropped. Shellcheck looks first, as in
``make lint``; then tests that run the changed line, which a run of all of them with bash's trace has found.
Survivors are listed; ``mutation.yaml`` says why each may survive. What was found is kept in ``.cache``: a run that was ended goes on, and
only survivors are tried again. ``N=150`` tries so many, drawn from a seed: the share that survives is then known within some percent.
"""

import argparse
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from pathlib import Path
from queue import SimpleQueue

import yaml

from tests.boot.mutation_trace import FOLDER, trace

ROOT = Path(__file__).parents[2]
PROGRAMS = ROOT / "nodes/bin"
REASONS = Path(__file__).with_suffix(".yaml")
KEPT = ROOT / ".cache/mutation"

KINDS: dict[str, tuple[str, str]] = {
    "a condition negated": (r"\b(if|elif|while) (?!!)", r"\1 ! "),
    "a test negated": (r"(?<![\w!] )(?<!! )\[ (?!!)", "[ ! "),
    "a retry removed": (r"\bretry (?:\d+|\"\$\w+\") ", ""),
    "a failure swallowed": (r" \|\| (?:return|exit) \d+", " || true"),
    "a quote removed": (r'"(\$\{?\w+\}?)"', r"\1"),
}
"""What is changed, as a pattern and what takes its place."""

UNTRACED = {
    "decide": ["tests/boot/test_rules.py", "tests/boot/test_model.py"],
    "drain-leaving-agents": ["tests/unit/nodes/test_leaving_agents.py"],
}
"""Tests that run a program outside of a sandbox, where nothing is traced."""

SHELLCHECK = [str(Path(sys.executable).with_name("shellcheck")), "-x", "-o", "quote-safe-variables", "-P", "nodes/bin"]
"""As ``make lint`` calls it, and the same release: it asks for quotes also where a variable can hold nothing special today (SC2248)."""

BESIDE = 3
"""Lines before and after a changed one: what a condition leads to stands there, and a test that runs it is likelier to notice."""

AT_ONCE = 2 * (os.cpu_count() or 1)
"""Mutants that are tried side by side: the tests wait more than they compute."""

SECONDS = 90
"""Tests that run a line are tried for so long, as they took when they were traced. What survives them is listed."""


@dataclass(frozen=True)
class Mutant:
    """One change of one program."""

    program: str
    line: int
    kind: str
    text: str
    """The whole program, changed."""
    before: str
    after: str

    @property
    def name(self) -> str:
        """What it is known by in the list of survivors: it outlives lines that move."""
        return f"{self.program}: {self.kind}: {self.after.strip()}"

    @property
    def key(self) -> str:
        """What its result is kept by."""
        return hashlib.sha256(f"{self.program}\n{self.text}".encode()).hexdigest()[:16]


@dataclass(frozen=True)
class Traced:
    """A test, what it took, and the lines that it ran."""

    test: str
    seconds: float
    lines: frozenset[str]


def mutants(programs: list[str]) -> Iterator[Mutant]:
    """All changes of the programs, line by line."""
    for program in programs:
        lines = (PROGRAMS / program).read_text().splitlines(keepends=True)
        for number, line in enumerate(lines):
            comment = re.search(r"(^|\s)# |$", line)
            assert comment is not None  # the end of the line matches
            for kind, (pattern, instead) in KINDS.items():
                for match in re.finditer(pattern, line):
                    words = kind == "a condition negated" and line[: match.start()].count('"') % 2  # of a message
                    if match.start() >= comment.start() or words:
                        continue
                    changed = line[: match.start()] + match.expand(instead) + line[match.end() :]
                    text = "".join([*lines[:number], changed, *lines[number + 1 :]])
                    if text != "".join(lines):
                        yield Mutant(program, number + 1, kind, text, line, changed)


def sample(mutants: list[Mutant], size: int | None, seed: str) -> list[Mutant]:
    """So many of the mutants, in the order of their programs; for a seed the same ones, as far as their programs have not changed."""
    if size is None or size >= len(mutants):
        return mutants
    order = sorted(mutants, key=lambda mutant: hashlib.sha256(f"{seed} {mutant.key}".encode()).digest())
    drawn = {mutant.key for mutant in order[:size]}
    return [mutant for mutant in mutants if mutant.key in drawn]


def copied(folder: Path) -> Path:
    """A copy of what is tested, so that nobody meets a changed program."""
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    for name in listed.split("\0"):
        if (source := ROOT / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(source, folder / name)
    return folder


def traced(tree: Path) -> list[Traced]:
    """Every test of ``tests/boot`` with the lines that it runs, the quickest first; found once for what is in the tree.

    Raises:
        SystemExit: a test fails before anything is changed.
    """
    files = sorted([*(tree / "nodes/bin").iterdir(), *(tree / "tests/boot").rglob("*.py")])
    digest = hashlib.sha256(b"".join(path.read_bytes() for path in files)).hexdigest()[:16]
    cache = KEPT / f"trace-{digest}.json"
    if not cache.exists():
        print("tracing which test runs which line", flush=True)
        with tempfile.TemporaryDirectory(prefix="mutation-trace-") as folder:
            copy = shutil.copytree(tree, Path(folder) / "tree")
            trace(copy / "nodes/bin")
            trace_folder = Path(folder) / "traces"
            trace_folder.mkdir()
            command = [sys.executable, "-m", "pytest", "-q", "-n", "2", "--dist", "worksteal"]
            command += ["-p", "tests.boot.mutation_trace", "tests/boot"]
            if subprocess.run(command, cwd=copy, env={**os.environ, FOLDER: str(trace_folder)}).returncode:
                raise SystemExit("a test fails although nothing was changed; nothing was tried")
            lines = [line for path in trace_folder.iterdir() for line in path.read_text().splitlines()]
        cache.write_text(json.dumps([json.loads(line) for line in lines]))
    traces = [Traced(one["test"], one["seconds"], frozenset(one["lines"])) for one in json.loads(cache.read_text())]
    return sorted(traces, key=lambda one: one.seconds)


def chosen(mutant: Mutant, tests: list[Traced]) -> list[str]:
    """Tests that run the changed line, for :data:`SECONDS`: those first that run a line beside it which few run, then the quickest.

    Bash gives a command of several lines the number of one of them: for a line that no test runs, the nearest one's tests are taken.
    """
    lines = {
        int(line.partition(":")[2]) for one in tests for line in one.lines if line.startswith(f"{mutant.program}:")
    }
    if not lines:
        return UNTRACED.get(mutant.program, [])
    nearest = min(lines, key=lambda line: (abs(line - mutant.line), line))
    runners = {
        line: {one.test for one in tests if f"{mutant.program}:{line}" in one.lines}
        for line in lines
        if abs(line - nearest) <= BESIDE
    }

    def order(one: Traced) -> tuple[int, float]:
        return min(len(who) for who in runners.values() if one.test in who), one.seconds

    taken: list[str] = []
    seconds = 0.0
    for one in sorted((one for one in tests if one.test in runners[nearest]), key=order):
        if taken and seconds + one.seconds > SECONDS:
            break
        taken.append(one.test)
        seconds += one.seconds
    return [*UNTRACED.get(mutant.program, []), *taken]


def noticed(mutant: Mutant, tree: Path, tests: list[Traced]) -> str:
    """What notices the change: ``bash``, ``shellcheck``, ``tests``, or nothing (an empty string)."""
    path = tree / "nodes/bin" / mutant.program
    original = path.read_text()
    if subprocess.run(["bash", "-n"], input=mutant.text, text=True, capture_output=True).returncode:
        return "bash"
    try:
        path.write_text(mutant.text)
        if subprocess.run([*SHELLCHECK, path], cwd=tree, capture_output=True).returncode:
            return "shellcheck"
        wanted = chosen(mutant, tests)
        command = [sys.executable, "-m", "pytest", "-x", "-q", "-p", "no:cacheprovider", *wanted]
        if wanted and subprocess.run(command, cwd=tree, capture_output=True).returncode:
            return "tests"
        return ""
    finally:
        path.write_text(original)


def results_of(tried: Iterable[Mutant], tree: Path, tests: list[Traced]) -> Iterator[tuple[Mutant, str]]:
    """Each mutant with what notices it, as they end: several at once, each in a copy of the tree of its own."""
    free: SimpleQueue[Path] = SimpleQueue()
    for number in range(AT_ONCE):
        free.put(shutil.copytree(tree, tree.parent / f"copy{number}"))

    def one(mutant: Mutant) -> str:
        copy = free.get()
        try:
            return noticed(mutant, copy, tests)
        finally:
            free.put(copy)

    with ThreadPoolExecutor(AT_ONCE) as executor:
        running = {executor.submit(one, mutant): mutant for mutant in tried}
        for ended in as_completed(running):
            yield running[ended], ended.result()


def main(keep: Path) -> int:
    """Try all, print the survivors and the share of them that have no reason."""
    parser = argparse.ArgumentParser(prog="make bench-mutation", description=__doc__)
    parser.add_argument("programs", nargs="*", help="names in nodes/bin, separated by blanks; all, if none is given")
    parser.add_argument("--sample", type=int, metavar="N", help="try so many, drawn from the seed")
    parser.add_argument("--seed", default="mutation", help="what the sample is drawn from")
    asked = parser.parse_args()
    KEPT.mkdir(parents=True, exist_ok=True)
    tree = copied(keep / "tree")
    reasons: dict[str, str] = yaml.safe_load(REASONS.read_text()) if REASONS.exists() else {}
    named = [word for text in asked.programs for word in text.split()]
    programs = named or sorted(path.name for path in PROGRAMS.iterdir())
    all_of_them = list(mutants(programs))
    tried = sample(all_of_them, asked.sample, asked.seed)
    if subprocess.run([*SHELLCHECK, *(f"nodes/bin/{program}" for program in programs)], cwd=tree).returncode:
        raise SystemExit("shellcheck complains although nothing was changed; nothing was tried")
    tests = traced(tree) if {mutant.program for mutant in tried} - set(UNTRACED) else []
    results = KEPT / "results.json"
    known: dict[str, str] = json.loads(results.read_text()) if results.exists() else {}
    began = time.monotonic()
    for mutant, by in results_of([mutant for mutant in tried if not known.get(mutant.key)], tree, tests):
        known[mutant.key] = by
        results.write_text(json.dumps(known))
        print(f"{by or 'NOTHING':>10} notices {mutant.program}:{mutant.line}: {mutant.name}", flush=True)
    survivors = [mutant for mutant in tried if not known[mutant.key]]
    for mutant in survivors:
        print(f"survives {mutant.program}:{mutant.line}: {mutant.name}  ({reasons.get(mutant.name, 'no reason')})")
    left = [mutant for mutant in survivors if mutant.name not in reasons]
    noticing = Counter(known[mutant.key] or "nothing" for mutant in tried)
    share = 100 * len(left) / max(len(tried), 1)
    print(
        f"{len(tried)} of {len(all_of_them)} mutants, noticed by {dict(noticing)}; {len(left)} survive without a reason ({share:.1f} %)"
    )
    print(f"{time.monotonic() - began:.0f} s")
    return 1 if share > 5 else 0


if __name__ == "__main__":
    with tempfile.TemporaryDirectory(prefix="mutation-") as folder:
        sys.exit(main(Path(folder)))
