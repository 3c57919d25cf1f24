"""The record of the last step of ``make upgrade`` in the bucket of the nodes' programs: what the file asked for before it, for the way back."""

from dataclasses import asdict, dataclass

from operations.cluster import record
from operations.shared.servers import Cluster

KEY = "operations/upgrade"


@dataclass(frozen=True)
class Record:
    """One step that was taken."""

    title: str
    """As people know it: ``Kubernetes 1.27``."""

    snapshot: str
    """Name that was given to the etcd snapshot before it; the node's and the time follow in the bucket."""

    before: tuple[str, dict[str, str]]
    """``cluster.release_set`` and ``cluster.versions`` of the file before it."""

    after: tuple[str, dict[str, str]]
    """The same once it was written."""

    going_back: bool = False
    """Whether somebody has begun to take it back."""

    restored: bool = False
    """Whether the snapshot is back already."""


def read(cluster: Cluster) -> Record | None:
    """The last step; ``None`` where none is recorded.

    Raises:
        Failure: the bucket cannot be read, or what is in it is no record.
    """
    fields = record.read(cluster, KEY, "upgrade")
    if fields is None:
        return None
    try:
        pairs = {key: (str(fields[key][0]), dict(fields[key][1])) for key in ("before", "after")}
        return Record(**{**fields, **pairs})
    except (TypeError, KeyError, ValueError, IndexError) as error:
        raise record.unusable(cluster, KEY, "upgrade", error) from error


def write(cluster: Cluster, step: Record) -> None:
    """Store it. Raises ``Failure`` when it cannot be stored."""
    record.write(cluster, KEY, asdict(step))


def forget(cluster: Cluster) -> None:
    """The step is taken back. Raises ``Failure`` when the record cannot be deleted."""
    record.forget(cluster, KEY)
