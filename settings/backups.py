"""What is kept, and for how long."""

from datetime import UTC, datetime
from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from settings.base import Region, Section

Days = Annotated[int, Field(ge=1, le=3650)]
"""Days."""


LogDays = Literal[
    1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653
]
"""The retentions that CloudWatch Logs knows (AWS API: PutRetentionPolicy)."""


def moment(text: str) -> datetime:
    """A point in time as people write it, such as ``2026-11-24T09:30:00Z`` or ``2026-11-24 10:30:00+01``, in UTC.

    Raises:
        ValueError: it is not one, or names no zone: an hour in the wrong direction is a day's records.
    """
    try:
        instant = datetime.fromisoformat(text)
    except ValueError as error:
        raise ValueError(f"{text} is not a moment; write such as 2026-11-24T09:30:00Z") from error
    if instant.tzinfo is None:
        raise ValueError(f"{text} names no zone; write such as 2026-11-24T09:30:00Z, or +01:00 in place of Z")
    return instant.astimezone(UTC)


NEWEST = "newest"
"""In place of a moment: the newest that the backup holds."""


def _exists(text: str) -> str:
    if text != NEWEST:
        moment(text)
    return text


Moment = Annotated[
    str,
    Field(
        pattern=r"^(newest|\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(Z|[+-]\d\d:\d\d))$",
        examples=["2026-11-24T09:30:00Z", NEWEST],
    ),
    AfterValidator(_exists),
]
"""A point in time with its zone, or the newest there is."""


class VolumeSnapshotsSettings(Section):
    """EBS snapshots of the servers' data volumes and of pods' volumes, the database's among them: a second way back beside etcd's own
    snapshots and the database's backups. Each is of one moment, as after a power cut; two volumes are not of the same moment."""

    enabled: bool = False
    """Whether AWS's Data Lifecycle Manager takes snapshots of volumes."""

    every_hours: Literal[1, 2, 3, 4, 6, 8, 12, 24] = 24
    """Hours between two snapshots of a volume (AWS API: DLM CreateRule)."""

    retention: Annotated[int, Field(ge=1, le=1000)] = 7
    """How many snapshots of each volume are kept."""


class Backups(Section):
    """Retention of backups and logs."""

    database_days: Days = 30
    """Days that database backups and their write-ahead log are kept: how far back a point-in-time recovery reaches."""

    database_clone_at: Moment | None = None
    """A second database beside the clinic's, filled with what its backup held at this moment, to take records from
    (docs/runbooks/lost-data.md). It goes when this setting does, and has no backup of its own."""

    noncurrent_days: Days = 90
    """Days that a deleted or overwritten object of a bucket can still be brought back."""

    volume_snapshots: VolumeSnapshotsSettings = VolumeSnapshotsSettings()
    """Snapshots of volumes."""

    replica_region: Region | None = None
    """A second region, to which etcd snapshots and database backups are copied as they are written. Terraform deletes the copies only while
    the region is named: for none, or for another region, first ``delete_copies: true``."""

    delete_copies: bool = False
    """Whether the copies in ``replica_region`` are deleted, at the next deploy. Then both settings can be taken out."""

    logs_days: LogDays = 90
    """Days that CloudWatch keeps the platform's own logs."""
