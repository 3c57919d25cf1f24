"""AWS's own constraints on every attribute that the stacks set: what the cloud would refuse is found in the JSON.

Three sources, one question an attribute: models that AWS publishes (``aws_models.json``), the table of what no model says
(``settings/aws_constraints.yaml``), and what is true between attributes or resources (``relations``). An attribute that none of them
knows is a finding as well, so that a new resource cannot pass unseen.
"""

import json
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from ipaddress import IPv4Network
from pathlib import Path
from typing import Any

import yaml

from settings.aws_constraints import Constraint, constraint, from_row, shown, table
from settings.aws_policies import INLINE_POLICIES, SIZES, TRUST_POLICY, size

HERE = Path(__file__).parent
ATTRIBUTES = HERE / "aws_attributes.yaml"
MODELS = HERE / "aws_models.json"

META = ("//", "lifecycle", "depends_on", "provider", "count", "for_each")
"""Terraform's own arguments of a resource."""

TAGS = ("tags", "tags_all", "tags_to_add", "target_tags")

EXPRESSION = re.compile(r"\$\{(?:[^{}\"]|\"(?:[^\"\\]|\\.)*\"|\{[^{}]*\})*\}")
"""One expression inside of a text; its value is known at apply."""

WHOLE_EXPRESSION = re.compile(rf"(?:{EXPRESSION.pattern})")

RULES_IN_A_GROUP = 60
"""Inbound or outbound rules of one security group (Amazon VPC quotas)."""

UNIQUE = {
    "aws_lb": ("name",),
    "aws_lb_target_group": ("name",),
    "aws_security_group": ("name", "vpc_id"),
    "aws_iam_role": ("name",),
    "aws_iam_instance_profile": ("name",),
    "aws_kms_alias": ("name",),
    "aws_s3_bucket": ("bucket",),
    "aws_secretsmanager_secret": ("name",),
    "aws_ssm_parameter": ("name",),
    "aws_ecr_repository": ("name",),
    "aws_autoscaling_group": ("name",),
    "aws_launch_template": ("name",),
    "aws_cloudwatch_metric_alarm": ("alarm_name",),
    "aws_scheduler_schedule": ("name",),
    "aws_route53_record": ("zone_id", "name", "type"),
    "aws_lb_listener": ("load_balancer_arn", "port"),
    "aws_subnet": ("vpc_id", "cidr_block"),
    "aws_vpc_security_group_ingress_rule": (
        "security_group_id",
        "ip_protocol",
        "from_port",
        "to_port",
        "cidr_ipv4",
        "referenced_security_group_id",
    ),
}
"""What identifies a resource in AWS: a second one with the same values is refused."""

EXCLUSIVE = {
    "aws_vpc_security_group_ingress_rule": ("cidr_ipv4", "cidr_ipv6", "prefix_list_id", "referenced_security_group_id"),
    "aws_vpc_security_group_egress_rule": ("cidr_ipv4", "cidr_ipv6", "prefix_list_id", "referenced_security_group_id"),
    "aws_route": ("gateway_id", "nat_gateway_id", "vpc_endpoint_id", "transit_gateway_id"),
    "aws_route53_record": ("records", "alias"),
    "aws_launch_template": ("user_data", "user_data_base64"),
}
"""Attributes of which exactly one is given (``user_data`` may be left out as well)."""


@dataclass(frozen=True)
class Attribute:
    """One value in the JSON.

    :param path: dotted, without the places in lists, such as ``health_check.port``.
    """

    stack: str
    type: str
    resource: str
    path: str
    value: Any

    @property
    def name(self) -> str:
        """Type and path, by which constraints know it."""
        return f"{self.type}.{self.path}"

    def __str__(self) -> str:
        return f"{self.stack}/{self.resource}, {self.name} = {shown(self.value)}"


@cache
def mapping() -> Mapping[str, Mapping[str, str]]:
    """``aws_attributes.yaml``."""
    found: dict[str, dict[str, str]] = yaml.safe_load(ATTRIBUTES.read_text())
    return found


@cache
def models() -> Mapping[str, Constraint]:
    """What AWS's published models say, by attribute."""
    return {name: from_row({"what": name, **row}) for name, row in json.loads(MODELS.read_text()).items()}


@cache
def constraint_on(name: str) -> Constraint | None:
    """The constraint on an attribute; None if AWS does not constrain it.

    Raises:
        KeyError: nothing says whether there is one.
    """
    type_, _, path = name.partition(".")
    lines = mapping().get(type_, {})
    says = lines.get(path) or lines.get(f"{path.rpartition('.')[0]}.*")
    if says is None:
        raise KeyError(name)
    if says.startswith("free, "):
        return None
    key = name if path in lines else f"{type_}.{path.rpartition('.')[0]}.*"
    return constraint(key) if says == "table" else models()[key]


def attributes(documents: Mapping[str, Mapping[str, Any]]) -> Iterator[Attribute]:
    """Every value of every AWS resource whose text is known before an apply, by stack.

    Flags are left out, since Terraform checks them, and so is what is nothing but an expression.
    """
    for stack, type_, resource, block in resources(documents):
        for path, value in _leaves({key: value for key, value in block.items() if key not in META}):
            if not isinstance(value, bool) and not (isinstance(value, str) and WHOLE_EXPRESSION.fullmatch(value)):
                yield Attribute(stack, type_, resource, path, value)


def resources(documents: Mapping[str, Mapping[str, Any]]) -> Iterator[tuple[str, str, str, Mapping[str, Any]]]:
    """Stack, type, name and block of each AWS resource."""
    for stack, document in sorted(documents.items()):
        for type_, blocks in sorted(document.get("resource", {}).items()):
            if type_.startswith("aws_"):
                for name, block in blocks.items():
                    yield stack, type_, name, block


def _leaves(value: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    if isinstance(value, Mapping):
        for key, item in value.items():
            yield from _leaves(item, f"{path}.{key}" if path else key)
    elif isinstance(value, list):
        for item in value:
            yield from _leaves(item, path)
    elif value is not None:
        yield path, value


def wrong(attribute: Attribute) -> Iterator[str]:
    """What AWS refuses of one value, a line each; or that nothing is known about it."""
    parts = attribute.path.split(".")
    place = next((index for index, part in enumerate(parts) if part in TAGS[:2]), None)
    if place is not None:
        yield from _wrong_tag(attribute, ".".join(parts[place + 1 :]))
        return
    try:
        known = constraint_on(attribute.name)
    except KeyError:
        yield f"{attribute}: neither mapped nor called free in {ATTRIBUTES.name}"
        return
    if known is not None:
        yield from _broken(attribute, known, _without_expressions(attribute.value, known))


def _wrong_tag(attribute: Attribute, key: str) -> Iterator[str]:
    yield from _broken(attribute, constraint("*.tags key"), key)
    yield from _broken(attribute, constraint("*.tags value"), _without_expressions(attribute.value, None))


def _broken(attribute: Attribute, known: Constraint, value: Any) -> Iterator[str]:
    for rule in known.broken_by(value):
        yield f"{attribute}: must {rule} ({known.source})"


def _without_expressions(value: Any, known: Constraint | None) -> Any:
    """The value with each expression replaced by a character that any rule takes, so that what surrounds it is judged."""
    return EXPRESSION.sub("x", value) if isinstance(value, str) else value


def judge(documents: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """Everything that AWS would refuse in these stacks, a line each."""
    found = [line for attribute in attributes(documents) for line in wrong(attribute)]
    return sorted(set(found)) + sorted(relations(documents))


def relations(documents: Mapping[str, Mapping[str, Any]]) -> Iterator[str]:
    """What is wrong between attributes and resources: doubles, exclusive attributes, counts, sizes of policies."""
    blocks = list(resources(documents))
    yield from _doubles(blocks)
    yield from _exclusive(blocks)
    yield from _rules_in_groups(blocks)
    yield from _subnets(blocks)
    yield from _sizes(blocks)


Blocks = list[tuple[str, str, str, Mapping[str, Any]]]


def _doubles(blocks: Blocks) -> Iterator[str]:
    seen: dict[tuple[Any, ...], str] = {}
    for stack, type_, name, block in blocks:
        if type_ not in UNIQUE:
            continue
        values = [json.dumps(block.get(key)) for key in UNIQUE[type_]]
        scope = stack if any("${" in value for value in values) else ""
        identity = (scope, type_, block.get("provider"), *values)
        place = f"{stack}/{name}"
        if values == ["null"] or block.get("count") or block.get("for_each"):
            continue
        if identity in seen:
            yield f"{place} and {seen[identity]} are one {type_} to AWS: {', '.join(UNIQUE[type_])} are the same"
        seen.setdefault(identity, place)


def _exclusive(blocks: Blocks) -> Iterator[str]:
    for stack, type_, name, block in blocks:
        given = [key for key in EXCLUSIVE.get(type_, ()) if block.get(key) is not None]
        if type_ in EXCLUSIVE and len(given) != 1 and not (type_ == "aws_launch_template" and not given):
            yield f"{stack}/{name}: exactly one of {', '.join(EXCLUSIVE[type_])} must be given; there are {given}"


def _rules_in_groups(blocks: Blocks) -> Iterator[str]:
    counts: dict[tuple[str, str, str], int] = defaultdict(int)
    for stack, type_, _, block in blocks:
        if type_.startswith("aws_vpc_security_group_"):
            counts[stack, type_, str(block["security_group_id"])] += 1
    for (stack, type_, group), count in counts.items():
        if count > RULES_IN_A_GROUP:
            yield f"{stack}: {group} has {count} of {type_}; a security group has at most {RULES_IN_A_GROUP} (Amazon VPC quotas)"


def _subnets(blocks: Blocks) -> Iterator[str]:
    """Subnets lie in their VPC and apart from each other (EC2 API: CreateSubnet)."""
    ranges = {
        (stack, f"${{{type_}.{name}.id}}"): IPv4Network(block["cidr_block"])
        for stack, type_, name, block in blocks
        if type_ == "aws_vpc"
    }
    taken: dict[tuple[str, str], list[tuple[str, IPv4Network]]] = defaultdict(list)
    for stack, type_, name, block in blocks:
        if type_ != "aws_subnet":
            continue
        network, vpc = IPv4Network(block["cidr_block"]), (stack, block["vpc_id"])
        if vpc in ranges and not network.subnet_of(ranges[vpc]):
            yield f"{stack}/{name}: {network} is not in the VPC's {ranges[vpc]}"
        for other, theirs in taken[vpc]:
            if network.overlaps(theirs):
                yield f"{stack}/{name}: {network} overlaps {other}'s {theirs}"
        taken[vpc].append((name, network))


def _sizes(blocks: Blocks) -> Iterator[str]:
    inline: dict[tuple[str, str], int] = defaultdict(int)
    for stack, type_, name, block in blocks:
        for key in ("policy", "assume_role_policy"):
            text = block.get(key)
            if not isinstance(text, str):
                continue
            counted = policy_size(text)
            if type_ == "aws_iam_role_policy":
                inline[stack, str(block["role"])] += counted
            limit = TRUST_POLICY if key == "assume_role_policy" else SIZES.get(f"{type_}.{key}")
            if limit and counted > limit:
                yield f"{stack}/{name}: its {key} has {counted} characters; at most {limit} are allowed"
    for (stack, role), counted in inline.items():
        if counted > INLINE_POLICIES:
            yield f"{stack}: inline policies of {role} have {counted} characters; at most {INLINE_POLICIES} are allowed"


ARN_LENGTH = 90
"""Characters that a reference in a policy stands for: ARNs of buckets, keys and secrets of the longest names are shorter."""


def policy_size(text: str) -> int:
    """Characters of a policy as IAM counts them; a reference counts as an ARN."""
    return size(EXPRESSION.sub("x" * ARN_LENGTH, text))


def read(folders: Iterable[Path]) -> dict[str, dict[str, Any]]:
    """The documents of synthesised stacks by stack, from folders of ``cdk.tf.json``."""
    return {folder.name: json.loads((folder / "cdk.tf.json").read_text()) for folder in folders}


def idle(documents: Iterable[Mapping[str, Mapping[str, Any]]]) -> list[str]:
    """Lines of the mapping and rows of the table that no stack needs any more."""
    names = {attribute.name for each in documents for attribute in attributes(each)}
    starred = {f"{name.rpartition('.')[0]}.*" for name in names}
    rows = {name for row in table() for name in row.attributes if not name.startswith("*.")}
    lines = {f"{type_}.{path}" for type_, each in mapping().items() for path in each if path != "model"}
    return sorted((rows | lines) - names - starred)
