"""The application's images: what an environment's repository has, and what one of this checkout is called."""

import os
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
from botocore.exceptions import BotoCoreError, ClientError

from operations.shared.errors import Failure
from operations.shared.git import git
from settings.names import Names

SOURCE = "vet_app"
"""Folder of the application, which is the whole of what goes into an image."""


@dataclass(frozen=True)
class Repository:
    """The ECR repository of one environment."""

    names: Names
    """Names of the environment."""

    @property
    def registry(self) -> str:
        """Host that images are pulled from."""
        return f"{self.names.project.account_id}.dkr.ecr.{self.names.environment.region}.amazonaws.com"

    def reference(self, tag: str) -> str:
        """Full name of an image."""
        return f"{self.registry}/{self.names.application_repository}:{tag}"

    def digest(self, image: str) -> str | None:
        """Digest of the image with this tag or digest; None if there is none.

        Raises:
            Failure: the repository does not exist yet, or AWS does not answer.
        """
        wanted = {"imageDigest" if image.startswith("sha256:") else "imageTag": image}
        name, client = self.names.application_repository, self._client()
        try:
            details = client.describe_images(repositoryName=name, imageIds=[wanted])["imageDetails"]
        except client.exceptions.ImageNotFoundException:
            return None
        except client.exceptions.RepositoryNotFoundException as error:
            environment = self.names.environment.name
            raise Failure(f"there is no repository {name} yet", f"First: make deploy ENV={environment}") from error
        except (BotoCoreError, ClientError) as error:
            raise Failure(f"cannot list the images of {name}: {error}") from error
        return str(details[0]["imageDigest"])

    def authorization(self) -> str:
        """A login for the registry as ECR gives it, base64 of ``AWS:password``, good for twelve hours.

        Raises:
            Failure: AWS does not give one.
        """
        try:
            (authorization,) = self._client().get_authorization_token()["authorizationData"]
        except (BotoCoreError, ClientError) as error:
            raise Failure(f"AWS gives no login for {self.registry}: {error}") from error
        return str(authorization["authorizationToken"])

    def _client(self) -> Any:
        return boto3.client("ecr", region_name=self.names.environment.region)


def refuse_missing(names: Names) -> None:
    """Stop before a plan that would fail, with the words that the plan has no room for.

    Raises:
        Failure: the environment names no image, or one that its repository does not have.
    """
    image, name = names.environment.application.image, names.environment.name
    if image and Repository(names).digest(image):
        return
    what = (
        f"{names.application_repository} has no image {image}, which environments/{name}.yaml names"
        if image
        else f"environments/{name}.yaml names no image of the application"
    )
    raise Failure(
        f"{what}", f"Build and push one: make push ENV={name} -- it prints what to write as application.image."
    )


@dataclass(frozen=True)
class Revision:
    """What the checkout has in ``vet_app/``."""

    commit: str
    """The commit that changed it last, 12 digits."""

    changes: str | None = None
    """First 8 digits of the tree with what is not committed; None if everything is."""

    def tag(self, python: str) -> str:
        """The same content and Python have the same tag, and nothing else has it: ``3f2a9c1d0b4e-python3.9``."""
        dirty = f"-dirty-{self.changes}" if self.changes else ""
        return f"{self.commit}{dirty}-python{python}"


def revision(root: Path = Path()) -> Revision:
    """The revision of the checkout in ``root``.

    Raises:
        Failure: it is no Git checkout, or ``vet_app`` was never committed.
    """
    commit = _git(root, "log", "-1", "--format=%H", "--", SOURCE)[:12]
    if not commit:
        raise Failure(f"{SOURCE}/ is in no commit: commit it first, since images are named by commits")
    if not _git(root, "status", "--porcelain", "--", SOURCE):
        return Revision(commit)
    with tempfile.TemporaryDirectory() as folder:  # an index of its own: the person's stays as it is
        index = {**os.environ, "GIT_INDEX_FILE": str(Path(folder) / "index")}
        _git(root, "read-tree", "HEAD", env=index)
        _git(root, "add", "--all", "--", SOURCE, env=index)
        tree = _git(root, "write-tree", f"--prefix={SOURCE}/", env=index)
    return Revision(commit, tree[:8])


def _git(root: Path, *arguments: str, env: dict[str, str] | None = None) -> str:
    try:
        return git(*arguments, root=root, env=env)
    except Failure as failure:
        raise Failure(f"images are named by Git commits, and {failure}") from failure
