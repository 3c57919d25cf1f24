"""A database's archive in S3 as Barman Cloud writes it: base backups, and the write-ahead log since.

Below the archive's folder lie ``base/<backup>/backup.info`` with the words of a backup, and
``wals/<first 16 digits>/<segment>`` with a suffix of its compression (barman: ``barman/cloud.py``, ``CloudBackupCatalog``).
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from operations.shared.errors import Failure

COMPRESSIONS = ("", ".bz2", ".gz", ".lz4", ".snappy", ".xz", ".zst")
"""Suffixes of a segment (barman: ``barman/compression.py``). A base backup's history file begins with a segment's name, too."""


@dataclass(frozen=True)
class Moments:
    """What a recovery can go back to."""

    first: datetime
    """End of the oldest whole base backup: before it there is nothing to begin with."""

    last: datetime
    """When the newest segment of the write-ahead log was written: later there is nothing to read."""

    def __str__(self) -> str:
        return f"{self.first:%Y-%m-%dT%H:%M:%SZ} to {self.last:%Y-%m-%dT%H:%M:%SZ}"


@dataclass(frozen=True)
class Archive:
    """One cluster's archive."""

    s3: Any = field(compare=False, repr=False)
    """Client of S3."""

    bucket: str
    folder: str
    """Key prefix of the archive, without a slash at the end."""

    @property
    def url(self) -> str:
        """Its address, as messages name it."""
        return f"s3://{self.bucket}/{self.folder}"

    @property
    def name(self) -> str:
        """What the database's values call it."""
        return self.folder.rpartition("/")[2]

    def is_empty(self) -> bool:
        """Whether no file is in it. Raises ``Failure`` if S3 cannot be asked."""
        return next(self._objects(""), None) is None

    def holds(self, segment: str) -> bool:
        """Whether a segment of the write-ahead log is in it. Raises ``Failure`` if S3 cannot be asked."""
        path = f"wals/{segment[:16]}/{segment}"
        names = {f"{self.folder}/{path}{suffix}" for suffix in COMPRESSIONS}
        return any(entry["Key"] in names for entry in self._objects(path))

    def moments(self) -> Moments:
        """What it can bring back.

        Raises:
            Failure: it has no whole base backup, or S3 cannot be asked.
        """
        ends = [end for key in self._backups() if (end := self._end(key))]
        written = [entry["LastModified"] for entry in self._objects("wals/")]
        if not ends or not written:
            raise Failure(
                f"{self.url} has {len(ends)} whole base backups and {len(written)} segments of the write-ahead log: "
                "nothing can be recovered from it.\nIs it the right archive? aws s3 ls --recursive shows what there is"
            )
        return Moments(min(ends), max(written).astimezone(UTC))

    def _backups(self) -> Iterator[str]:
        return (entry["Key"] for entry in self._objects("base/") if entry["Key"].endswith("/backup.info"))

    def _end(self, key: str) -> datetime | None:
        """When a base backup was whole; None for one that failed or still runs."""
        try:
            text = self.s3.get_object(Bucket=self.bucket, Key=key)["Body"].read().decode()
        except (BotoCoreError, ClientError) as error:
            raise Failure(f"s3://{self.bucket}/{key} cannot be read: {error}") from error
        words = dict(line.split("=", 1) for line in text.splitlines() if "=" in line)
        if words.get("status") != "DONE":
            return None
        return datetime.fromisoformat(words["end_time"]).astimezone(UTC)

    def _objects(self, prefix: str) -> Iterator[dict[str, Any]]:
        try:
            pages = self.s3.get_paginator("list_objects_v2").paginate(
                Bucket=self.bucket, Prefix=f"{self.folder}/{prefix}"
            )
            for page in pages:
                yield from page.get("Contents", [])
        except (BotoCoreError, ClientError) as error:
            raise Failure(f"{self.url} cannot be listed: {error}") from error
