"""``make publish``: build the application's image once, and bring the very same bytes to every environment's registry.

``make push`` builds for one environment, with whatever builder a laptop has. Here the image is built into an archive, and copied from there with
its digest kept, so that what was tried in one environment is what another gets. Who builds has no credentials: the build runs what packages
bring, and gets an environment without AWS's and the pipeline's own variables.
"""

import base64
import json
import os
import shutil
import subprocess
import tarfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from operations.application.images import SOURCE, Repository, Revision, revision
from operations.application.push import PLATFORM
from operations.shared.console import terminal
from operations.shared.errors import Failure, refuse_placeholders
from operations.shared.git import git
from settings import Settings, load
from settings.names import Names

BUILDERS = ("buildah", "podman")
"""Programs that write an archive whose digest a copy keeps, with times that are the commit's; they take the same arguments."""

COPIER = "skopeo"

PUBLISHED = Path("cdktf.out/published.json")
"""Digest of each environment's image, by the environment's name, for the steps that follow."""

PRIVATE = ("AWS_", "ACTIONS_", "GITHUB_", "GH_", "CI_", "TF_VAR_")
"""Beginnings of the variables that a build does not get."""

console = terminal(whole_lines=True)


def publish(*, platforms: str = PLATFORM) -> None:
    """Bring this checkout's image to every registry that does not have it, and write the digests to :data:`PUBLISHED`.

    :param platforms: what to build for, separated by commas; more than one makes a list of images (``linux/amd64,linux/arm64``), for which
        the builder must be able to run the other's programs.

    Raises:
        Failure: something in ``vet_app/`` is not committed, a program is missing, or two registries have different images of one name.
    """
    settings = load()
    refuse_placeholders(settings)
    source = revision()
    if source.changes:
        raise Failure(
            f"{SOURCE}/ has changes that are not committed: commit them, since an image is named by its commit"
        )
    digests: dict[str, str] = {}
    for python in dict.fromkeys(each.application.python_version for each in settings.environments):
        digests |= _publish(settings, python, source, platforms)
    PUBLISHED.parent.mkdir(exist_ok=True)
    PUBLISHED.write_text(json.dumps(digests), encoding="utf-8")
    for name, digest in digests.items():
        console.print(f"{name}: {source.tag(settings.environment(name).application.python_version)} is {digest}")


def _publish(settings: Settings, python: str, found: Revision, platforms: str) -> dict[str, str]:
    """The image for one line of Python, and the environments that run it."""
    names = [
        Names(settings.project, each) for each in settings.environments if each.application.python_version == python
    ]
    repositories, tag = {each.environment.name: Repository(each) for each in names}, found.tag(python)
    there = {name: repository.digest(tag) for name, repository in repositories.items()}
    known = sorted({digest for digest in there.values() if digest})
    if len(known) > 1:
        raise Failure(
            f"the registries have different images of the name {tag}: {there}.\nOne was built by make push of one environment. Commit a change"
            f" to {SOURCE}/, so that the next image has another name, or delete the one that no environment runs."
        )
    if None not in there.values():
        console.print(f"every registry has {tag} already")
        return dict.fromkeys(there, known[0])
    with TemporaryDirectory(prefix="vet-image-") as folder, _Logins(Path(folder) / "auth.json") as logins:
        has = next((name for name, digest in there.items() if digest), None)
        if has:
            logins.to(repositories[has])
            source, digest = f"docker://{repositories[has].reference(tag)}", known[0]
        else:
            archive = build(Path(folder) / "image.tar", tag, python, found, platforms)
            source, digest = f"oci-archive:{archive}", digest_of(archive)
        for name in (name for name, known_there in there.items() if not known_there):
            logins.to(repositories[name])
            _copy(source, repositories[name].reference(tag), logins.file)
            _refuse_another(repositories[name], tag, digest)
    return dict.fromkeys(there, digest)


def build(archive: Path, tag: str, python: str, source: Revision, platforms: str) -> Path:
    """Build into an archive in OCI's layout.

    Raises:
        Failure: nothing that can is on PATH.
        CalledProcessError: the build failed; its own words are on the terminal.
    """
    program = next(filter(shutil.which, BUILDERS), None)
    if program is None:
        raise Failure(
            f"nothing to build an archive with: install one of {', '.join(BUILDERS)}, or build for one environment: make push ENV=dev"
        )
    name, several = f"localhost/vet-app:{tag}", "," in platforms
    when = git("log", "-1", "--format=%ct", source.commit)
    command = [
        *(program, "build", "--format", "oci", "--platform", platforms, "--timestamp", when),
        *("--manifest" if several else "--tag", name, "--build-arg", f"PYTHON={python}"),
        *("--label", f"org.opencontainers.image.revision={source.commit}", SOURCE),
    ]
    export = ["manifest", "push", "--all"] if several else ["push", "--format", "oci"]
    subprocess.run(command, check=True, env=bare(os.environ))
    subprocess.run([program, *export, name, f"oci-archive:{archive}:{tag}"], check=True, env=bare(os.environ))
    return archive


def bare(variables: Mapping[str, str]) -> dict[str, str]:
    """The environment without what opens anything (:data:`PRIVATE`)."""
    return {name: value for name, value in variables.items() if not name.startswith(PRIVATE)}


def digest_of(archive: Path) -> str:
    """Digest of the one image, or list of images, in an archive (OCI image layout: index.json)."""
    with tarfile.open(archive) as opened:
        index = opened.extractfile("index.json")
        assert index is not None
        (manifest,) = json.load(index)["manifests"]
    return str(manifest["digest"])


def _copy(source: str, target: str, logins: Path) -> None:
    command = [COPIER, "copy", "--all", "--preserve-digests", "--authfile", str(logins), source, f"docker://{target}"]
    try:
        subprocess.run(command, check=True)
    except FileNotFoundError as error:
        raise Failure(
            f"{COPIER} is not on PATH: install it (Debian, Ubuntu and Fedora have a package of that name)"
        ) from error


def _refuse_another(repository: Repository, tag: str, digest: str) -> None:
    there = repository.digest(tag)
    if there != digest:
        name = repository.names.application_repository
        raise Failure(
            f"{digest} was copied to {name} as {tag}, and AWS says that {tag} there is {there}: check that {name} is in your account"
        )


class _Logins:
    """Logins for registries in a file of this run's own; a registry that several environments share is asked once."""

    def __init__(self, file: Path) -> None:
        self.file = file
        self._known: set[str] = set()

    def __enter__(self) -> "_Logins":
        return self

    def __exit__(self, *_: object) -> None:
        self.file.unlink(missing_ok=True)

    def to(self, repository: Repository) -> None:
        """Log in. The password goes by standard input, where no list of processes shows it."""
        if repository.registry in self._known:
            return
        _, _, password = base64.b64decode(repository.authorization()).decode().partition(":")
        words: Sequence[str] = (
            COPIER,
            "login",
            "--authfile",
            str(self.file),
            "--username",
            "AWS",
            "--password-stdin",
            repository.registry,
        )
        try:
            subprocess.run(words, input=password, text=True, check=True)
        except FileNotFoundError as error:
            raise Failure(
                f"{COPIER} is not on PATH: install it (Debian, Ubuntu and Fedora have a package of that name)"
            ) from error
        self._known.add(repository.registry)
