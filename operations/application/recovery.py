"""What a database is filled from, and whether that can work: seen before anything is deleted, and before anything is made.

The operator finds out as well, but late, and in the logs of a pod that starts again and again: it refuses an archive that holds
another database's files, and PostgreSQL refuses a moment that its backup does not reach.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from operations.application.archive import Archive
from operations.application.clinic_database import KIND, ClinicDatabase
from operations.shared.errors import Failure
from operations.shared.kubeconfig import administrator
from operations.shared.kubectl import Kubectl
from operations.shared.servers import Cluster
from settings.backups import moment
from settings.helm_values import values
from settings.web_identity import DATABASE, DATABASE_CLONE

NEWEST = "newest"
"""In place of a moment: everything that the archive has."""


@dataclass(frozen=True)
class Recovery:
    """What an environment's ``values: {database: ...}`` ask for."""

    file: str
    """Where it stands, for messages."""

    origin: Archive | None
    """Archive to read; None for a database that starts empty."""

    target: Archive
    """Archive that the new database writes."""

    at: datetime | None
    """Moment to go back to; None, the newest."""

    dump_of: str = ""
    """Cluster whose dump a new database is filled with in place of an archive; empty, none's."""

    def refuse_foreign_target(self) -> None:
        """Raises ``Failure`` if the archive to write holds files already."""
        if not self.target.is_empty():
            raise Failure(
                f"{self.file}.backup.archive: {self.target.name}: {self.target.url} holds files of another database, and a "
                "database refuses to write among them.\nTo go on with what is in there, read it: "
                f"`recovery: {{from: {self.target.name}}}`. In any case choose a name that was never used, such as "
                f"`backup: {{archive: {next_name(self.target.name)}}}`"
            )

    def refuse_moment(self, now: datetime | None) -> None:
        """See that the archive reaches the moment.

        :param now: the running database's clock, if it writes this archive: what is there until now will be in it.
        """
        if self.origin:
            refuse_moment(self.origin, self.at, now, f"{self.file}.recovery.at")


def refuse_moment(origin: Archive, at: datetime | None, now: datetime | None, key: str) -> None:
    """See that an archive reaches a moment.

    :param at: the moment; None is the newest.
    :param now: until when it will reach; None, until what it has.
    :param key: file and key of the moment, for the message.

    Raises:
        Failure: the text says what exists and what to write.
    """
    moments = origin.moments()
    last, until = (now, "now") if now else (moments.last, "the end of what was archived")
    if at and not moments.first <= at <= last:
        raise Failure(
            f"{key}: {at:%Y-%m-%dT%H:%M:%SZ} is not in {origin.url}, which goes from {moments.first:%Y-%m-%dT%H:%M:%SZ}, the end of "
            f"its first base backup, to {last:%Y-%m-%dT%H:%M:%SZ}, {until}.\nChoose a moment between the two, or the newest"
        )


def wanted(cluster: Cluster) -> Recovery:
    """What the environment's values describe.

    Raises:
        Failure: a moment that is none, or a recovery into the archive that it comes from.
    """
    environment = cluster.environment
    file = f"environments/{environment.name}.yaml: values.database"
    given = values(DATABASE, environment.cluster.release_set, environment.values.get(DATABASE, {}))
    recovery, into = given.get("recovery", {}), str(given.get("backup", {}).get("archive", DATABASE))
    origin = recovery.get("from")
    if origin == into:
        raise Failure(
            f"{file}.backup.archive: {into} is the archive that recovery.from names: a recovered database must not write into "
            f"the archive that it came from.\nChoose a new name, such as {next_name(into)}"
        )
    try:
        at = moment(str(recovery["at"])) if recovery.get("at") else None
    except ValueError as error:
        raise Failure(f"{file}.recovery.at: {error}") from error
    dump_of = given.get("import", {}).get("from", "")
    return Recovery(file, archive(cluster, origin) if origin else None, archive(cluster, into), at, dump_of)


def archive(cluster: Cluster, name: str) -> Archive:
    """An archive of the environment by its name."""
    return Archive(cluster.client("s3"), cluster.names.bucket("database"), f"{DATABASE}/{name}")


def next_name(name: str) -> str:
    """A name that follows: ``database-2`` after ``database``, ``database-3`` after that."""
    base, _, number = name.rpartition("-")
    return f"{base}-{int(number) + 1}" if base and number.isdigit() else f"{name}-2"


def before_deploy(cluster: Cluster, *, deployed: Callable[[], bool]) -> None:
    """See that the databases which a deploy will make can be made. The way to the API must be open.

    :param deployed: whether Terraform knows the database already. If it was taken away since, ``make recover-database`` has
        looked; if Terraform has never made it, its archive must be nobody else's.

    Raises:
        Failure: one cannot; or S3 or the API cannot be asked.
    """
    recovery, beside = wanted(cluster), cluster.environment.backups.database_clone_at
    new = (recovery.origin or not recovery.target.is_empty()) and not deployed()
    dumped = recovery.dump_of and deployed()
    if not (new or dumped or beside):
        return
    kubectl = administrator(cluster)
    database = ClinicDatabase.find(kubectl)
    if new and not database:
        recovery.refuse_foreign_target()
        recovery.refuse_moment(None)
    if dumped:
        refuse_without_dump(cluster, kubectl, database, recovery)
    if beside:
        before_beside(cluster, kubectl, database, None if beside == NEWEST else moment(beside))


def refuse_without_dump(
    cluster: Cluster, kubectl: Kubectl, database: ClinicDatabase | None, recovery: Recovery
) -> None:
    """Raises ``Failure`` if a deploy would change the old database's image, or make an empty one."""
    name, major = cluster.environment.name, cluster.environment.cluster.releases["postgresql"].program.major
    if database and database.major != major:
        raise Failure(
            f"environments/{name}.yaml: cluster.versions.postgresql: {major}: the database is PostgreSQL {database.major}, whose "
            f"data {major} does not read.\nFirst: make upgrade-database ENV={name}"
        )
    if not database and not ClinicDatabase.find(kubectl, recovery.dump_of):
        raise Failure(
            f"{recovery.file}.import.from: {recovery.dump_of}: there is no such database to fill the clinic's from.\n"
            "Take `import` out; `recovery` fills it from an archive (docs/runbooks/lost-data.md)"
        )


def before_beside(cluster: Cluster, kubectl: Kubectl, database: ClinicDatabase | None, at: datetime | None) -> None:
    """Have in the archive what the database beside will be filled with."""
    key = f"environments/{cluster.environment.name}.yaml: backups.database_clone_at"
    if database is None:
        raise Failure(f"{key}: the clinic has no database yet.\nRemove the setting, deploy, and set it again")
    if kubectl.find(KIND, DATABASE_CLONE):
        return  # it was filled when it was made
    origin = archive(cluster, database.archive)
    refuse_moment(origin, at, database.now(), key)
    database.close_segment(origin)
