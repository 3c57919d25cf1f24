"""``make drill [STEP=state]``: prove the recovery plan of docs/architecture.txt, step by step, on this machine.

Each step first breaks what it is about, sees that it is broken, brings it back by the command that its runbook names, and checks that
nothing is missing. A step that fails turns the drill red; the others are still run. A step for which this machine lacks something proves
less, and says so.
"""

import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import boto3
import yaml
from rich.box import SIMPLE
from rich.console import Console
from rich.table import Table

from operations import charts
from operations.clinic_database import ClinicDatabase
from operations.emulator import REPOSITORY
from operations.emulator import platform as at_hand
from operations.emulator.account import Account, account
from operations.emulator.kubernetes import Kubernetes
from operations.emulator.stack import Stack
from operations.failure import Failure
from operations.kubectl import Kubectl
from settings import Settings, load
from settings.documents import merged
from settings.names import Names, helm_stack, infrastructure_stack, state_key
from settings.namespaces import namespaces

ENVIRONMENT = "dev"
"""The environment that the drill loses."""

OTHER_REGION = "eu-west-1"
"""Where it is built again."""

console = Console(highlight=False, width=None if sys.stdout.isatty() else 120)


class CheckedOnly(Exception):
    """A step looked at all that this machine has, which does not prove recovery. The text says what was seen and what is missing."""


class Drill:
    """What the steps share: an account in which the environment is deployed, made when the first step needs it."""

    def __init__(self, folder: Path, keep: ExitStack) -> None:
        self._folder, self._keep = folder, keep
        self._changes: Mapping[str, Any] = {}

    @cached_property
    def account(self) -> Account:
        """An emulated account with the environment in it."""
        console.print("  an emulated account, and the environment in it ...")
        found = self._keep.enter_context(account(self._folder, self.settings))
        found.make_state()
        found.stack(infrastructure_stack(ENVIRONMENT)).apply()
        return found

    @property
    def settings(self) -> Settings:
        """The repository's environment, with what steps have changed."""
        return load(at_hand.environments(self._folder / "environments", ENVIRONMENT, self._changes))

    @property
    def names(self) -> Names:
        """Names of what the environment has in AWS."""
        settings = self.settings
        return Names(settings.project, settings.environment(ENVIRONMENT))

    def change(self, changes: Mapping[str, Any]) -> None:
        """Change the environment's settings, on top of earlier changes, and synthesise again."""
        found = self.account
        self._changes = merged(dict(self._changes), dict(changes))
        found.synthesise(self.settings)

    @property
    def stack(self) -> Stack:
        """The environment's infrastructure."""
        return self.account.stack(infrastructure_stack(ENVIRONMENT))


@dataclass(frozen=True)
class Step:
    """One step of the recovery plan."""

    name: str
    plan: str
    """Its words in docs/architecture.txt."""

    runbook: str
    prove: Callable[[Drill], str]
    """Does it and says what was seen; raises ``Failure`` if recovery does not work, ``CheckedOnly`` if it cannot be tried here."""


def lose_state(drill: Drill) -> str:
    """Delete the state's object and bring it back by ``make recover-state``."""
    return lose_and_recover(drill.stack, lambda: _command(drill, "state", "recover", "--yes", drill.stack.name))


def lose_and_recover(stack: Stack, recover: Callable[[], None]) -> str:
    """Delete a stack's state, see that Terraform has forgotten everything, recover, see that it knows everything again.

    Raises:
        Failure: it is not lost when deleted, or not there after recovery.
    """
    before = len(stack.state())
    _client(stack, "s3").delete_object(**_state_object(stack))
    if stack.state():
        raise Failure(f"{stack.name}: the state is still there after its deletion: the drill proves nothing")
    recover()
    after = len(stack.state())
    if after != before:
        raise Failure(f"{stack.name}: {before} resources in the state before, {after} after its recovery")
    if changes := stack.unexplained():
        raise Failure(f"{stack.name}: a plan after the recovery would change:\n" + "\n".join(changes[:20]))
    return f"deleted, and recovered from the bucket's versions: {after} resources, and a plan changes nothing"


def rebuild_elsewhere(drill: Drill) -> str:
    """Build the environment again from Git, its region changed by one line, next to what is left of its state."""
    drill.change({"region": OTHER_REGION})
    stack = drill.stack
    stack.apply()
    if changes := stack.unexplained():
        raise Failure(f"{stack.name} in {OTHER_REGION}: a second plan would change:\n" + "\n".join(changes[:20]))
    ec2 = _client(stack, "ec2", OTHER_REGION)
    tagged = [{"Name": "tag:Environment", "Values": [ENVIRONMENT]}]
    vpcs, subnets = ec2.describe_vpcs(Filters=tagged)["Vpcs"], ec2.describe_subnets(Filters=tagged)["Subnets"]
    zones = sorted({subnet["AvailabilityZone"] for subnet in subnets})
    if len(vpcs) != 1 or not all(zone.startswith(OTHER_REGION) for zone in zones):
        raise Failure(f"{OTHER_REGION} has {len(vpcs)} networks of {ENVIRONMENT}, with subnets in {zones or 'no zone'}")
    return f"built anew in {', '.join(zones)}: {len(stack.state())} resources, and a second plan changes nothing"


def restore_etcd(_: Drill) -> str:
    """Restore a snapshot by the boot scripts in their sandbox, where every other server joins again."""
    _run([sys.executable, "-m", "pytest", "-q", "--no-header", "-p", "no:cacheprovider", "tests/boot/test_restore.py"])
    return "snapshot restored by the nodes' own programs; the other servers joined; wrong ones were refused"


def redeploy(drill: Drill) -> str:
    """Install everything on a cluster, lose it all, and apply the applications' stack to the empty cluster from Git.

    Raises:
        CheckedOnly: there is no cluster, or there are no charts at hand.
        Failure: as :func:`lose_and_redeploy`; or the cluster is in use.
    """
    with ExitStack() as keep:
        try:
            cluster = at_hand.kubernetes()
            mirror = keep.enter_context(at_hand.mirror(drill.account.folder / "charts"))
        except at_hand.Absent as absent:
            needs = f"{at_hand.KUBECONFIG} and {charts.CHARTS} (or make charts)"
            raise CheckedOnly(f"{_made_from_git(drill)}; applying it takes {needs}: {absent}") from absent
        if used := namespaces(drill.names.environment.application.namespace).keys() & cluster.names("namespaces"):
            raise Failure(
                f"{at_hand.KUBECONFIG}: the cluster is in use, it has {', '.join(sorted(used))}: empty it first"
            )
        drill.change({"charts": {"mirror": mirror}, "application": {"image": at_hand.IMAGE}})
        at_hand.bring_to_life(drill.account.emulator, drill.names, cluster)
        stack = drill.account.stack(helm_stack(ENVIRONMENT))
        keep.enter_context(cluster.without_webhooks())
        led = Stack(stack.folder, {**stack.environment, **at_hand.way(cluster)})
        return lose_and_redeploy(
            led, cluster, lambda version: _command(drill, "state", "recover", "--yes", led.name, version)
        )


def _made_from_git(drill: Drill) -> str:
    document = yaml.safe_load((drill.account.stack(helm_stack(ENVIRONMENT)).folder / "cdk.tf.json").read_text())
    if "remote_state" not in str(document.get("data", {})):
        raise Failure("the Helm stack does not read the infrastructure's state: it could not find a new cluster")
    return f"the Helm stack is made from Git alone: {sum(map(len, document.get('resource', {}).values()))} resources"


def lose_and_redeploy(stack: Stack, cluster: Kubernetes, recover: Callable[[str], None]) -> str:
    """Apply a Helm stack, empty the cluster behind Terraform's back, apply again, see that everything is there, and leave it empty.

    :param recover: makes a version of the state current again, which then names what no longer exists.

    Raises:
        Failure: something is not lost, or does not come back; or a second plan would change something.
    """
    try:
        stack.apply()
        before = cluster.names("deployments")
        version = _version(stack)
        stack.run("destroy", "-auto-approve", "-input=false")
        if left := cluster.names("deployments"):
            raise Failure(
                f"{stack.name}: {', '.join(sorted(left))} still there after the loss: the drill proves nothing"
            )
        recover(version)
        stack.run("apply", "-auto-approve", "-input=false")
        if missing := before - cluster.names("deployments"):
            raise Failure(f"{stack.name}: {', '.join(sorted(missing))} did not come back")
        if changes := stack.changes():
            raise Failure(f"{stack.name}: a second plan would change:\n" + "\n".join(changes[:20]))
        return f"lost with its cluster, and applied to an empty one: {len(stack.state())} resources, and a second plan changes nothing"
    finally:
        stack.run("destroy", "-auto-approve", "-input=false")


def restore_database(_: Drill) -> str:
    """Lose and recover the clinic's data on a throw-away PostgreSQL, and a moment on a cluster that runs pods.

    Raises:
        CheckedOnly: there is no such cluster, so nothing is said of the archive and the operator.
        Failure: something does not come back.
    """
    _run(["make", "-C", "vet_app", "drill"])
    seen = "a patient's record and a whole database came back by SQL"
    try:
        cluster = at_hand.kubernetes()
    except at_hand.Absent as absent:
        raise CheckedOnly(f"{seen}; archive and operator take a cluster that runs pods: {absent}") from absent
    kubectl = Kubectl(str(cluster.kubeconfig), "vet-app", cluster.kubectl)
    if cluster.played or ClinicDatabase.find(kubectl) is None:
        raise CheckedOnly(f"{seen}; archive and operator take a cluster that runs pods and has the clinic's database")
    _run([sys.executable, "-m", "pytest", "-q", "--no-header", "-m", "not long", "tests/pods/test_recovery.py"])
    return f"{seen}; the operator recovered a moment from the archive, and beside it"


STEPS = (
    Step("state", "Restore Terraform state", "lost-state-file", lose_state),
    Step("infrastructure", "Re-apply infrastructure", "lost-region", rebuild_elsewhere),
    Step("etcd", "Restore etcd snapshot", "lost-quorum", restore_etcd),
    Step("applications", "Redeploy applications", "shipping-the-application", redeploy),
    Step("data", "Restore data from backups", "lost-data", restore_database),
)
"""The recovery plan, in its order."""


def run(names: Sequence[str], steps: Sequence[Step] = STEPS) -> bool:
    """Run the steps and show how each went.

    :param names: steps; none means all.

    Returns whether none of them failed.

    Raises:
        Failure: there is no such step.
    """
    if unknown := set(names) - {step.name for step in steps}:
        raise Failure(
            f"there is no step {', '.join(sorted(unknown))}; there are {', '.join(step.name for step in steps)}"
        )
    table = Table("", "step", "what was seen", "seconds", "docs/runbooks/", box=SIMPLE, pad_edge=False)
    good, unproven = True, []
    with tempfile.TemporaryDirectory(prefix="vet-drill-") as folder, ExitStack() as keep:
        drill = Drill(Path(folder), keep)
        for step in (each for each in steps if not names or each.name in names):
            console.print(f"[bold]{step.plan}[/]")
            started = time.monotonic()
            try:
                seen, mark = step.prove(drill), "[green]proven[/]"
            except CheckedOnly as weaker:
                seen, mark = str(weaker), "[yellow]checked only[/]"
                unproven.append(step.plan)
            except Failure as failure:
                seen, mark, good = str(failure), "[red]fails[/]", False
                console.print(f"  [red]{seen}[/]", markup=True)
            table.add_row(mark, step.plan, seen, f"{time.monotonic() - started:.0f}", f"{step.runbook}.md")
    console.print(table)
    if unproven:
        console.print(f"[yellow]not proven here:[/] {', '.join(unproven)}")
    return good


def _command(drill: Drill, *arguments: str) -> None:
    """Run ``vet`` as a person would, led to the emulated account."""
    _run([sys.executable, "-m", "operations", *arguments], env=drill.account.emulator.environment)


def _run(command: Sequence[str], env: dict[str, str] | None = None) -> None:
    answer = subprocess.run(command, capture_output=True, text=True, cwd=REPOSITORY, env=env)
    if answer.returncode:
        said = "\n".join([*answer.stdout.splitlines(), *answer.stderr.splitlines()][-15:])
        raise Failure(f"{' '.join(command)} ended with {answer.returncode}:\n{said}")


def _state_object(stack: Stack) -> dict[str, str]:
    backend = yaml.safe_load((stack.folder / "cdk.tf.json").read_text())["terraform"]["backend"]["s3"]
    return {"Bucket": backend["bucket"], "Key": state_key(stack.name)}


def _version(stack: Stack) -> str:
    """The current version of a stack's state in the bucket."""
    return str(_client(stack, "s3").head_object(**_state_object(stack))["VersionId"])


def _client(stack: Stack, service: str, region: str | None = None) -> Any:
    variables = stack.environment
    session = boto3.Session(variables["AWS_ACCESS_KEY_ID"], variables["AWS_SECRET_ACCESS_KEY"])
    return session.client(
        service, region_name=region or variables["AWS_REGION"], endpoint_url=variables["AWS_ENDPOINT_URL"]
    )
