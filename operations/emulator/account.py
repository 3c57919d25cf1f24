"""A whole account on this machine: emulator, state bucket, and stacks that the real Terraform applies to it."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import main
from operations.emulator import REPOSITORY, Emulator
from operations.emulator.stack import Stack
from operations.failure import Failure
from operations.terraform import binary, program
from settings import Settings
from settings.names import STATE_STACK

MISSING = (
    "Terraform cannot install its providers: give it a network, or put them into\n"
    "~/.terraform.d/plugins/registry.terraform.io/hashicorp/NAME/VERSION/linux_amd64/ (registry.opentofu.org for OpenTofu)"
)


@dataclass(frozen=True)
class Account:
    """An emulated account and the folder in which its stacks are."""

    folder: Path
    """Holds ``cdktf.out/``, the emulator's log and nothing of the repository's."""

    emulator: Emulator

    def stack(self, name: str) -> Stack:
        """A synthesised stack, such as ``vet-dev``."""
        return Stack(self.folder / "cdktf.out/stacks" / name, self.emulator.environment)

    def synthesise(self, settings: Settings) -> None:
        """Write the stacks of these settings into the folder."""
        main.build_app(settings, outdir=str(self.folder / "cdktf.out")).synth()

    def make_state(self, *options: str) -> str:
        """``make state`` in the folder; its output.

        Raises:
            Failure: with its output.
        """
        answer = subprocess.run(
            [sys.executable, "-m", "operations", "state", "bootstrap", "--yes", *options],
            cwd=self.folder,
            env={**self.emulator.environment, "PYTHONPATH": str(REPOSITORY)},
            capture_output=True,
            text=True,
        )
        if answer.returncode:
            raise Failure(f"make state failed:\n{answer.stdout[-2000:]}\n{answer.stderr}")
        return answer.stdout


@contextmanager
def account(folder: Path, settings: Settings) -> Iterator[Account]:
    """An empty account with these settings synthesised; forgotten at the end.

    Raises:
        Failure: Terraform or one of its providers is missing; the text says what to install.
    """
    program()
    with Emulator(folder / "emulator.log") as emulator:
        found = Account(folder, emulator)
        found.synthesise(settings)
        _providers(found.stack(STATE_STACK).folder)
        yield found


def _providers(folder: Path) -> None:
    variables = {**os.environ, "CHECKPOINT_DISABLE": "1", "TF_DATA_DIR": str(folder.parent / "probe")}
    command = [binary(), "init", "-backend=false", "-input=false", "-no-color", "-lockfile=readonly"]
    probe = subprocess.run(command, cwd=folder, env=variables, capture_output=True, text=True)
    if "Failed to query available provider packages" in probe.stderr + probe.stdout:
        raise Failure(MISSING)
