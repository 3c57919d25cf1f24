"""The pipeline's jobs, once: what each runs, needs, takes and leaves. ``github.py`` and ``gitlab.py`` say the same in the words of each.

A job runs the commands that a person runs (docs/runbooks/github-actions.md has them side by side). Jobs hand on files, never values in a text that a
shell reads: names come in variables, and what one job made is an artifact of the next.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from operations.application.publish import PUBLISHED
from operations.deployment.release import RELEASED
from operations.supply_chain.sbom import FOLDER as SBOM

VET = "sh scripts/run python -m operations"

TOOLS = "sh scripts/run python scripts/fetch_helm.py tests/tools/helm.txt .tools"
"""Helm and kubectl, checked, in ``.tools``."""


@dataclass(frozen=True)
class Artifact:
    """Files that a job leaves to others, or to people."""

    name: str
    paths: Sequence[str]
    days: int = 7
    """How long it is kept."""

    always: bool = False
    """Kept of a job that failed as well."""

    each: bool = False
    """One for each environment, named after it."""


@dataclass(frozen=True)
class Step:
    """Lines of bash. ``ENVIRONMENT`` names the environment in a job of one."""

    run: str
    name: str = ""


@dataclass(frozen=True)
class Job:
    """What runs on one machine."""

    id: str
    why: str
    """A sentence for the file's readers."""

    steps: Sequence[Step]
    needs: Sequence[str] = ()
    minutes: int = 15
    role: Literal["plan", "publish", "deploy"] | None = None
    """The role in AWS that its token is exchanged for; without one, it gets no token."""

    each: bool = False
    """One for each environment."""

    approved: bool = False
    """It waits for the reviewers of its environment."""

    terraform: bool = False
    history: bool = False
    """It needs all commits, not the newest alone."""

    takes: Sequence[Artifact] = ()
    leaves: Sequence[Artifact] = ()
    commits: bool = False
    """It pushes a commit to main, and may do nothing else there."""


REVIEW = Artifact("review", ["review.md"], always=True)
IMAGE = Artifact("image", [str(PUBLISHED)])
PLAN = Artifact(
    "plan",
    ["cdktf.out/stacks/vet-{environment}/plan.tfplan", "cdktf.out/stacks/vet-{environment}/.terraform.lock.hcl"],
    each=True,
)
RUNNING = Artifact("running", [str(RELEASED)], each=True)
CONTENTS = Artifact("contents", [str(SBOM)], days=90)
DRIFT = Artifact("drift", ["drift.md"], always=True)

TEST = Job(
    "test",
    "Lint, unit tests and the application's tests.",
    [
        Step("make synth"),
        Step(
            'go install github.com/rhysd/actionlint/cmd/actionlint@v1.7.12\n"$(go env GOPATH)/bin/actionlint"',
            name="actionlint",
        ),
        Step("make test"),
        Step("make wheel"),
    ],
    minutes=30,
    leaves=[Artifact("library", ["cdktf.out/wheel/*.whl"])],
)

REVIEWED = Job(
    "review",
    "What the change does to every stack, by a role that can only read: the infrastructure by plan, what is on the clusters as it is rendered.",
    [
        Step(TOOLS),
        Step(f"{VET} charts --if-reachable"),
        Step(
            # Everybody reads a public repository's logs.
            '[ "$PRIVATE" = true ] && values=--values || values=--no-values\n'
            f'{VET} review --no-lock "$values" --markdown review.md',
            name="review",
        ),
    ],
    needs=["test"],
    minutes=30,
    role="plan",
    terraform=True,
    history=True,
    leaves=[REVIEW],
)

PUBLISHED_IMAGE = Job(
    "publish",
    "The application's image, built once and brought to every registry; nothing is built where they have it.",
    [Step("make publish", name="publish")],
    minutes=30,
    role="publish",
    history=True,
    leaves=[IMAGE],
)

PLANNED = Job(
    "plan",
    "What the infrastructure's deploy would change, for those who approve it.",
    [
        Step(
            f'{VET} stack plan "vet-$ENVIRONMENT" --no-lock --markdown plan.md\n'
            'sha256sum "cdktf.out/stacks/vet-$ENVIRONMENT/plan.tfplan" | sed "s/ .*//; s/^/The plan is /" >> plan.md\n'
            'cat plan.md >> "$SUMMARY"',
            name="plan",
        )
    ],
    minutes=20,
    role="plan",
    each=True,
    terraform=True,
    leaves=[PLAN],
)

DEPLOYED = Job(
    "deploy",
    "After approval: exactly the plan that was shown, then what is on the cluster, with the image. It is tried by its address; if that fails, the"
    " former image runs again.",
    [
        Step(TOOLS),
        Step(
            'if [ -n "$PLANNED" ]; then\n'
            f'  {VET} stack apply "vet-$ENVIRONMENT" ${{PLAN_SHA256:+--sha256 "$PLAN_SHA256"}}\n'
            "fi",
            name="apply the plan that was approved",
        ),
        Step(
            f'[ -n "$IMAGE" ] || IMAGE=$(jq -er --arg name "$ENVIRONMENT" \'.[$name]\' {PUBLISHED})\n'
            'PATH="$PWD/.tools:$PATH" make release ENV="$ENVIRONMENT" IMAGE="$IMAGE"',
            name="release",
        ),
    ],
    minutes=90,
    role="deploy",
    each=True,
    approved=True,
    terraform=True,
    history=True,
    takes=[IMAGE, PLAN],
    leaves=[RUNNING],
)

PINNED = Job(
    "pin",
    "What runs stands in Git: the image that passed, by a commit to the environment's file. No role of AWS is taken here.",
    [
        Step(
            'git config user.name "pipeline"\ngit config user.email "pipeline@users.noreply.github.com"\n'
            f"IMAGE=$(jq -er --arg name \"$ENVIRONMENT\" '.[$name]' {RELEASED})\n"
            f'{VET} app pin "$ENVIRONMENT" "$IMAGE" --push main',
            name="pin",
        )
    ],
    needs=["deploy"],
    each=True,
    takes=[RUNNING],
    commits=True,
)

LISTED = Job(
    "contents",
    "What this commit makes: the bundle of the nodes' programs, and what it and the image are made of.",
    [Step("make sbom")],
    leaves=[CONTENTS],
)

DRIFTED = Job(
    "drift",
    "Whether what is deployed is what main says, in every stack.",
    [
        Step(TOOLS),
        Step(f"{VET} charts --if-reachable"),
        Step(f"{VET} drift --markdown drift.md", name="drift"),
    ],
    minutes=30,
    role="plan",
    terraform=True,
    history=True,
    leaves=[DRIFT],
)

SUITES = {
    "boot": ("the nodes' programs in a sandbox", ["make test-boot"], 90),
    "schedules": ("random schedules of faults on servers that run etcd itself", ["make test-schedules"], 45),
    "apply": ("the real Terraform against an AWS emulator", ["make test-apply"], 90),
    "changes": ("every setting changed by itself on an applied environment", ["make test-changes"], 180),
    "year": ("a year of one environment on the AWS emulator", ["make test-year"], 180),
    "pipeline": ("these workflows' own lines on an AWS emulator", ["make test-pipeline"], 90),
    "engines": (
        "the same JSON by CDK for Terraform and CDK Terrain, and a move between them",
        ["make test-engines"],
        90,
    ),
    "optimizations": (
        "what loads the bindings quickly, each part of it broken on purpose",
        ["make test-optimizations"],
        20,
    ),
    "application": (
        "the application on the other half of its lines of Python and databases",
        ["make -C vet_app test HALF=second"],
        45,
    ),
}
"""Suites that are too long for each pull request, and run at night: what they are, their lines, and the minutes after which they are stopped,
some three times what they take. Not among them is what asks for something that a forge's machine has not, and would be green because it skips:
``test-platform`` and ``test-pods`` (a cluster), ``test-upgrade`` (API servers of each Kubernetes)."""

NIGHTLY = [
    Job(
        f"test-{name}", f"{what[0].upper()}{what[1:]}.", [Step(line) for line in lines], minutes=minutes, terraform=True
    )
    for name, (what, lines, minutes) in SUITES.items()
]
