"""Which role reaches what in AWS, by which right: read from one environment's synthesised JSON."""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from operations.shared.stack_json import REFERENCE, Document

LOOKING = re.compile(r"\w[\w-]*:(Get|List|Describe|BatchGet|BatchCheck)\w*")
"""Actions that change nothing."""

THINGS: Mapping[str, str] = {
    r"arn:aws:s3:::[\w-]+?-(?P<what>issuer|snapshots|nodes|database|access-logs)-\d{12}.*": "bucket {what}",
    r"arn:aws:ec2:.*:(volume|snapshot|instance)/.*": "disks of pods",
    r"arn:aws:autoscaling:.*": "groups of agents",
    r"arn:aws:route53:::hostedzone/.*": "DNS zone",
    r"arn:aws:ssm:.*:document/.*": "",
    r"arn:aws:route53:::change/.*": "",
    r"\*": "",
}
"""What an ARN stands for in the picture. Nothing for what is everybody's: how things are, a change's progress, documents without secrets."""

TYPES: Mapping[str, str] = {
    "aws_ecr_repository": "images",
    "aws_kms_key": "",
    "aws_s3_bucket": "bucket of copies",
    "aws_secretsmanager_secret": "secret {name}",
    "aws_sqs_queue": "warnings of EC2",
    "aws_ssm_parameter": "cluster's certificate",
}
"""The same of a reference. A key opens what the same role reaches by its name, in the context that the service gives it."""


@dataclass(frozen=True, order=True)
class Right:
    """What a role may do to one thing."""

    who: str
    """Last part of the role's path, such as ``server``."""

    what: str
    does: str
    """``reads`` or ``writes``."""


def rights(document: Document) -> list[Right]:
    """Every right of the stack's nodes and pods, the wider of each two.

    Raises:
        ValueError: a policy names something for which nobody has said what it is.
    """
    statements = set(_rights(document))
    return sorted(right for right in statements if right.does == "writes" or _writing(right) not in statements)


def _writing(right: Right) -> Right:
    return Right(right.who, right.what, "writes")


def _rights(document: Document) -> Iterator[Right]:
    for policy in document.all("aws_iam_role_policy"):
        who = document.follow(policy.get("role")).path.rsplit("/", 1)[-1].removesuffix("_role")
        for statement in json.loads(policy.get("policy"))["Statement"]:
            does = "reads" if all(LOOKING.fullmatch(action) for action in _several(statement["Action"])) else "writes"
            for arn in _several(statement["Resource"]) if statement["Effect"] == "Allow" else ():
                if what := _thing(document, arn):
                    yield Right(who, what, does)


def _several(element: Any) -> list[str]:
    return element if isinstance(element, list) else [element]


def _thing(document: Document, arn: str) -> str:
    """What an ARN of a policy stands for."""
    if match := REFERENCE.match(arn):
        resource = document.follow(match[0])
        if resource.type in TYPES:
            name = str(resource.get("name", "")).partition("/")[2]
            return TYPES[resource.type].format(name=name)
    for pattern, name in THINGS.items():
        if match := re.fullmatch(pattern, arn):
            return name.format(**match.groupdict())
    raise ValueError(f"{document.stack}: nobody has said what {arn} is (operations/report/reach.py)")
