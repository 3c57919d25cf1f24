"""The description in GitHub's words: workflows whose jobs have rights one by one, and tokens for AWS that are made for each run.

Rules that hold in all of them: every action by its commit, no value inside a script, no stored secret, nothing for forks but tests, and a job that
speaks with AWS does not write to the repository.
"""

import re
import textwrap
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from operations.pipeline import description
from operations.pipeline.description import Artifact, Job

FOLDER = Path(".github/workflows")
RUNNER = "ubuntu-24.04"

PRIVATE = "github.event.repository.private"
OWN_BRANCH = "github.event.pull_request.head.repo.full_name == github.repository"
ENVIRONMENT = "${{ inputs.environment }}"

OWN = "# zizmor: ignore[self-repository] actionlint does not know $/ yet"

CALLED = f"./.github/workflows/environment.yml {OWN}"

ENGINE = f"./.github/actions/terraform {OWN}"
"""Installs the program that applies the stacks, Terraform or OpenTofu, as the settings name it."""

Block = dict[str, Any]


@cache
def actions() -> Mapping[str, str]:
    """``owner/name@commit # version`` of each action by its short name."""
    lines = Path(__file__).with_name("actions.yaml").read_text(encoding="utf-8").splitlines()
    return dict(line.split(": ", 1) for line in lines if line and not line.startswith("#"))


def files() -> dict[Path, str]:
    """Every workflow."""
    return {
        FOLDER / "pull-request.yml": _pull_request(),
        FOLDER / "deploy.yml": _deploy(),
        FOLDER / "environment.yml": _environment(),
        FOLDER / "release.yml": _release(),
        FOLDER / "nightly.yml": _nightly(),
    }


def _pull_request() -> str:
    review = _job(
        description.REVIEWED, only=f"{OWN_BRANCH} && vars.AWS_PLAN_ROLE != ''", env={"PRIVATE": f"${{{{ {PRIVATE} }}}}"}
    )
    comment = _bare(
        5,
        {"pull-requests": "write"},
        [
            _uses("take", name="review"),
            {
                "name": "one comment, changed with every push",
                "env": {
                    "GH_TOKEN": "${{ github.token }}",
                    "REPOSITORY": "${{ github.repository }}",
                    "NUMBER": "${{ github.event.pull_request.number }}",
                    "COMMIT": "${{ github.event.pull_request.head.sha }}",
                },
                "run": "printf '\\nLooked at %s. Values of AWS resources are not shown; in a private repository the log of the run has them.\\n' \"$COMMIT\" >> review.md\n"
                'gh pr comment "$NUMBER" --repo "$REPOSITORY" --edit-last --create-if-none --body-file review.md',
            },
        ],
        needs=["review"],
        only="always() && needs.review.result != 'skipped' && needs.review.result != 'cancelled'",
    )
    return _text(
        "What a pull request would do: lint and tests for everybody; for branches of this repository also what changes in all stacks, as one"
        " comment, by a role that can only read. A fork gets no token for AWS at all: GitHub gives none, and the job does not run.",
        {
            "name": "pull request",
            "on": {"pull_request": None},
            "concurrency": {"group": "pull-request-${{ github.ref }}", "cancel-in-progress": True},
            "jobs": {"test": _job(description.TEST), "review": review, "comment": comment},
        },
        {"comment": "The one comment; what the page says was written by a job that could not write here."},
    )


def _environments_to_deploy() -> Block:
    """Their names, protected ones last, and those of them that are deployed without a person who starts it."""
    environments = _bare(
        15,
        {"contents": "read"},
        [
            *_setup(description.TEST),
            {
                "id": "names",
                "env": {"BY_HAND": "${{ vars.BY_HAND }}"},
                "run": f"environments=$({description.VET} env list --json)\n"
                # Protected environments last: what fails in the others does not reach them.
                "names=$(jq -c 'sort_by(.deletion_protection) | map(.name)' <<< \"$environments\")\n"
                'echo "names=$names" >> "$GITHUB_OUTPUT"\n'
                'echo "automatic=$(jq -c --arg by_hand "$BY_HAND" \'. - ($by_hand | split(" "))\' <<< "$names")" >> "$GITHUB_OUTPUT"',
            },
        ],
        only=f"vars.AWS_PLAN_ROLE != '' && {PRIVATE}",
    )
    environments["outputs"] = {name: f"${{{{ steps.names.outputs.{name} }}}}" for name in ("names", "automatic")}
    return environments


def _attest() -> Block:
    """GitHub's signature under what was made."""
    return _bare(
        5,
        {"id-token": "write", "attestations": "write"},
        [
            _uses("take", name="contents", path="contents"),
            _uses("take", name="image", path="image"),
            {
                "id": "image",
                "run": 'jq -r \'to_entries[] | "\\(.value | ltrimstr("sha256:"))  \\(.key)/vet-app"\' image/published.json > image/checksums.txt',
            },
            _uses("attest", **{"subject-path": "contents/nodes.tar.gz\ncontents/*.cdx.json\n"}),
            _uses("attest", **{"subject-checksums": "image/checksums.txt"}),
        ],
        needs=["contents", "publish"],
        only="vars.ATTEST == 'yes'",
    )


def _deploy() -> str:
    names = "${{ fromJSON(needs.environments.outputs.names) }}"
    publish = _job(description.PUBLISHED_IMAGE, needs=["environments"])
    plan = _job(
        description.PLANNED, needs=["environments"], env={"SUMMARY": ""}, environment="${{ matrix.environment }}"
    )
    plan["strategy"] = {"fail-fast": False, "matrix": {"environment": names}}
    deploy: Block = {
        "needs": ["environments", "publish", "plan"],
        "permissions": {"contents": "write", "id-token": "write", "actions": "read"},
        "strategy": {
            "fail-fast": True,
            "max-parallel": 1,
            "matrix": {"environment": "${{ fromJSON(needs.environments.outputs.automatic) }}"},
        },
        "uses": CALLED,
        "with": {"environment": "${{ matrix.environment }}", "planned": "yes"},
    }
    contents = _job(description.LISTED)
    return _text(
        "After a merge: build the image once, plan every environment, wait until somebody approves its deployment on GitHub, apply exactly that"
        " plan, put the image in front of the clinic, and try it. Terraform itself refuses a plan whose state has changed since it was made. In a"
        " public repository it does nothing: a plan file holds what the state holds, and anybody who is logged in on GitHub can take a public"
        " repository's artifacts.",
        {
            "name": "deploy",
            "on": {"push": {"branches": ["main"]}},
            "jobs": {
                "environments": _environments_to_deploy(),
                "publish": publish,
                "plan": plan,
                "deploy": deploy,
                "contents": contents,
                "attest": _attest(),
            },
        },
        {
            "environments": "Their names; the variable BY_HAND keeps some of them for the workflow release.",
            "deploy": "One after the other: prod does not follow a dev that failed. The rights are those of the two jobs in environment.yml, which share none.",
            "attest": "Signed by GitHub as made by this workflow; nothing of the repository runs here, and no role of AWS is taken.",
        },
    )


def _environment() -> str:
    env = {
        "IMAGE": "${{ inputs.image }}",
        "PLANNED": "${{ inputs.planned }}",
        "PLAN_SHA256": "${{ inputs.plan_sha256 }}",
    }
    deploy = _job(
        description.DEPLOYED,
        env=env,
        environment=ENVIRONMENT,
        only_takes={"image": "inputs.image == ''", "plan": "inputs.planned != ''"},
    )
    deploy["environment"] = ENVIRONMENT
    deploy["concurrency"] = {"group": f"stack-vet-{ENVIRONMENT}", "cancel-in-progress": False}
    pin = _job(description.PINNED, environment=ENVIRONMENT)
    inputs = {
        "environment": {"type": "string", "required": True},
        "image": {"type": "string", "default": ""},
        "planned": {"type": "string", "default": ""},
        "plan_sha256": {"type": "string", "default": ""},
        "run": {"type": "string", "default": ""},
    }
    return _text(
        "One environment: deploy after its approval, try it, go back if it fails, and commit what runs. Called by deploy.yml and release.yml.",
        {
            "name": "environment",
            "on": {"workflow_call": {"inputs": inputs}},
            "jobs": {"deploy": deploy, "pin": pin},
        },
        {},
    )


def _release() -> str:
    inputs = {
        "environment": {"description": "Environment", "type": "environment", "required": True},
        "image": {
            "description": "Digest (sha256:...) of the image; former for the one that ran before",
            "type": "string",
            "default": "former",
        },
        "run": {
            "description": "Run of deploy whose plan is applied as well, by its number",
            "type": "string",
            "default": "",
        },
        "plan_sha256": {
            "description": "Checksum of that plan, as its summary shows it",
            "type": "string",
            "default": "",
        },
    }
    release: Block = {
        "if": f"vars.AWS_PLAN_ROLE != '' && {PRIVATE} && github.ref == 'refs/heads/main' && (inputs.run == '') == (inputs.plan_sha256 == '')",
        "permissions": {"contents": "write", "id-token": "write", "actions": "read"},
        "uses": CALLED,
        "with": {
            "environment": "${{ inputs.environment }}",
            "image": "${{ inputs.image }}",
            "planned": "${{ inputs.run }}",
            "plan_sha256": "${{ inputs.plan_sha256 }}",
            "run": "${{ inputs.run }}",
        },
    }
    return _text(
        "Started by a person: roll back (the former image), promote an image by its digest, or apply a plan that was shown, by its checksum.",
        {
            "name": "release",
            "on": {"workflow_dispatch": {"inputs": inputs}},
            "jobs": {"release": release},
        },
        {},
    )


def _nightly() -> str:
    drift = _job(description.DRIFTED, only=f"vars.AWS_PLAN_ROLE != '' && {PRIVATE}")
    issue = _bare(
        5,
        {"issues": "write"},
        [
            _uses("take", name="drift"),
            {
                "name": "one issue, opened or changed",
                "env": {"GH_TOKEN": "${{ github.token }}", "REPOSITORY": "${{ github.repository }}"},
                "run": "title='What is deployed is not what main says'\n"
                'number=$(gh issue list --repo "$REPOSITORY" --state open --search "in:title \\"$title\\"" --json number --jq \'.[0].number // empty\')\n'
                'if [ -n "$number" ]; then\n'
                '  gh issue edit "$number" --repo "$REPOSITORY" --body-file drift.md\n'
                "else\n"
                '  gh issue create --repo "$REPOSITORY" --title "$title" --body-file drift.md\n'
                "fi",
            },
        ],
        needs=["drift"],
        only="failure()",
    )
    return _text(
        "Every night: whether what is deployed is still what main says, in one issue; and the suites that take too long for each pull request.",
        {
            "name": "nightly",
            "on": {"schedule": [{"cron": "17 3 * * *"}], "workflow_dispatch": None},
            "concurrency": {"group": "nightly", "cancel-in-progress": False},
            "jobs": {"drift": drift, "issue": issue, **{job.id: _job(job) for job in description.NIGHTLY}},
        },
        {"issue": "The page was written by a job that could not write here."},
    )


def _job(
    job: Job,
    *,
    needs: Sequence[str] = (),
    only: str = "",
    env: Mapping[str, str] | None = None,
    environment: str = "",
    only_takes: Mapping[str, str] | None = None,
) -> Block:
    """A job of the description.

    :param only: condition.
    :param env: what its steps' variables are here.
    :param environment: expression for the environment's name, in a job of one.
    :param only_takes: conditions of artifacts that are not always there.
    """
    rights = {"contents": "write" if job.commits else "read"}
    if job.role:
        rights["id-token"] = "write"
    if any("run-id" in step.get("with", {}) for step in _takes(job, environment, only_takes or {})):
        rights["actions"] = "read"
    variables = {**({"ENVIRONMENT": environment} if job.each else {}), **(env or {})}
    steps = [
        *_setup(job),
        *_takes(job, environment, only_takes or {}),
        *(_step(step, variables) for step in job.steps),
        *_leaves(job, environment),
    ]
    return _bare(job.minutes, rights, steps, needs=[*job.needs, *needs], only=only)


def _step(step: description.Step, variables: Mapping[str, str]) -> Block:
    used = {name: value for name, value in variables.items() if re.search(rf"\${{?{name}\b", step.run)}
    run = step.run.replace("$SUMMARY", "$GITHUB_STEP_SUMMARY")
    used.pop("SUMMARY", None)
    return {**({"name": step.name} if step.name else {}), **({"env": used} if used else {}), "run": run}


def _setup(job: Job) -> list[Block]:
    """The checkout, the tools, and the credentials of the run."""
    fetch = {"fetch-depth": 0} if job.history or job.commits else {}
    steps = [
        _uses("checkout", **{"persist-credentials": job.commits, **fetch}),
        _uses("python", **{"python-version": "3.12"}),
    ]
    if job.terraform:
        steps.append({"uses": ENGINE})
    if job.role:
        hour = {"role-duration-seconds": 3600} if job.role == "deploy" else {}
        role = f"${{{{ vars.AWS_{job.role.upper()}_ROLE }}}}"
        steps.append(_uses("credentials", **{"role-to-assume": role, "aws-region": "${{ vars.AWS_REGION }}", **hour}))
    return steps


def _takes(job: Job, environment: str, conditions: Mapping[str, str]) -> list[Block]:
    steps = []
    for artifact in job.takes:
        step = _uses("take", name=_name(artifact, environment), path=_root(artifact, environment))
        if artifact is description.PLAN:
            step["with"] |= {"run-id": "${{ inputs.run || github.run_id }}", "github-token": "${{ github.token }}"}
        steps.append({**({"if": conditions[artifact.name]} if artifact.name in conditions else {}), **step})
    return steps


def _leaves(job: Job, environment: str) -> list[Block]:
    steps = []
    for artifact in job.leaves:
        paths = [path.format(environment=environment) for path in artifact.paths]
        inputs = {
            "name": _name(artifact, environment),
            "path": paths[0] if len(paths) == 1 else "".join(f"{path}\n" for path in paths),
            **({"include-hidden-files": True} if any("/." in path for path in paths) else {}),
            "if-no-files-found": "ignore" if artifact.always else "error",
            "retention-days": artifact.days,
        }
        steps.append({**({"if": "always()"} if artifact.always else {}), **_uses("keep", **inputs)})
    return steps


def _name(artifact: Artifact, environment: str) -> str:
    return f"{artifact.name}-{environment}" if artifact.each else artifact.name


def _root(artifact: Artifact, environment: str) -> str:
    """Folder of the artifact's files: what the archive's paths begin at (upload-artifact: the least common ancestor)."""
    return str(Path(artifact.paths[0].format(environment=environment)).parent)


def _uses(action: str, **inputs: Any) -> Block:
    return {"uses": actions()[action], "with": inputs}


def _bare(
    minutes: int, rights: Mapping[str, str], steps: Sequence[Block], *, needs: Sequence[str] = (), only: str = ""
) -> Block:
    return {
        **({"needs": list(needs) if len(needs) > 1 else needs[0]} if needs else {}),
        **({"if": only} if only else {}),
        "runs-on": RUNNER,
        "timeout-minutes": minutes,
        "permissions": dict(rights),
        "steps": list(steps),
    }


WHY = {job.id: job.why for job in vars(description).values() if isinstance(job, Job)} | {
    job.id: job.why for job in description.NIGHTLY
}

GENERATED = "Written by `make workflows` from operations/pipeline: change it there."


class _Literal(yaml.SafeDumper):
    """Texts of several lines as people write them."""


_Literal.add_representer(
    str,
    lambda dumper, text: dumper.represent_scalar("tag:yaml.org,2002:str", text, style="|" if "\n" in text else None),
)


def _text(what: str, workflow: Block, why: Mapping[str, str]) -> str:
    """The file, with what it is for at its head and a sentence at each job."""
    workflow = {"name": workflow["name"], "on": workflow["on"], "permissions": {}, **workflow}
    text = yaml.dump(workflow, Dumper=_Literal, sort_keys=False, width=4096, allow_unicode=True)
    text = re.sub(r"^'on':", "on:", text, flags=re.MULTILINE)
    text = re.sub(r"^(on|  \w+): null$|: null$", lambda match: match[0].removesuffix(" null"), text, flags=re.MULTILINE)
    text = re.sub(r"uses: '(.*)'$", r"uses: \1", text, flags=re.MULTILINE)
    head, jobs = text.split("\njobs:\n")
    head = re.sub(r"\n(on|permissions|concurrency):", r"\n\n\1:", head)

    def described(match: re.Match[str]) -> str:
        comment = why.get(match[1]) or WHY.get(match[1])
        return f"\n{_comment(comment, '  ')}  {match[1]}:\n" if comment else f"\n  {match[1]}:\n"

    jobs = re.sub(r"^  ([\w-]+):\n", described, jobs, flags=re.MULTILINE).removeprefix("\n")
    return f"{_comment(what)}{_comment(GENERATED)}{head}\n\njobs:\n{jobs}"


def _comment(text: str, indent: str = "") -> str:
    return "".join(f"{indent}# {line}\n" for line in textwrap.wrap(text, 140 - len(indent)))
