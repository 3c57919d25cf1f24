"""``make snapshots ENV=dev``: the etcd snapshots of an environment, and taking one now."""

import re
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError
from rich.filesize import decimal
from rich.table import Table

from operations.shared.console import terminal, waiting
from operations.shared.errors import Failure
from operations.shared.servers import Cluster

SMALLEST = 64
"""Bytes: what is smaller holds nothing."""

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,250}")
"""What RKE2 calls a snapshot: the name that was given, the node's and the time. Nothing else is taken for one."""

TAKEN = re.compile(r"[a-z0-9][a-z0-9-]{0,40}")
"""A name that may be given, as ``nodes/bin/snapshot`` allows."""

console = terminal()


@dataclass(frozen=True)
class Snapshot:
    """One etcd snapshot in the bucket."""

    name: str
    """What ``make restore SNAPSHOT=`` takes."""

    taken: datetime
    """When it was stored."""

    size: int
    """Bytes."""


def snapshots(cluster: Cluster) -> list[Snapshot]:
    """All snapshots, newest first.

    Raises:
        Failure: The bucket cannot be read.
    """
    bucket, folder = cluster.names.bucket("snapshots"), f"{cluster.names.base}/"
    try:
        pages = cluster.client("s3").get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=folder)
        entries = [entry for page in pages for entry in page.get("Contents", [])]
    except (BotoCoreError, ClientError) as error:
        raise Failure(f"the snapshots in s3://{bucket}/{folder} cannot be read: {error}") from error
    objects = [_snapshot(entry, folder) for entry in entries]
    # RKE2 keeps notes on snapshots in a folder of its own.
    named = (snapshot for snapshot in objects if NAME.fullmatch(snapshot.name))
    return sorted(named, key=lambda one: one.taken, reverse=True)


def fault(cluster: Cluster, snapshot: Snapshot) -> str | None:
    """Why a snapshot cannot be restored, as far as its beginning and its end show; None if nothing is wrong with it.

    A compressed one is a ZIP archive, which ends with its directory (PKWARE APPNOTE 4.3.16). Any other is a bbolt file,
    with its magic number in the first page (go.etcd.io/bbolt, ``db.go``), and etcd's checksum of 32 bytes after whole
    blocks of 512 (``client/v3/snapshot``).

    Raises:
        Failure: it cannot be read.
    """
    if snapshot.size < SMALLEST:
        return f"it has {snapshot.size} bytes"
    s3, bucket = cluster.client("s3"), cluster.names.bucket("snapshots")
    key = f"{cluster.names.base}/{snapshot.name}"
    try:
        first, last = (
            s3.get_object(Bucket=bucket, Key=key, Range=f"bytes={part}")["Body"].read()
            for part in ("0-31", f"-{SMALLEST}")
        )
    except (BotoCoreError, ClientError) as error:
        raise Failure(f"s3://{bucket}/{key} cannot be read: {error}. Nothing was changed") from error
    if snapshot.name.endswith(".zip"):
        return None if first[:4] == b"PK\x03\x04" and b"PK\x05\x06" in last else "it is a part of a ZIP archive"
    if first[16:20] != b"\xed\xda\x0c\xed":
        return "it does not begin as a database of etcd"
    return None if snapshot.size % 512 == 32 else "its end is missing: etcd's checksum is not there"


def newest(cluster: Cluster, candidates: list[Snapshot]) -> Snapshot | None:
    """The newest one that could be restored, of a list that is sorted; None if none could. Raises as :func:`fault`."""
    return next((one for one in candidates if fault(cluster, one) is None), None)


def show(cluster: Cluster) -> None:
    """Print a table, newest first."""
    rows = snapshots(cluster)
    if not rows:
        console.print(
            f"no snapshots of {cluster.names.base} yet; the servers take them at"
            f" {cluster.environment.cluster.snapshots.schedule} UTC"
        )
        return
    table = Table("snapshot", "taken (UTC)", "size", box=None, pad_edge=False)
    for one in rows:
        table.add_row(one.name, f"{one.taken:%Y-%m-%d %H:%M}", decimal(one.size))
    console.print(table)


def take(cluster: Cluster, name: str) -> None:
    """Take one now, on the first healthy server.

    Raises:
        Failure: The name is none, no server is healthy, or RKE2 could not take it.
    """
    if not TAKEN.fullmatch(name):
        raise Failure(f"TAKE={name!r}: a snapshot's name has lower-case letters, digits and dashes, up to 41 of them")
    server = cluster.well()
    with waiting(console, f"taking {name} on server {server.slot}"):
        cluster.run(server, "snapshot", name, seconds=900)
    console.print(f"took {name}; make snapshots lists it with the node's name and the time")


def _snapshot(entry: dict[str, Any], folder: str) -> Snapshot:
    return Snapshot(entry["Key"].removeprefix(folder), entry["LastModified"], entry["Size"])
