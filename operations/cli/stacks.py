"""``vet stack``: one infrastructure stack at a time, as the workflows on GitHub plan, review and apply them."""

from pathlib import Path
from typing import Annotated

import typer

from operations.cli.arguments import Json, Stack, print_json, run
from operations.cli.environments import APPLIED

app = typer.Typer(help="Single stacks, as the workflows plan, review and apply them.", no_args_is_help=True)


@app.command("list")
def list_stacks(*, as_json: Json = False) -> None:
    """List the stacks that can be planned one by one."""

    def show() -> None:
        from operations.deployment.plan import stacks
        from settings import load

        names = stacks(load())
        print_json(names) if as_json else print("\n".join(names))

    run(show)


@app.command()
def plan(
    stack: Stack,
    *,
    markdown: Annotated[Path | None, typer.Option(help="Also write what would change to this file.")] = None,
    lock: Annotated[bool, typer.Option(help="Lock the state; credentials that may only read cannot.")] = True,
    values: Annotated[bool, typer.Option(help="Show Terraform's own account, which names values.")] = True,
) -> None:
    """Plan a stack, write the plan into its folder, and show what it would change."""

    def show() -> None:
        from operations.deployment.plan import run as run_plan

        run_plan(stack, markdown=markdown, lock=lock, values=values)

    run(show)


@app.command()
def apply(
    stack: Stack,
    *,
    sha256: Annotated[str, typer.Option(help="Checksum of the plan that was read; another one is refused.")] = "",
) -> None:
    """Apply the plan that was written before, and nothing else."""

    def apply_plan() -> None:
        from operations.deployment import plan as module

        module.apply(stack, sha256=sha256)

    run(apply_plan, stopped=APPLIED.format(command=f"a new vet stack plan {stack}"))
