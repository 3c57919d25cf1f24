"""A moment is restored, on PostgreSQL: the rows from before it are there, those from after it are not."""

import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest

from operations.application import recovery
from operations.application.clinic_database import KIND
from operations.application.recover_database import recover
from operations.application.recovery import next_name
from operations.shared.errors import Failure
from operations.shared.servers import Cluster
from settings.web_identity import DATABASE, DATABASE_CLONE
from tests.pods.conftest import Platform, timed

TABLE = "create table if not exists moments (name text primary key, at timestamptz default clock_timestamp())"

FORMS: Mapping[str, Callable[[datetime], str]] = {
    "utc": lambda at: f"{at:%Y-%m-%dT%H:%M:%SZ}",
    "elsewhere": lambda at: at.astimezone(timezone(timedelta(hours=5, minutes=30))).isoformat(),
    "postgresql": lambda at: f"{at:%Y-%m-%d %H:%M:%S+00}",
    "newest": lambda _: "",
    "short-zone": lambda at: f"{at.astimezone(timezone(timedelta(hours=-5))):%Y-%m-%d %H:%M:%S}-05",
}
"""Ways to write a moment."""


def write(platform: Platform, name: str) -> datetime:
    """Write a row, and return when PostgreSQL says that it was."""
    text = platform.sql(TABLE, f"insert into moments(name) values ('{name}') returning extract(epoch from at)")
    return datetime.fromtimestamp(float(text.splitlines()[-1]), UTC)


def names(platform: Platform, cluster: str = DATABASE) -> set[str]:
    """Names of all rows."""
    return set(platform.sql("select name from moments", cluster=cluster).split())


def between(platform: Platform, label: str) -> datetime:
    """Write a row a second before a whole second, and one a second after it; returns the second."""
    before = write(platform, f"{label}-before")
    at = before.replace(microsecond=0) + timedelta(seconds=2)
    while platform.database.now() < at + timedelta(seconds=1):
        time.sleep(0.1)
    after = write(platform, f"{label}-after")
    assert before < at < after
    return at


def await_base_backup(platform: Platform, seconds: int = 180) -> None:
    """Wait until the archive that is written has something to begin with."""
    deadline = time.monotonic() + seconds
    while True:
        try:
            platform.archive(platform.database.archive).moments()
            return
        except Failure:
            assert time.monotonic() < deadline, f"no base backup within {seconds} s of the database's start"
            time.sleep(1)


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """What the environment's ``values.database`` say."""
    given: dict[str, Any] = {}
    monkeypatch.setattr(recovery, "values", lambda *_: given)
    return given


@pytest.mark.parametrize(
    "form", [pytest.param(name, marks=[] if name == "utc" else [pytest.mark.long]) for name in FORMS]
)
def test_the_rows_from_before_the_moment_are_there_and_no_others(
    platform: Platform, asked: dict[str, Any], form: str, seconds: dict[str, float]
) -> None:
    await_base_backup(platform)
    origin = platform.database.archive
    label = f"{origin}-{form}"
    at = between(platform, label)
    asked["recovery"] = {"from": origin, "at": FORMS[form](at)}
    asked["backup"] = {"archive": next_name(origin)}
    with timed(seconds, "application stopped, log closed, database deleted"):
        recover(Cluster("dev"), platform.kubectl, auto_approve=True)
    with timed(seconds, "recovered"):
        platform.apply({key: dict(value) for key, value in asked.items()})
        time.sleep(5)
        platform.ready(600)
    rows = names(platform)
    assert f"{label}-before" in rows, f"recovered to {at}: the row from before it is lost; there are {rows}"
    assert (f"{label}-after" in rows) is (form == "newest"), f"recovered to {at} as {form}: there are {rows}"
    with timed(seconds, "base backup in the new archive"):
        await_base_backup(platform)
    platform.kubectl("scale", "deployment/vet-app", "--replicas=2")
    platform.kubectl("rollout", "status", "deployment/vet-app", "--timeout=5m")


def test_an_archive_with_files_of_another_database_is_refused(platform: Platform, asked: dict[str, Any]) -> None:
    live = platform.database.archive
    asked["recovery"], asked["backup"] = {"from": "never-written"}, {"archive": live}
    with pytest.raises(Failure, match="is what the database writes already"):
        recover(Cluster("dev"), platform.kubectl, auto_approve=True)
    asked["recovery"], asked["backup"] = {"from": live, "at": "2020-01-01T00:00:00Z"}, {"archive": next_name(live)}
    with pytest.raises(Failure, match=r"which goes from .* to .*, now"):
        recover(Cluster("dev"), platform.kubectl, auto_approve=True)
    assert platform.database.now(), "the database runs on"


def test_a_database_beside_holds_the_moment_and_the_clinic_s_goes_on(
    platform: Platform, asked: dict[str, Any], seconds: dict[str, float]
) -> None:
    await_base_backup(platform)
    origin = platform.database.archive
    at = between(platform, f"{origin}-beside")
    recovery.before_beside(Cluster("dev"), platform.kubectl, platform.database, at)
    changes = {
        "name": DATABASE_CLONE,
        "instances": 1,
        "keep": False,
        "serverCASecret": f"{DATABASE}-ca",
        "backup": {"enabled": False},
        "recovery": {"from": origin, "at": f"{at:%Y-%m-%dT%H:%M:%SZ}"},
    }
    policy = platform.kubectl("get", "networkpolicy", DATABASE, "--output", "json")
    platform.kubectl("apply", "--filename", "-", stdin=policy.replace('"database"', f'"{DATABASE_CLONE}"'))
    try:
        with timed(seconds, "filled beside"):
            platform.apply(changes, DATABASE_CLONE)
            time.sleep(5)
            platform.ready(600, DATABASE_CLONE)
        rows = names(platform, DATABASE_CLONE)
        assert f"{origin}-beside-before" in rows
        assert f"{origin}-beside-after" not in rows
        assert f"{origin}-beside-after" in names(platform), "the clinic's own database went back as well"
    finally:
        platform.kubectl("delete", KIND, DATABASE_CLONE, "--ignore-not-found", "--cascade=foreground")
        platform.run([platform.helm, "uninstall", DATABASE_CLONE, "--namespace", "vet-app", "--ignore-not-found"])
        platform.kubectl("delete", "networkpolicy", DATABASE_CLONE, "--ignore-not-found")
