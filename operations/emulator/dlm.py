"""Data Lifecycle Manager, which moto lacks: policies are kept as they are given, and take no snapshots."""

import json
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

from moto.moto_server.werkzeug_app import DomainDispatcherApplication
from werkzeug.exceptions import HTTPException, NotFound
from werkzeug.routing import Map, Rule
from werkzeug.wrappers import Request, Response

SIGNED_FOR = "/dlm/aws4_request"
"""How a request names the service in its signature (AWS Signature Version 4: credential scope)."""

OPERATIONS = Map(
    [
        Rule("/policies", endpoint="create", methods=["POST"]),
        Rule("/policies", endpoint="list", methods=["GET"]),
        Rule("/policies/<identifier>", endpoint="read", methods=["GET"]),
        Rule("/policies/<identifier>", endpoint="update", methods=["PATCH"]),
        Rule("/policies/<identifier>", endpoint="delete", methods=["DELETE"]),
    ],
    strict_slashes=False,
)
"""What Terraform's provider asks for (DLM API reference)."""

_policies: dict[str, dict[str, Any]] = {}


def install(account_id: str) -> None:
    """Let the emulator's server answer for the service; once, before it starts."""
    others = DomainDispatcherApplication.__call__

    def call(self: DomainDispatcherApplication, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        signature = environ.get("HTTP_AUTHORIZATION", "")
        if SIGNED_FOR not in signature:
            answer: Iterable[bytes] = others(self, environ, start_response)
            return answer
        region = signature.partition(SIGNED_FOR)[0].rpartition("/")[2]
        return _answer(Request(environ), f"arn:aws:dlm:{region}:{account_id}:policy/")(environ, start_response)

    DomainDispatcherApplication.__call__ = call  # type: ignore[method-assign]


def _answer(request: Request, arn: str) -> Response:
    try:
        operation, found = OPERATIONS.bind_to_environ(request.environ).match()
        body = json.loads(request.get_data() or b"{}")
        if operation == "create":
            said = _create(body, arn)
        elif operation == "list":
            said = {"Policies": list(_policies.values())}
        else:
            said = _existing(operation, found["identifier"], body)
    except NotFound:
        return _json({"Code": "ResourceNotFoundException", "Message": "there is no such policy"}, 404)
    except HTTPException as error:
        return _json({"Code": "InvalidRequestException", "Message": str(error)}, 400)
    return _json(said, 200)


def _create(body: dict[str, Any], arn: str) -> dict[str, Any]:
    identifier, now = f"policy-{uuid4().hex[:17]}", datetime.now(UTC).isoformat()
    _policies[identifier] = body | {
        "PolicyId": identifier,
        "PolicyArn": f"{arn}{identifier}",
        "DateCreated": now,
        "DateModified": now,
    }
    return {"PolicyId": identifier}


def _existing(operation: str, identifier: str, body: dict[str, Any]) -> dict[str, Any]:
    policy = _policies.get(identifier)
    if policy is None:
        raise NotFound
    if operation == "update":
        policy |= body | {"DateModified": datetime.now(UTC).isoformat()}
    elif operation == "delete":
        del _policies[identifier]
    return {"Policy": policy} if operation == "read" else {}


def _json(body: dict[str, Any], status: int) -> Response:
    return Response(json.dumps(body), status, content_type="application/json")
