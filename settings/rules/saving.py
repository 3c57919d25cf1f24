"""Rules about hours of running, and about copies elsewhere."""

from collections.abc import Iterator

from settings.backups import Backups
from settings.budget import BudgetSettings
from settings.names import BUCKET, replica_bucket
from settings.patches import Patches
from settings.problems import Finding, Key
from settings.project import Project
from settings.regions import ZONES
from settings.rules.registry import error, project_error, warning
from settings.schedule import ScheduleSettings
from settings.validation import suggestion

LATEST_STOP = "23:30"
"""The servers stop twenty minutes after ``stop``, on the same day."""


@error
def schedule_within_a_day(schedule: ScheduleSettings) -> Iterator[Finding]:
    """The nodes stop on the day on which they started: the days of a schedule are those of both."""
    if schedule.enabled and not schedule.start < schedule.stop <= LATEST_STOP:
        rule = f"must be after schedule.start = {schedule.start} and not after {LATEST_STOP}"
        yield Finding(("schedule", "stop"), rule, 'write "19:00", or another time between the two')


@error
def patches_within_a_day(patches: Patches | None) -> Iterator[Finding]:
    """A window is of one day, so that its days are those on which it begins."""
    if patches and not patches.start < patches.end:
        rule = f"must be after patches.start = {patches.start}, on the same day"
        yield Finding(("patches", "end"), rule, 'write "05:00", or another time after the start')


@error
def patches_need_nodes_that_stay(patches: Patches | None, schedule: ScheduleSettings) -> Iterator[Finding]:
    """Agents that are made every morning are new, and servers that start every morning have their updates."""
    if patches and schedule.enabled:
        rule = (
            "must be left out where schedule.enabled is true: every machine starts again each morning, with its updates"
        )
        yield Finding(("patches",), rule, "remove it")


@error
def budget_thresholds_once(budget: BudgetSettings) -> Iterator[Finding]:
    """AWS Budgets takes a threshold once (API: CreateNotification, DuplicateRecordException)."""
    for index, percent in enumerate(budget.alert_percent):
        if percent in budget.alert_percent[:index]:
            yield Finding(("budget", "alert_percent", index), "must name each threshold once", "remove the second one")


@error
def backups_replicated_elsewhere(region: str, backups: Backups) -> Iterator[Finding]:
    """A copy in the same region is lost with it."""
    if backups.replica_region is not None:
        yield from _elsewhere(("backups", "replica_region"), backups.replica_region, region)


@project_error
def state_replicated_elsewhere(project: Project) -> Iterator[Finding]:
    """A copy in the same region is lost with it."""
    if project.replica_region is not None:
        yield from _elsewhere(("replica_region",), project.replica_region, project.region)


@project_error
def state_replica_has_a_name(project: Project) -> Iterator[Finding]:
    """The copy's bucket is called ``<state_bucket>-replica``, and a bucket's name has at most 63 characters."""
    length = len(replica_bucket(project))
    if project.replica_region is not None and length > BUCKET.characters:
        rule = f"must leave room for -replica, the copy's name: that has {length} of {BUCKET.characters} characters"
        yield Finding(("state_bucket",), rule, f"shorten it by {length - BUCKET.characters}, or remove replica_region")


@project_error
def state_encrypted_by_opentofu(project: Project) -> Iterator[Finding]:
    """Terraform has no ``encryption`` block, refuses one, and cannot read what OpenTofu has encrypted."""
    if project.state_encryption and project.engine != "tofu":
        rule = "needs engine: tofu, since Terraform neither encrypts state nor reads it then"
        yield Finding(("state_encryption",), rule, "write engine: tofu beside it (docs/opentofu.md), or remove it")


def _elsewhere(key: Key, replica: str, region: str) -> Iterator[Finding]:
    if replica == region:
        yield Finding(
            key, f"must be another region than {region}: a copy there is lost with it", "write another region"
        )
    elif replica not in ZONES:
        yield Finding(key, "must be a region that settings/regions.py knows", suggestion(replica, list(ZONES)))


@warning
def sleeping_production(deletion_protection: bool, schedule: ScheduleSettings) -> Iterator[Finding]:
    """What is protected is usually needed at night as well."""
    if deletion_protection and schedule.enabled:
        rule = "should be false where deletion_protection is true: outside these hours nobody reaches the application"
        yield Finding(("schedule", "enabled"), rule, "set false")
