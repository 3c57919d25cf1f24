"""Where the platform's state is: found by the key that encrypts it, when the bucket that the settings name does not have it."""

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager

import boto3
from botocore.exceptions import ClientError

from operations.shared.errors import Failure
from settings.names import STATE_STACK, state_encryption_key, state_key
from settings.project import Project

ABSENT = frozenset({"404", "NoSuchBucket", "NotFoundException"})
"""Codes by which S3 and KMS say that there is no such thing."""


def refuse_another(project: Project) -> None:
    """Stop where the account keeps this platform's state in a bucket of another name than the settings'.

    A bucket of another name has no state: everything would be made a second time next to what runs, or be taken over by halves.

    Raises:
        Failure: the state is elsewhere, or a bucket of the region cannot be asked for it.
    """
    key = _key(project)
    if key is None:  # make state has never been run
        return
    s3 = boto3.client("s3", region_name=project.region)
    unreadable = []
    for bucket in s3.list_buckets(BucketRegion=project.region)["Buckets"]:
        name = bucket["Name"]
        try:
            state = s3.head_object(Bucket=name, Key=state_key(STATE_STACK), ExpectedBucketOwner=project.account_id)
        except ClientError as error:
            if error.response["Error"]["Code"] not in ABSENT:
                unreadable.append(name)
            continue
        if name != project.state_bucket and state.get("SSEKMSKeyId", "").endswith(key):
            raise Failure(
                f"state_bucket is fixed after the first deploy: {name} holds the state of this platform, and environments/_project.yaml "
                f"says {project.state_bucket}.\nWith another bucket everything would be made a second time. Nothing was changed.\n"
                f"Put the former value back: state_bucket: {name}"
            )
    if unreadable:
        raise Failure(
            f"the bucket {project.state_bucket} has no state, and whether one of these has it cannot be seen: {', '.join(unreadable)}.\n"
            "Nothing was changed. Use credentials that may read them; if state_bucket was changed in environments/_project.yaml, put the "
            "former value back."
        )


@contextmanager
def explained(project: Project) -> Iterator[None]:
    """Say what is wrong where Terraform fails because the bucket that the settings name does not exist.

    Raises:
        Failure: the state is in a bucket of another name.
        CalledProcessError: Terraform has failed for another reason; its own words are on the terminal.
    """
    try:
        yield
    except subprocess.CalledProcessError:
        refuse_another(project)
        raise


def _key(project: Project) -> str | None:
    """Id of the key that encrypts all state; ``None`` before the first ``make state``."""
    try:
        described = boto3.client("kms", region_name=project.region).describe_key(
            KeyId=f"alias/{state_encryption_key(project)}"
        )
    except ClientError as error:
        if error.response["Error"]["Code"] in ABSENT:
            return None
        raise
    id_: str = described["KeyMetadata"]["KeyId"]
    return id_
