"""``make drill [STEP=state]``: prove the recovery plan of docs/architecture.txt, step by step, on this machine.

Each step first breaks what it is about, sees that it is broken, brings it back by the command that its runbook names, and checks that
nothing is missing. A step that fails turns the drill red; the others are still run.
"""

import argparse
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
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

from operations.emulator import REPOSITORY
from operations.emulator.account import Account, account
from operations.emulator.stack import Stack
from operations.failure import Failure, guided
from settings import load
from settings.loader import ENVIRONMENTS
from settings.names import infrastructure_stack, state_key

ENVIRONMENT = "dev"
"""The environment that the drill loses."""

OTHER_REGION = "eu-west-1"
"""Where it is built again."""

console = Console(highlight=False, width=None if sys.stdout.isatty() else 120)


class Drill:
    """What the steps share: an account in which the environment is deployed, made when the first step needs it."""

    def __init__(self, folder: Path, keep: ExitStack) -> None:
        self._folder, self._keep = folder, keep

    @cached_property
    def account(self) -> Account:
        """An emulated account with the environment in it."""
        console.print("  an emulated account, and the environment in it ...")
        found = self._keep.enter_context(account(self._folder, load()))
        found.make_state()
        found.stack(infrastructure_stack(ENVIRONMENT)).apply()
        return found

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
    """Does it and says what was seen; raises ``Failure`` if recovery does not work."""


def lose_state(drill: Drill) -> str:
    """Delete the state's object and bring it back by ``make recover-state``."""
    return lose_and_recover(drill.stack, lambda: _command(drill, "operations.recover_state", drill.stack.name))


def lose_and_recover(stack: Stack, recover: Callable[[], None]) -> str:
    """Delete a stack's state, see that Terraform has forgotten everything, recover, see that it knows everything again.

    Raises:
        Failure: it is not lost when deleted, or not there after recovery.
    """
    before = len(stack.state())
    backend = yaml.safe_load((stack.folder / "cdk.tf.json").read_text())["terraform"]["backend"]["s3"]
    _client(stack, "s3").delete_object(Bucket=backend["bucket"], Key=state_key(stack.name))
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
    settings = drill.account.folder / "environments"
    shutil.copytree(ENVIRONMENTS, settings)
    file = settings / f"{ENVIRONMENT}.yaml"
    file.write_text(f"region: {OTHER_REGION}\n{file.read_text()}")
    drill.account.synthesise(load(settings))
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
    """Synthesise the applications' stack from Git: what Helm would install again."""
    document = yaml.safe_load((drill.account.stack(f"{drill.stack.name}-helm").folder / "cdk.tf.json").read_text())
    if "remote_state" not in str(document.get("data", {})):
        raise Failure("the Helm stack does not read the infrastructure's state: it could not find a new cluster")
    return f"the Helm stack is made from Git alone: {sum(map(len, document.get('resource', {}).values()))} resources"


def restore_database(_: Drill) -> str:
    """Lose and recover the clinic's data on a throw-away PostgreSQL."""
    _run(["make", "-C", "vet_app", "drill"])
    return "database lost and recovered from its backup, patient's record included"


STEPS = (
    Step("state", "Restore Terraform state", "lost-state-file", lose_state),
    Step("infrastructure", "Re-apply infrastructure", "lost-region", rebuild_elsewhere),
    Step("etcd", "Restore etcd snapshot", "lost-quorum", restore_etcd),
    Step("applications", "Redeploy applications", "shipping-the-application", redeploy),
    Step("data", "Restore data from backups", "lost-region", restore_database),
)
"""The recovery plan, in its order."""


def run(names: Sequence[str], steps: Sequence[Step] = STEPS) -> bool:
    """Run the steps and show how each went.

    :param names: steps; none means all.

    Returns whether all of them went well.

    Raises:
        Failure: there is no such step.
    """
    if unknown := set(names) - {step.name for step in steps}:
        raise Failure(
            f"there is no step {', '.join(sorted(unknown))}; there are {', '.join(step.name for step in steps)}"
        )
    table = Table("", "step", "what was seen", "seconds", "runbook", box=SIMPLE, pad_edge=False)
    good = True
    with tempfile.TemporaryDirectory(prefix="vet-drill-") as folder, ExitStack() as keep:
        drill = Drill(Path(folder), keep)
        for step in (each for each in steps if not names or each.name in names):
            console.print(f"[bold]{step.plan}[/]")
            started = time.monotonic()
            try:
                seen, mark = step.prove(drill), "[green]proven[/]"
            except Failure as failure:
                seen, mark, good = str(failure), "[red]fails[/]", False
                console.print(f"  [red]{seen}[/]", markup=True)
            table.add_row(
                mark, step.plan, seen, f"{time.monotonic() - started:.0f}", f"docs/runbooks/{step.runbook}.md"
            )
    console.print(table)
    return good


def _command(drill: Drill, module: str, *arguments: str) -> None:
    """Run one of the project's programs as a person would, led to the emulated account."""
    _run([sys.executable, "-m", module, *arguments], env=drill.account.emulator.environment)


def _run(command: Sequence[str], env: dict[str, str] | None = None) -> None:
    answer = subprocess.run(command, capture_output=True, text=True, cwd=REPOSITORY, env=env)
    if answer.returncode:
        said = "\n".join([*answer.stdout.splitlines(), *answer.stderr.splitlines()][-15:])
        raise Failure(f"{' '.join(command)} ended with {answer.returncode}:\n{said}")


def _client(stack: Stack, service: str, region: str | None = None) -> Any:
    variables = stack.environment
    session = boto3.Session(variables["AWS_ACCESS_KEY_ID"], variables["AWS_SECRET_ACCESS_KEY"])
    return session.client(
        service, region_name=region or variables["AWS_REGION"], endpoint_url=variables["AWS_ENDPOINT_URL"]
    )


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="make drill", description=__doc__.splitlines()[0])
    parser.add_argument("step", nargs="*")
    arguments = parser.parse_args()
    guided(lambda: sys.exit(0 if run(arguments.step) else 1))
