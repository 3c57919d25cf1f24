"""CONTRIBUTING's walk, done in a clean clone: each change is applied, each command runs, each named test is red and then green."""

import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
STEP = re.compile(
    r"^```(?P<kind>diff|sh)\n(?P<text>.*?)^```$|^- \*\*(?P<colour>Red|Green)\*\* `(?P<test>tests/[^`]+)`",
    re.MULTILINE | re.DOTALL,
)


@dataclass(frozen=True)
class Step:
    """Something that the page tells its reader to do, or to see."""

    kind: str
    """``diff``, ``sh``, ``Red`` or ``Green``."""

    text: str
    """The change, the commands, or the test."""


def steps(page: str) -> Iterator[Step]:
    """The walk's steps in the page's order."""
    walk = page.partition("\n## A resource, step by step\n")[2].partition("\n## ")[0]
    for match in STEP.finditer(walk):
        yield Step(match["kind"] or match["colour"], match["text"] or match["test"])


@pytest.fixture(scope="module")
def clone(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A clean clone of the last commit, with this checkout's installed packages: installing them is another test's matter."""
    folder = tmp_path_factory.mktemp("contributing") / "platform"
    subprocess.run(["git", "clone", "--quiet", "--local", ROOT, folder], check=True)
    for name in (".venv", ".tools"):
        (folder / name).symlink_to((ROOT / name).resolve())
    return folder


def run(step: Step, clone: Path) -> "subprocess.CompletedProcess[str]":
    """Do it in the clone, as the reader would."""
    if step.kind == "diff":
        command, given = ["git", "apply", "-C1", "-"], step.text
    elif step.kind == "sh":
        command, given = ["sh", "-e"], step.text
    else:
        command, given = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", step.text], ""
    variables = {name: value for name, value in os.environ.items() if not name.startswith(("PYTEST", "MAKE"))}
    return subprocess.run(command, cwd=clone, input=given, env=variables, capture_output=True, text=True)


def test_the_walk_turns_each_test_red_and_then_green(clone: Path) -> None:
    walk = list(steps((clone / "CONTRIBUTING.md").read_text()))
    red = [step.text for step in walk if step.kind == "Red"]
    green = [step.text for step in walk if step.kind == "Green"]
    assert len(red) >= 5, f"the page's steps are read wrongly: {walk}"
    assert set(red) <= set(green), f"the page turns these red and never green: {set(red) - set(green)}"
    began = time.monotonic()
    for number, step in enumerate(walk, 1):
        answer = run(step, clone)
        shown = f"step {number}, {step.kind}:\n{step.text}\n{(answer.stdout + answer.stderr)[-3000:]}"
        wanted = 1 if step.kind == "Red" else 0  # pytest's 1: tests ran and some failed; a missing test is 4
        assert answer.returncode == wanted, f"ended with {answer.returncode}, not {wanted}: {shown}"
        first = (
            step.text.split("\n")[0]
            if step.kind != "diff"
            else " ".join(re.findall(r"^\+\+\+ b/(.*)$", step.text, re.M))
        )
        print(f"{time.monotonic() - began:5.0f} s  {step.kind:<5}  {first}")
    print(f"{len(walk)} steps in {time.monotonic() - began:.0f} s of a machine's time")
