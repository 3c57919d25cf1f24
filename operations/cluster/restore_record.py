"""The record of a restore in the bucket of the nodes' programs: what was chosen, and how far it has come.

The servers keep their own part (``nodes/bin/progress``) under the same name of the run, so each step may be repeated.
"""

import uuid
from dataclasses import asdict, dataclass, field

from operations.cluster import record
from operations.shared.servers import Cluster

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
    fields = record.read(cluster, KEY, "restore")
    try:
        latest = Record(**fields) if fields is not None else None
    except TypeError as error:
        raise record.unusable(cluster, KEY, "restore", error) from error
    return None if latest is None or latest.finished else latest


def write(cluster: Cluster, restore: Record) -> None:
    """Store it. Raises ``Failure`` when it cannot be stored."""
    record.write(cluster, KEY, asdict(restore))
