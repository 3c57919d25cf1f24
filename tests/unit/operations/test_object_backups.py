"""make object-backups and make restore-objects: what Velero is asked for, and what is made of its answers."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import pytest

from operations.cluster import object_backups
from operations.cluster.object_backups import RestoreObjects, backups, restore, take, veleros
from operations.shared.errors import Failure
from operations.shared.kubectl import Kubectl
from operations.shared.servers import Cluster
from tests.unit.operations.cluster import with_velero

TEMPLATE = {"includedNamespaces": ["*"], "excludedNamespaces": ["kube-system"], "ttl": "336h0m0s"}
SCHEDULE = {
    "metadata": {"name": "velero-objects", "annotations": {"velero.io/csi-volumesnapshot-class_x": "standard", "meta.helm.sh/release-name": "velero"}},
    "spec": {"schedule": "0 2 * * *", "template": TEMPLATE},
}  # fmt: skip


def backup(name: str, phase: str = "Completed", hour: int = 2, **status: Any) -> dict[str, Any]:
    """A Backup as the API shows it."""
    times = {"startTimestamp": f"2026-11-28T{hour:02}:00:00Z", "expiration": "2026-12-12T02:00:00Z"}
    progress = {"progress": {"itemsBackedUp": 42, "totalItems": 42}}
    return {"metadata": {"name": name}, "status": {"phase": phase, **times, **progress, **status}}


@dataclass(frozen=True)
class FakeKubectl(Kubectl):
    """A kubectl of a cluster with Velero, which ends what it is asked for as a test says."""

    kubeconfig: str = "admin.yaml"
    namespace: str = "velero"
    backups: tuple[dict[str, Any], ...] = ()
    answer: Mapping[str, Any] = field(default_factory=lambda: {"phase": "Completed"})
    """Status of what is made."""
    schedule: bool = True
    applied: list[dict[str, Any]] = field(default_factory=list)

    def __call__(self, *words: str, stdin: str | None = None) -> str:
        if words[0] == "apply":
            assert stdin
            self.applied.append(json.loads(stdin))
            return ""
        if words[:2] == ("get", "backup.velero.io") and words[2] == "--output":
            return json.dumps({"items": list(self.backups)})
        assert words[0] == "get", words
        return json.dumps(self._object(words[1], words[2]))

    def _object(self, kind: str, name: str) -> dict[str, Any]:
        created = [each for each in self.applied if each["metadata"]["name"] == name]
        if created:
            return {"metadata": {"name": name}, "status": dict(self.answer)}
        if kind.startswith("schedule") and self.schedule:
            return SCHEDULE
        raise Failure("kubectl ended with 1", output=f'Error from server (NotFound): {kind} "{name}" not found')


@pytest.fixture
def cluster() -> Cluster:
    """dev with Velero on."""
    return with_velero("dev", left_out=["scratch"])


def test_where_it_is_off_the_setting_is_named() -> None:
    with pytest.raises(Failure, match=r"services\.velero\.enabled is false\nSet it in environments/dev\.yaml"):
        veleros(Cluster("dev"))


def test_the_newest_is_first_and_one_that_has_not_begun_is_last() -> None:
    listed = backups(
        FakeKubectl(backups=(backup("old", hour=1), {"metadata": {"name": "new"}}, backup("last", hour=3)))
    )
    assert [(each.name, each.phase) for each in listed] == [("last", "Completed"), ("old", "Completed"), ("new", "New")]


def test_a_backup_that_is_taken_now_is_of_what_the_schedule_takes() -> None:
    kubectl = FakeKubectl(answer=backup("x")["status"])
    take(kubectl, "before-the-move")
    (manifest,) = kubectl.applied
    assert manifest["spec"] == TEMPLATE
    assert manifest["metadata"]["labels"] == {"velero.io/schedule-name": "velero-objects"}
    assert manifest["metadata"]["annotations"] == {"velero.io/csi-volumesnapshot-class_x": "standard"}


def test_a_backup_that_is_not_whole_is_a_failure_with_the_way_to_its_reason() -> None:
    kubectl = FakeKubectl(answer={"phase": "PartiallyFailed", "errors": 2, "progress": {"itemsBackedUp": 40}})
    with pytest.raises(Failure, match=r"ended as PartiallyFailed, with 2 errors\nWhy: kubectl -n velero logs"):
        take(kubectl, "now")


def test_without_a_schedule_nothing_is_taken() -> None:
    kubectl = FakeKubectl(schedule=False)
    with pytest.raises(Failure, match="no schedule velero-objects"):
        take(kubectl, "now")
    assert not kubectl.applied


@pytest.mark.parametrize("namespace", ["kube-system", "cattle-system", "velero", "scratch"])
def test_a_namespace_that_is_in_no_backup_is_refused(namespace: str, cluster: Cluster) -> None:
    kubectl = FakeKubectl(backups=(backup("night"),))
    with pytest.raises(Failure, match=f"{namespace} is in no backup"):
        restore(cluster, kubectl, RestoreObjects(namespace), auto_approve=True)
    assert not kubectl.applied


def test_nothing_is_put_into_a_namespace_of_the_platform(cluster: Cluster) -> None:
    kubectl = FakeKubectl(backups=(backup("night"),))
    with pytest.raises(Failure, match="kube-system is in no backup"):
        restore(cluster, kubectl, RestoreObjects("team", into="kube-system"), auto_approve=True)
    assert not kubectl.applied


def test_the_newest_whole_one_is_taken_and_what_is_there_stays(cluster: Cluster) -> None:
    kubectl = FakeKubectl(
        backups=(backup("first", hour=1), backup("second", hour=2), backup("third", "PartiallyFailed", hour=3)),
        answer={"phase": "Completed", "progress": {"totalItems": 3, "itemsRestored": 3}},
    )
    restore(cluster, kubectl, RestoreObjects("team"), auto_approve=True)
    (manifest,) = kubectl.applied
    assert manifest["spec"] == {
        "backupName": "second",
        "includedNamespaces": ["team"],
        "existingResourcePolicy": "none",
    }


def test_it_may_come_back_beside_itself(cluster: Cluster) -> None:
    kubectl = FakeKubectl(
        backups=(backup("night"),), answer={"phase": "Completed", "progress": {"totalItems": 3, "itemsRestored": 3}}
    )
    restore(cluster, kubectl, RestoreObjects("team", into="team-of-yesterday"), auto_approve=True)
    assert kubectl.applied[0]["spec"]["namespaceMapping"] == {"team": "team-of-yesterday"}


@pytest.mark.parametrize(
    ("named", "present", "message"),
    [
        (None, (), "no backup is whole; there are: none"),
        (None, (backup("half", "PartiallyFailed"),), r"there are: half \(PartiallyFailed\)"),
        ("gone", (backup("night"),), "there is no backup gone; there are: night"),
        ("bad", (backup("bad", "Failed", failureReason="no bucket"),), "bad is Failed: .* no bucket"),
    ],
)
def test_without_a_backup_nothing_is_restored(
    named: str | None, present: tuple[dict[str, Any], ...], message: str, cluster: Cluster
) -> None:
    kubectl = FakeKubectl(backups=present)
    with pytest.raises(Failure, match=message):
        restore(cluster, kubectl, RestoreObjects("team", named), auto_approve=True)
    assert not kubectl.applied


def test_one_that_failed_in_part_is_taken_if_it_is_named(cluster: Cluster) -> None:
    answer = {"phase": "Completed", "progress": {"totalItems": 1, "itemsRestored": 1}}
    kubectl = FakeKubectl(backups=(backup("half", "PartiallyFailed"),), answer=answer)
    restore(cluster, kubectl, RestoreObjects("team", "half"), auto_approve=True)
    assert kubectl.applied


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        ({"phase": "PartiallyFailed", "errors": 1, "progress": {"totalItems": 3}}, "with 1 errors\nWhy: kubectl"),
        ({"phase": "FailedValidation", "validationErrors": ["backup is gone"]}, "backup is gone"),
        ({"phase": "Completed", "progress": {}}, "has nothing of a namespace team"),
        ({"phase": "Completed"}, "has nothing of a namespace team"),
    ],
)
def test_what_was_not_restored_is_a_failure(answer: dict[str, Any], message: str, cluster: Cluster) -> None:
    kubectl = FakeKubectl(backups=(backup("night"),), answer=answer)
    with pytest.raises(Failure, match=message):
        restore(cluster, kubectl, RestoreObjects("team"), auto_approve=True)


def test_nothing_is_made_without_a_yes(cluster: Cluster, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(object_backups, "agreed", lambda console, question: False)
    kubectl = FakeKubectl(backups=(backup("night"),))
    with pytest.raises(Failure, match="nothing was changed"):
        restore(cluster, kubectl, RestoreObjects("team"), auto_approve=False)
    assert not kubectl.applied


def test_one_that_does_not_end_is_told_with_the_way_to_look(cluster: Cluster, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(object_backups, "TIMEOUT_SECONDS", 0)
    kubectl = FakeKubectl(backups=(backup("night"),), answer={"phase": "InProgress"})
    with pytest.raises(Failure, match=r"Velero goes on with it\nkubectl -n velero get restore\.velero\.io"):
        restore(cluster, kubectl, RestoreObjects("team"), auto_approve=True)
