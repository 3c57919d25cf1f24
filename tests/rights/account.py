"""The AWS account that synthesised stacks make: roles with all that bears on them, and resources with ARNs, tags and policies."""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from moto.iam.aws_managed_policies import aws_managed_policies_data

from operations.devtools.emulator.rights.conditions import Unreadable
from operations.devtools.emulator.rights.evaluation import Caller, Policy

ACCOUNT = "123456789012"

ADMINISTRATOR = "arn:aws:iam::aws:policy/AdministratorAccess"

ARNS = {
    "aws_acm_certificate": "arn:aws:acm:{region}:{account}:certificate/{id}",
    "aws_autoscaling_group": "arn:aws:autoscaling:{region}:{account}:autoScalingGroup:1:autoScalingGroupName/{name}",
    "aws_budgets_budget": "arn:aws:budgets::{account}:budget/{name}",
    "aws_cloudwatch_log_group": "arn:aws:logs:{region}:{account}:log-group:{name}",
    "aws_cloudwatch_metric_alarm": "arn:aws:cloudwatch:{region}:{account}:alarm:{alarm_name}",
    "aws_dlm_lifecycle_policy": "arn:aws:dlm:{region}:{account}:policy/{id}",
    "aws_ebs_volume": "arn:aws:ec2:{region}:{account}:volume/{id}",
    "aws_ecr_repository": "arn:aws:ecr:{region}:{account}:repository/{name}",
    "aws_iam_instance_profile": "arn:aws:iam::{account}:instance-profile{path}{name}",
    "aws_iam_openid_connect_provider": "arn:aws:iam::{account}:oidc-provider/{host}",
    "aws_iam_policy": "arn:aws:iam::{account}:policy{path}{name}",
    "aws_iam_role": "arn:aws:iam::{account}:role{path}{name}",
    "aws_instance": "arn:aws:ec2:{region}:{account}:instance/{id}",
    "aws_kms_key": "arn:aws:kms:{region}:{account}:key/{id}",
    "aws_launch_template": "arn:aws:ec2:{region}:{account}:launch-template/{id}",
    "aws_lb": "arn:aws:elasticloadbalancing:{region}:{account}:loadbalancer/app/{name}/{id}",
    "aws_route53_zone": "arn:aws:route53:::hostedzone/{zone}",
    "aws_s3_bucket": "arn:aws:s3:::{bucket}",
    "aws_scheduler_schedule": "arn:aws:scheduler:{region}:{account}:schedule/default/{name}",
    "aws_secretsmanager_secret": "arn:aws:secretsmanager:{region}:{account}:secret:{name}-AbCdEf",
    "aws_security_group": "arn:aws:ec2:{region}:{account}:security-group/{id}",
    "aws_sns_topic": "arn:aws:sns:{region}:{account}:{name}",
    "aws_sqs_queue": "arn:aws:sqs:{region}:{account}:{name}",
    "aws_ssm_document": "arn:aws:ssm:{region}:{account}:document/{name}",
    "aws_ssm_parameter": "arn:aws:ssm:{region}:{account}:parameter{name}",
    "aws_vpc": "arn:aws:ec2:{region}:{account}:vpc/{id}",
}
"""ARNs as the service authorization reference gives them. ``{id}`` is what AWS makes up; a text of ours stands for it."""

WITHOUT_TAGS = ("aws_scheduler_schedule", "aws_s3_object")
"""Resources that have none in AWS."""

REFERENCE = re.compile(r"\$\{(?P<data>data\.)?(?P<type>aws_\w+)\.(?P<name>[\w-]+)\.(?P<attribute>\w+)\}")


@dataclass(frozen=True)
class Resource:
    """Something in AWS.

    :param label: type and path in the construct tree, such as ``kms_key/keys/secrets``.
    :param environment: that it belongs to; ``account`` for what belongs to none.
    """

    type: str
    label: str
    environment: str
    arn: str
    tags: Mapping[str, str]
    block: Mapping[str, Any]
    policy: Policy | None = None


@dataclass
class Account:
    """All of it.

    :param roles: by name, with the resource of each.
    :param environments: names of the environments.
    """

    environments: list[str]
    resources: list[Resource] = field(default_factory=list)
    roles: dict[str, Caller] = field(default_factory=dict)
    boundaries: dict[str, Policy] = field(default_factory=dict)
    """Every boundary that a role has, by its ARN."""

    def of(self, type_: str) -> list[Resource]:
        """Every resource of a type."""
        return [resource for resource in self.resources if resource.type == type_]


@cache
def managed(arn: str) -> Policy:
    """A policy that AWS manages, as moto has it."""
    document: Policy = _managed()[arn.rsplit("/", 1)[1]]["Document"]
    return document


@cache
def _managed() -> Mapping[str, Any]:
    policies: Mapping[str, Any] = json.loads(aws_managed_policies_data)
    return policies


class Stack:
    """One stack's JSON, with what references in it stand for."""

    def __init__(self, file: Path) -> None:
        self.name = file.parent.name
        self.document: dict[str, Any] = json.loads(file.read_text())
        providers = self.document["provider"]["aws"]
        self.regions = {each.get("alias", ""): each["region"] for each in providers}
        self.default_tags: dict[str, str] = providers[0]["default_tags"][0]["tags"]
        self.environment = self.default_tags.get("Environment", "account")

    def blocks(self, type_: str) -> Mapping[str, Any]:
        """Resources of a type by their ids."""
        blocks: Mapping[str, Any] = self.document.get("resource", {}).get(type_, {})
        return blocks

    def arn(self, type_: str, id_: str) -> str:
        """The ARN of a resource of this stack."""
        if type_ not in ARNS:
            raise Unreadable(f"the ARN of {type_}.{id_}")
        block = self.blocks(type_)[id_]
        values = {key: self.text(value) for key, value in block.items() if isinstance(value, str)}
        values["path"] = values.get("path", "/")
        alias = block.get("provider", "").removeprefix("aws").removeprefix(".")
        if type_ == "aws_iam_openid_connect_provider":
            values["host"] = values["url"].removeprefix("https://")
        if type_ == "aws_route53_zone":
            values["zone"] = _zone(values["name"])
        made_up = f"{self.name}-{id_}"
        return ARNS[type_].format_map({"region": self.regions[alias], "account": ACCOUNT, "id": made_up, **values})

    def text(self, text: str) -> str:
        """A text with references filled in."""
        return REFERENCE.sub(self._filled, text)

    def _filled(self, match: re.Match[str]) -> str:
        type_, name, attribute = match["type"], match["name"], match["attribute"]
        if match["data"] and (type_, attribute) == ("aws_route53_zone", "zone_id"):
            return _zone(self.document["data"][type_][name]["name"])
        if attribute == "arn":
            return self.arn(type_, name)
        if attribute in ("id", "name", "bucket") and not match["data"]:
            block = self.blocks(type_)[name]
            return str(block.get("name", block.get("bucket", name)))
        return match[0]

    def policy(self, block: Mapping[str, Any], key: str = "policy") -> Policy:
        """A policy that a resource has as text."""
        document: Policy = json.loads(self.text(block[key]))
        return document

    def tags(self, type_: str, block: Mapping[str, Any]) -> dict[str, str]:
        """The tags that a resource has in AWS."""
        if type_ == "aws_autoscaling_group":  # the provider's default tags leave it out (its documentation)
            return {tag["key"]: tag["value"] for tag in block.get("tag", [])}
        return {} if type_ in WITHOUT_TAGS else {**self.default_tags, **block.get("tags", {})}


def _zone(name: str) -> str:
    return "Z" + re.sub(r"\W", "", name).upper()


def read(folder: Path) -> Account:
    """The account that the stacks in a folder make."""
    stacks = [Stack(file) for file in sorted(folder.glob("stacks/*/cdk.tf.json"))]
    account = Account(sorted({stack.environment for stack in stacks} - {"account"}))
    zones = {
        zone["name"]: stack.environment
        for stack in stacks
        for zone in stack.document.get("data", {}).get("aws_route53_zone", {}).values()
    }
    for stack in stacks:
        account.resources.extend(_resources(stack, zones))
        account.resources.extend(_unwritten(stack))
    account.boundaries.update({each.arn: each.policy or {} for each in account.of("aws_iam_policy")})
    for stack in stacks:
        for id_, block in stack.blocks("aws_iam_role").items():
            account.roles[block["name"]] = Caller(
                stack.arn("aws_iam_role", id_),
                list(_policies(stack, id_, account)),
                _boundary(stack, block, account),
            )
    return account


def _boundary(stack: Stack, block: Mapping[str, Any], account: Account) -> Policy | None:
    """A role's boundary. A company's own is nowhere in the stacks: it may allow everything, so it is taken for that."""
    given = block.get("permissions_boundary")
    return account.boundaries.setdefault(stack.text(given), managed(ADMINISTRATOR)) if given else None


def _resources(stack: Stack, zones: Mapping[str, str]) -> Iterator[Resource]:
    of_buckets = {
        stack.text(block["bucket"]): stack.policy(block) for block in stack.blocks("aws_s3_bucket_policy").values()
    }
    of_secrets = {
        stack.text(block["secret_arn"]): stack.policy(block)
        for block in stack.blocks("aws_secretsmanager_secret_policy").values()
    }
    for type_ in sorted(ARNS):
        for id_, block in stack.blocks(type_).items():
            arn = stack.arn(type_, id_)
            policy = of_secrets.get(arn)
            if type_ == "aws_s3_bucket":
                policy = of_buckets.get(block["bucket"])
            elif type_ in ("aws_kms_key", "aws_iam_policy"):
                policy = stack.policy(block)
            elif type_ == "aws_iam_role":
                policy = stack.policy(block, "assume_role_policy")
            path = block["//"]["metadata"]["path"].split("/", 1)[1].removesuffix("/Resource")
            yield Resource(
                type_,
                f"{type_[4:]} {path}",
                _owner(stack, type_, block, zones),
                arn,
                stack.tags(type_, block),
                block,
                policy,
            )


def _unwritten(stack: Stack) -> Iterator[Resource]:
    """What no block of Terraform describes: the state itself, agents, and what pods and snapshots have on disks."""
    bucket = stack.document["terraform"]["backend"]["s3"]["bucket"]
    yield Resource("state", "state", stack.environment, f"arn:aws:s3:::{bucket}/{stack.name}/terraform.tfstate", {}, {})
    for block in stack.blocks("aws_autoscaling_group").values():
        tags = stack.tags("aws_autoscaling_group", block)
        region, base = stack.regions[""], stack.default_tags["Project"] + "-" + stack.environment
        arn = f"arn:aws:ec2:{region}:{ACCOUNT}:"
        yield Resource("aws_instance", "instance of agents", stack.environment, f"{arn}instance/{base}-agent", tags, {})
        owned = {**stack.default_tags, f"kubernetes.io/cluster/{base}": "owned", "Snapshot": base}
        for kind in ("volume", "snapshot"):
            yield Resource(f"aws_{kind}", f"{kind} of data", stack.environment, f"{arn}{kind}/{base}", owned, {})
        return


def _owner(stack: Stack, type_: str, block: Mapping[str, Any], zones: Mapping[str, str]) -> str:
    """Whose a resource is: by its tag, as the zones and policies in ``vet-state`` have it for an environment, or by its stack."""
    if type_ == "aws_route53_zone":
        return zones.get(block["name"], stack.environment)
    return str(stack.tags(type_, block).get("Environment", stack.environment))


def _policies(stack: Stack, role: str, account: Account) -> Iterator[Policy]:
    """Inline and attached policies of a role."""
    names = (f"${{aws_iam_role.{role}.id}}", f"${{aws_iam_role.{role}.name}}")
    for block in stack.blocks("aws_iam_role_policy").values():
        if block["role"] in names:
            yield stack.policy(block)
    own = {each.arn: each.policy for each in account.of("aws_iam_policy")}
    for block in stack.blocks("aws_iam_role_policy_attachment").values():
        if block["role"] in names:
            arn = stack.text(block["policy_arn"])
            yield own[arn] or {} if arn in own else managed(arn)
