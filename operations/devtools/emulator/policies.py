"""Policy documents that AWS refuses and moto takes: too large, or for somebody whom there cannot be.

Sources: settings/aws_policies.py for the sizes; IAM user guide, policy elements: Principal, and troubleshooting, "Invalid principal in
policy": a user or role of the account has to exist when the document is stored. Those of other accounts cannot be known here.
"""

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from moto.iam.models import iam_backends

from operations.devtools.emulator import ACCOUNT_ID
from settings.aws_policies import INLINE_POLICIES, SIZES, TRUST_POLICY, size

ACCOUNT = r"[0-9]{12}"
PRINCIPALS: Mapping[str, str] = {
    "AWS": rf"\*|{ACCOUNT}|arn:aws[a-z-]*:(iam|sts)::{ACCOUNT}:(root|(user|role|assumed-role|federated-user)/[\w+=,.@/-]+)",
    "Service": r"[a-z0-9-]+(\.[a-z0-9-]+)*\.amazonaws\.com(\.cn)?",
    "Federated": rf"arn:aws[a-z-]*:iam::{ACCOUNT}:(oidc|saml)-provider/\S+|([a-z0-9-]+\.)+[a-z]+",
    "CanonicalUser": r"[0-9a-f]{64}",
}
"""What stands for somebody, by the kind of principal."""


@dataclass(frozen=True)
class PolicyDocument:
    """A policy document in a call, and the errors that the call answers with."""

    parameter: str
    limit: int
    too_large: str
    malformed: str


INLINE = PolicyDocument("PolicyDocument", INLINE_POLICIES, "LimitExceeded", "MalformedPolicyDocument")
MANAGED = PolicyDocument("PolicyDocument", SIZES["aws_iam_policy.policy"], "LimitExceeded", "MalformedPolicyDocument")
KEY = PolicyDocument(
    "Policy", SIZES["aws_kms_key.policy"], "LimitExceededException", "MalformedPolicyDocumentException"
)
CALLS: Mapping[str, PolicyDocument] = {
    "CreateRole": PolicyDocument("AssumeRolePolicyDocument", TRUST_POLICY, "LimitExceeded", "MalformedPolicyDocument"),
    "UpdateAssumeRolePolicy": PolicyDocument(
        "PolicyDocument", TRUST_POLICY, "LimitExceeded", "MalformedPolicyDocument"
    ),
    "PutRolePolicy": INLINE,
    "CreatePolicy": MANAGED,
    "CreatePolicyVersion": MANAGED,
    "PutBucketPolicy": PolicyDocument(
        "Policy", SIZES["aws_s3_bucket_policy.policy"], "PolicyTooLarge", "MalformedPolicy"
    ),
    "TrentService.CreateKey": KEY,
    "TrentService.PutKeyPolicy": KEY,
    "secretsmanager.PutResourcePolicy": PolicyDocument(
        "ResourcePolicy",
        SIZES["aws_secretsmanager_secret_policy.policy"],
        "InvalidParameterException",
        "MalformedPolicyDocumentException",
    ),
}
"""The calls that store a document."""


def wrong(action: str, parameters: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """Error code and message for everything that AWS would refuse in the document of a call."""
    call = CALLS.get(action)
    text = parameters.get(call.parameter) if call else None
    if call is None or text is None:
        return
    counted = size(text) + (_beside(parameters) if call is INLINE else 0)
    if counted > call.limit:
        yield call.too_large, f"the policy has {counted} characters, and at most {call.limit} are allowed"
    for kind, principal in _principals(text):
        if not _possible(kind, principal):
            yield call.malformed, f'Invalid principal in policy: "{kind}":"{principal}"'


def _beside(parameters: Mapping[str, str]) -> int:
    """Characters of a role's other inline policies: the limit is for all of them together."""
    roles = iam_backends[ACCOUNT_ID]["aws"].roles.values()
    policies = next((role.policies for role in roles if role.name == parameters.get("RoleName")), {})
    return sum(size(text) for name, text in policies.items() if name != parameters.get("PolicyName"))


def _principals(text: str) -> Iterator[tuple[str, str]]:
    """Kind and value of each principal; nothing for a document that moto finds malformed itself."""
    try:
        document = json.loads(text)
    except json.JSONDecodeError:
        return
    statements = document.get("Statement", []) if isinstance(document, dict) else []
    for statement in _listed(statements):
        for key in ("Principal", "NotPrincipal"):
            named = statement.get(key, {}) if isinstance(statement, dict) else {}
            named = {"AWS": named} if isinstance(named, str) else named
            for kind, values in named.items():
                yield from ((kind, str(value)) for value in _listed(values))


def _listed(value: Any) -> Iterable[Any]:
    return value if isinstance(value, list) else [value]


def _possible(kind: str, principal: str) -> bool:
    """Whether AWS could know this principal; of the account's own users and roles, whether there is one."""
    if not re.fullmatch(PRINCIPALS.get(kind, r"(?!)"), principal):
        return False
    if kind != "AWS" or not re.fullmatch(rf"arn:aws[a-z-]*:iam::{ACCOUNT_ID}:(user|role)/.+", principal):
        return True
    iam = iam_backends[ACCOUNT_ID]["aws"]
    there: list[Any] = [*iam.roles.values(), *iam.users.values()]
    return principal in {each.arn for each in there}
