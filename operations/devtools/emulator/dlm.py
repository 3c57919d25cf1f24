"""Data Lifecycle Manager, which moto lacks: policies are kept as they are given, and take no snapshots."""

import json
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

from werkzeug.exceptions import HTTPException, NotFound
from werkzeug.routing import Map, Rule
from werkzeug.wrappers import Request, Response

from operations.devtools.emulator.retries import Application

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


class DataLifecycleManager:
    """A WSGI application that answers for the service, and hands on what is meant for others."""

    def __init__(self, others: Application, account_id: str) -> None:
        self._others, self._account_id = others, account_id

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        """Answer one request."""
        signature = environ.get("HTTP_AUTHORIZATION", "")
        if SIGNED_FOR not in signature:
            return self._others(environ, start_response)
        region = signature.partition(SIGNED_FOR)[0].rpartition("/")[2]
        return _answer(Request(environ), f"arn:aws:dlm:{region}:{self._account_id}:policy/")(environ, start_response)


def _answer(request: Request, arn: str) -> Response:
    try:
        operation, arguments = OPERATIONS.bind_to_environ(request.environ).match()
        body = json.loads(request.get_data() or b"{}")
        if operation == "create":
            content = _create(body, arn)
        elif operation == "list":
            content = {"Policies": list(_policies.values())}
        else:
            content = _existing(operation, arguments["identifier"], body)
    except NotFound:
        return _json({"Code": "ResourceNotFoundException", "Message": "there is no such policy"}, 404)
    except HTTPException as error:
        return _json({"Code": "InvalidRequestException", "Message": str(error)}, 400)
    return _json(content, 200)


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
