"""The command line: what a person or a pipeline sees, in a process of its own."""

import io
import os
import subprocess
import sys

import pytest

from settings.loader import ENVIRONMENTS
from settings.terminal import show_errors
from settings.problems import SettingsError
from tests.unit.settings.conftest import Files

REPOSITORY = ENVIRONMENTS.parent


def run(program: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run a program text, as ``python -m`` would be."""
    environment = {**os.environ, "PYTHONPATH": str(REPOSITORY)}
    command = [sys.executable, "-c", program, *arguments]
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=False)


CHECK = """
import sys
from settings.check import main
try:
    main(sys.argv[1:])
finally:
    print("loaded:", *[name for name in ("cdktf", "jsii", "constructs", "rich") if name in sys.modules])
"""


def test_right_settings_are_ok(files: Files) -> None:
    done = run(CHECK, str(files.folder))
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("1 warning acknowledged.\n\nenvironments/dev.yaml:17  servers.instance_type = t3.medium")
    assert "ok: dev, prod\n" in done.stdout
    assert done.stdout.endswith("loaded:\n"), "neither cdktf nor what only a terminal needs is loaded"


def test_wrong_settings_are_told_and_the_status_is_1(files: Files) -> None:
    files.replace("dev.yaml", "count: 1\n", "count: 2\n")
    files.replace("prod.yaml", "protect: true", "protect: maybe")
    done = run(CHECK, str(files.folder))
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    assert done.stderr.startswith("2 errors in the settings. Nothing was made.\n\nenvironments/dev.yaml:16")
    assert "servers.count = 2" in done.stderr and "protect = maybe" in done.stderr
    assert done.stdout == "loaded:\n", "errors go to standard error, and cdktf is not loaded for them"


@pytest.mark.parametrize("arguments", [("--help",), ("a", "b")])
def test_the_usage_is_told(arguments: tuple[str, ...]) -> None:
    done = run(CHECK, *arguments)
    assert (done.returncode, done.stderr) == (1, "usage: python -m settings.check [DIRECTORY]\n")


class Terminal(io.StringIO):
    """A stream that takes itself for a terminal."""

    def isatty(self) -> bool:
        return True


def test_on_a_terminal_errors_are_wrapped_and_complete(files: Files, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "60")
    monkeypatch.setenv("NO_COLOR", "1")
    files.replace("dev.yaml", "count: 1\n", "count: 2\n")
    error = SettingsError(files.problems())
    stream = Terminal()
    show_errors(error, stream)
    shown = stream.getvalue()
    assert max(map(len, shown.splitlines())) <= 60, shown
    [problem] = error.problems
    flowing = " ".join(shown.split())
    for part in (error.title, problem.place, problem.subject, problem.rule, problem.remedy):
        assert part in flowing, f"{part!r} is missing in:\n{shown}"
