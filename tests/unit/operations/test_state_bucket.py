"""A state_bucket that was changed after the first deploy is refused, and the bucket that has the state is named."""

import subprocess
from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError
from moto import mock_aws

from operations.deployment.state_bucket import explained, refuse_another
from operations.shared.errors import Failure
from settings import load
from settings.names import STATE_STACK, replica_bucket, state_encryption_key, state_key
from settings.project import Project

PROJECT = load().project


@pytest.fixture(autouse=True)
def aws(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """An empty account, which is the project's."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "test")
    monkeypatch.delenv("AWS_PROFILE", raising=False)
    monkeypatch.setenv("MOTO_ACCOUNT_ID", PROJECT.account_id)
    with mock_aws():
        yield


def _key(name: str) -> str:
    kms = boto3.client("kms", region_name=PROJECT.region)
    arn: str = kms.create_key()["KeyMetadata"]["Arn"]
    kms.create_alias(AliasName=f"alias/{name}", TargetKeyId=arn)
    return arn


def _bucket(name: str, key: str) -> None:
    s3 = boto3.client("s3", region_name=PROJECT.region)
    s3.create_bucket(Bucket=name)
    s3.put_object(Bucket=name, Key=state_key(STATE_STACK), Body=b"{}", ServerSideEncryption="aws:kms", SSEKMSKeyId=key)


def _renamed() -> Project:
    return PROJECT.model_copy(update={"state_bucket": "another-state-bucket"})


def test_another_bucket_is_refused_with_the_one_that_has_the_state() -> None:
    _bucket(PROJECT.state_bucket, _key(state_encryption_key(PROJECT)))
    with pytest.raises(Failure, match=rf"state_bucket is fixed(?s:.*)state_bucket: {PROJECT.state_bucket}$"):
        refuse_another(_renamed())


def test_neither_an_empty_account_nor_a_lost_bucket_with_its_copy_is_refused() -> None:
    refuse_another(PROJECT)
    key = _key(state_encryption_key(PROJECT))
    refuse_another(PROJECT)
    _bucket(replica_bucket(PROJECT), _key(f"{PROJECT.name_prefix}-state-replica"))
    refuse_another(PROJECT)
    _bucket(PROJECT.state_bucket, key)
    refuse_another(PROJECT)


def test_the_state_of_another_platform_in_the_account_is_no_reason() -> None:
    _key(state_encryption_key(PROJECT))
    _bucket("state-of-others", _key("others-state"))
    refuse_another(_renamed())


def test_a_bucket_that_cannot_be_asked_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    _bucket("closed-to-us", _key(state_encryption_key(PROJECT)))
    client = boto3.client

    def with_a_closed_bucket(service: str, **options: Any) -> Any:
        closed_client = client(service, **options)
        if service == "s3":

            def refused(**_: Any) -> None:
                raise ClientError({"Error": {"Code": "403", "Message": "Forbidden"}}, "HeadObject")

            monkeypatch.setattr(closed_client, "head_object", refused)
        return closed_client

    monkeypatch.setattr(boto3, "client", with_a_closed_bucket)
    with pytest.raises(Failure, match="cannot be seen: closed-to-us"):
        refuse_another(PROJECT)


def test_terraform_that_finds_no_bucket_is_explained_and_other_failures_stay_as_they_are() -> None:
    _bucket(PROJECT.state_bucket, _key(state_encryption_key(PROJECT)))
    failed = subprocess.CalledProcessError(1, "terraform init")
    with pytest.raises(Failure, match="state_bucket is fixed"), explained(_renamed()):
        raise failed
    with pytest.raises(subprocess.CalledProcessError), explained(PROJECT):
        raise failed
