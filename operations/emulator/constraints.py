"""Requests that AWS refuses for a value, which moto takes: descriptions, names, ranges, keys.

The rules are those that the synthesised JSON is judged by (settings/aws_constraints.yaml), so that an apply against the emulator is
refused where one against AWS would be. moto itself knows names in use and target groups in use.
"""

import base64
import binascii
import io
import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any
from urllib.parse import parse_qsl, unquote
from xml.sax.saxutils import escape

from werkzeug.wrappers import Request, Response

from operations.emulator.repeats import Application
from settings.aws_constraints import constraint

RULE = r"IpPermissions\.\d+\.(IpRanges|Groups)\.\d+\.Description"

PARAMETERS: Mapping[str, Mapping[str, str]] = {
    "CreateSecurityGroup": {
        "GroupDescription": "aws_security_group.description",
        "GroupName": "aws_security_group.name",
    },
    "AuthorizeSecurityGroupIngress": {RULE: "aws_vpc_security_group_ingress_rule.description"},
    "AuthorizeSecurityGroupEgress": {RULE: "aws_vpc_security_group_egress_rule.description"},
    "CreateNetworkInterface": {"Description": "aws_network_interface.description"},
    "ImportKeyPair": {"KeyName": "aws_key_pair.key_name", "PublicKeyMaterial": "aws_key_pair.public_key"},
    "CreateVpc": {"CidrBlock": "aws_vpc.cidr_block"},
    "CreateSubnet": {"CidrBlock": "aws_subnet.cidr_block"},
    "CreateLoadBalancer": {"Name": "aws_lb.name"},
    "CreateTargetGroup": {"Name": "aws_lb_target_group.name"},
    "CreateRole": {"Description": "aws_iam_role.description"},
    "CreateTopic": {"Name": "aws_sns_topic.name"},
    "secretsmanager.CreateSecret": {"Name": "aws_secretsmanager_secret.name"},
    "AmazonSSM.PutParameter": {"Name": "aws_ssm_parameter.name", "Value": "aws_ssm_parameter.value"},
    "AmazonEC2ContainerRegistry_V20150921.CreateRepository": {"repositoryName": "aws_ecr_repository.name"},
}
"""Parameters of calls, as patterns of their names in the request, and the attribute whose constraint they have."""

ENCODED = ("PublicKeyMaterial",)
"""Parameters that a request carries in base64."""

BUCKET = "aws_s3_bucket.bucket"


class Constraints:
    """A WSGI application that refuses what AWS would, and hands on everything else."""

    def __init__(self, others: Application) -> None:
        self._others = others

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        """Answer one request."""
        request = Request(environ)
        wrong = [] if request.method not in ("POST", "PUT") else list(_wrong(request))
        return (_refused(request, wrong[0]) if wrong else self._others)(environ, start_response)


def _wrong(request: Request) -> Iterator[tuple[str, str]]:
    """Parameter and rule of each value that AWS would refuse."""
    if _signed_for(request, "s3"):
        yield from _wrong_bucket(request)
        return
    action, parameters = _call(request)
    for pattern, attribute in PARAMETERS.get(action, {}).items():
        for name, value in parameters.items():
            if re.fullmatch(pattern, name):
                for rule in constraint(attribute).broken_by(_decoded(name, value)):
                    yield name, f"{value!r} must {rule}"


def _wrong_bucket(request: Request) -> Iterator[tuple[str, str]]:
    """A request that creates a bucket has its name for a path and no query (Amazon S3 API: CreateBucket)."""
    name = unquote(request.path).strip("/")
    if request.method == "PUT" and name and "/" not in name and not request.query_string:
        for rule in constraint(BUCKET).broken_by(name):
            yield "Bucket", f"{name!r} must {rule}"


def _signed_for(request: Request, service: str) -> bool:
    return f"/{service}/aws4_request" in request.headers.get("Authorization", "")


def _call(request: Request) -> tuple[str, dict[str, str]]:
    """Name and parameters of a call in the query or the JSON protocol; an empty name for others."""
    body = request.get_data()
    request.environ["wsgi.input"] = io.BytesIO(body)  # for the application that reads it next
    if target := request.headers.get("X-Amz-Target"):
        return target, {key: value for key, value in json.loads(body or b"{}").items() if isinstance(value, str)}
    if request.mimetype == "application/x-www-form-urlencoded":
        parameters = dict(parse_qsl(body.decode(), keep_blank_values=True))
        return parameters.get("Action", ""), parameters
    return "", {}


def _decoded(name: str, value: str) -> str:
    if name not in ENCODED:
        return value
    try:
        return base64.b64decode(value).decode()
    except (binascii.Error, UnicodeDecodeError):
        return value


def _refused(request: Request, wrong: tuple[str, str]) -> Response:
    """An error in the form of the protocol that was spoken."""
    name, rule = wrong
    message = f"Invalid value for {name}: {rule}"
    if request.headers.get("X-Amz-Target"):
        said = json.dumps({"__type": "InvalidParameterException", "message": message})
        return Response(said, 400, content_type="application/x-amz-json-1.1")
    text = escape(message)
    if _signed_for(request, "s3"):
        body = f"<Error><Code>InvalidBucketName</Code><Message>{text}</Message></Error>"
    elif _signed_for(request, "ec2"):
        body = (
            f"<Response><Errors><Error><Code>InvalidParameterValue</Code><Message>{text}</Message></Error></Errors>"
            "<RequestID>refused</RequestID></Response>"
        )
    else:
        body = (
            f"<ErrorResponse><Error><Type>Sender</Type><Code>ValidationError</Code><Message>{text}</Message></Error>"
            "<RequestId>refused</RequestId></ErrorResponse>"
        )
    return Response(body, 400, content_type="text/xml")
