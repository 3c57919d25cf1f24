"""What was deployed last: the commit whose Helm stack an environment runs, written next to the stack's state by each deploy.

A pull request is compared with that commit, because what Helm has stored in the cluster are Secrets, which no pull request may read. An identity
that may plan may read it: it holds a commit, a time and the image's name.
"""

import json
from dataclasses import asdict, dataclass
from datetime import UTC, datetime

import boto3
from botocore.exceptions import ClientError

from operations.deployment.state_bucket import ABSENT
from operations.shared.errors import Failure
from operations.shared.git import git
from settings.names import Names, helm_stack

UNCOMMITTED = "with changes that were in no commit"


@dataclass(frozen=True)
class Deployed:
    """A deploy that succeeded."""

    commit: str
    """Whole hash."""

    clean: bool
    """Whether the checkout was what the commit says."""

    image: str | None
    """``application.image`` of the environment."""

    at: str
    """When, ISO 8601 in UTC."""

    def __str__(self) -> str:
        return f"{self.commit[:12]}, deployed {self.at}{'' if self.clean else f', {UNCOMMITTED}'}"


def last(names: Names) -> Deployed | None:
    """The last deploy of an environment's Helm stack; None if there is no record of one.

    Raises:
        Failure: the state bucket cannot be read.
    """
    bucket, key = _where(names)
    s3 = boto3.client("s3", region_name=names.project.region)
    try:
        body = s3.get_object(Bucket=bucket, Key=key)["Body"].read()
    except ClientError as error:
        if error.response["Error"]["Code"] in (*ABSENT, "NoSuchKey"):
            return None
        raise Failure(f"s3://{bucket}/{key} cannot be read: {error}") from error
    return Deployed(**json.loads(body))


def note(names: Names) -> None:
    """Write down that this checkout was deployed. A copy without Git's history has no commit to write down."""
    try:
        commit = git("rev-parse", "HEAD")
    except Failure:
        return
    clean = not git("status", "--porcelain")
    now = datetime.now(UTC).isoformat(timespec="seconds")
    record = Deployed(commit, clean, names.environment.application.image, now)
    bucket, key = _where(names)
    s3 = boto3.client("s3", region_name=names.project.region)
    s3.put_object(Bucket=bucket, Key=key, Body=json.dumps(asdict(record)).encode(), ContentType="application/json")


def _where(names: Names) -> tuple[str, str]:
    return names.project.state_bucket, f"{helm_stack(names.environment.name)}/deployed.json"
