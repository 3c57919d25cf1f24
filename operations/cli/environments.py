"""``vet env``: the stacks of one environment."""

import os
from typing import Annotated, Any

import typer

from operations.cli.arguments import DryRun, Environment, Json, Lose, Yes, print_json, run

app = typer.Typer(help="Environments: what they would change, make them, take them down.", no_args_is_help=True)

APPLIED = "Terraform has finished what it had begun and written its state; {command} goes on with the rest"
"""What Ctrl-C leaves of an apply (``operations.shared.terraform.run_uninterrupted``)."""


@app.command("list")
def list_environments(*, as_json: Json = False) -> None:
    """List the environments with their regions and hosts."""

    def show() -> None:
        from settings import load

        # `protect` is the former name: programs of teams read it.
        environments: list[dict[str, Any]] = [
            {
                "name": each.name,
                "region": each.region,
                "hosts": list(each.hosts.all),
                "deletion_protection": each.deletion_protection,
                "protect": each.deletion_protection,
            }
            for each in load().environments
        ]
        if as_json:
            print_json(environments)
        else:
            print("\n".join(f"{each['name']}  {each['region']}  {', '.join(each['hosts'])}" for each in environments))

    run(show)


@app.command()
def plan(environment: Environment) -> None:
    """Show what a deploy would change: the plan of the infrastructure, and the settings that it would bring to the cluster."""

    def show() -> None:
        from operations.deployment.plan import of_environment

        of_environment(environment)

    run(show)


@app.command()
def deploy(
    environment: Environment,
    *,
    yes: Yes = False,
    lose: Lose = "",
) -> None:
    """Apply both stacks, infrastructure first. Asks before each."""

    def apply() -> None:
        from operations.deployment import deploy as module
        from operations.deployment.plan import LOSE

        os.environ[LOSE] = lose  # the plan of each stack asks there
        module.deploy(environment, auto_approve=yes)

    run(apply, stopped=APPLIED.format(command=f"vet env deploy {environment}"))


@app.command()
def upgrade(
    environment: Environment,
    *,
    to: Annotated[str, typer.Option(help="Release set to arrive at.")] = "current",
    back: Annotated[bool, typer.Option("--back", help="Take the last step back.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show the way, and take no step.")] = False,
    yes: Yes = False,
) -> None:
    """Walk to the versions of a release set, one step at a time, or take the last step back. Goes on where it stopped."""

    def walk() -> None:
        from operations.deployment import upgrade, upgrade_back

        if back:
            upgrade_back.run(environment, dry_run=dry_run, auto_approve=yes)
        else:
            upgrade.run(environment, to, dry_run=dry_run, auto_approve=yes)

    run(walk, stopped=f"vet env upgrade {environment}{' --back' if back else ''} goes on where it stopped")


@app.command()
def rightsize(
    environment: Environment,
    *,
    days: Annotated[int, typer.Option(help="How far back to look.")] = 14,
    as_json: Json = False,
) -> None:
    """Say which machines would do for what was measured, and what that saves. Changes nothing."""

    def look() -> None:
        from operations.report import rightsize as module

        module.run(environment, days, as_json=as_json)

    run(look)


@app.command()
def destroy(environment: Environment, *, dry_run: DryRun = False, yes: Yes = False) -> None:
    """Destroy both stacks, in the opposite order. Refused where the settings say deletion_protection."""

    def take_down() -> None:
        from operations.deployment import deploy as module

        module.destroy(environment, dry_run=dry_run, auto_approve=yes)

    run(take_down, stopped=APPLIED.format(command=f"vet env destroy {environment}"))
