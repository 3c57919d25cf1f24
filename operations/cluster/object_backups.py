"""Velero's backups of Kubernetes objects: list them, take one now, and bring a namespace back (docs/runbooks/velero.md).

Velero itself does the work; these commands make the objects that ask it to, and wait for what it answers.
"""

import json
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from rich.table import Table

from operations.shared.consent import agreed
from operations.shared.console import terminal, wait_until, waiting
from operations.shared.errors import Failure
from operations.shared.kubeconfig import administrator
from operations.shared.kubectl import Kubectl
from operations.shared.servers import Cluster
from settings.namespaces import VELERO
from settings.velero_values import SCHEDULE, left_out

BACKUP, RESTORE, SCHEDULES = "backup.velero.io", "restore.velero.io", "schedule.velero.io"
"""Velero's kinds, whole: CloudNativePG has a Backup as well."""

WHOLE = f"velero-{SCHEDULE}"
"""The schedule, as the chart names it."""

USABLE = ("Completed", "PartiallyFailed")
"""Phases of a backup from which something can be restored."""

ENDS = (*USABLE, "Failed", "FailedValidation")
"""Phases after which Velero does nothing more (velero.io/docs/v1.18/api-types)."""

TIMEOUT_SECONDS = 1800
"""Seconds. A backup waits for the snapshots of its volumes, a restore for volumes that are made from them."""

console = terminal(whole_lines=True)


@dataclass(frozen=True)
class ObjectBackup:
    """One backup, as Velero's object says."""

    name: str
    phase: str
    taken: datetime | None
    ends: datetime | None
    items: int
    errors: int
    reasons: str
    """Why it failed, or why Velero refused it."""

    @classmethod
    def read(cls, manifest: dict[str, Any]) -> "ObjectBackup":
        """Of an object of the API."""
        status = manifest.get("status", {})
        return cls(
            name=manifest["metadata"]["name"],
            phase=status.get("phase", "New"),
            taken=_moment(status.get("startTimestamp")),
            ends=_moment(status.get("expiration")),
            items=status.get("progress", {}).get("itemsBackedUp", 0),
            errors=status.get("errors", 0),
            reasons=_reasons(status),
        )


@dataclass(frozen=True)
class RestoreObjects:
    """What is asked for.

    :param backup: name; None is the newest that is whole.
    :param namespace: which namespace to bring back.
    :param into: another namespace that it comes back as; None is the same.
    """

    namespace: str
    backup: str | None = None
    into: str | None = None


def _moment(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None


def veleros(cluster: Cluster) -> Kubectl:
    """kubectl of an administrator, in Velero's namespace. Raises ``Failure`` where the settings have no Velero."""
    if not cluster.environment.services.velero.enabled:
        raise Failure(
            f"{cluster.environment.name} has no backups of objects: services.velero.enabled is false",
            f"Set it in environments/{cluster.environment.name}.yaml, then make deploy ENV={cluster.environment.name}",
        )
    return replace(administrator(cluster), namespace=VELERO)


def backups(kubectl: Kubectl) -> list[ObjectBackup]:
    """All backups, newest first. Raises ``Failure`` where the cluster cannot be asked, or knows no such kind."""
    items = json.loads(kubectl("get", BACKUP, "--output", "json"))["items"]
    every = [ObjectBackup.read(each) for each in items]
    return sorted(every, key=lambda each: each.taken.timestamp() if each.taken else 0, reverse=True)


def show(cluster: Cluster, backups: list[ObjectBackup]) -> None:
    """Print a table."""
    if not backups:
        console.print(f"no backups yet; Velero takes them at {cluster.environment.services.velero.schedule} UTC")
        return
    table = Table("backup", "taken (UTC)", "state", "objects", "kept until", "errors", box=None, pad_edge=False)
    for each in backups:
        times = [f"{when:%Y-%m-%d %H:%M}" if when else "" for when in (each.taken, each.ends)]
        table.add_row(
            each.name, times[0], each.phase, str(each.items), times[1], each.reasons or str(each.errors or "")
        )
    console.print(table)


def take(kubectl: Kubectl, name: str) -> ObjectBackup:
    """Take one now, of what the schedule takes, and wait for its end.

    Raises:
        Failure: there is one of that name, the schedule is not there, or the backup is not whole.
    """
    if kubectl.find(BACKUP, name) is not None:
        raise Failure(f"there is a backup {name} already; choose another name")
    schedule = kubectl.find(SCHEDULES, WHOLE)
    if schedule is None:
        raise Failure(f"the cluster has no schedule {WHOLE}: make deploy makes it")
    metadata = {
        "name": name,
        "namespace": VELERO,
        "labels": {"velero.io/schedule-name": WHOLE},
        "annotations": {
            key: value
            for key, value in schedule["metadata"].get("annotations", {}).items()
            if key.startswith("velero.io/")
        },
    }
    spec = schedule["spec"]["template"]
    kubectl.apply({"apiVersion": "velero.io/v1", "kind": "Backup", "metadata": metadata, "spec": spec})
    taken = ObjectBackup.read(_ended(kubectl, BACKUP, name))
    if taken.phase != "Completed":
        raise Failure(
            f"backup {name} ended as {taken.phase}, with {taken.errors} errors {taken.reasons}".rstrip(),
            _logs("backup", name),
        )
    console.print(f"[green]done[/]  {name}: {taken.items} objects, kept until {taken.ends:%Y-%m-%d}")
    return taken


def restore(cluster: Cluster, kubectl: Kubectl, wanted: RestoreObjects, *, auto_approve: bool) -> None:
    """Bring a namespace back from a backup. What is there stays as it is.

    Raises:
        Failure: a namespace is the platform's, no backup can be used, or Velero could not restore everything.
    """
    target = wanted.into or wanted.namespace
    for each in {wanted.namespace, target} & {*left_out(cluster.environment)}:
        raise Failure(
            f"{each} is in no backup: what is in it comes by a deploy, by RKE2 or by Rancher, or services.velero.left_out names it",
            f"make deploy ENV={cluster.environment.name}; the whole cluster: docs/runbooks/lost-quorum.md",
        )
    backup = _chosen(backups(kubectl), wanted.backup)
    console.print(f"from     {backup.name}, taken {backup.taken:%Y-%m-%d %H:%M} UTC")
    console.print(f"restore  namespace {wanted.namespace}" + (f", as {target}" if wanted.into else ""))
    if not auto_approve and not agreed(console, "What is there stays as it is; what is missing comes back. Go on?"):
        raise Failure("nothing was changed")
    name = f"{wanted.namespace}-{datetime.now():%Y%m%d-%H%M%S}"
    spec: dict[str, Any] = {
        "backupName": backup.name,
        "includedNamespaces": [wanted.namespace],
        "existingResourcePolicy": "none",
    }
    if wanted.into:
        spec["namespaceMapping"] = {wanted.namespace: wanted.into}
    metadata = {"name": name, "namespace": VELERO}
    kubectl.apply({"apiVersion": "velero.io/v1", "kind": "Restore", "metadata": metadata, "spec": spec})
    _tell(
        _ended(kubectl, RESTORE, name)["status"], name, f"{backup.name} has nothing of a namespace {wanted.namespace}"
    )
    console.print(f"[green]done[/]  {wanted.namespace} is back" + (f" as {target}" if wanted.into else ""))


def _tell(status: dict[str, Any], name: str, nothing: str) -> None:
    """What Velero says of a restore that has ended.

    Raises:
        Failure: it is not whole, or there was ``nothing`` to restore.
    """
    progress = status.get("progress", {})
    if not progress.get("totalItems") and status["phase"] in USABLE:
        raise Failure(nothing, "make object-backups shows what there is")
    if status["phase"] != "Completed":
        problem = f"restore {name} ended as {status['phase']}, with {status.get('errors', 0)} errors {_reasons(status)}"
        raise Failure(problem.rstrip(), _logs("restore", name))
    console.print(f"  {progress.get('itemsRestored', 0)} objects looked at")
    if status.get("warnings"):
        console.print(f"  {status['warnings']} warnings, mostly of what was there already. {_logs('restore', name)}")


def _reasons(status: dict[str, Any]) -> str:
    """Why Velero refused an object, or failed at it; empty where it says nothing."""
    return "; ".join([*status.get("validationErrors", []), *filter(None, [status.get("failureReason")])])


def _chosen(backups: list[ObjectBackup], name: str | None) -> ObjectBackup:
    """The backup of a name, or the newest that is whole."""
    if name is not None:
        named = [each for each in backups if each.name == name]
        if not named:
            raise Failure(f"there is no backup {name}; there are: {', '.join(each.name for each in backups) or 'none'}")
        if named[0].phase not in USABLE:
            raise Failure(
                f"backup {name} is {named[0].phase}: nothing can be restored from it {named[0].reasons}".rstrip()
            )
        return named[0]
    whole = [each for each in backups if each.phase == "Completed"]
    if not whole:
        states = ", ".join(f"{each.name} ({each.phase})" for each in backups) or "none"
        raise Failure(
            f"no backup is whole; there are: {states}", "Name one that is PartiallyFailed if it must be that one"
        )
    return whole[0]


def _ended(kubectl: Kubectl, kind: str, name: str) -> dict[str, Any]:
    """The object, once Velero has ended its work on it."""

    def look() -> dict[str, Any] | None:
        manifest = kubectl.find(kind, name)
        if manifest is None:
            raise Failure(f"{kind} {name} went away while it was waited for")
        return manifest if manifest.get("status", {}).get("phase") in ENDS else None

    with waiting(console, f"Velero works on {name}"):
        ended = wait_until(look, seconds=TIMEOUT_SECONDS, poll=(1, 2, 5))
    if ended is None:
        raise Failure(
            f"{name} has not ended within {TIMEOUT_SECONDS // 60} minutes; Velero goes on with it",
            f"kubectl -n {VELERO} get {kind} {name} -o yaml, and kubectl -n {VELERO} logs deploy/velero",
        )
    return ended


def _logs(kind: str, name: str) -> str:
    return f'Why: kubectl -n {VELERO} logs deploy/velero | grep \'"{kind}":"{VELERO}/{name}"\' | grep -E \'"level":"(error|warning)"\''
