"""Records of operations that go on after an interruption: JSON objects in the bucket of the nodes' programs."""

import json
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from operations.shared.errors import Failure
from operations.shared.servers import Cluster


def read(cluster: Cluster, key: str, operation: str) -> dict[str, Any] | None:
    """What a record says; None when there is none.

    :param operation: what it is of, such as ``restore``: for the message, and the command that writes it.

    Raises:
        Failure: the bucket cannot be read, or the object is none of ours.
    """
    bucket = cluster.names.bucket("nodes")
    try:
        text = cluster.client("s3").get_object(Bucket=bucket, Key=key)["Body"].read()
    except (BotoCoreError, ClientError) as error:
        if isinstance(error, ClientError) and error.response["Error"]["Code"] in ("NoSuchKey", "404"):
            return None
        raise Failure(
            f"it cannot be told whether a {operation} is unfinished: s3://{bucket}/{key} cannot be read: {error}",
            "Nothing was changed",
        ) from error
    try:
        fields: dict[str, Any] = dict(json.loads(text))
    except (ValueError, TypeError) as error:
        raise unusable(cluster, key, operation, error) from error
    return fields


def unusable(cluster: Cluster, key: str, operation: str, error: Exception) -> Failure:
    """The failure of a record that does not say what it must."""
    return Failure(
        f"s3://{cluster.names.bucket('nodes')}/{key} is no record of a {operation}: {error}",
        "Every version of it is kept in the bucket (aws s3api list-object-versions). What each server knows:"
        f" sudo /opt/vet/bin/health. Delete the object to begin a new {operation}",
    )


def write(cluster: Cluster, key: str, content: dict[str, Any]) -> None:
    """Store a record. Raises ``Failure`` when it cannot be stored."""
    bucket = cluster.names.bucket("nodes")
    try:
        cluster.client("s3").put_object(Bucket=bucket, Key=key, Body=json.dumps(content).encode())
    except (BotoCoreError, ClientError) as error:
        raise Failure(
            f"s3://{bucket}/{key} cannot be written: {error}", "Run the same command again: it goes on from here"
        ) from error


def forget(cluster: Cluster, key: str) -> None:
    """Delete a record, whose operation is done. Raises ``Failure`` when it cannot be deleted."""
    bucket = cluster.names.bucket("nodes")
    try:
        cluster.client("s3").delete_object(Bucket=bucket, Key=key)
    except (BotoCoreError, ClientError) as error:
        raise Failure(
            f"s3://{bucket}/{key} cannot be deleted: {error}", "Run the same command again: it ends what is left"
        ) from error
