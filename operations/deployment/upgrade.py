"""``make upgrade ENV=dev``: from the versions that an environment runs to those of a release set, one step at a time.

The environment's file says how far it is. Before a step is taken, what the file says is deployed, rolled and looked at, which does
nothing where all is done: so running it again after a stop goes on where it stopped, and a problem stops it before anything is changed. What the
file asked for before the last step is in the bucket (``upgrade_record``), for the way back (``upgrade_back``).
"""

import re
from collections.abc import Iterator

from rich.box import SIMPLE
from rich.table import Table

from operations.application.clinic_database import ClinicDatabase
from operations.application.recovery import archive
from operations.cluster import roll_agents, roll_servers, snapshots
from operations.deployment import deploy, upgrade_record
from operations.deployment.settings_file import differences, pin
from operations.deployment.upgrade_record import Record
from operations.doctor import doctor
from operations.shared.consent import agreed
from operations.shared.console import terminal
from operations.shared.environments import named
from operations.shared.errors import Failure
from operations.shared.kubeconfig import administrator
from operations.shared.servers import Cluster
from operations.shared.tunnel import tunnel
from settings import load
from settings.environment import Environment
from settings.loader import ENVIRONMENTS
from settings.release_sets import SETS, ReleaseSet, release_set
from settings.upgrades import NoWayError, Step, Way, way

DEPLOY_MINUTES, SERVER_MINUTES, AGENT_MINUTES = 10, 10, 8
"""What a step takes about: a deploy of the Helm stack, a server until etcd is whole again (docs/runbooks/changing-instance-types.md),
and an agent with the warm-up of ``operations/cluster/roll_agents.py``."""

console = terminal(width=160)


def run(name: str, to: str, *, dry_run: bool = False, auto_approve: bool = False) -> None:
    """Show the way, and take it step by step.

    Raises:
        Failure: there is no such environment, set or way; or at the first problem. What was done stays done.
    """
    environment = environment_of(name)
    way = _way(environment, to)
    show(environment, way)
    if dry_run:
        return
    if (last := upgrade_record.read(Cluster(name))) and last.going_back:
        raise Failure(
            f"{last.title} is being taken back; first: make upgrade ENV={name} BACK=yes, which goes on with it"
        )
    while True:
        settle(name, auto_approve=auto_approve)
        steps = _way(environment_of(name), to).steps
        if not steps:
            break
        console.rule(steps[0].title)
        if not auto_approve and not agreed(console, f"Take this step ({len(steps)} left)?"):
            raise Failure(f"stopped before {steps[0].title}; make upgrade ENV={name} TO={to} goes on")
        _take(name, steps[0], to)
        console.print(f"[green]done[/]  environments/{name}.yaml asks for {steps[0].title}: commit it")
    console.print(f"[green]done[/]  {name} has what {to} has")
    _say_what_is_left(way, name)


def _take(name: str, step: Step, to: str) -> None:
    """Save what is, write down what the file asks for, and have it ask for the step's versions."""
    cluster, environment, file = Cluster(name), environment_of(name), ENVIRONMENTS / f"{name}.yaml"
    _save(cluster, step)
    off = {key: version for key, version in environment.cluster.versions.items() if key not in environment.releases}
    base = _base(step.after, environment, to)
    after = (base, differences(step.after.override(off), base))
    before = (environment.cluster.release_set, environment.cluster.versions)
    upgrade_record.write(cluster, Record(step.title, snapshot_name(step), before, after))
    pin(file, step.after.override(off), base)


def show(environment: Environment, way: Way) -> None:
    """Print the steps as a table."""
    if not way.steps:
        console.print(f"{environment.name} has all versions already")
    else:
        table = Table("", "step", "changes", "takes", "away meanwhile", "the way back", box=SIMPLE, pad_edge=False)
        for number, step in enumerate(way.steps, 1):
            changes = "\n".join(f"{key} {before or '-'} -> {after}" for key, (before, after) in step.changes.items())
            away = "\n".join(outages(environment, step)) or "nothing"
            table.add_row(str(number), step.title, changes, f"{minutes(environment, step)} min", away, _back(step))
        console.print(table)
        total = sum(minutes(environment, step) for step in way.steps)
        console.print(f"{len(way.steps)} steps, about {total // 60} h {total % 60} min without pauses")
    _say_what_is_left(way, environment.name)


def minutes(environment: Environment, step: Step) -> int:
    """What the step takes about, without looking at its plan."""
    nodes = environment.servers.count * SERVER_MINUTES + environment.agents.min_count * AGENT_MINUTES
    return DEPLOY_MINUTES + (nodes if step.rolls else 0)


def outages(environment: Environment, step: Step) -> Iterator[str]:
    """What people notice of a step."""
    if step.rolls and environment.servers.count == 1:
        yield f"API and Rancher: {SERVER_MINUTES} min (one server)"
    if "rancher" in step.changes and environment.rancher.replicas == 1:
        yield "Rancher: minutes (one replica)"
    if {"cloudnative-pg", "plugin-barman-cloud", "postgresql"} & set(step.changes):
        alone = environment.application.database_instances == 1
        yield "database: a restart, a minute (one instance)" if alone else "database: a switchover, seconds"


def _back(step: Step) -> str:
    if step.reversed.crosses_etcd:
        return "none by this command: an older etcd does not read its data (upgrading.md)"
    snapshot = f"snapshot {snapshot_name(step)}, " if step.needs_snapshot_back else ""
    return f"BACK=yes: {snapshot}deploy{', roll' if step.rolls else ''}"


def snapshot_name(step: Step) -> str:
    """Name of the etcd snapshot before a step, such as ``before-kubernetes-1-27``; at most the 41 characters that RKE2's names leave."""
    return re.sub(r"[^a-z0-9]+", "-", f"before-{step.title.split(' (')[0].split(',')[0]}".lower())[:41].strip("-")


def _way(environment: Environment, to: str) -> Way:
    if to not in SETS:
        raise Failure(f"TO={to}: there is no such release set; there are {', '.join(SETS)}")
    try:
        return way(environment.releases, environment.installed(release_set(to)))
    except NoWayError as error:
        raise Failure(f"there is no way from what {environment.name} has to {to}: {error}") from error


def _base(after: ReleaseSet, environment: Environment, to: str) -> str:
    """The set that the file names: the target's once all is reached that the target lacks nothing of, until then its own.

    A set can be added to and not taken from, so the target is named only when nothing that it has is missing.
    """
    whole = environment.installed(release_set(to))
    return to if set(after.pins) == set(whole.pins) else environment.cluster.release_set


def settle(name: str, *, auto_approve: bool, back: bool = False) -> None:
    """Deploy, roll, deploy again after a roll, and look at what the file says; quick where it is done already.

    :param back: whether servers go to the former minor of Kubernetes, whose snapshot was restored.

    Raises:
        Failure: something of it fails, or the doctor finds something to fix.
    """
    deploy.deploy(name, auto_approve=auto_approve)
    replaced = roll_servers.roll(name, auto_approve=auto_approve, back=back)
    roll_agents.roll(name, auto_approve=auto_approve)
    if replaced:
        deploy.deploy(name, auto_approve=auto_approve)  # what charts install only on the Kubernetes that answers now
    if doctor.run(name):
        raise Failure(
            f"stopped, because something of {name} must be fixed first (above); the same command again goes on"
        )


def _save(cluster: Cluster, step: Step) -> None:
    """An etcd snapshot, and the clinic's database in its archive up to this moment."""
    snapshots.take(cluster, snapshot_name(step))
    kubectl = administrator(cluster)
    with tunnel(cluster):
        database = ClinicDatabase.find(kubectl)
        if database and database.archive:
            segment = database.close_segment(archive(cluster, database.archive))
            console.print(f"[green]done[/]  the clinic's database is archived up to {segment}")


def environment_of(name: str) -> Environment:
    """The environment as its file is now. Raises ``Failure`` when there is none."""
    return named(load(), name)


def _say_what_is_left(way: Way, name: str) -> None:
    if way.database:
        console.print(
            f"PostgreSQL stays at {way.end['postgresql'].version}: no step raises its major version to {way.database} "
            f"(docs/runbooks/upgrading.md, The major). cluster.versions of environments/{name}.yaml keeps it."
        )
