"""Find what a stack would make although it exists: the state that knew it is lost, or somebody made it by hand.

Terraform would make some of it twice (DNS zones, keys) and fail at the rest. Import blocks (Terraform 1.5) have it take these over instead: its
plan shows them, and somebody confirms.
"""

import json
from collections.abc import Callable
from functools import cached_property
from pathlib import Path
from typing import Any

import boto3
from botocore.exceptions import BotoCoreError, ClientError

from operations.shared.errors import Failure
from operations.shared.stack_json import Document, Resource

BLOCKS = "adopted.tf.json"
"""The file with the import import_blocks, in the stack's folder."""

PARTS = {
    "aws_s3_bucket_lifecycle_configuration": "get_bucket_lifecycle_configuration",
    "aws_s3_bucket_ownership_controls": "get_bucket_ownership_controls",
    "aws_s3_bucket_policy": "get_bucket_policy",
    "aws_s3_bucket_public_access_block": "get_public_access_block",
    "aws_s3_bucket_replication_configuration": "get_bucket_replication",
    "aws_s3_bucket_server_side_encryption_configuration": "get_bucket_encryption",
    "aws_s3_bucket_versioning": "get_bucket_versioning",
}
"""Settings of a bucket that Terraform has as resources, by the call that reads each. Their import id is the bucket's name."""


def import_blocks(import_ids: dict[str, str]) -> dict[str, Any]:
    """Import blocks for what was found, in Terraform's JSON."""
    return {"import": [{"to": address, "id": id_} for address, id_ in import_ids.items()]}


def managed_addresses(state: Path) -> set[str]:
    """What a local state file knows; empty without one. Raises ``Failure`` if it is none."""
    if not state.exists():
        return set()
    try:
        resources = json.loads(state.read_text())["resources"]
    except (ValueError, KeyError) as error:
        raise Failure(
            f"{state} is no state of Terraform: {error!r}. It was cut, perhaps by a power loss: bring {state}.backup in its place,\n"
            "or move it away and have what exists taken over: make state ADOPT=yes"
        ) from error
    return {f"{each['type']}.{each['name']}" for each in resources if each["mode"] == "managed"}


class ExistingResources:
    """What exists in AWS of one stack, as far as it can be known by a name.

    Looked for are DNS zones and their records, keys and their aliases, buckets, roles and policies: all that ``vet-state`` consists of.
    """

    def __init__(self, document: Document) -> None:
        self.document = document
        self._ids: dict[str, str | None] = {}
        self._clients: dict[tuple[str, str], Any] = {}
        self._look: dict[str, Callable[[Resource], str | None]] = {
            "aws_iam_openid_connect_provider": self._issuer,
            "aws_iam_policy": self._policy,
            "aws_iam_role": self._role,
            "aws_iam_role_policy": self._role_policy,
            "aws_iam_role_policy_attachment": self._attachment,
            "aws_kms_alias": self._alias,
            "aws_kms_key": self._key,
            "aws_route53_record": self._record,
            "aws_route53_zone": self._zone,
            "aws_s3_bucket": self._bucket,
            **dict.fromkeys(PARTS, self._part),
        }

    def import_ids(self) -> dict[str, str]:
        """Terraform's import id of each resource that exists, by its address.

        Raises:
            Failure: AWS cannot be asked, or what exists cannot be taken over as it is.
        """
        for resource in self.document.everything():
            try:
                self._id(resource)
            except (BotoCoreError, ClientError) as error:
                raise Failure(
                    f"{resource.type} {resource.path}: AWS does not say whether it exists: {error}"
                ) from error
        return {address: id_ for address, id_ in self._ids.items() if id_ is not None}

    def _id(self, resource: Resource) -> str | None:
        """The import id of a resource that exists, asked for once."""
        address = f"{resource.type}.{resource.id}"
        if address not in self._ids:
            self._ids[address] = self._look[resource.type](resource) if resource.type in self._look else None
        return self._ids[address]

    def _zone(self, resource: Resource) -> str | None:
        name = resource.block["name"]
        answer = self._client("route53", resource).list_hosted_zones_by_name(DNSName=name)
        zones = [
            zone for zone in answer["HostedZones"] if zone["Name"] == f"{name}." and not zone["Config"]["PrivateZone"]
        ]
        ids = [zone["Id"].rsplit("/", 1)[-1] for zone in zones]
        if len(ids) > 1:
            raise Failure(
                f"there are {len(ids)} hosted zones {name} ({', '.join(ids)}): "
                "delete the zones to which the domain is not delegated"
            )
        return ids[0] if ids else None

    def _record(self, resource: Resource) -> str | None:
        zone = self._id(self.document.follow(resource.block["zone_id"]))
        name, kind = resource.block["name"], resource.block["type"]
        if zone is None:
            return None
        answer = self._client("route53", resource).list_resource_record_sets(
            HostedZoneId=zone, StartRecordName=name, StartRecordType=kind
        )
        records = {(record["Name"], record["Type"]) for record in answer["ResourceRecordSets"]}
        return f"{zone}_{name}_{kind}" if (f"{name}.", kind) in records else None

    def _alias(self, resource: Resource) -> str | None:
        return resource.block["name"] if self._metadata(resource) else None

    def _key(self, resource: Resource) -> str | None:
        for alias in self.document.all("aws_kms_alias"):
            if self.document.follow(alias.block["target_key_id"]) == resource and (key := self._metadata(alias)):
                id_: str = key["KeyId"]
                if key["KeyState"] == "PendingDeletion":
                    raise Failure(
                        f"the key {id_} ({alias.block['name']}) is about to be deleted. Keep it:\n"
                        f"  aws kms cancel-key-deletion --key-id {id_} && aws kms enable-key --key-id {id_}"
                    )
                return id_
        return None

    def _metadata(self, alias: Resource) -> dict[str, Any] | None:
        answer = _answer(self._client("kms", alias).describe_key, KeyId=alias.block["name"])
        metadata: dict[str, Any] | None = answer and answer["KeyMetadata"]
        return metadata

    def _bucket(self, resource: Resource) -> str | None:
        name: str = resource.block["bucket"]
        return name if _answer(self._client("s3", resource).head_bucket, Bucket=name) else None

    def _part(self, resource: Resource) -> str | None:
        name = self._id(self.document.follow(resource.block["bucket"]))
        read = getattr(self._client("s3", resource), PARTS[resource.type])
        return name if name and _answer(read, Bucket=name) else None

    def _policy(self, resource: Resource) -> str | None:
        name, path = resource.block["name"], resource.block.get("path", "/")
        pages = self._iam.get_paginator("list_policies").paginate(Scope="Local", PathPrefix=path)
        arns = (each["Arn"] for page in pages for each in page["Policies"] if each["PolicyName"] == name)
        return next(arns, None)

    def _role(self, resource: Resource) -> str | None:
        name: str = resource.block["name"]
        return name if _answer(self._iam.get_role, RoleName=name) else None

    def _role_policy(self, resource: Resource) -> str | None:
        role, name = self.document.follow(resource.block["role"]).block["name"], resource.block["name"]
        return f"{role}:{name}" if _answer(self._iam.get_role_policy, RoleName=role, PolicyName=name) else None

    def _attachment(self, resource: Resource) -> str | None:
        role, arn = self.document.follow(resource.block["role"]).block["name"], resource.block["policy_arn"]
        answer = _answer(self._iam.list_attached_role_policies, RoleName=role) or {"AttachedPolicies": []}
        return f"{role}/{arn}" if arn in [policy["PolicyArn"] for policy in answer["AttachedPolicies"]] else None

    def _issuer(self, resource: Resource) -> str | None:
        host = resource.block["url"].removeprefix("https://")
        listed = self._iam.list_open_id_connect_providers()["OpenIDConnectProviderList"]
        return next((each["Arn"] for each in listed if each["Arn"].endswith(f":oidc-provider/{host}")), None)

    @cached_property
    def _iam(self) -> Any:
        return boto3.client("iam", region_name=self.document.content["provider"]["aws"][0]["region"])

    def _client(self, service: str, resource: Resource) -> Any:
        """A client in the region of the resource's provider."""
        wanted = resource.get("provider", "aws").removeprefix("aws").removeprefix(".")
        providers = self.document.content["provider"]["aws"]
        region = next(each["region"] for each in providers if each.get("alias", "") == wanted)
        if (service, region) not in self._clients:
            self._clients[service, region] = boto3.client(service, region_name=region)
        return self._clients[service, region]


def _answer(call: Callable[..., Any], **arguments: str) -> Any:
    """A call's answer, or ``None`` when there is no such thing."""
    try:
        return call(**arguments)
    except ClientError as error:
        absent = error.response["ResponseMetadata"]["HTTPStatusCode"] == 404
        if absent or error.response["Error"]["Code"] == "NotFoundException":  # KMS says so with 400
            return None
        raise
