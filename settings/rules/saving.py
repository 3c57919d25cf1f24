"""Rules about hours of running and money."""

from collections.abc import Iterator
from zoneinfo import ZoneInfo

from settings.problems import Finding
from settings.rules.registry import error, warning
from settings.saving import Schedule

LATEST_STOP = "23:30"
"""The servers stop twenty minutes after ``stop``, on the same day."""


@error
def schedule_within_a_day(schedule: Schedule) -> Iterator[Finding]:
    """The nodes stop on the day on which they started: the days of a schedule are those of both."""
    if schedule.enabled and not schedule.start < schedule.stop <= LATEST_STOP:
        rule = f"must be after schedule.start = {schedule.start} and not after {LATEST_STOP}"
        yield Finding(("schedule", "stop"), rule, 'write "19:00", or another time between the two')


@error
def time_zone_known(schedule: Schedule) -> Iterator[Finding]:
    """EventBridge Scheduler and Auto Scaling take names of the IANA database."""
    if not _exists(schedule.time_zone) and _exists("Europe/Berlin"):  # else this machine has no such database
        rule = "must be a time zone of the IANA database"
        yield Finding(
            ("schedule", "time_zone"), rule, "write a name such as America/New_York (timedatectl list-timezones)"
        )


def _exists(name: str) -> bool:
    try:
        return name == "UTC" or bool(ZoneInfo(name))
    except (KeyError, ValueError, OSError):
        return False


@warning
def sleeping_production(protect: bool, schedule: Schedule) -> Iterator[Finding]:
    """What is protected is usually needed at night as well."""
    if protect and schedule.enabled:
        rule = "should be false where protect is true: outside these hours nobody reaches the application"
        yield Finding(("schedule", "enabled"), rule, "set false")
