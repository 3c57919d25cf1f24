"""Somebody who follows a page at home: ``make``, ``aws`` and ``terraform`` in a repository of their own, with no more rights than it takes."""

import os
import re
import shutil
import subprocess
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path
from typing import Any

from operations.devtools.emulator import REPOSITORY, Emulator
from operations.devtools.emulator.account import Account
from operations.devtools.emulator.known_gaps import clients
from operations.devtools.emulator.stack import Stack
from tests.apply import identities
from tests.runbooks import follow

NOT_COPIED = shutil.ignore_patterns(".*", "cdktf.out", "node_modules", "__pycache__", "var")

NAMED = re.compile(r"(?:ENV=|vet-)(dev|prod)\b")
"""How a command names the environment that it is about."""

MADE = re.compile(r"\b(?:i|vol|snap)-[0-9a-f]{8,17}\b")
"""What AWS names; its tags say whose it is."""

OF_THE_ACCOUNT = re.compile(r"make state|vet-state|elsewhere|--region|\bOTHER\b|Region=")
"""Commands about what belongs to no environment, or about another region than its own: the account's administrators run them."""

KEYS = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN")


def shell(emulator: Emulator) -> dict[str, str]:
    """The environment of somebody who follows a page: this project's programs, and the emulated account."""
    return emulator.environment | {
        "PATH": f"{REPOSITORY / '.venv/bin'}:{os.environ['PATH']}",
        "AWS_DEFAULT_REGION": emulator.variables[
            "AWS_REGION"
        ],  # what version 1 of the AWS CLI calls it, which these tests have
        "AWS_PAGER": "",
    }


def _left_out(folder: str, names: list[str]) -> set[str]:
    """What is made, and the report among it: it is in a folder of the repository's own, as a package of the same name is in another."""
    report = {"report"} if Path(folder) == REPOSITORY else set()
    return {*NOT_COPIED(folder, names), *report}


def copied(folder: Path) -> Path:
    """Copy the repository as it stands to ``folder``, with this one's installed packages; returns it."""
    shutil.copytree(REPOSITORY, folder, ignore=_left_out)
    (folder / ".venv").symlink_to(REPOSITORY / ".venv")
    return folder


class Reader:
    """Somebody who follows a page in a copy of the repository with all rights, and says yes when asked."""

    def __init__(self, folder: Path, emulator: Emulator) -> None:
        self.folder = folder
        self.environment = shell(emulator) | {
            "NO_COLOR": "1",
            "TF_VAR_api_address": "https://127.0.0.1:6443",  # no tunnel: destroying an empty Helm stack asks nobody
        }

    def environment_for(self, command: str) -> dict[str, str]:
        """What the shell has in which a command runs."""
        return self.environment

    def run(self, command: str) -> "subprocess.CompletedProcess[str]":
        """Run a command, answering each question with yes."""
        return self._run(command, self.environment_for(command))

    def _run(self, command: str, environment: dict[str, str]) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            ["bash", "-c", command],
            cwd=self.folder,
            env=environment,
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
        resources = Stack(self.folder / "cdktf.out/stacks" / stack, self.environment).state()
        (one,) = [each for each in resources if each["type"] == kind and contains in each["address"]]
        return one


class LimitedReader(Reader):
    """A reader who has, for each command, the rights of the role that it is for and no other."""

    def __init__(self, folder: Path, account: Account) -> None:
        super().__init__(copied(folder), account.emulator)
        self._account = account
        identities.trusting(folder)
        identities.make(account, identities.ADMINISTRATOR, "AdministratorAccess")
        self._keys = cache(self._signing)

    def _signing(self, role: str) -> dict[str, str]:
        account = self._account
        credentials = account.taking(role) if role == identities.ADMINISTRATOR else identities.operator(account, role)
        return {name: credentials[name] for name in KEYS}

    def role(self, command: str) -> str:
        """Whose rights a command takes: an environment's operators', or the administrator's."""
        if OF_THE_ACCOUNT.search(command):
            return identities.ADMINISTRATOR
        named = set(NAMED.findall(command)) or {self._owner(each) for each in MADE.findall(command)} - {""}
        return named.pop() if len(named) == 1 else "prod"

    def _owner(self, id_: str) -> str:
        ec2 = clients(self._account.emulator.environment)("ec2")
        tags = ec2.describe_tags(Filters=[{"Name": "resource-id", "Values": [id_]}])["Tags"]
        return next((str(tag["Value"]) for tag in tags if tag["Key"] == "Environment"), "")

    def environment_of(self, role: str) -> dict[str, str]:
        """What a shell of theirs has: an environment's operators, or the administrator."""
        return {**self.environment, **self._keys(role)}

    def environment_for(self, command: str) -> dict[str, str]:
        """What the shell has in which a command runs."""
        return self.environment_of(self.role(command))

    def run_as(self, role: str, command: str) -> "subprocess.CompletedProcess[str]":
        """Run a command with the rights of a role that it is not for."""
        return self._run(command, self.environment_of(role))
