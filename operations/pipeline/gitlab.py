"""The same jobs for GitLab: an example of how another forge runs them (``examples/gitlab/.gitlab-ci.yml``).

GitLab signs a token for a job as GitHub does; the roles' trust is the reader's to make, since ``vet-state`` makes GitHub's. A review is an artifact
that the merge request shows, and drift a scheduled pipeline that fails: neither needs a token that may write.
"""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from operations.pipeline import description
from operations.pipeline.description import Job
from operations.pipeline.github import GENERATED, _Literal
from settings import load

FILE = Path("examples/gitlab/.gitlab-ci.yml")

MERGE_REQUEST = '$CI_PIPELINE_SOURCE == "merge_request_event"'
OWN_BRANCH = f"{MERGE_REQUEST} && $CI_MERGE_REQUEST_SOURCE_PROJECT_ID == $CI_PROJECT_ID"
MAIN = '$CI_PIPELINE_SOURCE == "push" && $CI_COMMIT_BRANCH == $CI_DEFAULT_BRANCH && $CI_PROJECT_VISIBILITY == "private"'
NIGHT = '$CI_PIPELINE_SOURCE == "schedule"'

Block = dict[str, Any]

HEAD = f"""\
# The pipeline on GitLab: the same jobs as .github/workflows. {GENERATED}
# Copy it to the project's root. Variables: TOOLS_IMAGE (an image with Python 3.11 or newer, make, git, jq, Go, Terraform, the AWS CLI with the
# plugin of Session Manager, buildah and skopeo), AWS_REGION, AWS_PLAN_ROLE, AWS_PUBLISH_ROLE, AWS_DEPLOY_ROLE (scoped to each environment),
# VET_PRIVATE (true in a private project: logs then show values), and PUSH_TOKEN (a project token that may push to main, masked, for main alone). Approvals: protected environments.
"""


def files() -> dict[Path, str]:
    """The example."""
    settings = load()
    order = [
        each.name for each in sorted(settings.environments, key=lambda each: (each.deletion_protection, each.name))
    ]
    jobs: Block = {
        "test": _job(description.TEST, MERGE_REQUEST),
        "review": _job(description.REVIEWED, OWN_BRANCH, env={"PRIVATE": "$VET_PRIVATE"}),
        "publish": _job(description.PUBLISHED_IMAGE, MAIN),
    }
    for index, name in enumerate(order):
        before = [f"pin-{order[index - 1]}"] if index else []
        jobs[f"plan-{name}"] = _job(description.PLANNED, MAIN, environment=name, env={"SUMMARY": "/dev/stdout"})
        deploy = _job(
            description.DEPLOYED,
            MAIN,
            environment=name,
            needs=["publish", f"plan-{name}", *before],
            env={"PLANNED": "yes"},
        )
        jobs[f"deploy-{name}"] = {
            **deploy,
            "environment": {"name": name},
            "resource_group": f"stack-vet-{name}",
            **({"when": "manual"} if settings.environment(name).deletion_protection else {}),
        }
        jobs[f"pin-{name}"] = _job(description.PINNED, MAIN, environment=name, needs=[f"deploy-{name}"])
    jobs["contents"] = _job(description.LISTED, MAIN)
    jobs["drift"] = _job(description.DRIFTED, NIGHT)
    jobs |= {job.id: _job(job, NIGHT) for job in description.NIGHTLY}
    head: Block = {
        "stages": list(dict.fromkeys(job["stage"] for job in jobs.values())),
        "default": {"image": "$TOOLS_IMAGE", "interruptible": False},
    }
    return {FILE: HEAD + yaml.dump({**head, **jobs}, Dumper=_Literal, sort_keys=False, width=4096)}


def _job(
    job: Job, when: str, *, environment: str = "", needs: list[str] | None = None, env: Mapping[str, str] | None = None
) -> Block:
    variables: Block = {**({"ENVIRONMENT": environment} if job.each else {}), **(env or {})}
    if job.history or job.commits:
        variables["GIT_DEPTH"] = "0"
    script = [*_credentials(job), *([_REMOTE] if job.commits else []), *(step.run for step in job.steps)]
    paths = [path.format(environment=environment) for artifact in job.leaves for path in artifact.paths]
    block: Block = {
        "stage": f"{job.id}-{environment}" if environment and job.id != "plan" else job.id,
        "rules": [{"if": when}],
        "timeout": f"{job.minutes} minutes",
        "needs": needs if needs is not None else list(job.needs),
        "script": script,
    }
    if variables:
        block["variables"] = {
            name: value for name, value in variables.items() if name == "GIT_DEPTH" or _used(name, script)
        }
    if job.role:
        block["id_tokens"] = {"AWS_TOKEN": {"aud": "sts.amazonaws.com"}}
    if paths:
        artifacts: Block = {"paths": paths, "expire_in": f"{job.leaves[0].days} days"}
        if job.leaves[0].always:
            artifacts |= {"when": "always", "expose_as": "what this changes" if job.id == "review" else "drift"}
        block["artifacts"] = artifacts
    return block


_REMOTE = 'git remote set-url origin "https://pipeline:$PUSH_TOKEN@$CI_SERVER_HOST/$CI_PROJECT_PATH.git"'


def _credentials(job: Job) -> list[str]:
    """The SDK itself exchanges the token: it is a file and the role's name."""
    if not job.role:
        return []
    return [
        'umask 077; printf %s "$AWS_TOKEN" > "$CI_PROJECT_DIR.token"',
        f'export AWS_WEB_IDENTITY_TOKEN_FILE="$CI_PROJECT_DIR.token" AWS_ROLE_ARN="$AWS_{job.role.upper()}_ROLE"',
    ]


def _used(name: str, script: list[str]) -> bool:
    return any(re.search(rf"\${{?{name}\b", line) for line in script)
