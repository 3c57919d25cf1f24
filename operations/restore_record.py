"""The record of a restore in the bucket of the nodes' programs: what was chosen, and how far it has come.

The servers keep their own part (``nodes/bin/progress``) under the same name of the run, so each step may be repeated.
"""

import json
import uuid
from dataclasses import asdict, dataclass, field
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from operations.failure import Failure
from operations.servers import Cluster

KEY = "operations/restore"
DISK = "disk"
"""A source: etcd's data on the chosen server, not a snapshot."""


@dataclass
class Record:
    """One restore."""

    source: str
    """Name of a snapshot, or :data:`DISK`."""

    slot: int
    """The server that becomes the whole cluster."""

    run: str = field(default_factory=lambda: uuid.uuid4().hex[:12])
    waiting: list[int] = field(default_factory=list)
    """Servers that were told to wait."""

    reset: bool = False
    """Whether the chosen server is the cluster again. From then on new data is written."""

    rejoined: list[int] = field(default_factory=list)
    finished: bool = False


def read(cluster: Cluster) -> Record | None:
    """The restore that is unfinished, if there is one.

    Raises:
        Failure: the bucket cannot be read, or what is in it is no record.
    """
    bucket = cluster.names.bucket("nodes")
    try:
        text = cluster.client("s3").get_object(Bucket=bucket, Key=KEY)["Body"].read()
    except ClientError as error:
        if error.response["Error"]["Code"] in ("NoSuchKey", "404"):
            return None
        raise _unreadable(bucket, error) from error
    except BotoCoreError as error:
        raise _unreadable(bucket, error) from error
    try:
        found = Record(**json.loads(text))
    except (ValueError, TypeError) as error:
        raise Failure(
            f"s3://{bucket}/{KEY} is no record of a restore: {error}.\n"
            "What each server knows of it: sudo /opt/vet/bin/progress read. Delete the object to begin a new restore"
        ) from error
    return None if found.finished else found


def write(cluster: Cluster, record: Record) -> None:
    """Store it. Raises ``Failure`` when it cannot be stored."""
    bucket, body = cluster.names.bucket("nodes"), json.dumps(asdict(record)).encode()
    try:
        cluster.client("s3").put_object(Bucket=bucket, Key=KEY, Body=body)
    except (BotoCoreError, ClientError) as error:
        raise Failure(
            f"s3://{bucket}/{KEY} cannot be written: {error}.\nRun the same command again: it goes on from here"
        ) from error


def _unreadable(bucket: str, error: Any) -> Failure:
    return Failure(
        f"it cannot be told whether a restore is unfinished: s3://{bucket}/{KEY} cannot be read: {error}.\n"
        "Nothing was changed"
    )
