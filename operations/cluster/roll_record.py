"""The record of a roll in the bucket of the nodes' programs: which server is being replaced, and whether it was drained for that."""

from dataclasses import asdict, dataclass

from operations.cluster import record
from operations.shared.servers import Cluster

KEY = "operations/roll"


@dataclass(frozen=True)
class Record:
    """A server that is being replaced."""

    slot: int
    instance: str
    """The machine that goes."""

    drained: bool
    """Whether the roll cordoned its Node. What somebody else had cordoned before stays so."""


def read(cluster: Cluster) -> Record | None:
    """The server whose replacement is unfinished, if there is one.

    Raises:
        Failure: the bucket cannot be read, or what is in it is no record.
    """
    fields = record.read(cluster, KEY, "roll")
    try:
        return Record(**fields) if fields is not None else None
    except TypeError as error:
        raise record.unusable(cluster, KEY, "roll", error) from error


def write(cluster: Cluster, roll: Record) -> None:
    """Store it. Raises ``Failure`` when it cannot be stored."""
    record.write(cluster, KEY, asdict(roll))


def forget(cluster: Cluster) -> None:
    """The server is replaced and takes workloads. Raises ``Failure`` when the record cannot be deleted."""
    record.forget(cluster, KEY)
