"""The emulator refuses policy documents that are too large or for somebody who does not exist, with the code of each service."""

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError

from operations.devtools.emulator import ACCOUNT_ID, Emulator
from operations.devtools.emulator.local_cluster import client

ROLE = f"arn:aws:iam::{ACCOUNT_ID}:role/"


@pytest.fixture(scope="module")
def aws(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[str], Any]]:
    """Clients of an account with a role ``nodes``, a bucket ``clinic-files`` and a secret ``clinic``."""
    with Emulator(tmp_path_factory.mktemp("emulator") / "log") as emulator:

        def clients(service: str) -> Any:
            return client(emulator, service, "us-east-1")

        trust = document({"Service": "ec2.amazonaws.com"}, "sts:AssumeRole")
        clients("iam").create_role(RoleName="nodes", AssumeRolePolicyDocument=trust)
        clients("s3").create_bucket(Bucket="clinic-files")
        clients("secretsmanager").create_secret(Name="clinic", SecretString="{}")
        yield clients


def document(principal: Any, action: str, **more: Any) -> str:
    """A policy of one statement."""
    statement = {"Effect": "Allow", "Principal": principal, "Action": action, **more}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


def identity(characters: int) -> str:
    """A policy for an identity of exactly so many characters, and many more with its white space."""
    empty = {
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Allow", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::"}],
    }
    missing = characters - len(json.dumps(empty, separators=(",", ":")))
    empty["Statement"][0]["Resource"] += "x" * missing  # type: ignore[index]
    return json.dumps(empty, indent=20)


def trust(principal: Any) -> tuple[str, str, dict[str, Any]]:
    policy = document(principal, "sts:AssumeRole")
    return "iam", "update_assume_role_policy", {"RoleName": "nodes", "PolicyDocument": policy}


def bucket(principal: Any) -> tuple[str, str, dict[str, Any]]:
    policy = document(principal, "s3:GetObject", Resource="arn:aws:s3:::clinic-files/*")
    return "s3", "put_bucket_policy", {"Bucket": "clinic-files", "Policy": policy}


def key(principal: Any) -> tuple[str, str, dict[str, Any]]:
    return "kms", "create_key", {"Policy": document(principal, "kms:*", Resource="*")}


def secret(principal: Any) -> tuple[str, str, dict[str, Any]]:
    policy = document(principal, "secretsmanager:GetSecretValue", Resource="*")
    return "secretsmanager", "put_resource_policy", {"SecretId": "clinic", "ResourcePolicy": policy}


STORED = {
    trust: "MalformedPolicyDocument",
    bucket: "MalformedPolicy",
    key: "MalformedPolicyDocumentException",
    secret: "MalformedPolicyDocumentException",
}
NOBODY = {
    "a role that does not exist": {"AWS": [f"{ROLE}nodes", f"{ROLE}gone"]},
    "a user that does not exist": {"AWS": f"arn:aws:iam::{ACCOUNT_ID}:user/gone"},
    "an ARN that is none": {"AWS": "arn:aws:iam:us-east-1:1234:role/nodes"},
    "a part of a name": {"AWS": f"{ROLE}*"},
    "a service without its domain": {"Service": "ec2"},
    "a kind that there is not": {"Aws": ACCOUNT_ID},
}
SOMEBODY = (
    {"AWS": f"{ROLE}nodes"},
    {"AWS": [ACCOUNT_ID, "arn:aws:iam::999999999999:role/of-another-account"]},
    {"Service": ["ec2.amazonaws.com", "logs.us-east-1.amazonaws.com"]},
    {"Federated": f"arn:aws:iam::{ACCOUNT_ID}:oidc-provider/token.actions.githubusercontent.com"},
)


@pytest.mark.parametrize("principal", NOBODY.values(), ids=NOBODY.keys())
@pytest.mark.parametrize(("store", "code"), STORED.items(), ids=[each.__name__ for each in STORED])
def test_a_policy_for_nobody_is_refused(store: Any, code: str, principal: Any, aws: Callable[[str], Any]) -> None:
    service, operation, parameters = store(principal)
    with pytest.raises(ClientError) as error:
        getattr(aws(service), operation)(**parameters)
    assert error.value.response["Error"]["Code"] == code, error.value


@pytest.mark.parametrize("store", STORED, ids=[each.__name__ for each in STORED])
def test_a_policy_for_somebody_is_taken(store: Any, aws: Callable[[str], Any]) -> None:
    for principal in SOMEBODY:
        service, operation, parameters = store(principal)
        getattr(aws(service), operation)(**parameters)


def test_a_managed_policy_has_6144_characters_at_most(aws: Callable[[str], Any]) -> None:
    aws("iam").create_policy(PolicyName="full", PolicyDocument=identity(6144))
    with pytest.raises(ClientError, match="6145") as error:
        aws("iam").create_policy(PolicyName="over", PolicyDocument=identity(6145))
    assert error.value.response["Error"]["Code"] == "LimitExceeded"


def test_inline_policies_of_a_role_share_10240_characters(aws: Callable[[str], Any]) -> None:
    put = aws("iam").put_role_policy
    put(RoleName="nodes", PolicyName="first", PolicyDocument=identity(5120))
    put(RoleName="nodes", PolicyName="second", PolicyDocument=identity(5120))
    put(RoleName="nodes", PolicyName="second", PolicyDocument=identity(5119))
    with pytest.raises(ClientError, match="10241") as error:
        put(RoleName="nodes", PolicyName="second", PolicyDocument=identity(5121))
    assert error.value.response["Error"]["Code"] == "LimitExceeded"


LIMITS: dict[str, tuple[Any, int, str]] = {
    "a trust policy": (trust, 2048, "LimitExceeded"),
    "a bucket's policy": (bucket, 20480, "PolicyTooLarge"),
    "a key's policy": (key, 32768, "LimitExceededException"),
}


@pytest.mark.parametrize(("store", "limit", "code"), LIMITS.values(), ids=LIMITS.keys())
def test_a_resources_policy_has_an_end(store: Any, limit: int, code: str, aws: Callable[[str], Any]) -> None:
    others = [f"arn:aws:iam::{number:012}:root" for number in range(limit // 33)]
    service, operation, parameters = store({"AWS": others})
    with pytest.raises(ClientError, match=str(limit)) as error:
        getattr(aws(service), operation)(**parameters)
    assert error.value.response["Error"]["Code"] == code, error.value


def test_a_deleted_secrets_name_is_not_free(aws: Callable[[str], Any]) -> None:
    secrets = aws("secretsmanager")
    secrets.create_secret(Name="ended", SecretString="{}")
    secrets.delete_secret(SecretId="ended", RecoveryWindowInDays=7)
    with pytest.raises(ClientError, match="scheduled for deletion") as error:
        secrets.create_secret(Name="ended", SecretString="{}")
    assert error.value.response["Error"]["Code"] == "InvalidRequestException"
    secrets.delete_secret(SecretId="ended", ForceDeleteWithoutRecovery=True)
    secrets.create_secret(Name="ended", SecretString="{}")
