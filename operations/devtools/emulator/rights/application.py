"""Calls that AWS would refuse for want of rights, which moto carries out: an identity that signs with a role's credentials has that role's rights.

Other credentials are the account's administrator's, whom nothing is refused. Decided by the evaluator that computes the matrix of rights
(``evaluation.py``), on the roles and policies that the emulated account has at that moment.
"""

import base64
import json
from collections.abc import Callable, Iterable
from typing import Any

from moto.core.request import Request

from operations.devtools.emulator.errors import body_of, refused
from operations.devtools.emulator.retries import Application
from operations.devtools.emulator.rights import account
from operations.devtools.emulator.rights.calls import call, signer
from operations.devtools.emulator.rights.conditions import Unreadable, several
from operations.devtools.emulator.rights.evaluation import Request as Wanted
from operations.devtools.emulator.rights.evaluation import applies, refusal, statements
from operations.devtools.emulator.rights.needs import needs

CODES = {"ec2": "UnauthorizedOperation", "sns": "AuthorizationError"}
"""What services call it that say it otherwise (Amazon EC2 and Amazon SNS API references: common errors)."""

JSON = ("acm", "budgets", "dlm", "ecr", "kms", "logs", "scheduler", "secretsmanager", "ssm")
"""Services that speak JSON, whose error is an exception's name."""

WEB_IDENTITY = "sts:AssumeRoleWithWebIdentity"


class Rights:
    """A WSGI application that refuses what the caller has no right to, and hands on everything else."""

    def __init__(self, others: Application) -> None:
        self._others = others

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        """Answer one request."""
        request = Request(environ)
        signed = signer(environ)
        message = _want_of_rights(request, signed["key"]) if signed else _distrust(request)

        if not message:
            return self._others(environ, start_response)
        service = signed["service"] if signed else "sts"
        code = CODES.get(service, "AccessDeniedException" if service in JSON else "AccessDenied")
        return refused(request, code, message, 403)(environ, start_response)


def _want_of_rights(request: Request, key: str) -> str:
    """What AWS says to a caller who may not do this; an empty text if it may."""
    try:
        identity = account.caller(key)
        if identity is None:
            return ""
        caller, session = identity
        body_of(request)
        for wanted in needs(call(request)):
            why = refusal(wanted, caller, account.policy_of(wanted.resource))
            if why:
                on = f"User: {session} is not authorized to perform: {wanted.action} on resource: {wanted.resource}"
                return f"{on} {why}"
    except Unreadable as unknown:
        return f"The emulator does not know which rights this takes, and allows nothing unknown: {unknown} (operations/devtools/emulator/rights)"
    return ""


def _distrust(request: Request) -> str:
    """What AWS says to a web identity whom the role does not trust. Nobody has signed the token here; what it claims is compared."""
    body_of(request)
    values = request.values
    if values.get("Action") != WEB_IDENTITY.split(":")[1]:
        return ""
    claims = _claims(values["WebIdentityToken"])
    issuer = str(claims["iss"]).removeprefix("https://")
    provider = account.arn("iam", f"oidc-provider/{issuer}")
    wanted = Wanted(
        WEB_IDENTITY, values["RoleArn"], {f"{issuer}:{claim}": str(claims[claim]) for claim in ("aud", "sub")}
    )
    role = account.role_named(values["RoleArn"].rsplit("/", 1)[-1])
    trust = json.loads(role.assume_role_policy_document) if role else None
    for statement in statements(trust):
        named = provider in several(statement.get("Principal", {}).get("Federated"))
        if named and statement["Effect"] == "Allow" and applies(statement, wanted):
            return ""
    return f"Not authorized to perform {WEB_IDENTITY}"


def _claims(token: str) -> dict[str, Any]:
    """What a JSON Web Token says (RFC 7519)."""
    part = token.split(".")[1]
    claims: dict[str, Any] = json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))
    return claims
