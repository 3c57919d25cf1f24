"""The clinic's running database: which archive it writes, and how what it holds gets there before anything is deleted."""

from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from typing import Any

from operations.application.archive import Archive
from operations.shared.console import wait_until
from operations.shared.errors import Failure
from operations.shared.kubectl import Kubectl
from settings.web_identity import DATABASE

KIND = "cluster.postgresql.cnpg.io"

ARCHIVE_SECONDS = 300
"""How long the last segment may take to reach the archive: 16 MiB, compressed, and retries of a minute each."""

POLL_SECONDS = 2

CLOSE = ("select pg_current_xact_id()", "select pg_walfile_name(pg_switch_wal())")
"""A commit, and then, in a transaction of its own, the end of the segment that holds it: a recovery to a moment ends at the
first commit after it, and fails where the log ends before (PostgreSQL: recovery_target_time)."""


@dataclass(frozen=True)
class ClinicDatabase:
    """CloudNativePG's Cluster of the clinic, as the API shows it."""

    kubectl: Kubectl
    cluster: dict[str, Any]

    @classmethod
    def find(cls, kubectl: Kubectl, name: str = DATABASE) -> "ClinicDatabase | None":
        """The one that there is, or a second one by its name; None before it is made. Raises ``Failure`` if the API cannot be asked."""
        manifest = kubectl.find(KIND, name)
        return cls(kubectl, manifest) if manifest else None

    @property
    def archive(self) -> str:
        """Folder of the archive that it writes, such as ``database``; empty if it writes none."""
        spec = self.cluster["spec"]
        for plugin in spec.get("plugins", []):
            if plugin.get("isWALArchiver"):
                return str(plugin["parameters"].get("serverName", DATABASE))
        store = spec.get("backup", {}).get("barmanObjectStore")
        return str(store.get("serverName", DATABASE)) if store else ""

    @cached_property
    def major(self) -> int:
        """Major version of the server. Raises ``Failure`` if it does not answer."""
        return int(self.sql("show server_version_num")) // 10_000

    def now(self) -> datetime:
        """Its own clock. Raises ``Failure`` if it does not answer."""
        return datetime.fromtimestamp(float(self.sql("select extract(epoch from now())")), UTC)

    def close_segment(self, archive: Archive) -> str:
        """Commit, end the segment, and see it in the archive: every moment until now can be recovered then.

        Returns the segment's name.

        Raises:
            Failure: the database does not answer, or the segment is not in the archive in time.
        """
        segment = self.sql(*CLOSE).split()[-1]
        if not wait_until(lambda: archive.holds(segment) or None, seconds=ARCHIVE_SECONDS, poll=(POLL_SECONDS,)):
            raise Failure(
                f"the segment {segment} of the write-ahead log is not in {archive.url} after {ARCHIVE_SECONDS} s, "
                f"so what was written last would be lost.\nThe archiver says: {self._archiver()}"
            )
        return segment

    def _archiver(self) -> str:
        try:
            return self.sql(
                "select format('%s failed, last %s at %s; last archived %s', failed_count, last_failed_wal,"
                " last_failed_time, last_archived_wal) from pg_stat_archiver"
            )
        except Failure as failure:
            return str(failure)

    def sql(self, *statements: str, database: str = "postgres") -> str:
        """What psql prints on the primary; each statement is a transaction.

        Raises:
            Failure: there is no primary, or it does not answer.
        """
        name = self.cluster["metadata"]["name"]
        primary = self.cluster.get("status", {}).get("currentPrimary")
        if not primary:
            raise Failure(
                f"the database {name} has no primary: it does not run, so nothing can be asked of it.\n"
                f"Look: {' '.join(self.kubectl.command('get', KIND, name))}"
            )
        asked = [word for statement in statements for word in ("-c", statement)]
        psql = ("psql", "-XAtq", "-v", "ON_ERROR_STOP=1", "-d", database, *asked)
        return self.kubectl("exec", str(primary), "--container", "postgres", "--", *psql).strip()
