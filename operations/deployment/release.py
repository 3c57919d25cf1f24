"""``make release ENV=dev IMAGE=sha256:...``: put an image in front of the clinic's staff, look whether it works, and put the former one back if not.

The environment's file names the image first, and what is deployed is what the file says (docs/decisions/0021-image-is-a-setting.md). It is committed
when it has proven to work (``make pin``): Git never names an image that failed, and the former one is what Git still says.
"""

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from operations.application import smoke
from operations.application.images import Repository
from operations.deployment import deploy
from operations.deployment.settings_file import set_image
from operations.shared.console import terminal
from operations.shared.errors import Failure
from operations.shared.git import git
from operations.shared.servers import Cluster
from settings.loader import ENVIRONMENTS

FORMER = "former"
"""In place of an image: the one that the environment ran before."""

RELEASED = Path("cdktf.out/released.json")
"""What runs in the environment after a release, by the environment's name, for the step that commits it."""

console = terminal(whole_lines=True)


def release(name: str, image: str | None = None) -> None:
    """Deploy the Helm stack with an image, and try the application by its address. The infrastructure stays as it is.

    :param image: digest or tag; :data:`FORMER` for the one before; None for the one that the file names.

    Raises:
        Failure: the registry has no such image, or it does not work; the former one runs again then, if there is one.
    """
    before = Cluster(name).environment.application.image
    wanted = former(name) if image == FORMER else image or before
    if wanted is None:
        raise Failure(
            f"environments/{name}.yaml names no image, and none was given: make release ENV={name} IMAGE=sha256:..."
        )
    _refuse_missing(Cluster(name), wanted)
    set_image(_file(name), wanted)
    try:
        _deploy_and_try(name)
        RELEASED.write_text(json.dumps({name: wanted}), encoding="utf-8")
    except (Failure, subprocess.CalledProcessError) as problem:
        if before is None or before == wanted:
            raise
        console.print(
            f"\n{wanted} does not work in {name}: {problem}\nputting {before} back", style="red", markup=False
        )
        set_image(_file(name), before)
        _deploy_and_try(name)
        raise Failure(
            f"{wanted} did not work in {name}; {before} runs there again. What was wrong:\n{problem}"
        ) from problem


def _deploy_and_try(name: str) -> None:
    deploy.deploy(name, auto_approve=True, helm_alone=True)
    smoke.run(Cluster(name))


def former(name: str) -> str:
    """The image that the environment's file named before the one that it names now, by Git.

    Raises:
        Failure: it never named another.
    """
    versions = _images(name)
    now = next(versions, None)
    previous = next((each for each in versions if each and each != now), None)
    if previous is None:
        raise Failure(
            f"environments/{name}.yaml has never named another image: give one by its digest, IMAGE=sha256:..."
        )
    return previous


def _images(name: str) -> Iterator[str | None]:
    """The image in each version of the file, newest first."""
    file = f"./{ENVIRONMENTS.name}/{name}.yaml"
    for commit in git("log", "--format=%H", "--", file).split():
        document: Any = yaml.safe_load(git("show", f"{commit}:{file}"))
        yield (document.get("application") or {}).get("image")


def pin(name: str, image: str, *, push: str = "") -> None:
    """Name the image in the environment's file by a commit of its own.

    :param push: a branch to push it to; where somebody was quicker, it is made again on top of theirs.

    Raises:
        Failure: the branch does not take it.
    """
    for attempt in range(3):
        if push:
            git("fetch", "--quiet", "origin", push)
            git("checkout", "--quiet", "--detach", "FETCH_HEAD")
        if not _commit(name, image):
            console.print(f"environments/{name}.yaml names {image} already")
            return
        if not push:
            return
        try:
            git("push", "--quiet", "origin", f"HEAD:refs/heads/{push}")
        except Failure:
            if attempt == 2:
                raise
            continue
        console.print(f"{push} says now that {name} runs {image}")
        return


def _commit(name: str, image: str) -> bool:
    """Whether there was something to commit."""
    file = _file(name)
    set_image(file, image)
    if not git("status", "--porcelain", "--", str(file)):
        return False
    git(
        "commit",
        "--quiet",
        "--message",
        f"{name} runs {image}\n\nIt was deployed there, and the smoke test passed.",
        "--",
        str(file),
    )
    return True


def _refuse_missing(cluster: Cluster, image: str) -> None:
    if not Repository(cluster.names).digest(image):
        raise Failure(
            f"{cluster.names.application_repository} has no image {image}: make publish brings this checkout's to every registry"
        )


def _file(name: str) -> Path:
    return ENVIRONMENTS / f"{name}.yaml"
