"""The workflows on GitHub: pinned, with the least rights, fresh, and correct in the eyes of actionlint. Their lines are run in tests/pipeline."""

import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from operations.pipeline import description, files
from operations.supply_chain import sbom
from settings.engines import ENGINES

FOLDER = Path(".github/workflows")
FILES = sorted(FOLDER.glob("*.yml"))
ACTION = Path(".github/actions/terraform/action.yml")
TEXTS = [path.read_text() for path in (*FILES, ACTION)]
ACTIONLINT = shutil.which("actionlint") or shutil.which("actionlint", path=str(Path.home() / "go/bin"))


def _jobs() -> Iterator[tuple[str, dict[str, Any]]]:
    for path in FILES:
        for name, job in yaml.safe_load(path.read_text())["jobs"].items():
            yield f"{path.name}: {name}", job


def test_every_action_is_pinned_by_its_commit_with_its_version_beside() -> None:
    uses = [line.strip() for text in TEXTS for line in text.splitlines() if "uses:" in line]
    assert uses
    own = [line for line in uses if "uses: ./" in line]
    assert {line.split("uses: ./")[1].split(" #")[0] for line in own} == {
        str(ACTION.parent),
        ".github/workflows/environment.yml",
    }
    uses = [line for line in uses if line not in own]
    loose = [line for line in uses if not re.search(r"uses: [\w.-]+/[\w.-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+$", line)]
    assert not loose, loose
    commits: dict[str, set[str]] = {}
    for line in uses:
        action, commit = line.split("uses: ")[1].split("@")
        commits.setdefault(action, set()).add(commit)
    assert all(len(versions) == 1 for versions in commits.values()), f"more than one version of an action: {commits}"


@pytest.mark.parametrize(
    ("line", "installed"),
    [
        ("", "hashicorp/setup-terraform"),
        ("engine: terraform\n", "hashicorp/setup-terraform"),
        ("engine: tofu\n", "opentofu/setup-opentofu"),
        ('engine: "tofu"  # since June\n', "opentofu/setup-opentofu"),
        ("# engine: tofu\n", "hashicorp/setup-terraform"),
    ],
)
def test_jobs_install_the_engine_that_the_settings_name(line: str, installed: str, tmp_path: Path) -> None:
    """And it is new enough for the stacks (`settings/engines.py`)."""
    (asking, *installing) = yaml.safe_load(ACTION.read_text())["runs"]["steps"]
    (tmp_path / "environments").mkdir()
    (tmp_path / "environments/_project.yaml").write_text(f"name_prefix: vet\n{line}")
    output = tmp_path / "output"
    command = ["bash", "-eo", "pipefail", "-c", asking["run"]]
    subprocess.run(command, cwd=tmp_path, env={**os.environ, "GITHUB_OUTPUT": str(output)}, check=True)
    name = output.read_text().strip().removeprefix("name=")
    assert name in ENGINES
    (chosen,) = [step for step in installing if step["if"] == f"steps.engine.outputs.name == '{name}'"]
    assert chosen["uses"].startswith(f"{installed}@")
    (version,) = [value for key, value in chosen["with"].items() if key.endswith("_version")]
    assert tuple(map(int, version.removeprefix("~").split("."))) >= ENGINES[name].minimum
    assert "false" in str([value for key, value in chosen["with"].items() if key.endswith("_wrapper")]).lower()


def test_every_job_that_plans_or_applies_installs_an_engine() -> None:
    for name, job in _jobs():
        commands = " ".join(step.get("run", "") for step in job.get("steps", []))
        if re.search(r"operations (stack (plan|apply)|review|drift)|make release", commands):
            assert f"./{ACTION.parent}" in [step.get("uses") for step in job["steps"]], name


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_rights_are_given_job_by_job(path: Path) -> None:
    assert yaml.safe_load(path.read_text())["permissions"] == {}
    for name, job in _jobs():
        assert job["permissions"], f"{name} has no rights of its own"
        if (
            "uses" in job
        ):  # the rights of all jobs of the workflow that it calls, which has its own row here for each of them
            continue
        most = (
            180 if name.startswith("nightly.yml: test-") else 90
        )  # a suite may take an hour, and a shared machine three times that
        assert job["timeout-minutes"] <= most, f"{name} may hang for {job['timeout-minutes']} minutes"
        writes = {scope for scope, level in job["permissions"].items() if level == "write"}
        assert writes <= {"id-token", "pull-requests", "attestations", "contents", "issues"}, name
        if "attestations" not in writes:
            assert len(writes) <= 1, f"{name}: a job that calls AWS does not write on GitHub"


def test_what_is_attested_was_made_by_another_job_and_meets_no_code_and_no_role() -> None:
    (attesting,) = [job for _, job in _jobs() if "attestations" in job["permissions"]]
    assert not [step for step in attesting["steps"] if "checkout" in step.get("uses", "")], (
        "a signature of whatever that code left there"
    )
    assert "aws-actions" not in str(attesting)
    jobs = yaml.safe_load((FOLDER / "deploy.yml").read_text())["jobs"]
    assert attesting["needs"] == ["contents", "publish"]
    built = jobs["contents"]
    assert built["permissions"] == {"contents": "read"}
    assert "make sbom" in [step.get("run") for step in built["steps"]]
    (kept,) = [step["with"]["path"] for step in built["steps"] if "upload-artifact" in step.get("uses", "")]
    assert Path(kept) == sbom.FOLDER


def test_a_public_repository_publishes_no_plan_files() -> None:
    """Its artifacts can be taken by anybody who is logged in, and a plan file holds what the state holds."""
    for path in FILES:
        jobs = yaml.safe_load(path.read_text())["jobs"]
        for name, job in jobs.items():
            if "upload-artifact" in str(job.get("steps")) and ".tfplan" in str(job["steps"]):
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
        for step in job.get("steps", []):
            run = step.get("run", "")
            if re.search(r"operations (stack plan|review)", run) and not _in_private_alone(job, name):
                assert step["env"]["PRIVATE"] == "${{ github.event.repository.private }}", name
                assert re.search(r'\[ "\$PRIVATE" = true \] && values=--values \|\| values=--no-values', run), name
                assert '"$values"' in run, name


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
    caller = yaml.safe_load((FOLDER / "deploy.yml").read_text())["jobs"]["deploy"]
    assert caller["strategy"]["max-parallel"] == 1
    assert caller["strategy"]["fail-fast"] is True, "prod must not follow a dev that failed"
    deploy = yaml.safe_load((FOLDER / "environment.yml").read_text())["jobs"]["deploy"]
    assert deploy["environment"] == "${{ inputs.environment }}"
    assert deploy["concurrency"] == {"group": "stack-vet-${{ inputs.environment }}", "cancel-in-progress": False}
    commands = " ".join(step.get("run", "") for step in deploy["steps"])
    assert "stack apply" in commands
    assert "auto-approve" not in commands
    assert not re.search(r"operations (stack plan|env deploy)", commands), "it must not plan the infrastructure again"


def test_a_called_workflow_asks_for_no_more_than_its_callers_give() -> None:
    """GitHub does not start a run whose called jobs have more (reusable workflows: permissions can only be kept or taken away)."""
    called = yaml.safe_load((FOLDER / "environment.yml").read_text())["jobs"]
    asked = {(scope, level) for job in called.values() for scope, level in job["permissions"].items()}
    for name, job in _jobs():
        if "uses" in job:
            given = {*job["permissions"].items(), *((scope, "read") for scope in job["permissions"])}
            assert asked <= given, f"{name} does not give {asked - given}"


def test_the_files_are_what_the_description_says() -> None:
    stale = [str(path) for path, text in files().items() if not path.exists() or path.read_text() != text]
    assert not stale, f"make workflows was not run: {stale}"


def test_gitlab_runs_the_same_lines() -> None:
    """Whatever a job of the description runs is in both, word for word but for the place of a run's summary."""
    jobs = yaml.safe_load(Path("examples/gitlab/.gitlab-ci.yml").read_text())
    there = {line for job in jobs.values() if isinstance(job, dict) for line in job.get("script", [])}
    for job in (each for each in vars(description).values() if isinstance(each, description.Job)):
        missing = [step.run for step in job.steps if step.run not in there]
        assert not missing, f"{job.id} on GitLab lacks {missing}"


def test_no_job_of_gitlab_has_the_name_of_a_keyword() -> None:
    """GitLab: CI/CD YAML syntax reference, unavailable names for jobs, and keywords that are global."""
    jobs = yaml.safe_load(Path("examples/gitlab/.gitlab-ci.yml").read_text())
    keywords = {
        "image",
        "services",
        "before_script",
        "after_script",
        "cache",
        "variables",
        "workflow",
        "include",
        "pages",
        "types",
    }
    assert not keywords & jobs.keys(), f"not jobs to GitLab: {keywords & jobs.keys()}"


def test_gitlab_gives_no_token_to_a_merge_request_of_a_fork() -> None:
    jobs = yaml.safe_load(Path("examples/gitlab/.gitlab-ci.yml").read_text())
    for name, job in jobs.items():
        if isinstance(job, dict) and "id_tokens" in job:
            (rule,) = job["rules"]
            own = "$CI_MERGE_REQUEST_SOURCE_PROJECT_ID == $CI_PROJECT_ID" in rule["if"]
            assert own or "merge_request_event" not in rule["if"], f"{name} runs a stranger's code with a token"


def test_expressions_never_become_shell() -> None:
    for name, job in _jobs():
        for step in job.get("steps", []):
            assert "${{" not in step.get("run", ""), f"{name}: pass it through env: {step['run']}"


@pytest.mark.skipif(
    ACTIONLINT is None, reason="go install github.com/rhysd/actionlint/cmd/actionlint@v1.7.12 to check the workflows"
)
def test_actionlint_finds_nothing() -> None:
    answer = subprocess.run([ACTIONLINT or "", *map(str, FILES)], capture_output=True, text=True)
    assert answer.returncode == 0, answer.stdout
