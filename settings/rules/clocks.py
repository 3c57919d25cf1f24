"""Rules about clocks: a schedule that nobody can read is a backup that nobody takes, and nothing is recovered from tomorrow."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from settings.backups import NEWEST, Backups, moment
from settings.cluster import ClusterSettings
from settings.cron import CronError, parse
from settings.observability import AlarmsSettings
from settings.problems import Finding
from settings.rules.registry import error
from settings.services import Services

KEY = ("cluster", "snapshots", "schedule")


@error
def snapshots_happen(cluster: ClusterSettings) -> Iterator[Finding]:
    """RKE2 reads the schedule with robfig/cron and ignores what that cannot read (docs.rke2.io: etcd snapshots)."""
    try:
        parse(cluster.snapshots.schedule).longest_gap()
    except CronError as problem:
        rule = f"must {problem}; RKE2 would take no snapshot, and say nothing"
        yield Finding(KEY, rule, 'write five fields such as "0 */6 * * *": every six hours')


@error
def snapshots_before_their_alarm(cluster: ClusterSettings, alarms: AlarmsSettings) -> Iterator[Finding]:
    """An alarm about an old snapshot waits longer than the time between two of them."""
    try:
        gap = parse(cluster.snapshots.schedule).longest_gap()
    except CronError:
        return
    if alarms.enabled and timedelta(hours=alarms.snapshot_hours) <= gap:
        hours = gap / timedelta(hours=1)
        rule = f"must be more than the {hours:g} hours between two snapshots of {'.'.join(KEY)}, or the alarm would be raised each time"
        yield Finding(("alarms", "snapshot_hours"), rule, f"set {int(hours) + 1} or more, or take snapshots more often")


@error
def backups_of_objects_happen(services: Services) -> Iterator[Finding]:
    """Velero reads its schedule as RKE2 does, and marks one that it cannot read as failed (velero.io/docs/v1.18/api-types/schedule)."""
    try:
        parse(services.velero.schedule).longest_gap()
    except CronError as problem:
        rule = f"must {problem}; Velero would take no backup"
        yield Finding(("services", "velero", "schedule"), rule, 'write five fields such as "0 2 * * *": every night')


@error
def recovery_from_the_past(backups: Backups) -> Iterator[Finding]:
    """PostgreSQL waits for ever for a moment that its log has not reached (recovery_target_time), and no pod becomes ready."""
    wanted = backups.database_clone_at
    if wanted not in (None, NEWEST) and moment(str(wanted)) > datetime.now(UTC):
        rule = "must be in the past: a backup holds nothing of what is still to come"
        yield Finding(("backups", "database_clone_at"), rule, "write the last moment before the records were lost")
