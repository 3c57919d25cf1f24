"""From a pull request to a promoted digest: the workflows' own lines, by the roles that their tokens get, and with no other right."""

import json
from typing import Any

import pytest

from operations.devtools.emulator import local_cluster
from operations.devtools.emulator.known_gaps import Clients
from operations.pipeline import description
from tests.pipeline.conftest import Forge
from tests.pipeline.runner import Ran

PRIVATE = {"repository": {"private": True}}
OWN = {
    "repository": {"private": True},
    "pull_request": {"number": 3, "head": {"sha": "0" * 40, "repo": {"full_name": "clinic/platform"}}},
}
FORK = {
    "repository": {"private": True},
    "pull_request": {"number": 4, "head": {"sha": "0" * 40, "repo": {"full_name": "stranger/platform"}}},
}


def _images(aws: Clients, environment: str) -> list[dict[str, Any]]:
    images: list[dict[str, Any]] = aws("ecr").describe_images(repositoryName=f"vet-{environment}/vet-app")[
        "imageDetails"
    ]
    return images


def results(ran: dict[str, Ran]) -> dict[str, str]:
    return {name: job.result for name, job in ran.items()}


def logs(ran: dict[str, Ran]) -> str:
    return "\n".join(
        f"== {name}: {job.result}\n{job.log[-6000:]}" for name, job in ran.items() if job.result != "skipped"
    )


@pytest.fixture(scope="module")
def proposed(forge: Forge) -> dict[str, Ran]:
    """A pull request that asks for another replica of the application and a bigger agent in dev."""
    changes = {"instance_type: t3.medium": "instance_type: t3.large", "image: 0123abc": "image: 0123abc\n  replicas: 3"}
    forge.commit({"environments/dev.yaml": changes}, branch="bigger")
    return forge.runner.run("pull-request.yml", OWN, ref="bigger")


def test_a_pull_request_gets_one_comment_on_all_stacks(proposed: dict[str, Ran], forge: Forge) -> None:
    assert set(results(proposed).values()) == {"success"}, logs(proposed)
    assert "pr comment 3 --repo clinic/platform --edit-last --create-if-none" in (forge.folder / "gh.log").read_text()
    for stack in ("vet-state", "vet-dev", "vet-prod", "vet-dev-helm", "vet-prod-helm"):
        assert f"### {stack}" in forge.page, f"{stack} is missing in the comment:\n{forge.page}"
    assert "| dev | " in forge.page, f"no row of what it costs:\n{forge.page}"
    assert "`application.replicas`" in forge.page, f"the changed setting is not named:\n{forge.page}"
    assert "`Deployment vet-app/vet-app`" in forge.page, f"the changed object is not named:\n{forge.page}"


def test_a_fork_gets_tests_and_no_token(forge: Forge) -> None:
    before = list(forge.runner.tokens)
    ran = forge.runner.run("pull-request.yml", FORK, ref="bigger")
    assert results(ran) == {"test": "success", "review": "skipped", "comment": "skipped"}, logs(ran)
    assert forge.runner.tokens == before, "a job of a fork was given a token"


@pytest.fixture(scope="module")
def built(forge: Forge) -> dict[str, Ran]:
    """The jobs of a merge before anything is deployed."""
    return forge.runner.run("deploy.yml", PRIVATE, but=["deploy"])


def test_one_build_brings_the_same_digest_to_every_registry(built: dict[str, Ran], forge: Forge, aws: Clients) -> None:
    assert built["publish"].result == "success", logs(built)
    digests = {
        name: [each["imageDigest"] for each in _images(aws, name) if local_cluster.IMAGE not in each["imageTags"]]
        for name in ("dev", "prod")
    }
    assert digests["dev"] == digests["prod"], f"the registries have different images: {digests}"
    published = json.loads((forge.folder / "artifacts/image/published.json").read_text())
    assert {name: [digest] for name, digest in published.items()} == digests
    calls = [json.loads(line) for line in (forge.folder / "buildah.log").read_text().splitlines()]
    assert [call["arguments"][0] for call in calls] == ["build", "push"], f"built more than once: {calls}"
    assert not any(call["leaked"] for call in calls), f"the build had credentials available: {calls}"


def test_each_job_has_the_role_that_is_meant(built: dict[str, Ran], forge: Forge) -> None:
    assert "ref:refs/heads/main -> vet-github-publish" in forge.runner.tokens
    assert "ref:refs/heads/main -> vet-github-plan" in forge.runner.tokens
    assert not [token for token in forge.runner.tokens if token.startswith("ref:") and "deploy" in token], (
        forge.runner.tokens
    )


def test_the_plan_that_is_shown_has_a_checksum(built: dict[str, Ran]) -> None:
    assert built["plan[dev]"].result == "success", logs(built)
    assert "### vet-dev: " in built["plan[dev]"].summary
    assert "The plan is " in built["plan[dev]"].summary


def test_a_public_repository_deploys_nothing(forge: Forge) -> None:
    ran = forge.runner.run("deploy.yml", {"repository": {"private": False}})
    assert {name for name, result in results(ran).items() if result != "skipped"} == {"contents"}, results(ran)


def test_without_drift_no_issue_is_opened(forge: Forge) -> None:
    ran = forge.runner.run("nightly.yml", PRIVATE, but=[job.id for job in description.NIGHTLY])
    assert ran["drift"].result == "success", logs(ran)
    assert ran["issue"].result == "skipped"


def test_drift_is_one_issue(forge: Forge, aws: Clients) -> None:
    aws("ecr").put_image_tag_mutability(repositoryName="vet-dev/vet-app", imageTagMutability="MUTABLE")
    try:
        ran = forge.runner.run("nightly.yml", PRIVATE, but=[job.id for job in description.NIGHTLY])
    finally:
        aws("ecr").put_image_tag_mutability(repositoryName="vet-dev/vet-app", imageTagMutability="IMMUTABLE")
    assert ran["drift"].result == "failure", (
        "somebody made the registry's tags mutable, and nothing was found to differ"
    )
    assert ran["issue"].result == "success", logs(ran)
    assert "issue create" in (forge.folder / "gh.log").read_text()
    assert "## What a deploy of main would change" in forge.page
    assert "aws_ecr_repository" in forge.page, forge.page
