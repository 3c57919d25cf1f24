"""Requests that AWS refuses for a value, which moto takes: descriptions, names, ranges, keys, policies, user data.

The rules are those that the synthesised JSON is judged by (settings/aws_constraints.yaml), so that an apply against the emulator is
refused where one against AWS would be. What is refused for what there is already is in ``operations/devtools/emulator/refusals``.
"""

import base64
import binascii
import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from ipaddress import IPv4Network
from typing import Any
from urllib.parse import parse_qsl, unquote

from werkzeug.wrappers import Request

from operations.devtools.emulator import policies
from operations.devtools.emulator.errors import body_of, content_of, refused, signed_for
from operations.devtools.emulator.retries import Application
from settings.aws_constraints import constraint, shown
from settings.rules.network import SPECIAL

USER_DATA = r"LaunchTemplateData\.UserData"
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
    "RunInstances": {"UserData": "aws_instance.user_data"},
    "CreateLaunchTemplate": {USER_DATA: "aws_instance.user_data"},
    "CreateLaunchTemplateVersion": {USER_DATA: "aws_instance.user_data"},
    "CreateRole": {"Description": "aws_iam_role.description", "RoleName": "aws_iam_role.name"},
    "PutRolePolicy": {"PolicyName": "aws_iam_role_policy.name"},
    "CreatePolicy": {"PolicyName": "aws_iam_role_policy.name"},
    "CreateInstanceProfile": {"InstanceProfileName": "aws_iam_instance_profile.name"},
    "CreateTopic": {"Name": "aws_sns_topic.name"},
    "secretsmanager.CreateSecret": {"Name": "aws_secretsmanager_secret.name"},
    "AmazonSSM.PutParameter": {"Name": "aws_ssm_parameter.name", "Value": "aws_ssm_parameter.value"},
    "AmazonEC2ContainerRegistry_V20150921.CreateRepository": {"repositoryName": "aws_ecr_repository.name"},
}
"""Parameters of calls, as patterns of their names in the request, and the attribute whose constraint they have."""

ENCODED = ("PublicKeyMaterial", "UserData", "LaunchTemplateData.UserData")
"""Parameters that a request carries in base64."""

CODES: Mapping[tuple[str, str], str] = {
    ("CreateVpc", "CidrBlock"): "InvalidVpc.Range",
    ("CreateSubnet", "CidrBlock"): "InvalidSubnet.Range",
    ("CreateLaunchTemplate", "LaunchTemplateData.UserData"): "InvalidUserData.Malformed",
    ("CreateLaunchTemplateVersion", "LaunchTemplateData.UserData"): "InvalidUserData.Malformed",
}
"""Error codes of EC2 that are more than "a parameter is wrong" (Amazon EC2 API reference: error codes)."""

BUCKET = "aws_s3_bucket.bucket"


class Constraints:
    """A WSGI application that refuses what AWS would, and hands on everything else."""

    def __init__(self, others: Application) -> None:
        self._others = others

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        """Answer one request."""
        request = Request(environ)
        wrong = [] if request.method not in ("POST", "PUT") else list(_wrong(request))
        return (refused(request, *wrong[0]) if wrong else self._others)(environ, start_response)


def _wrong(request: Request) -> Iterator[tuple[str, str]]:
    """Error code and message for each value that AWS would refuse."""
    if signed_for(request, "s3"):
        yield from _wrong_bucket(request)
        return
    action, parameters = _call(request)
    for pattern, attribute in PARAMETERS.get(action, {}).items():
        for name, value in parameters.items():
            if re.fullmatch(pattern, name):
                code = CODES.get((action, name)) or _usual_code(request)
                for rule in constraint(attribute).broken_by(_decoded(name, value)):
                    yield code, f"Invalid value for {name}: {shown(value)} must {rule}"
    if action == "CreateVpc" and any(_overlaps(parameters.get("CidrBlock", ""), special) for special in SPECIAL):
        yield "InvalidVpc.Range", f"The CIDR '{parameters['CidrBlock']}' is invalid."
    yield from policies.wrong(action, parameters)


def _wrong_bucket(request: Request) -> Iterator[tuple[str, str]]:
    """A request that creates a bucket has its name for a path and no query, one for its policy ``?policy`` (Amazon S3 API)."""
    name = unquote(request.path).strip("/")
    if request.method != "PUT" or not name or "/" in name:
        return
    if not request.query_string:
        for rule in constraint(BUCKET).broken_by(name):
            yield "InvalidBucketName", f"Invalid value for Bucket: {name!r} must {rule}"
    elif "policy" in request.args:
        yield from policies.wrong("PutBucketPolicy", {"Policy": body_of(request).decode()})


def _overlaps(cidr: str, special: IPv4Network) -> bool:
    try:
        return IPv4Network(cidr).overlaps(special)
    except ValueError:
        return False


def _call(request: Request) -> tuple[str, dict[str, str]]:
    """Name and parameters of a call in the query or the JSON protocol; an empty name for others."""
    body = content_of(request)
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
        return base64.b64decode(value).decode("latin-1")  # a character a byte: that is what EC2 counts
    except binascii.Error:
        return value


def _usual_code(request: Request) -> str:
    """What the service calls a wrong value where it has no narrower name for it."""
    if request.headers.get("X-Amz-Target"):
        return "InvalidParameterException"
    return "InvalidParameterValue" if signed_for(request, "ec2") else "ValidationError"
