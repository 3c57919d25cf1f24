"""What a request to the emulator asks for: service, operation, parameters. Read by the models of AWS's services, as botocore carries them."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from moto.core.parse import PROTOCOL_PARSERS
from moto.core.request import Request, determine_request_protocol
from moto.core.routing import get_service_router
from moto.core.utils import get_service_model
from werkzeug.exceptions import NotFound

from operations.devtools.emulator.errors import content_of
from operations.devtools.emulator.rights.conditions import Unreadable

SCOPE = re.compile(r"Credential=(?P<key>[^/]+)/\d{8}/(?P<region>[^/]+)/(?P<service>[^/]+)/aws4_request")
"""Who signs, and for what (AWS Signature Version 4: credential scope)."""

MODELS = {"elasticloadbalancing": "elbv2", "monitoring": "cloudwatch", "tagging": "resourcegroupstaggingapi"}
"""Models of services that sign by another name."""

PREFIXES = {"monitoring": "cloudwatch", "tagging": "tag"}
"""Services whose actions begin with another name than they sign by (service authorization reference)."""


@dataclass(frozen=True)
class Call:
    """One call, with what its parameters say."""

    key: str
    """The access key that signed it."""

    service: str
    """As its actions begin."""

    operation: str
    region: str
    parameters: Mapping[str, Any]

    def values(self, name: str) -> list[str]:
        """Every text of a parameter; nested ones by a path with dots, lists taken apart."""
        return [value for value in _reached(self.parameters, name.split(".")) if isinstance(value, str)]

    def texts(self) -> Iterator[str]:
        """Every text anywhere in the parameters."""
        return _texts(self.parameters)


def signer(environ: Mapping[str, Any]) -> re.Match[str] | None:
    """Access key, region and service of a signature; None for what nobody has signed."""
    return SCOPE.search(environ.get("HTTP_AUTHORIZATION", ""))


def call(request: Request) -> Call:
    """Read a signed request.

    Raises:
        Unreadable: its service has no such operation.
    """
    signature = signer(request.environ)
    if signature is None:
        raise Unreadable(f"{request.method} {request.path} is not signed")
    service = MODELS.get(signature["service"], signature["service"])
    try:
        operation, of_path = get_service_router(service).match(request)
    except NotFound:
        raise Unreadable(f"{request.method} {request.path} is no operation of {service} that its model knows") from None
    protocol = determine_request_protocol(get_service_model(service), request.content_type)
    asked: Any = {
        "method": request.method,
        "values": request.values,
        "headers": request.headers,
        "body": content_of(request),
        "url_path": request.path,
        "url_params": of_path,
    }
    parsed = PROTOCOL_PARSERS[protocol](operation).parse(asked)
    prefix = PREFIXES.get(signature["service"], signature["service"])
    return Call(signature["key"], prefix, operation.name, signature["region"], parsed)


def _reached(value: Any, path: list[str]) -> Iterator[Any]:
    if isinstance(value, list):
        for each in value:
            yield from _reached(each, path)
    elif not path:
        yield value
    elif isinstance(value, Mapping) and path[0] in value:
        yield from _reached(value[path[0]], path[1:])


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for each in value.values():
            yield from _texts(each)
    elif isinstance(value, list):
        for each in value:
            yield from _texts(each)
