"""``make push ENV=dev``: build the application's image and push it to the environment's registry."""

import base64
import shlex
import shutil
import subprocess
from collections.abc import Callable, Sequence

from operations.application.images import SOURCE, Repository, Revision, revision
from operations.shared.console import terminal
from operations.shared.errors import Failure, refuse_placeholders
from operations.shared.servers import Cluster
from settings import load
from settings.environment import Environment

BUILDERS = ("docker", "podman", "buildah")
"""Programs that can build and push, in the order in which they are tried. They take the same arguments."""

PLATFORM = "linux/amd64"
"""The nodes' (``settings/instance_types.py`` knows no other), whatever machine builds."""

console = terminal(whole_lines=True)


def push(name: str, *, dry_run: bool = False) -> None:
    """Build and push, unless the repository has the image already; then say how to run it.

    Raises:
        Failure: there is no such environment, nothing to build with, or what would be pushed is not committed and the
            environment is protected.
    """
    cluster = Cluster(name)
    environment, repository = cluster.environment, Repository(cluster.names)
    source = revision()
    if source.changes and environment.deletion_protection:
        raise Failure(
            f"{SOURCE}/ has changes that are not committed, and {name} is protected: what runs there must be in Git."
            "\nCommit them, or push to another environment."
        )
    tag = source.tag(environment.application.python_version)
    if dry_run:
        for command in _commands(BUILDERS[0], repository, tag, source, environment):
            console.print(shlex.join(command), markup=False)
        return
    refuse_placeholders(load())
    if repository.digest(tag):
        console.print(f"{repository.names.application_repository} has {tag} already")
    else:
        _push(builder(), repository, tag, source, environment)
        _report(repository, tag)
    _how_to_run(environment, tag)


def builder(answers: Callable[[str], bool] | None = None) -> str:
    """The first program that is there and works; docker may be there without its daemon.

    Raises:
        Failure: there is none.
    """
    answers = answers or _works
    there = [name for name in BUILDERS if shutil.which(name)]
    working = next((name for name in there if answers(name)), None)
    if working:
        return working
    if there:
        raise Failure(f"{' and '.join(there)} is installed, but does not answer `{there[0]} info`: start its service")
    raise Failure(f"nothing to build an image with: install one of {', '.join(BUILDERS)}")


def _works(name: str) -> bool:
    return subprocess.run([name, "info"], capture_output=True, check=False).returncode == 0


def _commands(
    program: str, repository: Repository, tag: str, source: Revision, environment: Environment
) -> Sequence[list[str]]:
    """Build, login (its password comes by standard input, where no list of processes shows it), push, logout."""
    reference = repository.reference(tag)
    return [
        [
            *(program, "build", "--platform", PLATFORM, "--tag", reference),
            *("--build-arg", f"PYTHON={environment.application.python_version}"),
            *("--label", f"org.opencontainers.image.revision={source.commit}", SOURCE),
        ],
        [program, "login", "--username", "AWS", "--password-stdin", repository.registry],
        [program, "push", reference],
        [program, "logout", repository.registry],
    ]


def _push(program: str, repository: Repository, tag: str, source: Revision, environment: Environment) -> None:
    build, login, push_, logout = _commands(program, repository, tag, source, environment)
    subprocess.run(build, check=True)
    _, _, password = base64.b64decode(repository.authorization()).decode().partition(":")
    subprocess.run(login, input=password, text=True, check=True)
    try:
        subprocess.run(push_, check=True)
    finally:
        subprocess.run(logout, check=False)


def _report(repository: Repository, tag: str) -> None:
    """Say what the registry now has, by the digest that Terraform will find and nodes will pull.

    Raises:
        Failure: the registry does not have it.
    """
    digest, name = repository.digest(tag), repository.names.application_repository
    if digest is None:
        raise Failure(f"the push succeeded, but {name} has no image {tag}", f"Check that {name} is in your account")
    console.print(f"{name} has {tag}: {digest}", markup=False)


def _how_to_run(environment: Environment, tag: str) -> None:
    name = environment.name
    if environment.application.image == tag:
        console.print(f"environments/{name}.yaml names it. To run it: make deploy ENV={name}")
        return
    console.print(f"To run it, set this in environments/{name}.yaml, under application:\n")
    console.print(f"  image: {tag}\n", markup=False)
    console.print(f"and then: make deploy ENV={name}")
