"""Run Terraform, or OpenTofu, in the folder of a synthesised stack.

What it says while it only looks (``init``, and a plan's refreshing of two hundred resources) is left out: what a plan changes is read, and that
it changes nothing is one line of the caller's.

Which of the two is said by ``TERRAFORM_BINARY_NAME``, as for ``cdktf`` itself, then by ``engine`` in ``_project.yaml``; where neither says it, it
is the first that is on the PATH (docs/opentofu.md).
"""

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import IO, Any

from operations.shared import provider_lock
from operations.shared.console import terminal, waiting
from operations.shared.errors import Failure
from settings import load
from settings.engines import ENGINES, Engine, oldest

STACKS = Path("cdktf.out/stacks")
"""Where synth writes, relative to the repository."""

NAMED = "TERRAFORM_BINARY_NAME"
"""Environment variable with the program's name or path; ``cdktf`` reads it as well."""


@dataclass(frozen=True)
class Terraform:
    """Terraform for one stack. Its output goes to the terminal as it comes.

    :param stack: name of the stack, such as ``vet-dev``.
    :param auto_approve: apply without asking.
    :param variables: environment variables for Terraform, such as ``TF_VAR_api_address``.
    """

    stack: str
    auto_approve: bool = False
    variables: Mapping[str, str] = field(default_factory=dict)

    @property
    def folder(self) -> Path:
        """The stack's folder, which also holds Terraform's own working files."""
        return STACKS / self.stack

    def init(self, *options: str) -> None:
        """Prepare the folder: backend and providers, whose packages are compared with the checksums that are known.

        Raises:
            Failure: checksums of another version are known.
            CalledProcessError: Terraform has failed, or refuses a package; its own words are on the terminal.
        """
        for what in provider_lock.put(self.folder, engine_of(program()).registry):
            print(f"{what}: no checksum is known, what its registry gives is believed (make pins)", file=sys.stderr)
        self._quietly("preparing", self._command("init", "-input=false", "-compact-warnings", *options))

    def plan(self, file: Path, *, lock: bool = True, shown: bool = True, replace: str | None = None) -> bool:
        """Write a plan, show it, and say whether it changes anything (``-detailed-exitcode``: 0 is no, 2 is yes).

        :param file: where the plan goes, relative to the stack's folder.
        :param lock: False for an identity that may only read state, which cannot lock it.
        :param shown: whether Terraform's account of it, which names values, goes to the terminal; errors do in any case.
        :param replace: address of a resource to destroy and make again, although nothing of it changes.

        Raises:
            CalledProcessError: Terraform has failed; its own words are on the terminal.
        """
        options = [f"-lock={str(lock).lower()}", f"-out={file}", *([f"-replace={replace}"] if replace else [])]
        command = self._command("plan", "-input=false", "-detailed-exitcode", *options)
        status, output = self._quietly("planning", command, accept=(0, 2), shown=shown)
        if shown and (status == 2 or "Warning:" in output):
            print(output, flush=True)
        return status == 2

    def show(self, file: Path) -> dict[str, Any]:
        """A written plan as Terraform's JSON (Terraform: JSON Output Format)."""
        command = self._command("show", "-json", str(file))
        answer = subprocess.run(command, capture_output=True, text=True, check=True)
        plan: dict[str, Any] = json.loads(answer.stdout)
        return plan

    def apply_plan(self, file: Path) -> None:
        """Apply a written plan, and nothing else: Terraform refuses it when the state has changed since."""
        self._run("apply", "-input=false", str(file))

    def apply(self) -> None:
        """Show the plan, ask, and apply it."""
        self._run("apply", *self._approval())

    def destroy(self) -> None:
        """Show what goes, ask, and destroy it."""
        self._run("destroy", *self._approval())

    def plan_destruction(self) -> None:
        """Show what ``destroy`` would destroy. The state is not locked, and nothing is changed."""
        self._run("plan", "-destroy", "-lock=false", "-input=false")

    def outputs(self) -> dict[str, Any]:
        """Values of the stack's outputs; empty before the first apply."""
        answer = subprocess.run(self._command("output", "-json"), capture_output=True, text=True, check=True)
        return {name: output["value"] for name, output in json.loads(answer.stdout).items()}

    def knows(self, beginning: str) -> bool:
        """Whether the state has a resource whose address begins so, such as ``helm_release.database_cluster_``.

        Raises:
            Failure: the state cannot be read. That there is none yet is an answer.
        """
        command = self._command("state", "list")
        answer = subprocess.run(command, capture_output=True, text=True, env={**os.environ, **self.variables})
        if answer.returncode:
            if "No state file was found" in answer.stderr:
                return False
            raise Failure(f"the state of {self.stack} cannot be read: {answer.stderr.strip()}")
        return any(address.startswith(beginning) for address in answer.stdout.split())

    def _approval(self) -> list[str]:
        return ["-auto-approve", "-input=false"] if self.auto_approve else []

    def _quietly(
        self, doing: str, command: Sequence[str], accept: Sequence[int] = (0,), *, shown: bool = True
    ) -> tuple[int, str]:
        """Run a command that only looks; its exit status, and what it printed apart from its progress.

        :param shown: whether that goes to the terminal when it fails.
        """
        variables = {**self.variables, "TF_IN_AUTOMATION": "1"}
        with tempfile.TemporaryFile("w+") as output:
            try:
                with waiting(terminal(), f"{doing} {self.stack}"):
                    status = run_uninterrupted(command, variables, accept, output)
            except subprocess.CalledProcessError:
                if shown:
                    print(_without_progress(output), flush=True)
                raise
            return status, _without_progress(output)

    def _run(self, *arguments: str) -> None:
        run_uninterrupted(self._command(*arguments), {**self.variables, "TF_IN_AUTOMATION": "1"})

    def _command(self, *arguments: str) -> list[str]:
        return [program(), f"-chdir={self.folder}", *arguments]


PROGRESS = re.compile(r": (Refreshing state|Reading|Still reading|Read complete)\b")
"""What a line about one resource says while Terraform reads it."""


def _without_progress(output: IO[str]) -> str:
    output.seek(0)
    return "".join(line for line in output if not PROGRESS.search(line)).strip("\n")


def run_uninterrupted(
    command: Sequence[str], variables: Mapping[str, str], accept: Sequence[int] = (0,), output: IO[str] | None = None
) -> int:
    """Run Terraform and return its exit status, however often somebody presses Ctrl-C.

    The terminal tells Terraform as well, which then finishes what it has begun, writes the state and unlocks it.
    ``subprocess.run`` would kill it a quarter of a second later: what was just made would be in no state.

    :param variables: environment variables besides this process's own.
    :param accept: exit statuses that are no failure.
    :param output: file for what it prints, apart from errors, which always go to the terminal.

    Raises:
        CalledProcessError: Terraform has failed; its own words are on the terminal.
        KeyboardInterrupt: Ctrl-C was pressed, and Terraform has ended.
    """
    interrupted, status = False, None
    with subprocess.Popen(command, env={**os.environ, **variables}, stdout=output) as process:
        while status is None:
            try:
                status = process.wait()
            except KeyboardInterrupt:
                interrupted = True
    if interrupted:
        raise KeyboardInterrupt
    if status not in accept:
        raise subprocess.CalledProcessError(status, command)
    return status


def engine_of(program: str) -> Engine:
    """What a program is, by its name; one of another name is taken for Terraform."""
    return ENGINES.get(Path(program).name, ENGINES["terraform"])


def binary() -> str:
    """Name or path of the program that applies the stacks; the first of ``ENGINES`` if there is none.

    Raises:
        SettingsError: the settings, which may name it, are wrong.
    """
    return _choice()[0]


def _choice() -> tuple[str, str]:
    """The program, and what names it; nothing does when it is the first on the PATH."""
    if named := os.environ.get(NAMED):
        return named, NAMED
    if engine := _engine():
        return engine, "engine in environments/_project.yaml"
    return next(filter(shutil.which, ENGINES), next(iter(ENGINES))), ""


@cache
def _engine() -> str | None:
    return load().project.engine


def program() -> str:
    """Path of a Terraform or OpenTofu that is new enough.

    Raises:
        Failure: there is none, or it is too old; the text says where to get one.
    """
    name, source = _choice()
    engine = engine_of(name)
    wanted = max(engine.minimum, oldest(_engine()))
    path = shutil.which(name)
    if path is None:
        subject = f"{source} names {name}, which" if source else name
        raise Failure(f"{subject} is not on PATH", engine.how_to_install(wanted))
    answer = subprocess.run([path, "version", "-json"], capture_output=True, text=True, check=True)
    version: str = json.loads(answer.stdout)["terraform_version"]
    if tuple(int(part) for part in version.split("-")[0].split(".")[:2]) < wanted:
        raise Failure(f"{name} is version {version}", engine.how_to_install(wanted))
    return path
