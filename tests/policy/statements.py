"""What IAM demands of policy documents as texts: that they are JSON of today's version, whom they name, and how long they are.

Whether actions, resources and conditions exist is another question (``iam.py``).
"""

import json
import re
from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import Any

from settings.aws_constraints import constraint
from settings.aws_policies import INLINE_POLICIES, SIZES, TRUST_POLICY, size
from tests.policy.blocks import EXPRESSION, Block

ARN_LENGTH = 90
"""Characters that a reference in a policy stands for: ARNs of buckets, keys and secrets of the longest names are shorter."""

OF_IDENTITIES = ("aws_iam_role_policy", "aws_iam_policy")
"""Policies that say what their holder may do, and so name no principal."""

OTHERS = ("aws_ecr_lifecycle_policy",)
"""Documents that are called policies, and are none of IAM's."""

VERSION = "2012-10-17"

STAND_IN = "arn:aws:iam::123456789012:role/at-apply"
"""What an expression is taken for where its value is judged."""

ACCOUNT = re.compile(r"arn:aws[a-z-]*:[a-z0-9-]+:(?P<region>[^:]*):(?P<account>[^:\"]*):")

PRINCIPAL = re.compile(r"\*|\d{12}|arn:aws[a-z-]*:iam::\d{12}:(root|(role|user)/[\w+=,.@/-]{1,512})")
"""IAM user guide: AWS JSON policy elements, Principal (no part of an ARN may be a wildcard)."""

TRUSTING = ("sts:AssumeRole", "sts:AssumeRoleWithWebIdentity", "sts:TagSession", "sts:SetSourceIdentity")


def wrong(blocks: Sequence[Block]) -> Iterator[str]:
    """What IAM would refuse, a line each."""
    inline: dict[tuple[str, str], int] = defaultdict(int)
    for block in blocks:
        for key in ("policy", "assume_role_policy"):
            text = block.body.get(key)
            if not isinstance(text, str) or block.type in OTHERS:
                continue
            counted = policy_size(text)
            if block.type == "aws_iam_role_policy":
                inline[block.stack, str(block.body["role"])] += counted
            limit = TRUST_POLICY if key == "assume_role_policy" else SIZES.get(f"{block.type}.{key}")
            if limit and counted > limit:
                yield f"{block}: its {key} has {counted} characters; at most {limit} are allowed"
            yield from (f"{block}: its {key} {line}" for line in _document(block.type, key, text))
    for (stack, role), counted in inline.items():
        if counted > INLINE_POLICIES:
            yield f"{stack}: inline policies of {role} have {counted} characters; at most {INLINE_POLICIES} are allowed"


def policy_size(text: str) -> int:
    """Characters of a policy as IAM counts them; a reference counts as an ARN."""
    return size(EXPRESSION.sub("x" * ARN_LENGTH, text))


def _document(type_: str, key: str, text: str) -> Iterator[str]:
    if re.fullmatch(EXPRESSION, text):
        return
    try:
        document = json.loads(EXPRESSION.sub(STAND_IN, text))
    except json.JSONDecodeError as error:
        yield f"must be JSON: {error}"
        return
    statements = document.get("Statement") if isinstance(document, dict) else None
    if not isinstance(statements, list) or not statements:
        yield "must have a list of statements"
        return
    if document.get("Version") != VERSION:
        yield f"must have the version {VERSION}; it has {document.get('Version')}"
    sids = [each["Sid"] for each in statements if "Sid" in each]
    for sid in sids:
        if not re.fullmatch(r"[A-Za-z0-9]+", sid) or sids.count(sid) > 1:
            yield f"must name its statements in letters and digits, each once: {sid}"
    for statement in statements:
        yield from _statement(statement, trusts=key == "assume_role_policy", names=type_ not in OF_IDENTITIES)
    for match in ACCOUNT.finditer(EXPRESSION.sub(STAND_IN, text)):
        if not re.fullmatch(r"\d{12}|\*|aws|", match["account"]) or not re.fullmatch(
            r"[a-z]{2}(-[a-z]+)+-\d|\*|", match["region"]
        ):
            yield f"must name accounts by 12 digits and regions by their names: {match[0]}"


def _statement(statement: dict[str, Any], *, trusts: bool, names: bool) -> Iterator[str]:
    """Elements that a statement must have, may have and may not have (IAM user guide: grammar of the JSON policy language)."""
    what = statement.get("Sid", "a statement")
    if statement.get("Effect") not in ("Allow", "Deny"):
        yield f"must allow or deny in {what}; its Effect is {statement.get('Effect')}"
    for pair, wanted in (
        (("Action", "NotAction"), True),
        (("Resource", "NotResource"), not trusts),
        (("Principal", "NotPrincipal"), names),
    ):
        given = [each for each in pair if statement.get(each)]
        if len(given) != int(wanted):
            yield f"must have {'one of ' if wanted else 'no '}{' or '.join(pair)} in {what}; there are {given}"
    if trusts:
        for action in _several(statement.get("Action")):
            if action not in TRUSTING:
                yield f"must trust somebody to take the role in {what}; {action} does not"
    yield from (f"names {line} in {what}" for line in _principals(statement.get("Principal", {})))


def _principals(principal: Any) -> Iterator[str]:
    if not isinstance(principal, dict):
        if principal != "*":
            yield f"{principal!r}, which is no principal"
        return
    for kind, given in principal.items():
        for each in _several(given):
            if kind == "AWS" and not PRINCIPAL.fullmatch(each):
                yield f"{each}, which is neither an account nor a role or user of one"
            elif kind == "Service":
                for rule in constraint("*.service principal").broken_by(each):
                    yield f"the service {each}; it must {rule}"
            elif kind not in ("AWS", "Service", "Federated"):
                yield f"a principal of the kind {kind}, which there is not"


def _several(given: Any) -> list[str]:
    return given if isinstance(given, list) else [] if given is None else [given]
