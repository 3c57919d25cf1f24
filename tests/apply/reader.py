"""Somebody who works with the platform: a copy of the repository, its commands, and an emulated account."""

import shutil
import subprocess
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from operations.emulator import REPOSITORY, Emulator
from operations.emulator.stack import Stack
from tests.apply.conftest import shell
from tests.runbooks import follow

NOT_COPIED = shutil.ignore_patterns(".*", "cdktf.out", "node_modules", "__pycache__", "var", "report")


def copied(folder: Path) -> Path:
    """Copy the repository as it stands to ``folder``, with this one's installed packages; returns it."""
    shutil.copytree(REPOSITORY, folder, ignore=NOT_COPIED)
    (folder / ".venv").symlink_to(REPOSITORY / ".venv")
    return folder


class Reader:
    """Somebody who follows a page in a copy of the repository, and says yes when asked."""

    def __init__(self, folder: Path, emulator: Emulator) -> None:
        self.folder = folder
        self.environment = shell(emulator) | {
            "NO_COLOR": "1",
            "TF_VAR_api_address": "https://127.0.0.1:6443",  # no tunnel: destroying an empty Helm stack asks nobody
        }

    def run(self, command: str) -> "subprocess.CompletedProcess[str]":
        """Run a command, answering each question with yes."""
        return subprocess.run(
            ["bash", "-c", command],
            cwd=self.folder,
            env=self.environment,
            input="yes\n" * 9,
            capture_output=True,
            text=True,
        )

    def done(self, command: str) -> str:
        """Run a command that must succeed; what it printed."""
        answer = self.run(command)
        assert answer.returncode == 0, f"{command} ended with {answer.returncode}:\n{answer.stdout}\n{answer.stderr}"
        return answer.stdout

    def follow(
        self,
        page: str,
        values: Mapping[str, str | Callable[[], str]] | None = None,
        ends: Mapping[str, int] | None = None,
    ) -> dict[str, str]:
        """The page's commands for home, and what each printed."""
        return follow(page, "apply", self.run, values or {}, ends=ends)

    def resource(self, stack: str, kind: str, contains: str = "") -> dict[str, Any]:
        """The only resource of a kind in a stack's state, as Terraform shows it."""
        found = Stack(self.folder / "cdktf.out/stacks" / stack, self.environment).state()
        (one,) = [each for each in found if each["type"] == kind and contains in each["address"]]
        return one
