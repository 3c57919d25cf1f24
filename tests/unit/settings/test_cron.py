"""Snapshots' schedules are read as RKE2 reads them."""

from datetime import timedelta

import pytest

from settings.cron import CronError, parse

HOUR = timedelta(hours=1)


@pytest.mark.parametrize(
    ("expression", "hours"),
    [
        ("0 */6 * * *", 6),
        ("0 3 * * *", 24),
        ("30 1,13 * * *", 12),
        ("0 3 * * 0", 7 * 24),
        ("0 3 1 * *", 31 * 24),
        ("0 20/2 * * *", 22),
        ("0 0 1,15 * 1", 7 * 24),
        ("*/15 * * * *", 0.25),
    ],
)
def test_the_longest_time_between_two_runs(expression: str, hours: float) -> None:
    assert parse(expression).longest_gap() == hours * HOUR


@pytest.mark.parametrize(
    "expression",
    [
        "0 3 * * 7",
        "0 25 * * *",
        "60 * * * *",
        "*/0 * * * *",
        "- - - - -",
        "0 0 0 * *",
        "0 0 * 13 *",
        "5-1 * * * *",
        ", * * * *",
        "0 3 * *",
        "0 3 * * * *",
        "0 0/ * * *",
        "1--2 * * * *",
    ],
)
def test_what_rke2_ignores_is_refused(expression: str) -> None:
    with pytest.raises(CronError):
        parse(expression)


@pytest.mark.parametrize("expression", ["0 0 31 2 *", "0 0 30 2 *", "0 0 31 4,6,9,11 *"])
def test_a_day_that_never_comes_is_refused(expression: str) -> None:
    with pytest.raises(CronError, match="day that exists"):
        parse(expression).longest_gap()


def test_a_leap_day_comes() -> None:
    assert parse("0 0 29 2 *").longest_gap() == timedelta(days=4 * 365 + 1)
