"""``vet new``: the files of a new resource or service."""

from typing import Annotated

import typer

from operations.cli.arguments import run

app = typer.Typer(
    help="Write the files of a new resource or service, and the lines that connect it.", no_args_is_help=True
)

STOPPED = "git status shows what was written"


@app.command()
def resource(
    name: Annotated[str, typer.Argument(help="What the settings call it, such as uptime-check.")],
    type_: Annotated[str, typer.Argument(metavar="TYPE", help="Terraform's type, such as aws_route53_health_check.")],
) -> None:
    """A resource in AWS that a setting turns on: setting, construct, test."""

    def write() -> None:
        from operations.devtools import scaffold

        scaffold.resource(name, type_)

    run(write, stopped=STOPPED)


@app.command()
def service(name: Annotated[str, typer.Argument(help="Name of its release, such as external-dns.")]) -> None:
    """A service on the cluster: construct and values."""

    def write() -> None:
        from operations.devtools import scaffold

        scaffold.service(name)

    run(write, stopped=STOPPED)
