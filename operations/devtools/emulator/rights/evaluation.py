"""Whether AWS would allow a request: every policy that applies to it, as IAM evaluates them in one account.

Source: IAM user guide, "Policy evaluation logic" and "Policy evaluation for requests within a single account"; KMS developer guide, "Default key
policy" (identity policies count where the key's own policy lets the account decide). Service and resource control policies of an organisation
are not known here; they could only take rights away. No library on PyPI does all of it: policyuniverse and parliament expand and check
policies, PMapper (principalmapper) knows no Python after 3.9, moto knows neither boundaries nor policies of resources.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from operations.devtools.emulator.rights.conditions import Context, Unreadable, hold, like, several

Policy = Mapping[str, Any]
"""A policy document."""

DECIDE_THEMSELVES = ("kms", "sts")
"""Services whose resources' own policies must allow a request: by naming the caller, or by leaving it to the account."""


@dataclass(frozen=True)
class Caller:
    """A role, with what applies to it."""

    arn: str
    policies: Sequence[Policy]
    boundary: Policy | None = None
    """Its permissions boundary, if it has one."""


@dataclass(frozen=True)
class Request:
    """One call, as AWS sees it when it decides.

    :param action: such as ``s3:GetObject``.
    :param resource: its ARN; ``*`` for actions that know none.
    """

    action: str
    resource: str = "*"
    context: Context = field(default_factory=dict)


def allowed(request: Request, caller: Caller, resource_policy: Policy | None = None) -> bool:
    """Whether the caller's request is allowed.

    :param resource_policy: of the bucket, secret or key; for ``sts:AssumeRole`` the role's trust policy.

    Raises:
        Unreadable: a policy holds what this evaluator does not know.
    """
    return not refusal(request, caller, resource_policy)


def refusal(request: Request, caller: Caller, resource_policy: Policy | None = None) -> str:
    """Why AWS would refuse the caller's request, in its words; an empty text if it would not.

    Source of the words: IAM user guide, "Troubleshoot access denied error messages".
    """
    of_resource = [s for s in statements(resource_policy) if _principal(s, caller.arn)]
    identity = [statement for policy in caller.policies for statement in statements(policy)]
    boundary = statements(caller.boundary)
    sources = {
        "identity-based policy": identity,
        "permissions boundary": boundary,
        "resource-based policy": of_resource,
    }
    for source, applicable in sources.items():
        if _matching("Deny", applicable, request):
            return f"with an explicit deny in {'an' if source.startswith('i') else 'a'} {source}"
    granted = _matching("Allow", of_resource, request)
    everyone = any(_principal(statement, caller.arn) == "everyone" for statement in granted)
    named = any(_principal(statement, caller.arn) == "named" for statement in granted)
    by_identity, missing = bool(_matching("Allow", identity, request)), "identity-based policy"
    if by_identity and _decides_itself(request):
        by_identity = any(_principal(statement, caller.arn) == "account" for statement in granted)
        missing = "resource-based policy"
    if everyone:
        return ""
    if not by_identity and not named:
        return f"because no {missing} allows the {request.action} action"
    # What a resource gives a role by its ARN ends at the boundary; what it gives to everyone does not.
    if caller.boundary is not None and not _matching("Allow", boundary, request):
        return f"because no permissions boundary allows the {request.action} action"
    return ""


def _decides_itself(request: Request) -> bool:
    """Whether the resource's own policy must allow a request. What there is not yet, as for kms:CreateKey, and aliases have none (KMS
    developer guide: controlling access to aliases)."""
    is_key = request.resource != "*" and ":alias/" not in request.resource
    return is_key and request.action.split(":")[0] in DECIDE_THEMSELVES


def statements(policy: Policy | None) -> list[Mapping[str, Any]]:
    """A policy's statements."""
    if policy is None:
        return []
    content = policy["Statement"]
    return content if isinstance(content, list) else [content]


def _matching(effect: str, candidates: Iterable[Mapping[str, Any]], request: Request) -> list[Mapping[str, Any]]:
    return [each for each in candidates if each["Effect"] == effect and applies(each, request)]


def applies(statement: Mapping[str, Any], request: Request) -> bool:
    """Whether a statement speaks of a request, whatever its effect."""
    action = request.action.lower()
    if "Action" in statement:
        acts = any(like(action, each.lower()) for each in several(statement["Action"]))
    else:
        acts = not any(like(action, each.lower()) for each in several(statement["NotAction"]))
    if not acts:
        return False
    if "Resource" in statement:
        touches = any(like(request.resource, each) for each in _readable(statement["Resource"]))
    elif "NotResource" in statement:
        touches = not any(like(request.resource, each) for each in _readable(statement["NotResource"]))
    else:
        touches = True  # a trust policy
    return touches and hold(statement.get("Condition", {}), request.context)


def _readable(resources: Any) -> list[str]:
    patterns = several(resources)
    for each in patterns:
        if "${" in each:
            raise Unreadable(f"the resource {each}")
    return patterns


def _principal(statement: Mapping[str, Any], arn: str) -> str:
    """How a resource's statement names the caller: ``everyone``, ``named``, ``account``, or empty."""
    if "NotPrincipal" in statement:
        raise Unreadable("NotPrincipal")
    principal = statement.get("Principal")
    principals = ["*"] if principal == "*" else several((principal or {}).get("AWS"))
    account = arn.split(":")[4]
    if "*" in principals:
        return "everyone"
    if arn in principals:
        return "named"
    return "account" if {account, f"arn:aws:iam::{account}:root"} & set(principals) else ""
