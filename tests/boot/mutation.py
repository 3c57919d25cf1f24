"""``make bench-mutation``: change the node programs in one place at a time, and see whether a test turns red.

Each condition is negated, each retry removed, each quote removed, each ``|| return`` or ``|| exit`` dropped. A program that is changed is tried
with the test files that call it by name, the quickest first. Survivors are listed; ``mutation.yaml`` says why each may survive.
"""

import argparse
import hashlib
import random
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import yaml

ROOT = Path(__file__).parents[2]
PROGRAMS = ROOT / "nodes/bin"
REASONS = Path(__file__).with_suffix(".yaml")

KINDS: dict[str, tuple[str, str]] = {
    "a condition negated": (r"\b(if|elif|while) (?!!)", r"\1 ! "),
    "a test negated": (r"(?<![\w!] )(?<!! )\[ (?!!)", "[ ! "),
    "a retry removed": (r"\bretry (?:\d+|\"\$\w+\") ", ""),
    "a failure swallowed": (r" \|\| (?:return|exit) \d+", " || true"),
    "a quote removed": (r'"(\$\{?\w+\}?)"', r"\1"),
}
"""What is changed, as a pattern and what takes its place."""

TESTS = {
    "decide": ["test_rules"],
    "inspect-volume": ["test_devices"],
    "mount-data": ["test_data_volume"],
    "marker": ["test_facts", "test_aws_failures"],
    "survey": ["test_model", "test_facts"],
    "peers": ["test_joining"],
    "turn": ["test_joining", "test_races"],
    "tokens": ["test_facts", "test_aws_failures"],
}
"""Tests that are tried first; all that remain follow."""


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
        return f"{self.program}: {self.kind}: {self.before.strip()}"


def mutants(programs: list[str]) -> Iterator[Mutant]:
    """All changes of the programs, line by line."""
    for program in programs:
        lines = (PROGRAMS / program).read_text().splitlines(keepends=True)
        for number, line in enumerate(lines):
            if line.lstrip().startswith("#"):
                continue
            for kind, (pattern, instead) in KINDS.items():
                for found in re.finditer(pattern, line):
                    changed = line[: found.start()] + found.expand(instead) + line[found.end() :]
                    text = "".join([*lines[:number], changed, *lines[number + 1 :]])
                    if text != "".join(lines):
                        yield Mutant(program, number + 1, kind, text, line, changed)


def copied(folder: Path) -> Path:
    """A copy of what is tested, so that nobody meets a changed program."""
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    for name in listed.split("\0"):
        if (source := ROOT / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(source, folder / name)
    return folder


def survives(mutant: Mutant, tree: Path, *, everything: bool) -> bool:
    """Whether no test notices."""
    path = tree / "nodes/bin" / mutant.program
    original = path.read_text()
    if subprocess.run(["bash", "-n"], input=mutant.text, text=True, capture_output=True).returncode:
        return False
    try:
        path.write_text(mutant.text)
        files = [f"tests/boot/{name}.py" for name in TESTS.get(mutant.program, [])]
        for chosen in ([files] if files else []) + ([["tests/boot"]] if everything or not files else []):
            command = [sys.executable, "-m", "pytest", "-x", "-q", "-n", "2", "--dist", "worksteal", *chosen]
            if subprocess.run(command, cwd=tree, capture_output=True).returncode:
                return False
        return True
    finally:
        path.write_text(original)


def main(keep: Path) -> int:
    """Try a sample or all, print the survivors and the share of them that have no reason."""
    parser = argparse.ArgumentParser(prog="make bench-mutation", description=__doc__)
    parser.add_argument("programs", nargs="*", default=sorted(TESTS), help="names in nodes/bin")
    parser.add_argument("--sample", type=int, default=0, help="so many, chosen by the programs' checksum; 0: all")
    parser.add_argument("--everything", action="store_true", help="try a survivor with the whole of tests/boot as well")
    asked = parser.parse_args()
    tree = copied(keep)
    reasons: dict[str, str] = yaml.safe_load(REASONS.read_text()) or {} if REASONS.exists() else {}
    chosen = list(mutants(asked.programs))
    if asked.sample:
        seed = hashlib.sha256("".join((PROGRAMS / name).read_text() for name in asked.programs).encode()).hexdigest()
        chosen = random.Random(seed).sample(chosen, min(asked.sample, len(chosen)))
    began, left = time.monotonic(), []
    for mutant in chosen:
        if survives(mutant, tree, everything=asked.everything):
            reason = reasons.get(mutant.name)
            print(
                f"survives {mutant.program}:{mutant.line}: {mutant.kind}: {mutant.after.strip()}  ({reason or 'no reason'})",
                flush=True,
            )
            left += [] if reason else [mutant]
    share = 100 * len(left) / max(len(chosen), 1)
    print(
        f"{len(chosen)} mutants, {len(left)} survive without a reason ({share:.1f} %), {time.monotonic() - began:.0f} s"
    )
    return 1 if share > 5 else 0


if __name__ == "__main__":
    with tempfile.TemporaryDirectory(prefix="mutation-") as folder:
        sys.exit(main(Path(folder)))
