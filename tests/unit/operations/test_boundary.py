"""A deploy without its boundary stops before it makes anything."""

import json
from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from moto import mock_aws

from operations.deployment import boundary
from operations.shared.errors import Failure
from settings import Settings
from settings.names import Names

ALL = json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]})


@pytest.fixture
def iam(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """An empty account's IAM."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "test")
    with mock_aws():
        yield boto3.client("iam", region_name="us-east-1")


@pytest.fixture
def names(settings: Settings) -> Names:
    return Names(settings.project, settings.environment("dev"))


def test_it_names_the_policy_the_reason_and_the_command(iam: Any, names: Names) -> None:
    with pytest.raises(Failure) as refused:
        boundary.refuse_missing(names)
    message = str(refused.value)
    for part in ("policy/vet-dev-boundary", "no role of dev is made", "make state", "make deploy ENV=dev"):
        assert part in message, message


def test_a_boundary_that_is_there_lets_the_deploy_go_on(iam: Any, names: Names) -> None:
    iam.create_policy(PolicyName=names.boundary, PolicyDocument=ALL)
    boundary.refuse_missing(names)


def test_a_company_s_boundary_that_is_missing_is_not_ours_to_make(iam: Any, names: Names) -> None:
    arn = "arn:aws:iam::123456789012:policy/company"
    access = names.project.access.model_copy(update={"permissions_boundary": arn})
    with pytest.raises(Failure, match=r"access\.permissions_boundary") as refused:
        boundary.refuse_missing(Names(names.project.model_copy(update={"access": access}), names.environment))
    assert arn in str(refused.value)
    assert "make state" not in str(refused.value)


def test_what_aws_does_not_say_is_not_taken_for_missing(
    iam: Any, names: Names, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL_IAM", "http://127.0.0.1:9")
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    with pytest.raises(Failure, match="does not say whether"):
        boundary.refuse_missing(names)
