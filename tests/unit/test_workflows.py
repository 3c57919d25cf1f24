"""The workflows on GitHub: pinned, with the least rights, and correct in the eyes of actionlint."""

import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from operations import sbom

FOLDER = Path(".github/workflows")
FILES = sorted(FOLDER.glob("*.yml"))
TEXTS = [path.read_text() for path in FILES]
ACTIONLINT = shutil.which("actionlint") or shutil.which("actionlint", path=str(Path.home() / "go/bin"))


def _jobs() -> Iterator[tuple[str, dict[str, Any]]]:
    for path in FILES:
        for name, job in yaml.safe_load(path.read_text())["jobs"].items():
            yield f"{path.name}: {name}", job


def test_every_action_is_pinned_by_its_commit_with_its_version_beside() -> None:
    uses = [line.strip() for text in TEXTS for line in text.splitlines() if "uses:" in line]
    assert uses
    loose = [line for line in uses if not re.search(r"uses: [\w.-]+/[\w.-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+$", line)]
    assert not loose, loose
    commits: dict[str, set[str]] = {}
    for line in uses:
        action, commit = line.split("uses: ")[1].split("@")
        commits.setdefault(action, set()).add(commit)
    assert all(len(found) == 1 for found in commits.values()), f"one version of each action, please: {commits}"


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_rights_are_given_job_by_job(path: Path) -> None:
    assert yaml.safe_load(path.read_text())["permissions"] == {}
    for name, job in _jobs():
        assert job["permissions"], f"{name} has no rights of its own"
        assert job["timeout-minutes"] <= 90, name
        writes = {scope for scope, level in job["permissions"].items() if level == "write"}
        assert writes <= {"id-token", "pull-requests", "attestations"}, name
        if "attestations" not in writes:
            assert len(writes) <= 1, f"{name}: whoever speaks with AWS does not write on GitHub"


def test_what_is_attested_was_made_by_another_job_and_meets_no_code_and_no_role() -> None:
    (attesting,) = [job for _, job in _jobs() if "attestations" in job["permissions"]]
    assert all("uses" in step for step in attesting["steps"]), "a signature of whatever that code left there"
    assert "aws-actions" not in str(attesting)
    jobs = yaml.safe_load((FOLDER / "deploy.yml").read_text())["jobs"]
    built = jobs[attesting["needs"]]
    assert built["permissions"] == {"contents": "read"}
    assert "make sbom" in [step.get("run") for step in built["steps"]]
    (kept,) = [step["with"]["path"] for step in built["steps"] if "upload-artifact" in step.get("uses", "")]
    assert Path(kept) == sbom.FOLDER


def test_a_public_repository_publishes_no_plan_files() -> None:
    """Its artifacts can be taken by whoever is logged in, and a plan file holds what the state holds."""
    for path in FILES:
        jobs = yaml.safe_load(path.read_text())["jobs"]
        for name, job in jobs.items():
            if "upload-artifact" in str(job["steps"]) and ".tfplan" in str(job["steps"]):
                gates = [
                    job,
                    *(jobs[each] for each in ([job["needs"]] if isinstance(job["needs"], str) else job["needs"])),
                ]
                assert any("github.event.repository.private" in str(each.get("if")) for each in gates), (
                    f"{path}: {name}"
                )


def test_logs_of_a_public_repository_show_no_values() -> None:
    """They are read by everybody, and Terraform's account of a plan names the values of what changes."""
    for name, job in _jobs():
        for step in job["steps"]:
            if "stack plan" in step.get("run", "") and not _in_private_alone(job, name):
                assert step["env"]["PRIVATE"] == "${{ github.event.repository.private }}", name
                assert re.search(r'\[ "\$PRIVATE" = true \] && values=--values \|\| values=--no-values', step["run"]), (
                    name
                )
                assert '"$values"' in step["run"], name


def _in_private_alone(job: dict[str, Any], name: str) -> bool:
    jobs = yaml.safe_load((FOLDER / name.split(":")[0]).read_text())["jobs"]
    needs = job.get("needs", [])
    gates = [job, *(jobs[each] for each in ([needs] if isinstance(needs, str) else needs))]
    return any("github.event.repository.private" in str(each.get("if")) for each in gates)


def test_code_of_strangers_never_meets_a_role() -> None:
    for text in TEXTS:
        assert "pull_request_target" not in text
        assert "aws-access-key-id" not in text
        assert "secrets." not in text, "tokens are made for each run; there is nothing to store"
    jobs = yaml.safe_load((FOLDER / "pull-request.yml").read_text())["jobs"]
    for name, job in jobs.items():
        if "id-token" in job["permissions"]:
            assert "github.event.pull_request.head.repo.full_name == github.repository" in job["if"], name
            assert "AWS_PLAN_ROLE" in str(job["steps"]), name
            assert "DEPLOY" not in str(job), name


def test_a_deploy_is_bound_to_its_environment_and_applies_the_plan_that_was_shown() -> None:
    deploy = yaml.safe_load((FOLDER / "deploy.yml").read_text())["jobs"]["deploy"]
    assert deploy["environment"] == "${{ matrix.environment }}"
    assert deploy["concurrency"] == {"group": "stack-vet-${{ matrix.environment }}", "cancel-in-progress": False}
    assert deploy["strategy"]["max-parallel"] == 1
    commands = " ".join(step.get("run", "") for step in deploy["steps"])
    assert "stack apply" in commands
    assert "auto-approve" not in commands
    assert not re.search(r"operations stack plan", commands), "it must not plan anew"


def test_expressions_never_become_shell() -> None:
    for name, job in _jobs():
        for step in job["steps"]:
            assert "${{" not in step.get("run", ""), f"{name}: pass it through env: {step['run']}"


@pytest.mark.skipif(
    ACTIONLINT is None, reason="go install github.com/rhysd/actionlint/cmd/actionlint@v1.7.12 to check the workflows"
)
def test_actionlint_finds_nothing() -> None:
    answer = subprocess.run([ACTIONLINT or "", *map(str, FILES)], capture_output=True, text=True)
    assert answer.returncode == 0, answer.stdout
