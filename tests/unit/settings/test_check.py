"""The command line: what a person or a pipeline sees, in a process of its own."""

import io
import os
import subprocess
import sys

import pytest

from settings.loader import ENVIRONMENTS
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
    assert done.stdout.startswith("4 warnings acknowledged.\n\nenvironments/")
    assert "\nenvironments/dev.yaml:17  servers.instance_type = t3.medium\n" in done.stdout
    assert "ok: dev, prod\n" in done.stdout
    assert done.stdout.endswith("loaded:\n"), "neither cdktf nor what only a terminal needs is loaded"


@pytest.mark.parametrize("arguments", [("--help",), ("a", "b")])
def test_the_usage_is_told(arguments: tuple[str, ...]) -> None:
    done = run(CHECK, *arguments)
    assert (done.returncode, done.stderr) == (1, "usage: python -m settings.check [DIRECTORY]\n")


class Terminal(io.StringIO):
    """A stream that takes itself for a terminal."""

    def isatty(self) -> bool:
        return True
