"""``make upgrade ENV=dev BACK=yes``: the last step of ``make upgrade``, taken back.

The file gets its former versions, the step's snapshot is restored where what runs cannot read what a newer one wrote, and then everything is deployed,
rolled and looked at as before every step. The record in the bucket says how far it has come, so the same command goes on after a stop.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

from operations.cluster.restore import RestoreRequest, restore
from operations.cluster.snapshots import snapshots
from operations.deployment import upgrade_record
from operations.deployment.plan import LOSE
from operations.deployment.plan_summary import KUBERNETES
from operations.deployment.settings_file import pin
from operations.deployment.upgrade import environment_of, settle
from operations.deployment.upgrade_record import Record
from operations.shared.consent import agreed
from operations.shared.console import terminal
from operations.shared.errors import Failure
from operations.shared.servers import Cluster
from settings.environment import Environment
from settings.loader import ENVIRONMENTS
from settings.release_sets import ReleaseSet, release_set
from settings.upgrades import Step

console = terminal(width=160)


def run(name: str, *, dry_run: bool = False, auto_approve: bool = False) -> None:
    """Show what taking the last step back means, ask, and do it.

    Raises:
        Failure: no step is recorded, the file asks for something else than it left, there is no way back, or at the first problem. What was
            done stays done, and the same command goes on.
    """
    environment, cluster = environment_of(name), Cluster(name)
    last = _last(environment, cluster)
    newer, older = (release_set(base).override(versions) for base, versions in (last.after, last.before))
    step = Step(environment.installed(newer), environment.installed(older))
    if step.crosses_etcd:
        raise Failure(
            f"{last.title} brought etcd {_etcd(newer)}, whose data etcd {_etcd(older)} does not read: server after server cannot go back",
            "docs/runbooks/upgrading.md, One step back, tells what is left",
        )
    snapshot = _snapshot(cluster, last) if step.needs_snapshot_back and not last.restored else None
    _show(name, last, step, snapshot)
    if dry_run:
        return
    if not auto_approve and not agreed(console, f"Take {last.title} back?"):
        raise Failure("nothing was changed")
    last = replace(last, going_back=True)
    upgrade_record.write(cluster, last)
    pin(ENVIRONMENTS / f"{name}.yaml", older, older.name)
    console.print(f"[green]done[/]  environments/{name}.yaml asks for what it did before {last.title}: commit it")
    if snapshot:
        restore(cluster, RestoreRequest(snapshot=snapshot, force=True, auto_approve=auto_approve))
        upgrade_record.write(cluster, replace(last, restored=True))
    with _going_back():
        settle(name, auto_approve=auto_approve, back=True)
    upgrade_record.forget(cluster)
    console.print(f"[green]done[/]  {name} is where it was before {last.title}")


@contextmanager
def _going_back() -> Iterator[None]:
    """Let plans take Kubernetes to its former minor, which they refuse otherwise: the snapshot that fits it is back."""
    accepted = os.environ.get(LOSE, "")
    os.environ[LOSE] = f"{accepted} {KUBERNETES}".strip()
    try:
        yield
    finally:
        os.environ[LOSE] = accepted


def _last(environment: Environment, cluster: Cluster) -> Record:
    """The step that was recorded, if the file is still what it left, or what going back has made of it."""
    last = upgrade_record.read(cluster)
    name = environment.name
    if last is None:
        raise Failure(
            f"no step of make upgrade is recorded for {name}: its versions were changed by hand, or it is back already",
            "write the former versions into the file (git log shows them); docs/runbooks/upgrading.md, One step back",
        )
    asked = (environment.cluster.release_set, environment.cluster.versions)
    if asked != last.after and not last.going_back:
        raise Failure(
            f"environments/{name}.yaml: cluster.release_set and cluster.versions are {asked}, and {last.title} left {last.after}: they were changed since",
            "put back what the step left, and give the command again; or go back by hand (docs/runbooks/upgrading.md)",
        )
    return last


def _etcd(releases: ReleaseSet) -> str:
    return releases["rke2"].info.bundles["etcd"]


def _snapshot(cluster: Cluster, last: Record) -> str:
    """Name in the bucket of the snapshot that was taken before the step: the newest of that name."""
    name = next((each.name for each in snapshots(cluster) if each.name.startswith(f"{last.snapshot}-")), None)
    if name is None:
        raise Failure(
            f"there is no snapshot {last.snapshot} any more, and without it {last.title} cannot be taken back",
            f"make snapshots ENV={cluster.environment.name} lists what there is; docs/runbooks/upgrading.md, One step back",
        )
    return name


def _show(name: str, last: Record, step: Step, snapshot: str | None) -> None:
    console.rule(f"take {last.title} back")
    for key, (before, after) in step.changes.items():
        console.print(f"{key} {before or '-'} -> {after}")
    console.print(f"1. environments/{name}.yaml: the former versions, comments kept")
    if snapshot:
        console.print(
            f"2. restore {snapshot}: what was done in the cluster since is undone; the clinic's database keeps what it has"
        )
    elif step.needs_snapshot_back:
        console.print("2. the snapshot is back already")
    else:
        console.print("2. no snapshot is needed")
    rolls = ", then roll servers and agents one after the other, and deploy again" if step.rolls else ""
    console.print(f"3. deploy{rolls}, and look at everything")
