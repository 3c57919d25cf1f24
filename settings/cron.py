"""Times of a clock in cron's five fields, read as RKE2 reads them (robfig/cron v3, standard parser).

Its rules differ from other programs': Sunday is 0 and never 7, a step of 0 is refused, ``5/15`` runs from 5 to the end, and where both a day
of the month and a day of the week are named, either is enough. RKE2 ignores an expression that it cannot read, and takes no snapshot.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import pairwise

FIELDS = (("minute", 0, 59), ("hour", 0, 23), ("day of the month", 1, 31), ("month", 1, 12), ("day of the week", 0, 6))
"""Name, smallest and largest value of each field (robfig/cron: CRON expression format)."""

FIRST_DAY, DAYS = date(2024, 1, 1), 8 * 366
"""Days that are looked at: a leap day comes at least once."""

MINUTES = 24 * 60


class CronError(ValueError):
    """What is wrong with an expression, in words that follow "must"."""


@dataclass(frozen=True)
class Cron:
    """A clock's times: for each field the values, and whether it was written as every value."""

    minutes: frozenset[int]
    hours: frozenset[int]
    days: frozenset[int]
    months: frozenset[int]
    weekdays: frozenset[int]
    any_day: bool
    any_weekday: bool

    def matching_days(self) -> list[int]:
        """Days on which it runs, counted from :data:`FIRST_DAY`."""
        return [number for number in range(DAYS) if self._runs_on(FIRST_DAY + timedelta(days=number))]

    def _runs_on(self, day: date) -> bool:
        in_month, in_week = day.day in self.days, day.isoweekday() % 7 in self.weekdays
        chosen = (in_month and in_week) if self.any_day or self.any_weekday else (in_month or in_week)
        return day.month in self.months and chosen

    def longest_gap(self) -> timedelta:
        """The longest time between two runs.

        Raises:
            CronError: it never runs, as on the 31st of February.
        """
        times = sorted(hour * 60 + minute for hour in self.hours for minute in self.minutes)
        days = self.matching_days()
        if len(days) < 2:
            raise CronError("name a day that exists: it never comes")
        within = max((later - earlier for earlier, later in pairwise(times)), default=0)
        between = max(later - earlier for earlier, later in pairwise(days)) * MINUTES
        return timedelta(minutes=max(within, between - times[-1] + times[0]))


def parse(expression: str) -> Cron:
    """Read an expression, such as ``0 */6 * * *``.

    Raises:
        CronError: RKE2 would ignore it.
    """
    parts = expression.split()
    if len(parts) != len(FIELDS):
        raise CronError(f"have five fields ({', '.join(name for name, _, _ in FIELDS)}); it has {len(parts)}")
    minutes, hours, days, months, weekdays = (
        frozenset(_values(part, *field)) for part, field in zip(parts, FIELDS, strict=True)
    )
    any_day, any_weekday = (parts[index].split("/")[0] in ("*", "?") for index in (2, 4))
    return Cron(minutes, hours, days, months, weekdays, any_day, any_weekday)


def _values(text: str, name: str, low: int, high: int) -> Iterator[int]:
    for part in text.split(","):
        span, slash, step = part.partition("/")
        first, dash, last = span.partition("-")
        begin, end = (
            (low, high) if span in ("*", "?") else (_number(first, name), _number(last if dash else first, name))
        )
        if slash and not dash:
            end = high
        stride = _number(step, name) if slash else 1
        if stride == 0:
            raise CronError(f"have a step of 1 or more in its {name}: {part}")
        if not low <= begin <= end <= high:
            sunday = " (Sunday is 0)" if name == FIELDS[-1][0] else ""
            raise CronError(f"keep its {name} between {low} and {high}, in order{sunday}: {part}")
        yield from range(begin, end + 1, stride)


def _number(text: str, name: str) -> int:
    if not text.isascii() or not text.isdigit():
        raise CronError(f"have a number in its {name}: {text or 'nothing'}")
    return int(text)
