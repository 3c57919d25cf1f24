"""Which test runs which line of which node program: a plugin of pytest for ``make bench-mutation`` (``-p tests.boot.mutation_trace``).

The programs are bash, so bash's own trace tells (man bash: ``BASH_XTRACEFD``). Each test leaves one line of JSON: its name, its
seconds, and the lines that it ran, as ``program:number``.
"""

import json
import os
import re
import time
from collections.abc import Generator
from pathlib import Path

import pytest

FOLDER = "VET_MUTATION_TRACE"
"""Environment variable with the folder that the tests' lines go into, one file a process."""

SANDBOXES = pytest.StashKey[Path]()
"""Where a test's sandboxes are."""

PREAMBLE = (
    '[ -z "${STAND_IN_SANDBOX:-}" ] || { exec {vet_trace}>>"$STAND_IN_SANDBOX/trace"; BASH_XTRACEFD=$vet_trace;'
    " PS4='+@${BASH_SOURCE##*/}:${LINENO}@ '; set -x; }\n"
)
"""Takes the place of a program's second line, a comment, so that all others keep their numbers."""

SEEN = re.compile(rb"^\++@([\w.-]+:\d+)@", re.MULTILINE)


def trace(programs: Path) -> None:
    """Have the programs of a folder tell their lines. Raises ``ValueError`` where the second line is no comment."""
    for path in sorted(programs.iterdir()):
        first, second, rest = path.read_text().split("\n", 2)
        if not second.startswith("#"):
            raise ValueError(f"{path}: the second line is no comment, so nothing can take its place")
        if first.startswith("#!"):  # lib.sh is read by the others, and traced with them
            path.write_text(f"{first}\n{PREAMBLE}{rest}")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, object, object]:
    """Write the test's line after it has ended."""
    began = time.monotonic()
    result = yield
    folder = item.stash.get(SANDBOXES, None)
    traces = folder.rglob("trace") if folder else ()
    lines = {line.decode() for path in traces for line in SEEN.findall(path.read_bytes())}
    trace = {"test": item.nodeid, "seconds": round(time.monotonic() - began, 2), "lines": sorted(lines)}
    with (Path(os.environ[FOLDER]) / f"{os.getpid()}.jsonl").open("a") as file:
        file.write(json.dumps(trace) + "\n")
    return result


def pytest_runtest_call(item: pytest.Item) -> None:
    """Remember where the test's sandboxes are: afterwards its fixtures are gone."""
    sandboxes = item.funcargs.get("tmp_path") if isinstance(item, pytest.Function) else None
    if isinstance(sandboxes, Path):
        item.stash[SANDBOXES] = sandboxes
