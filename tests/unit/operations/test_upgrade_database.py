"""make upgrade-database: what is seen before the old database is deleted, and what its second run does."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import pytest

from operations.application import recovery, upgrade_database
from operations.application.recovery import Recovery
from operations.application.upgrade_database import Target, upgrade
from operations.shared.errors import Failure
from operations.shared.kubectl import Kubectl
from operations.shared.servers import Cluster

TABLES = "public.pets|<row>3</row>\npublic.owners|<row>2</row>\n"
POLICY = {
    "spec": {
        "podSelector": {"matchLabels": {"cnpg.io/cluster": "database"}},
        "ingress": [{"from": [{"podSelector": {"matchLabels": {"part-of": "vet-app"}}}]}],
    }
}


class Archive:
    """An archive that takes every segment."""

    name, url = "database", "s3://bucket/database"
    empty = True

    def is_empty(self) -> bool:
        return self.empty

    def holds(self, _: str) -> bool:
        return True


@dataclass(frozen=True)
class FakeKubectl(Kubectl):
    """A kubectl that has databases, and remembers what it was told."""

    kubeconfig: str = "admin.yaml"
    namespace: str = "vet-app"
    majors: dict[str, int] = field(default_factory=dict)
    tables: Mapping[str, str] = field(default_factory=dict)
    commands: list[str] = field(default_factory=list)
    applied: list[dict[str, Any]] = field(default_factory=list)
    replicas: str = "2"
    hidden: str = ""
    log: str = ""
    """Of an import that failed."""

    def __call__(self, *words: str, stdin: str | None = None) -> str:
        self.commands.append(" ".join(words))
        match words:
            case ("apply", *_):
                self.applied.append(json.loads(stdin or ""))
                if self.applied[-1]["kind"] == "Cluster":
                    self.majors["database-beside"] = 17
            case ("get", "networkpolicy", *_):
                return json.dumps(POLICY)
            case ("get", "deployment/vet-app", *_):
                return self.replicas
            case ("get", "pods", *_):
                return "pod/database-beside-1-import-x" if self.log else ""
            case ("logs", *_):
                return self.log
            case ("get", _, "database-beside", "--output", how) if "conditions" in how:
                return "True"
            case ("get", _, name, *_):
                if name not in self.majors:
                    raise Failure("kubectl ended with 1", output=f'Error from server (NotFound): "{name}" not found')
                spec = {"storage": {"size": "5Gi"}, "backup": {"barmanObjectStore": {"serverName": "database"}}}
                return json.dumps({"metadata": {"name": name}, "spec": spec, "status": {"currentPrimary": name}})
            case ("exec", pod, *_):
                return self._answer(pod, words[-1])
            case ("delete", _, name, *_):
                self.majors.pop(name, None)
        return ""

    def _answer(self, pod: str, statement: str) -> str:
        if "server_version_num" in statement:
            return f"{self.majors[pod]}0004\n"
        if "pg_switch_wal" in statement:
            return "742\n000000010000000000000007\n"
        return self.hidden if "has_table_privilege" in statement else self.tables.get(pod, TABLES)

    @property
    def deleted(self) -> list[str]:
        """Clusters that it was told to delete."""
        return [words.split()[2] for words in self.commands if words.startswith("delete cluster.")]


@pytest.fixture(autouse=True)
def archives(monkeypatch: pytest.MonkeyPatch) -> type[Archive]:
    """The settings ask for 17, a dump and a new archive."""
    monkeypatch.setattr(upgrade_database, "archive", lambda *_: Archive())
    wants(monkeypatch)
    return Archive


def wants(
    monkeypatch: pytest.MonkeyPatch, major: int = 17, source: str = "database-beside", origin: Any = None
) -> None:
    """Let the environment's settings say so."""
    target = Target("prod", f"postgresql:{major}.4", major, 2)
    monkeypatch.setattr(Target, "of", classmethod(lambda *_: target))
    asked = Recovery("environments/prod.yaml: values.database", origin, Archive(), None, source)  # type: ignore[arg-type]  # no S3 is asked
    monkeypatch.setattr(upgrade_database, "wanted", lambda _: asked)
    monkeypatch.setattr(recovery, "wanted", lambda _: asked)


def begun(kubectl: FakeKubectl) -> None:
    """Run the command."""
    upgrade(Cluster("prod"), kubectl, auto_approve=True)


def test_the_old_one_goes_after_every_table_was_compared_and_its_log_closed() -> None:
    kubectl = FakeKubectl(majors={"database": 16})
    begun(kubectl)
    order = [
        next(number for number, words in enumerate(kubectl.commands) if text in words)
        for text in ("--replicas=0", "apply", "conditions", "query_to_xml", "pg_switch_wal", "delete cluster.postgresql.cnpg.io database ")
    ]  # fmt: skip
    assert order == sorted(order), kubectl.commands
    assert kubectl.deleted[-1] == "database"
    assert kubectl.majors == {"database-beside": 17}


def test_the_one_beside_is_of_the_new_major_and_each_reaches_the_other() -> None:
    kubectl = FakeKubectl(majors={"database": 16})
    begun(kubectl)
    policy, beside = kubectl.applied
    assert beside["spec"]["imageName"] == "postgresql:17.4"
    assert "backup" not in beside["spec"], "it would write into the clinic's archive"
    (expression,) = policy["spec"]["podSelector"]["matchExpressions"]
    assert expression["values"] == ["database", "database-beside"]
    assert policy["spec"]["ingress"] == POLICY["spec"]["ingress"], "a policy for others was changed"


def test_a_dump_that_fails_says_why_at_once_and_the_application_goes_on() -> None:
    kubectl = FakeKubectl(majors={"database": 16}, log="pg_dump: reading\npg_dump: error: query failed: out of disk\n")
    with pytest.raises(Failure, match="error: query failed: out of disk"):
        begun(kubectl)
    assert "database" not in kubectl.deleted
    assert "scale deployment/vet-app --replicas=2" in kubectl.commands, "the application was not started again"


def test_a_table_that_the_dump_cannot_read_is_named_before_anything_stops() -> None:
    kubectl = FakeKubectl(majors={"database": 16}, hidden="public.moments\n")
    with pytest.raises(Failure, match=r"may not read public\.moments"):
        begun(kubectl)
    assert not [words for words in kubectl.commands if words.startswith(("scale", "delete", "apply"))], kubectl.commands


def test_a_table_that_differs_stops_it_and_the_application_goes_on() -> None:
    kubectl = FakeKubectl(majors={"database": 16}, tables={"database-beside": TABLES.replace("3", "2")})
    with pytest.raises(Failure, match=r"1 tables differ between the two databases: public\.pets"):
        begun(kubectl)
    assert "database" not in kubectl.deleted, "the old one was deleted though the dump is not whole"
    assert "scale deployment/vet-app --replicas=2" in kubectl.commands, "the application was not started again"


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        ({"major": 15}, "PostgreSQL 16, and a dump of it may hold what 15 does not know"),
        ({"source": ""}, r"import\.from: empty"),
        ({"origin": Archive()}, "a dump and a recovery exclude each other"),
    ],
)
def test_settings_that_describe_no_dump_are_refused_before_anything_stops(
    monkeypatch: pytest.MonkeyPatch, settings: dict[str, Any], says: str
) -> None:
    wants(monkeypatch, **settings)
    kubectl = FakeKubectl(majors={"database": 16})
    with pytest.raises(Failure, match=says):
        begun(kubectl)
    assert not [words for words in kubectl.commands if words.startswith(("scale", "delete", "apply"))], kubectl.commands


def test_an_archive_with_files_is_refused(monkeypatch: pytest.MonkeyPatch, archives: type[Archive]) -> None:
    monkeypatch.setattr(archives, "empty", False)
    with pytest.raises(Failure, match="holds files of another database"):
        begun(FakeKubectl(majors={"database": 16}))


@pytest.mark.parametrize(("replicas", "compared"), [("0", True), ("2", False)])
def test_the_second_run_compares_while_nobody_writes_and_starts_the_application(replicas: str, compared: bool) -> None:
    kubectl = FakeKubectl(majors={"database": 17, "database-beside": 17}, replicas=replicas)
    begun(kubectl)
    assert kubectl.deleted == ["database-beside"]
    assert any("query_to_xml" in words for words in kubectl.commands) is compared
    assert ("scale deployment/vet-app --replicas=2" in kubectl.commands) is compared


def test_after_the_old_one_is_gone_it_says_what_is_next(capsys: pytest.CaptureFixture[str]) -> None:
    kubectl = FakeKubectl(majors={"database-beside": 17})
    begun(kubectl)
    assert "make deploy ENV=prod" in capsys.readouterr().out
    assert not kubectl.deleted


@pytest.mark.parametrize(
    ("majors", "says"),
    [({"database": 15}, "First: make upgrade-database ENV=prod"), ({}, "there is no such database to fill"), ({"database-beside": 16}, None)],
)  # fmt: skip
def test_a_deploy_neither_changes_the_old_one_s_image_nor_makes_an_empty_one(
    monkeypatch: pytest.MonkeyPatch, majors: dict[str, int], says: str | None
) -> None:
    """The shipped prod.yaml names 16."""
    monkeypatch.setattr(recovery, "administrator", lambda _: FakeKubectl(majors=majors))
    if says is None:
        recovery.before_deploy(Cluster("prod"), deployed=lambda: True)
    else:
        with pytest.raises(Failure, match=says):
            recovery.before_deploy(Cluster("prod"), deployed=lambda: True)
