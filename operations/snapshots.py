"""``make snapshots ENV=dev``: the etcd snapshots of an environment, and taking one now."""

import argparse
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError
from rich.console import Console
from rich.filesize import decimal
from rich.table import Table

from operations.failure import Failure, guided
from operations.servers import Cluster

console = Console(highlight=False)


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
    found = [_snapshot(entry, folder) for entry in entries]
    # RKE2 keeps notes on snapshots in a folder of its own.
    return sorted((snapshot for snapshot in found if "/" not in snapshot.name), key=lambda one: one.taken, reverse=True)


def show(cluster: Cluster) -> None:
    """Print a table, newest first."""
    found = snapshots(cluster)
    if not found:
        console.print(
            f"no snapshots of {cluster.names.base} yet; the servers take them at"
            f" {cluster.environment.cluster.snapshots.schedule} UTC"
        )
        return
    table = Table("snapshot", "taken (UTC)", "size", box=None, pad_edge=False)
    for one in found:
        table.add_row(one.name, f"{one.taken:%Y-%m-%d %H:%M}", decimal(one.size))
    console.print(table)


def take(cluster: Cluster, name: str) -> None:
    """Take one now, on the first server that runs.

    Raises:
        Failure: No server runs, or RKE2 could not take it.
    """
    running = [server for server in cluster.servers() if server.running]
    if not running:
        raise Failure(f"no server of {cluster.names.base} runs, so there is nothing to take a snapshot of")
    with console.status(f"taking {name} on server {running[0].slot}"):
        cluster.run(running[0], "snapshot", name, seconds=900)
    console.print(f"took {name}; make snapshots lists it with the node's name and the time")


def _snapshot(entry: dict[str, Any], folder: str) -> Snapshot:
    return Snapshot(entry["Key"].removeprefix(folder), entry["LastModified"], entry["Size"])


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="make snapshots", description=__doc__)
    parser.add_argument("environment")
    parser.add_argument("--take", metavar="NAME", help="take one now: lower-case letters, digits and dashes")
    arguments = parser.parse_args()
    guided(
        lambda: (
            take(Cluster(arguments.environment), arguments.take)
            if arguments.take
            else show(Cluster(arguments.environment))
        )
    )
