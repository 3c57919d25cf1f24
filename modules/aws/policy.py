"""IAM policy documents as Python values."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

POLICY_VERSION = "2012-10-17"
"""The current version of the policy language (IAM user guide: Version)."""


@dataclass(frozen=True)
class Statement:
    """One statement. Strings may hold Terraform references."""

    sid: str
    """What the statement is for, in letters and digits."""

    actions: Sequence[str]
    resources: Sequence[str] = ("*",)
    principals: Mapping[str, Any] | None = None
    """Only in resource and trust policies, such as ``{"Service": "ec2.amazonaws.com"}``."""

    conditions: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    effect: str = "Allow"
    all_but: bool = False
    """The actions are those that the statement does not speak of (IAM: NotAction)."""

    def render(self) -> dict[str, Any]:
        """The statement as IAM's JSON."""
        key = "NotAction" if self.all_but else "Action"
        document: dict[str, Any] = {"Sid": self.sid, "Effect": self.effect, key: list(self.actions)}
        if self.principals is not None:
            document["Principal"] = dict(self.principals)
        if self.resources:
            document["Resource"] = list(self.resources)
        if self.conditions:
            document["Condition"] = {operator: dict(keys) for operator, keys in self.conditions.items()}
        return document


def policy(*statements: Statement) -> str:
    """A policy document in JSON."""
    return json.dumps({"Version": POLICY_VERSION, "Statement": [statement.render() for statement in statements]})


def trust(service: str, *, account_id: str = "", sources: Sequence[str] = ()) -> str:
    """A trust policy that lets an AWS service take the role.

    :param account_id: for services that work for many accounts by one name: only for what this account asks of them, so that nobody
        else makes them use the role (IAM user guide: the confused deputy problem). EC2 sends no such key.
    :param sources: patterns of the ARNs for which it may.
    """
    conditions: dict[str, Mapping[str, Any]] = {}
    if account_id:
        conditions["StringEquals"] = {"aws:SourceAccount": account_id}
    if sources:
        conditions["ArnLike"] = {"aws:SourceArn": list(sources)}
    return policy(
        Statement("Assume", ["sts:AssumeRole"], resources=(), principals={"Service": service}, conditions=conditions)
    )


ANYONE = {"AWS": "*"}
"""Every principal: only with a condition that narrows it, or in a Deny."""
