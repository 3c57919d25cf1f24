"""Who works with the emulated account: the roles that the settings make, and the people who may take them."""

import json
import shutil
from pathlib import Path
from typing import Any

import yaml

from operations.devtools.emulator import ACCOUNT_ID
from operations.devtools.emulator.account import Account
from operations.devtools.emulator.known_gaps import clients
from settings import Settings, load
from settings.documents import merged
from settings.loader import ENVIRONMENTS

PERSON = "platform-team"
"""Role that somebody of the team has by their own login, with no rights in AWS but to take what trusts it."""

ADMINISTRATOR = "administrator"
"""Role with AdministratorAccess: what it calls must be known to the evaluator as well."""

OPERATORS = {"access": {"operators": [f"arn:aws:iam::{ACCOUNT_ID}:role/{PERSON}"]}}
GITHUB = {"github": {"repository": "clinic/platform"}}


def trusting(folder: Path) -> Settings:
    """The repository's environments, below ``folder``, with workflows and operators that are trusted."""
    files = folder / "environments"
    shutil.copytree(ENVIRONMENTS, files, dirs_exist_ok=True)
    for name, more in {"_project.yaml": GITHUB, "dev.yaml": OPERATORS, "prod.yaml": OPERATORS}.items():
        document = yaml.safe_load((files / name).read_text())
        (files / name).write_text(yaml.safe_dump(merged(document, more)))
    return load(files)


def make(account: Account, name: str, *managed: str) -> None:
    """Make a role that the account's administrator may take.

    :param managed: names of AWS's policies that it has.
    """
    iam = clients(account.emulator.environment)("iam")
    root: dict[str, Any] = {"Effect": "Allow", "Principal": {"AWS": ACCOUNT_ID}, "Action": "sts:AssumeRole"}
    iam.create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [root]}))
    for policy in managed:
        iam.attach_role_policy(RoleName=name, PolicyArn=f"arn:aws:iam::aws:policy/{policy}")


def operator(account: Account, environment: str) -> dict[str, str]:
    """The environment of somebody of the team who has taken the operators' role."""
    return account.taking(f"vet-operate-{environment}", account.taking(PERSON))


def planner(account: Account, settings: Settings) -> dict[str, str]:
    """The environment of a pull request's job."""
    return account.workflow(settings, "plan", "pull_request")
