"""``vet state``: where Terraform keeps its state."""

import os
from typing import Annotated

import typer

from operations.cli import arguments
from operations.cli.arguments import DryRun, Lose, Yes, run
from operations.cli.environments import APPLIED

app = typer.Typer(help="Terraform's state: its bucket, and bringing it back.", no_args_is_help=True)


@app.command()
def bootstrap(
    *,
    yes: Yes = False,
    adopt: Annotated[bool, typer.Option("--adopt", help="Take over what exists.")] = False,
    lose: Lose = "",
) -> None:
    """Make the state bucket and the DNS zones: once per account, and after adding an environment."""

    def make() -> None:
        from operations.deployment import bootstrap as module
        from operations.deployment.plan import LOSE

        os.environ[LOSE] = lose  # the plan asks there
        module.run(auto_approve=yes, adopt=adopt)

    run(make, stopped=APPLIED.format(command="vet state bootstrap"))


@app.command()
def recover(
    stack: Annotated[
        str, typer.Argument(help="Stack, such as vet-dev.", autocompletion=arguments.infrastructure_stacks)
    ],
    version: Annotated[
        str | None, typer.Argument(help="Id of the version; left out, the newest below a deletion.")
    ] = None,
    *,
    dry_run: DryRun = False,
    yes: Yes = False,
) -> None:
    """Bring a stack's state back from the bucket's versions."""

    def bring_back() -> None:
        from operations.deployment import recover_state as module

        module.run(stack, version, dry_run=dry_run, auto_approve=yes)

    run(bring_back, stopped="the state is either as before or brought back whole; the same command shows which")
