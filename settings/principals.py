"""Principals of AWS as the Kubernetes API knows them, where ``access.identity.issuer`` has people be who they are in AWS.

AWS puts the ARN of the role or user into a token's ``sub`` (docs.aws.amazon.com, IAM User Guide: outbound identity federation, token claims). It
does not say whether a role's path is in it, so both forms are bound: in one account a name is a role's alone, whatever its path.
"""

from collections.abc import Iterable

from settings.access import Access

PREFIX = "aws:"
"""What the names of users and groups begin with, so that nobody is called what Kubernetes calls its own."""


def groups(arns: Iterable[str]) -> list[str]:
    """The groups that holders of these principals are in: the API server makes one of each token's ``sub``."""
    names: list[str] = []
    for arn in arns:
        head, _, name = arn.partition("/")
        names += dict.fromkeys([f"{PREFIX}{arn}", f"{PREFIX}{head}/{name.rpartition('/')[2]}"])
    return sorted(set(names))


def by_role(access: Access) -> dict[str, list[str]]:
    """Groups by what they may do. A principal that is an administrator as well is not held to what ``deploy`` may."""
    groups_by_role = {role: groups(arns) for role, arns in access.principals}
    return {
        **groups_by_role,
        "deploy": [group for group in groups_by_role["deploy"] if group not in groups_by_role["admin"]],
    }
