"""The proofs of the recovery plan: each breaks something, brings it back by its runbook's command, and sees that nothing is missing."""

import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from functools import cached_property
from pathlib import Path
from typing import Any

import boto3
import yaml

from operations.application.clinic_database import ClinicDatabase
from operations.devtools.emulator import REPOSITORY, local_cluster
from operations.devtools.emulator.account import Account, account
from operations.devtools.emulator.kubernetes import Kubernetes
from operations.devtools.emulator.stack import Stack
from operations.shared.console import terminal
from operations.shared.errors import Failure
from operations.shared.kubectl import Kubectl
from operations.supply_chain import charts
from settings import Settings, load
from settings.documents import merged
from settings.names import Names, helm_stack, infrastructure_stack, state_key
from settings.namespaces import namespaces

ENVIRONMENT = "dev"
"""The environment that the drill loses."""


OTHER_REGION = "eu-west-1"
"""Where it is built again."""


console = terminal()


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
        aws_account = self._keep.enter_context(account(self._folder, self.settings))
        aws_account.make_state()
        aws_account.stack(infrastructure_stack(ENVIRONMENT)).apply()
        return aws_account

    @property
    def settings(self) -> Settings:
        """The repository's environment, with what steps have changed."""
        return load(local_cluster.environments(self._folder / "environments", ENVIRONMENT, self._changes))

    @property
    def names(self) -> Names:
        """Names of what the environment has in AWS."""
        settings = self.settings
        return Names(settings.project, settings.environment(ENVIRONMENT))

    def change(self, changes: Mapping[str, Any]) -> None:
        """Change the environment's settings, on top of earlier changes, and synthesise again."""
        aws_account = self.account
        self._changes = merged(dict(self._changes), dict(changes))
        aws_account.synthesise(self.settings)

    @property
    def stack(self) -> Stack:
        """The environment's infrastructure."""
        return self.account.stack(infrastructure_stack(ENVIRONMENT))


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
    if changes := stack.unexpected_changes():
        raise Failure(f"{stack.name}: a plan after the recovery would change:\n" + "\n".join(changes[:20]))
    return f"deleted, and recovered from the bucket's versions: {after} resources, and a plan changes nothing"


def rebuild_elsewhere(drill: Drill) -> str:
    """Build the environment again from Git, its region changed by one line, next to what is left of its state."""
    drill.change({"region": OTHER_REGION})
    stack = drill.stack
    stack.apply()
    if changes := stack.unexpected_changes():
        raise Failure(f"{stack.name} in {OTHER_REGION}: a second plan would change:\n" + "\n".join(changes[:20]))
    ec2 = _client(stack, "ec2", OTHER_REGION)
    tagged = [{"Name": "tag:Environment", "Values": [ENVIRONMENT]}]
    vpcs, subnets = ec2.describe_vpcs(Filters=tagged)["Vpcs"], ec2.describe_subnets(Filters=tagged)["Subnets"]
    zones = sorted({subnet["AvailabilityZone"] for subnet in subnets})
    if len(vpcs) != 1 or not all(zone.startswith(OTHER_REGION) for zone in zones):
        raise Failure(f"{OTHER_REGION} has {len(vpcs)} networks of {ENVIRONMENT}, with subnets in {zones or 'no zone'}")
    return f"built again in {', '.join(zones)}: {len(stack.state())} resources, and a second plan changes nothing"


def restore_etcd(_: Drill) -> str:
    """Restore a snapshot by the boot scripts in their sandbox, where every other server joins again."""
    _run([sys.executable, "-m", "pytest", "-q", "--no-header", "-p", "no:cacheprovider", "tests/boot/test_restore.py"])
    return "snapshot restored by the nodes' own programs; the other servers joined; wrong ones were refused"


def redeploy(drill: Drill) -> str:
    """Install everything on a cluster, lose it all, and apply the applications' stack to the empty cluster from Git.

    Raises:
        CheckedOnly: there is no cluster, or there are no charts available.
        Failure: as :func:`lose_and_redeploy`; or the cluster is in use.
    """
    with ExitStack() as keep:
        try:
            cluster = local_cluster.kubernetes()
            mirror = keep.enter_context(local_cluster.mirror(drill.account.folder / "charts"))
        except local_cluster.Absent as absent:
            needs = f"{local_cluster.KUBECONFIG} and {charts.CHARTS} (or make charts)"
            raise CheckedOnly(f"{_made_from_git(drill)}; applying it takes {needs}: {absent}") from absent
        if used := namespaces(drill.names.environment.application.namespace).keys() & cluster.names("namespaces"):
            raise Failure(
                f"{local_cluster.KUBECONFIG}: the cluster is in use, it has {', '.join(sorted(used))}: empty it first"
            )
        drill.change({"charts": {"mirror": mirror}, "application": {"image": local_cluster.IMAGE}})
        local_cluster.simulate_servers(drill.account.emulator, drill.names, cluster)
        stack = drill.account.stack(helm_stack(ENVIRONMENT))
        keep.enter_context(cluster.without_webhooks())
        led = Stack(stack.folder, {**stack.environment, **local_cluster.terraform_variables(cluster)})
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
    """Lose and recover the clinic's data on a temporary PostgreSQL, and a moment on a cluster that runs pods.

    Raises:
        CheckedOnly: there is no such cluster, so nothing is said of the archive and the operator.
        Failure: something does not come back.
    """
    _run(["make", "-C", "vet_app", "drill"])
    seen = "a patient's record and a whole database came back by SQL"
    try:
        cluster = local_cluster.kubernetes()
    except local_cluster.Absent as absent:
        raise CheckedOnly(f"{seen}; archive and operator take a cluster that runs pods: {absent}") from absent
    kubectl = Kubectl(str(cluster.kubeconfig), "vet-app", cluster.kubectl)
    if cluster.is_simulated or ClinicDatabase.find(kubectl) is None:
        raise CheckedOnly(f"{seen}; archive and operator take a cluster that runs pods and has the clinic's database")
    _run([sys.executable, "-m", "pytest", "-q", "--no-header", "-m", "not long", "tests/pods/test_recovery.py"])
    return f"{seen}; the operator recovered a moment from the archive, and next to it"


def _command(drill: Drill, *arguments: str) -> None:
    """Run ``vet`` as a person would, led to the emulated account."""
    _run([sys.executable, "-m", "operations", *arguments], env=drill.account.emulator.environment)


def _run(command: Sequence[str], env: dict[str, str] | None = None) -> None:
    answer = subprocess.run(command, capture_output=True, text=True, cwd=REPOSITORY, env=env)
    if answer.returncode:
        output = "\n".join([*answer.stdout.splitlines(), *answer.stderr.splitlines()][-15:])
        raise Failure(f"{' '.join(command)} ended with {answer.returncode}:\n{output}")


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
