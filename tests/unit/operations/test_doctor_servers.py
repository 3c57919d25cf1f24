"""What ``make doctor`` sees of the servers: each thing that can be wrong has its line and what to do."""

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from operations.cluster import lock, restore_record, roll_record
from operations.cluster.snapshots import Snapshot
from operations.doctor import server_checks
from operations.doctor.finding import CheckContext, Finding
from operations.doctor.server_checks import QUOTA_BYTES, control_plane, etcd_snapshots, unfinished
from operations.shared.errors import Failure
from operations.shared.health import Health
from operations.shared.servers import Server
from settings import load
from tests.unit.operations.cluster import WHOLE, Fake

WELL = replace(WHOLE, database_bytes=64 << 20, database_bytes_in_use=32 << 20)


@pytest.fixture
def prod(monkeypatch: pytest.MonkeyPatch) -> Fake:
    """Three servers, all well, that the doctor finds."""
    fake = Fake(healths=dict.fromkeys(range(3), WELL))
    monkeypatch.setattr(server_checks, "Cluster", lambda _: fake)
    return fake


def seen(check: Callable[[CheckContext], Any]) -> list[Finding]:
    """What a check finds in prod."""
    settings = load()
    findings = list(check(CheckContext(settings, settings.environment("prod"))))
    for finding in findings:
        assert (finding.verdict == "ok") == (finding.remedy == ""), f"{finding}: not ok needs a remedy, and ok none"
    return findings


def test_whole_servers_are_ok(prod: Fake) -> None:
    assert [(one.what, one.verdict) for one in seen(control_plane)] == [(f"server {slot}", "ok") for slot in range(3)]
    assert seen(unfinished) == []


@pytest.mark.parametrize(
    ("health", "text", "remedy"),
    [
        (replace(WELL, data=False, running=False), "has not joined", "journalctl -u vet-boot"),
        (replace(WELL, running=False), "RKE2 does not run", "journalctl"),
        (replace(WELL, members=2), "etcd has 2 members, not 3", "lost-server"),
        (replace(WELL, voting=2), "2 members vote, not 3", "lost-server"),
        (replace(WELL, servers_ready=2), "2 servers are Ready, not 3", "lost-server"),
        (replace(WELL, leader="no"), "no leader", "lost-quorum"),
        (replace(WELL, leader="unknown"), "cannot say whether etcd has a leader", "lost-server"),
        (replace(WELL, etcd_healthy=False, etcd_known=False), "etcd cannot be asked", "lost-server"),
        (replace(WELL, servers_ready=None), "cannot be read which servers are Ready", "lost-server"),
        (replace(WELL, alarms="NOSPACE"), "alarm NOSPACE", "make defragment ENV=prod"),
        (replace(WELL, alarms="unknown"), "cannot say how full", "health"),
        (replace(WELL, database_bytes=0), "cannot say how full", "health"),
        (replace(WELL, database_bytes=QUOTA_BYTES * 9 // 10), "nearly full: 1.9 GB of 2.1 GB", "make defragment"),
        (replace(WELL, cordoned="true"), "cordoned", "make roll-servers ENV=prod"),
        (replace(WELL, cordoned="unknown"), "cannot say whether its Node", "kubectl get nodes"),
        (replace(WELL, restore="abc waiting disk"), "a restore is unfinished on it (waiting)", "make restore ENV=prod"),
        (replace(WELL, restore="unknown"), "whether a restore needs it", "progress read"),
    ],
)
def test_each_thing_that_is_wrong_is_seen(health: Health, text: str, remedy: str, prod: Fake) -> None:
    prod.healths[1] = health
    (finding,) = [one for one in seen(control_plane) if one.what == "server 1" and text in one.text]
    assert finding.verdict == "fails"
    assert remedy in finding.remedy
    assert [one.verdict for one in seen(control_plane) if one.what != "server 1"] == ["ok", "ok"]


def test_a_restore_that_is_done_is_no_news(prod: Fake) -> None:
    prod.healths[1] = replace(WELL, restore="abc done disk")
    assert {one.verdict for one in seen(control_plane)} == {"ok"}


def test_a_server_that_cannot_be_asked_hides_no_other(prod: Fake, monkeypatch: pytest.MonkeyPatch) -> None:
    def health(server: Server) -> Health:
        if server.slot == 0:
            raise Failure("Session Manager does not reach server 0 (i-0): InvalidInstanceId\nmore")
        return WELL

    monkeypatch.setattr(prod, "health", health)
    assert [(one.what, one.verdict) for one in seen(control_plane)] == [
        ("server 0", "fails"),
        ("server 1", "ok"),
        ("server 2", "ok"),
    ]


def test_what_is_unfinished_is_seen_and_who_is_at_it(prod: Fake) -> None:
    restore_record.write(prod, restore_record.Record("disk", 1))
    roll_record.write(prod, roll_record.Record(2, "i-2", drained=True))
    assert [(one.what, one.verdict, one.remedy) for one in seen(unfinished)] == [
        ("restore", "fails", "make restore ENV=prod goes on with it; GIVE_UP=yes as well ends it"),
        ("roll", "fails", "make roll-servers ENV=prod"),
    ]
    held = json.dumps({"operation": "restore", "who": "anna on desk"}).encode()
    prod.objects[f"{prod.names.bucket('nodes')}/{lock.KEY}"] = held
    assert [(one.what, one.verdict) for one in seen(unfinished)] == [
        ("operation", "later"),
        ("restore", "later"),
        ("roll", "later"),
    ]


@pytest.mark.parametrize(
    ("hours", "whole", "cluster_hours", "verdict", "text"),
    [
        (2, True, 100, "ok", "2 hours old"),
        (20, True, 100, "fails", "20 hours old"),
        (2, False, 100, "fails", "none of 1 could be restored"),
        (2, False, 3, "later", "none yet"),
        (None, False, 100, "fails", "there is none, though one was due"),
        (None, False, 3, "later", "none yet"),
    ],
)
def test_the_newest_snapshot_that_could_be_restored_counts(
    hours: int | None,
    whole: bool,
    cluster_hours: int,
    verdict: str,
    text: str,
    prod: Fake,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    now = datetime.now(UTC)
    listed = [] if hours is None else [Snapshot("s", now - timedelta(hours=hours, minutes=1), 1000)]
    monkeypatch.setattr(server_checks, "snapshots", lambda _: listed)
    monkeypatch.setattr(server_checks, "newest", lambda _, candidates: candidates[0] if whole else None)
    monkeypatch.setattr(server_checks, "_published", lambda _: now - timedelta(hours=cluster_hours))
    (one,) = seen(etcd_snapshots)
    assert (one.verdict, text in one.text) == (verdict, True), one


def test_without_servers_nothing_is_asked(prod: Fake, monkeypatch: pytest.MonkeyPatch) -> None:
    prod.down = {0, 1, 2}
    monkeypatch.setattr(prod, "client", lambda _: pytest.fail("AWS was asked"))
    assert seen(control_plane) == seen(unfinished) == seen(etcd_snapshots) == []
