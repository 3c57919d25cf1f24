"""``vet app``: the clinic's application."""

from typing import Annotated

import typer

from operations.cli.arguments import DryRun, Environment, Yes, run

app = typer.Typer(help="The clinic's application: image, first user, database.", no_args_is_help=True)


@app.command()
def push(environment: Environment, *, dry_run: DryRun = False) -> None:
    """Build the application's image and push it to the environment's registry."""

    def build_and_push() -> None:
        from operations import push as module

        module.push(environment, dry_run=dry_run)

    run(
        build_and_push,
        stopped="the registry has the image only if it was pushed whole;"
        f" vet app push {environment} builds and pushes what is missing",
    )


@app.command()
def admin(
    environment: Environment,
    email: Annotated[str, typer.Argument(help="The user's e-mail address.")],
) -> None:
    """Make the clinic's first user, or give a user a new password."""

    def make_user() -> None:
        from operations.clinic_admin import clinic_admin
        from operations.servers import Cluster

        clinic_admin(Cluster(environment), email)

    run(make_user, stopped="if no password was printed, run the same command again: it prints a new one")


@app.command("recover-database")
def recover_database(environment: Environment, *, yes: Yes = False) -> None:
    """Remove the clinic's database, so that the next deploy makes it from its archive."""

    def recover() -> None:
        from operations import recover_database as module

        module.run(environment, unattended=yes)

    run(
        recover,
        stopped="if you had agreed, the database may be gone; its archive is not."
        f" Run the same command again until it ends, then vet env deploy {environment}",
    )
