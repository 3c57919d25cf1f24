"""What exists already is found under the id by which Terraform imports it, in the region in which it is."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from moto import mock_aws

from operations.deployment import bootstrap
from operations.deployment.import_existing import PARTS, ExistingResources, managed_addresses
from operations.shared.errors import Failure
from operations.shared.stack_json import Document
from settings.names import STATE_STACK
from tests.unit.stacks.conftest import synthesised_with

NAME = "vet-terraform-state-example"


@pytest.fixture(scope="module")
def document(tmp_path_factory: pytest.TempPathFactory) -> Document:
    """``vet-state`` with everything that it can have."""
    project = "replica_region: us-west-2\ngithub: {repository: example/platform}"
    return Document.read(STATE_STACK, synthesised_with(project, tmp_path_factory.mktemp("adoption")))


@pytest.fixture(autouse=True)
def aws(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """An empty account."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "test")
    monkeypatch.delenv("AWS_PROFILE", raising=False)
    with mock_aws():
        yield


def _zone(name: str) -> str:
    id_: str = boto3.client("route53").create_hosted_zone(Name=name, CallerReference=str(object()))["HostedZone"]["Id"]
    return id_.rsplit("/", 1)[-1]


def _key(alias: str, region: str) -> str:
    kms = boto3.client("kms", region_name=region)
    id_: str = kms.create_key()["KeyMetadata"]["KeyId"]
    kms.create_alias(AliasName=alias, TargetKeyId=id_)
    return id_


def _by_type(import_ids: dict[str, str]) -> dict[str, list[str]]:
    types: dict[str, list[str]] = {}
    for address, id_ in import_ids.items():
        types.setdefault(address.partition(".")[0], []).append(id_)
    return types


def test_an_empty_account_has_nothing(document: Document) -> None:
    assert ExistingResources(document).import_ids() == {}


def test_every_type_of_the_stack_is_looked_for(document: Document) -> None:
    missing = {resource.type for resource in document.everything()} - set(ExistingResources(document)._look)
    assert not missing, (
        f"{missing} cannot be taken over: say in operations/deployment/import_existing.py how each is found"
    )


def test_zones_records_keys_and_roles_have_their_import_ids(document: Document) -> None:
    parent, _private = _zone("example.com"), _zone("example.com.internal")
    record = {"Name": "dev.example.com", "Type": "NS", "TTL": 60, "ResourceRecords": [{"Value": "ns.example.net"}]}
    changes = {"Changes": [{"Action": "CREATE", "ResourceRecordSet": record}]}
    boto3.client("route53").change_resource_record_sets(HostedZoneId=parent, ChangeBatch=changes)
    here, there = _key("alias/vet-state", "us-east-1"), _key("alias/vet-state-replica", "us-west-2")
    iam = boto3.client("iam")
    nothing = {"Effect": "Deny", "Action": "*", "Resource": "*"}
    trust = json.dumps({"Version": "2012-10-17", "Statement": [nothing]})
    iam.create_role(RoleName="vet-github-plan", AssumeRolePolicyDocument=trust)
    boundary = iam.create_policy(PolicyName="vet-dev-boundary", PolicyDocument=trust)["Policy"]["Arn"]
    iam.put_role_policy(RoleName="vet-github-plan", PolicyName="workflow", PolicyDocument=trust)
    arn = iam.create_open_id_connect_provider(Url="https://token.actions.githubusercontent.com", ThumbprintList=[])
    assert _by_type(ExistingResources(document).import_ids()) == {
        "aws_iam_openid_connect_provider": [arn["OpenIDConnectProviderArn"]],
        "aws_iam_policy": [boundary],
        "aws_iam_role": ["vet-github-plan"],
        "aws_iam_role_policy": ["vet-github-plan:workflow"],
        "aws_kms_alias": ["alias/vet-state-replica", "alias/vet-state"],
        "aws_kms_key": [there, here],
        "aws_route53_record": [f"{parent}_dev.example.com_NS"],
        "aws_route53_zone": [parent],
    }


def test_of_a_bucket_those_parts_are_found_that_it_has(document: Document) -> None:
    s3 = boto3.client("s3", region_name="us-west-2")
    where = {"LocationConstraint": "us-west-2"}
    s3.create_bucket(Bucket=f"{NAME}-replica", CreateBucketConfiguration=where)
    closed = {
        "BlockPublicAcls": True,
        "IgnorePublicAcls": True,
        "BlockPublicPolicy": True,
        "RestrictPublicBuckets": True,
    }
    s3.put_public_access_block(Bucket=f"{NAME}-replica", PublicAccessBlockConfiguration=closed)
    import_ids = _by_type(ExistingResources(document).import_ids())
    assert set(import_ids) & {"aws_s3_bucket_policy", "aws_s3_bucket_lifecycle_configuration"} == set(), import_ids
    assert import_ids["aws_s3_bucket"] == import_ids["aws_s3_bucket_public_access_block"] == [f"{NAME}-replica"]
    assert set(import_ids) <= {"aws_s3_bucket", *PARTS}


def test_two_zones_of_a_name_are_not_chosen_between(document: Document) -> None:
    ids = {_zone("example.com"), _zone("example.com")}
    with pytest.raises(Failure, match="there are 2 hosted zones") as refused:
        ExistingResources(document).import_ids()
    assert all(id_ in str(refused.value) for id_ in ids), refused.value


def test_a_key_that_is_about_to_be_deleted_is_named_with_the_remedy(document: Document) -> None:
    id_ = _key("alias/vet-state", "us-east-1")
    boto3.client("kms", region_name="us-east-1").schedule_key_deletion(KeyId=id_, PendingWindowInDays=7)
    with pytest.raises(Failure, match=f"aws kms cancel-key-deletion --key-id {id_}"):
        ExistingResources(document).import_ids()


def test_what_an_interrupted_first_run_has_made_is_its_own(
    document: Document, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    zone = _zone("example.com")
    monkeypatch.setattr(Document, "read", lambda _stack: document)
    monkeypatch.setattr(bootstrap, "LOCAL_STATE", tmp_path / "vet-state.tfstate")
    with pytest.raises(Failure, match=f"aws_route53_zone  {zone}\n(?s:.*)make state ADOPT=yes"):
        bootstrap._existing(adopt=False)
    (resource,) = [each for each in document.all("aws_route53_zone") if each.block["name"] == "example.com"]
    assert bootstrap._existing(adopt=True) == {f"{resource.type}.{resource.id}": zone}
    known: dict[str, Any] = {"mode": "managed", "type": resource.type, "name": resource.id}
    bootstrap.LOCAL_STATE.write_text(json.dumps({"resources": [known, {**known, "mode": "data", "name": "other"}]}))
    assert managed_addresses(bootstrap.LOCAL_STATE) == {f"{resource.type}.{resource.id}"}
    assert bootstrap._existing(adopt=False) == {}
