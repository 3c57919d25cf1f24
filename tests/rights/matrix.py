"""Who can do what to which resource of which environment: computed from the stacks, checked in, and made again by ``make rights``.

The shipped environments are judged together with one that has everything on (``tests/everything.py``).
"""

import re
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import yaml

import main
from operations.devtools.emulator.rights.evaluation import Caller, Request, allowed
from tests.everything import NAME, everything
from tests.rights.account import ACCOUNT, ADMINISTRATOR, Account, managed, read
from tests.rights.sensitive import OF_THE_ACCOUNT, acts

FILE = Path(__file__).parent / "matrix.yaml"

HEAD = "# Who can do what to what, as AWS would decide. `make rights` makes it again; reasons.yaml says why each of it is meant so.\n"

MADE = "whatever {} can make"
"""A role that has every right which the caller can give it."""


class Cell(NamedTuple):
    """Something that an identity can do."""

    identity: str
    environment: str
    """Whose resource it is; ``account`` for what belongs to no environment."""

    resource: str
    act: str


def identities(account: Account) -> dict[str, Caller]:
    """Roles that the stacks make, people who are given a role in a cluster, and what each could make of itself."""
    callers = dict(account.roles)
    for resource in account.of("aws_kms_key"):
        for statement in (resource.policy or {})["Statement"]:
            given = statement.get("Principal", {}).get("AWS", [])
            for arn in given if isinstance(given, list) else [given]:
                if ":role/" in arn and arn not in [caller.arn for caller in callers.values()]:
                    callers[f"people: {arn.rsplit('/', 1)[1]}"] = Caller(arn, [])
    for name, caller in list(callers.items()):
        role = _made_by(caller, account)
        if role is not None:
            callers[MADE.format(name)] = role
    return callers


def _made_by(caller: Caller, account: Account) -> Caller | None:
    """The most powerful role that a caller can make: without a boundary if it can, or else with one that it may set."""
    boundaries = [None, *account.boundaries]
    for role in [*account.roles, "anything"]:
        arn = account.roles[role].arn + "-more" if role in account.roles else f"arn:aws:iam::{ACCOUNT}:role/{role}"
        for boundary in boundaries:
            context = {"iam:PermissionsBoundary": boundary} if boundary else {}
            attach = Request("iam:AttachRolePolicy", arn, {**context, "iam:PolicyARN": ADMINISTRATOR})
            inline = Request("iam:PutRolePolicy", arn, context)
            if allowed(Request("iam:CreateRole", arn, context), caller) and any(
                allowed(request, caller) for request in (attach, inline)
            ):
                return Caller(arn, [managed(ADMINISTRATOR)], account.boundaries[boundary] if boundary else None)
    return None


def cells(account: Account, who: Collection[str] = ()) -> Iterator[Cell]:
    """Everything sensitive that somebody can do.

    :param who: identities to look at; without any, all.
    """
    boundaries = {caller.arn: _boundary_arn(caller, account) for caller in account.roles.values()}
    looked_at = {name: caller for name, caller in identities(account).items() if not who or name in who}
    for name, caller in looked_at.items():
        for resource in account.resources:
            of_it = {"iam:PermissionsBoundary": boundaries[resource.arn]} if boundaries.get(resource.arn) else {}
            for act, requests in acts(resource, account):
                tried = [Request(each.action, each.resource, {**of_it, **each.context}) for each in requests]
                if any(allowed(request, caller, resource.policy) for request in tried):
                    yield Cell(name, resource.environment, resource.label, str(act))
        for request in OF_THE_ACCOUNT:
            if allowed(request, caller):
                yield Cell(name, "account", "others' things", request.action)


def _boundary_arn(caller: Caller, account: Account) -> str:
    return next((arn for arn, policy in account.boundaries.items() if policy == caller.boundary), "")


def home(identity: str) -> str:
    """The environment that an identity belongs to; ``account`` for those that belong to none."""
    if identity.startswith("people"):
        return NAME
    match = re.search(r"vet-(?:github-deploy-|operate-)?(\w+)", identity)
    return match[1] if match and match[1] not in ("state", "github") else "account"


def rendered(cells: Iterable[Cell]) -> str:
    """The matrix as it is checked in."""
    tree: dict[str, dict[str, dict[str, list[str]]]] = defaultdict(lambda: defaultdict(lambda: defaultdict(list)))
    for cell in sorted(set(cells)):
        tree[cell.identity][cell.environment][cell.resource].append(cell.act)
    plain = {who: {where: dict(what) for where, what in places.items()} for who, places in tree.items()}
    return HEAD + yaml.safe_dump(plain, sort_keys=True, width=10_000, default_flow_style=None)


COMPANY = {"access": {"permissions_boundary": f"arn:aws:iam::{ACCOUNT}:policy/company"}}
"""Settings of the project in a company that gives all roles a boundary of its own. What it says is not known: it may allow everything."""


def synthesised(folder: Path, project: Mapping[str, Any] | None = None) -> Account:
    """The account of the shipped environments and one with everything on.

    :param project: further settings of the project, such as :data:`COMPANY`.
    """
    main.build_app(everything(folder, project=dict(project or {})), outdir=str(folder / "out")).synth()
    return read(folder / "out")
