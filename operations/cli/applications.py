"""``vet app``: the clinic's application."""

from pathlib import Path
from typing import Annotated

import typer

from operations.cli.arguments import DryRun, Environment, Yes, run

Image = Annotated[str, typer.Argument(help="Digest (sha256:...) or tag of an image in the environment's registry.")]

app = typer.Typer(help="The clinic's application: image, first user, database.", no_args_is_help=True)


@app.command()
def push(environment: Environment, *, dry_run: DryRun = False) -> None:
    """Build the application's image and push it to the environment's registry."""

    def build_and_push() -> None:
        from operations.application import push as module

        module.push(environment, dry_run=dry_run)

    run(
        build_and_push,
        stopped="the registry has the image only if it was pushed whole;"
        f" vet app push {environment} builds and pushes what is missing",
    )


@app.command()
def publish(
    *,
    platforms: Annotated[
        str, typer.Option(help="What to build for; several, separated by commas, make one list of images.")
    ] = "linux/amd64",
) -> None:
    """Build the application's image once, and bring the same bytes to every environment's registry."""

    def build_and_copy() -> None:
        from operations.application import publish as module

        module.publish(platforms=platforms)

    run(
        build_and_copy,
        stopped="a registry has the image only if it was copied whole; vet app publish brings it to the others",
    )


@app.command()
def release(
    environment: Environment,
    image: Annotated[
        str | None,
        typer.Argument(
            help="Digest or tag; left out, the one that the environment's file names; 'former', the one before that."
        ),
    ] = None,
) -> None:
    """Deploy an image, try it by its address, and put the former one back if it does not work."""

    def deploy() -> None:
        from operations.deployment import release as module

        module.release(environment, image)

    run(
        deploy,
        stopped="Terraform has finished what it had begun; the environment's file names the image that it was about."
        f" vet app release {environment} goes on, vet app release {environment} former goes back",
    )


@app.command()
def pin(
    environment: Environment,
    image: Image,
    *,
    push: Annotated[str, typer.Option(help="Branch on origin that gets the commit.")] = "",
) -> None:
    """Name an image in the environment's file, by a commit of its own."""

    def commit() -> None:
        from operations.deployment import release as module

        module.pin(environment, image, push=push)

    run(commit, stopped="the commit is made or not; the same command again makes it")


@app.command()
def smoke(
    environment: Environment,
    *,
    at: Annotated[str, typer.Option(metavar="ADDRESS:PORT", help="Connect there instead of by the name.")] = "",
    authority: Annotated[
        Path | None, typer.Option(help="Certificate authority, where no public one has signed.")
    ] = None,
) -> None:
    """Try the clinic by its address: log in, and read one record."""

    def visit() -> None:
        from operations.application import smoke as module
        from operations.shared.servers import Cluster

        cluster = Cluster(environment)
        module.run(cluster, module.Address(cluster.environment.hosts.application, at, authority))

    run(
        visit,
        stopped="the account smoke-test may be open still, with a password that nobody has; the next smoke test closes it",
    )


@app.command()
def admin(
    environment: Environment,
    email: Annotated[str, typer.Argument(help="The user's e-mail address.")],
) -> None:
    """Make the clinic's first user, or give a user a new password."""

    def make_user() -> None:
        from operations.application.clinic_admin import clinic_admin
        from operations.shared.servers import Cluster

        clinic_admin(Cluster(environment), email)

    run(make_user, stopped="if no password was printed, run the same command again: it prints a new one")


@app.command("recover-database")
def recover_database(environment: Environment, *, yes: Yes = False) -> None:
    """Remove the clinic's database, so that the next deploy makes it from its archive."""

    def recover() -> None:
        from operations.application import recover_database as module

        module.run(environment, auto_approve=yes)

    run(
        recover,
        stopped="if you had agreed, the database may be gone; its archive is not."
        f" Run the same command again until it ends, then vet env deploy {environment}",
    )


@app.command("upgrade-database")
def upgrade_database(environment: Environment, *, yes: Yes = False) -> None:
    """Bring the clinic's database to another major version of PostgreSQL, before and after a deploy."""

    def upgrade() -> None:
        from operations.application import upgrade_database as module

        module.run(environment, auto_approve=yes)

    run(
        upgrade,
        stopped="nothing is lost: unless the old database is gone, the application was started again."
        f" Run the same command again until it ends, then vet env deploy {environment}",
    )
