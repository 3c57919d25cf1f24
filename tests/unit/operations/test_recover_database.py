"""make recover-database and make deploy: what is seen before a database is deleted or made."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import boto3
import pytest
from moto import mock_aws

from operations.application import clinic_database, recovery
from operations.application.archive import Archive
from operations.application.recover_database import recover
from operations.shared.errors import Failure
from operations.shared.kubectl import Kubectl
from operations.shared.servers import Cluster

BUCKET = "vet-dev-database-123456789012-us-east-1"
SEGMENT = "000000010000000000000007"
FIRST = datetime(2026, 11, 20, 2, 15, 7, tzinfo=UTC)
NOW = datetime.now(UTC).replace(microsecond=0)
"""The archive's newest file is of the moment in which a test writes it."""


@dataclass(frozen=True)
class FakeKubectl(Kubectl):
    """A kubectl that answers by itself, and remembers what it was told."""

    kubeconfig: str = "admin.yaml"
    namespace: str = "vet-app"
    objects: Mapping[str, Any] = field(default_factory=dict)
    archives: bool = True
    commands: list[str] = field(default_factory=list)

    def __call__(self, *words: str) -> str:
        self.commands.append(" ".join(words))
        if words[0] == "get" and "json" in words:
            if words[2] not in self.objects:
                raise Failure(
                    "kubectl ended with 1", output=f'Error from server (NotFound): {words[1]} "{words[2]}" not found'
                )
            return json.dumps(self.objects[words[2]])
        if words[0] == "get":
            return "2"
        if "epoch" in words[-1]:
            return f"{NOW.timestamp()}\n"
        if "pg_switch_wal" in words[-1]:
            if self.archives:
                put(f"database/{self.live}/wals/{SEGMENT[:16]}/{SEGMENT}.gz")
            return f"742\n{SEGMENT}\n"
        return ""

    @property
    def live(self) -> str:
        """The archive that the database writes."""
        return str(self.objects["database"]["spec"]["backup"]["barmanObjectStore"]["serverName"])

    @property
    def changes(self) -> list[str]:
        """What it was told to change, a verb and its object each."""
        verbs = ("delete", "scale", "patch", "wait", "exec")
        return [
            " ".join(words.split()[:3]) for words in self.commands if words.split()[0] in verbs and "epoch" not in words
        ]


def put(key: str, body: str = "") -> None:
    """Write a file of the bucket."""
    boto3.client("s3", region_name="us-east-1").put_object(Bucket=BUCKET, Key=key, Body=body.encode())


def backup(archive: str, end: datetime, status: str = "DONE") -> None:
    """Write a base backup's words, and a segment of the log."""
    put(f"database/{archive}/base/{end:%Y%m%dT%H%M%S}/backup.info", f"status={status}\nend_time={end.isoformat(' ')}\n")
    put(f"database/{archive}/wals/0000000100000000/000000010000000000000003.00000028.backup.gz")


def running(archive: str = "database", *, plugin: bool = False) -> dict[str, Any]:
    """The Cluster as the API shows it."""
    store = {"backup": {"barmanObjectStore": {"serverName": archive}}}
    by_plugin = {"plugins": [{"name": "barman", "isWALArchiver": True, "parameters": {"serverName": archive}}]}
    spec = by_plugin if plugin else store
    return {"metadata": {"name": "database"}, "spec": spec, "status": {"currentPrimary": "database-1"}}


@pytest.fixture(autouse=True)
def aws(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A bucket with one database's archive, of which one base backup was not finished."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    monkeypatch.setattr(clinic_database, "POLL_SECONDS", 0)
    monkeypatch.setattr(clinic_database, "ARCHIVE_SECONDS", 0.1)
    with mock_aws():
        boto3.client("s3", region_name="us-east-1").create_bucket(Bucket=BUCKET)
        backup("database", FIRST - timedelta(days=1), "FAILED")
        backup("database", FIRST)
        yield


def asked(monkeypatch: pytest.MonkeyPatch, at: str = "", origin: str = "database", into: str = "database-2") -> None:
    """Let the environment's ``values.database`` say so."""
    chart_values = {"recovery": {"from": origin, "at": at}, "backup": {"archive": into}}
    monkeypatch.setattr(recovery, "values", lambda *_: chart_values)


def test_it_stops_the_application_sees_the_last_segment_and_then_deletes(monkeypatch: pytest.MonkeyPatch) -> None:
    asked(monkeypatch, at="2026-11-24 10:30:00+01")
    kubectl = FakeKubectl(objects={"database": running(), "vet-app-reminders": {}})
    recover(Cluster("dev"), kubectl, auto_approve=True)
    assert kubectl.changes == [
        "patch cronjob vet-app-reminders",
        "scale deployment/vet-app --replicas=0",
        "wait --for=delete pod",
        "exec database-1 --container",
        "delete cluster.postgresql.cnpg.io database",
        "wait --for=delete pvc",
    ]
    (closing,) = (words for words in kubectl.commands if "pg_switch_wal" in words)
    assert closing.count(" -c ") == 2, f"in one transaction the commit would come after the switch: {closing}"


@pytest.mark.parametrize("plugin", [False, True])
def test_a_segment_that_does_not_arrive_stops_it_and_the_application_goes_on(
    monkeypatch: pytest.MonkeyPatch, plugin: bool
) -> None:
    asked(monkeypatch)
    kubectl = FakeKubectl(objects={"database": running(plugin=plugin)}, archives=False)
    with pytest.raises(Failure, match=f"{SEGMENT} of the write-ahead log is not in s3://{BUCKET}/database/database"):
        recover(Cluster("dev"), kubectl, auto_approve=True)
    assert not any(words.startswith("delete") for words in kubectl.commands), kubectl.commands
    assert kubectl.changes[-1] == "scale deployment/vet-app --replicas=2", "the application was not started again"


def test_a_backup_s_history_file_is_no_segment() -> None:
    archive = Archive(boto3.client("s3", region_name="us-east-1"), BUCKET, "database/database")
    assert not archive.holds("000000010000000000000003")
    put("database/database/wals/0000000100000000/000000010000000000000003.gz")
    assert archive.holds("000000010000000000000003")


@pytest.mark.parametrize(
    ("at", "says"),
    [
        ((FIRST - timedelta(seconds=1)).isoformat(), rf"goes from {FIRST:%Y-%m-%dT%H:%M:%SZ}, .* to {NOW:%Y-%m-%dT%H:%M:%SZ}, now"),
        ((NOW + timedelta(seconds=1)).isoformat(), "Choose a moment between the two, or the newest"),
        ("2026-11-24T09:30:00", "recovery.at: 2026-11-24T09:30:00 names no zone"),
        ("yesterday", "recovery.at: yesterday is not a moment"),
    ],
    ids=["before the first", "later than now", "without a zone", "no moment"],  # two workers of one run have the same tests
)  # fmt: skip
def test_a_moment_that_the_archive_does_not_have_is_refused_with_what_it_has(
    monkeypatch: pytest.MonkeyPatch, at: str, says: str
) -> None:
    asked(monkeypatch, at=at)
    kubectl = FakeKubectl(objects={"database": running()})
    with pytest.raises(Failure, match=says) as raised:
        recover(Cluster("dev"), kubectl, auto_approve=True)
    assert "environments/dev.yaml: values.database" in str(raised.value)
    assert kubectl.changes == []


@pytest.mark.parametrize("at", [FIRST, NOW], ids=["first", "now"])
def test_the_ends_of_what_there_is_are_moments(monkeypatch: pytest.MonkeyPatch, at: datetime) -> None:
    asked(monkeypatch, at=at.isoformat())
    kubectl = FakeKubectl(objects={"database": running()})
    recover(Cluster("dev"), kubectl, auto_approve=True)
    assert "delete cluster.postgresql.cnpg.io database" in kubectl.changes


@pytest.mark.parametrize(
    ("origin", "into", "says"),
    [
        ("", "database", "recovery.from is empty"),
        (
            "database",
            "database",
            "must not write into the archive that it came from.\nChoose a new name, such as database-2",
        ),
        ("database", "database-7", "holds files of another database.*\n.*\n?.*such as `backup: {archive: database-8}`"),
        ("nothing", "database-2", "0 whole base backups and 0 segments"),
    ],
)
def test_archives_that_do_not_fit_are_refused(
    monkeypatch: pytest.MonkeyPatch, origin: str, into: str, says: str
) -> None:
    asked(monkeypatch, origin=origin, into=into)
    backup("database-7", FIRST)
    kubectl = FakeKubectl(objects={"database": running()})
    with pytest.raises(Failure, match=says):
        recover(Cluster("dev"), kubectl, auto_approve=True)
    assert kubectl.changes == []


def test_a_recovery_that_has_happened_is_not_repeated(monkeypatch: pytest.MonkeyPatch) -> None:
    asked(monkeypatch)
    kubectl = FakeKubectl(objects={"database": running("database-2")})
    with pytest.raises(Failure, match="read database-2 and write database-3"):
        recover(Cluster("dev"), kubectl, auto_approve=True)
    assert kubectl.changes == []


def test_an_older_archive_is_read_up_to_its_end_and_the_present_one_is_closed_all_the_same(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """There is a way back from a recovery that was a mistake."""
    asked(monkeypatch, at=FIRST.isoformat(), into="database-3")
    kubectl = FakeKubectl(objects={"database": running("database-2")})
    recover(Cluster("dev"), kubectl, auto_approve=True)
    assert any("pg_switch_wal" in words for words in kubectl.commands), (
        "what the present database holds last would be lost"
    )
    asked(monkeypatch, at=(NOW + timedelta(days=1)).isoformat(), into="database-4")
    with pytest.raises(Failure, match="the end of what was archived"):
        recover(Cluster("dev"), kubectl, auto_approve=True)


def test_a_database_without_an_archive_is_not_deleted(monkeypatch: pytest.MonkeyPatch) -> None:
    asked(monkeypatch)
    kubectl = FakeKubectl(objects={"database": {"spec": {}, "status": {"currentPrimary": "database-1"}}})
    with pytest.raises(Failure, match="writes no archive"):
        recover(Cluster("dev"), kubectl, auto_approve=True)
    assert kubectl.changes == []


def test_a_database_that_does_not_answer_is_not_deleted(monkeypatch: pytest.MonkeyPatch) -> None:
    asked(monkeypatch)
    kubectl = FakeKubectl(objects={"database": {**running(), "status": {}}})
    with pytest.raises(Failure, match="has no primary"):
        recover(Cluster("dev"), kubectl, auto_approve=True)
    assert kubectl.changes == []


class TestBeforeDeploy:
    """What make deploy sees of the databases that it will make."""

    @pytest.fixture
    def kubectl(self, monkeypatch: pytest.MonkeyPatch) -> FakeKubectl:
        """Where the deploy asks the API; without a database."""
        fake = FakeKubectl(objects={})
        monkeypatch.setattr(recovery, "administrator", lambda _: fake)
        return fake

    def test_a_new_database_does_not_get_an_archive_with_another_s_files(
        self, kubectl: FakeKubectl, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        asked(monkeypatch, origin="", into="database")
        with pytest.raises(Failure, match=r"database holds files of another database(.|\n)*recovery: {from: database}"):
            recovery.before_deploy(Cluster("dev"), deployed=lambda: False)

    def test_one_that_terraform_knows_or_the_cluster_kept_goes_on(
        self, kubectl: FakeKubectl, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        asked(monkeypatch, origin="", into="database")
        recovery.before_deploy(Cluster("dev"), deployed=lambda: True)
        assert kubectl.commands == [], "an everyday deploy needs no kubectl"
        monkeypatch.setattr(recovery, "administrator", lambda _: FakeKubectl(objects={"database": running()}))
        recovery.before_deploy(Cluster("dev"), deployed=lambda: False)

    def test_one_that_is_filled_in_another_region_gets_what_was_archived(
        self, kubectl: FakeKubectl, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        asked(monkeypatch, at=(NOW + timedelta(days=1)).isoformat())
        with pytest.raises(Failure, match="the end of what was archived"):
            recovery.before_deploy(Cluster("dev"), deployed=lambda: False)
        asked(monkeypatch, at=FIRST.isoformat())
        recovery.before_deploy(Cluster("dev"), deployed=lambda: False)

    @pytest.mark.parametrize(
        ("at", "closed"),
        [(FIRST, True), (FIRST - timedelta(minutes=1), False), (NOW + timedelta(minutes=1), False)],
        ids=["first", "before the first", "later than now"],
    )
    def test_a_database_beside_gets_a_moment_that_the_archive_has_by_then(
        self, monkeypatch: pytest.MonkeyPatch, at: datetime, closed: bool
    ) -> None:
        asked(monkeypatch, origin="", into="database")
        kubectl = FakeKubectl(objects={"database": running()})
        monkeypatch.setattr(recovery, "administrator", lambda _: kubectl)
        cluster = Cluster("dev")
        backups = cluster.environment.backups.model_copy(update={"database_clone_at": at.isoformat()})
        cluster.environment = cluster.environment.model_copy(update={"backups": backups})
        if closed:
            recovery.before_deploy(cluster, deployed=lambda: True)
        else:
            with pytest.raises(Failure, match=r"environments/dev\.yaml: backups\.database_clone_at: .*goes from"):
                recovery.before_deploy(cluster, deployed=lambda: True)
        assert any("pg_switch_wal" in words for words in kubectl.commands) is closed
