"""Arguments and options that several commands take, what completes them, and how a command runs."""

from collections.abc import Callable, Iterable
from typing import Annotated, Any

import typer

UNCHANGED = "nothing was changed"
"""What Ctrl-C leaves of a command that only reads."""


def run(command: Callable[[], object], *, stopped: str = UNCHANGED) -> None:
    """Run a command's work: mistakes become a message, and Ctrl-C says what was left.

    :param stopped: what is left after Ctrl-C, and how to go on.
    """
    from operations.shared.errors import (
        run_command,  # AWS's SDK and the settings' types come with it; help needs neither
    )

    run_command(command, stopped=stopped)


def environments(incomplete: str) -> list[str]:
    """Names of the environments, from the files alone: completion must answer while settings are being written."""
    from settings.loader import ENVIRONMENTS

    names = (path.stem for path in ENVIRONMENTS.glob("*.yaml"))
    return sorted(name for name in names if not name.startswith("_") and name.startswith(incomplete))


def infrastructure_stacks(incomplete: str) -> list[str]:
    """Names of the stacks that a workflow plans."""
    from settings.names import STATE_STACK, infrastructure_stack

    names = [STATE_STACK, *map(infrastructure_stack, environments(""))]
    return [name for name in names if name.startswith(incomplete)]


def roles(incomplete: str) -> list[str]:
    """Roles of a kubeconfig."""
    from operations.shared.kubeconfig import ROLES

    return [role for role in ROLES if role.startswith(incomplete)]


def snapshots(context: typer.Context, incomplete: str) -> Iterable[str]:
    """Names of the environment's etcd snapshots; none where AWS cannot be asked: a completion has nowhere to say why."""
    from operations.cluster.snapshots import snapshots as stored
    from operations.shared.servers import Cluster

    try:
        names = [snapshot.name for snapshot in stored(Cluster(context.params["environment"]))]
    except Exception:
        return []
    return [name for name in names if name.startswith(incomplete)]


def print_json(document: Any) -> None:
    """Print a document for a machine: JSON on standard output and nothing else."""
    import json

    print(json.dumps(document, indent=2, default=str))


Environment = Annotated[
    str, typer.Argument(help="Environment: a file in environments/ without .yaml.", autocompletion=environments)
]
Stack = Annotated[
    str, typer.Argument(help="Stack, such as vet-state or vet-dev.", autocompletion=infrastructure_stacks)
]
Yes = Annotated[bool, typer.Option("--yes", help="Go on without asking.")]
Lose = Annotated[
    str,
    typer.Option(
        envvar="VET_LOSE", metavar='"ADDRESS ..."', help="Resources that may be lost although no setting says so."
    ),
]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Show what would be done, and do nothing.")]
Json = Annotated[bool, typer.Option("--json", help="Print JSON, for a program that reads it.")]
