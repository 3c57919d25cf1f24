"""``make plan ENV=dev``, and what the workflows run: plan one stack, and tell people what it would change.

The Markdown names what happens to which resource, and the values of none: a comment on a pull request is read by more people than state is.
"""

import hashlib
import os
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import main
from operations.deployment import boundary, cluster_settings
from operations.deployment.plan_summary import effect_of, refuse_losses, settings_changed, summary
from operations.deployment.state_bucket import explained
from operations.shared.console import terminal
from operations.shared.errors import Failure, refuse_placeholders
from operations.shared.terraform import Terraform
from settings import Settings, load
from settings.names import STATE_STACK, Names, infrastructure_stack

PLAN = Path("plan.tfplan")
"""The plan, in the stack's folder."""

LOSE = "VET_LOSE"
"""Environment variable with addresses that a plan may take away although no setting allows it (``make deploy LOSE=...``)."""

LIMIT = 60_000
"""Characters of a comment; GitHub takes 65,536."""

VERBS = {
    ("create",): "create",
    ("update",): "change",
    ("delete",): "destroy",
    ("delete", "create"): "replace",
    ("create", "delete"): "replace",
    ("read",): "read",
    ("no-op",): "",
    ("forget",): "forget",
}
"""Terraform's actions (JSON Output Format: Change Representation) in a word each."""

MARKS = {"create": "🟢", "change": "🟡", "replace": "🟠", "destroy": "🔴", "forget": "⚪", "read": "🔵"}


def of_environment(name: str) -> None:
    """Plan an environment's infrastructure, and say which settings a deploy would bring to its cluster.

    Raises:
        Failure: there is no such environment, one of the two would refuse its part, or a state cannot be read.
    """
    run(infrastructure_stack(name))
    cluster_settings.show(name, cluster_settings.refuse(name))


def run(stack: str, *, markdown: Path | None = None, lock: bool = True, values: bool = True) -> None:
    """Synthesise, plan, and say what would change.

    :param markdown: write the account for people there as well.
    :param values: let Terraform show the plan as well, which names values. A public repository's logs are read by everybody.

    Raises:
        Failure: there is no such infrastructure stack, or its state is in a bucket of another name.
    """
    settings = load()
    refuse_placeholders(settings)
    if stack not in stacks(settings):
        raise Failure(f"there is no stack {stack!r} to plan; there are {', '.join(stacks(settings))}")
    main.build_app(settings).synth()
    terraform = Terraform(stack)
    with explained(settings.project):
        terraform.init("-reconfigure")
    plan = terraform.show(PLAN) if terraform.plan(PLAN, lock=lock, shown=values) else {}
    if markdown:
        markdown.write_text(as_markdown(stack, plan))
    show(stack, plan)
    refuse_losses(plan, accepted=os.environ.get(LOSE, ""), stack=stack)


def show(stack: str, plan: dict[str, Any]) -> None:
    """Tell the terminal what a plan does; one line if it does nothing."""
    console = terminal()
    first, *rest = summary(stack, plan) if plan else [f"{stack}: nothing changes"]
    console.print(f"\n[bold]{first}[/]")
    for line in rest:
        console.print(line, markup=False)


def apply(stack: str, *, sha256: str = "") -> None:
    """Apply the plan that an earlier run has written into the stack's folder.

    :param sha256: checksum of the plan that a person has read and names, where nobody is asked for approval.

    Raises:
        Failure: there is none, it is another one than was named, it destroys what no setting allows, or the environment's roles have no
            boundary yet.
    """
    settings = load()
    refuse_placeholders(settings)
    main.build_app(settings).synth()
    terraform = Terraform(stack)
    if not (terraform.folder / PLAN).exists():
        raise Failure(f"{terraform.folder / PLAN} is missing: plan {stack} first")
    digest = hashlib.sha256((terraform.folder / PLAN).read_bytes()).hexdigest()
    if sha256 and sha256 != digest:
        raise Failure(
            f"the plan of {stack} is {digest}, and {sha256} was named: read the plan of that run, and name it"
        )
    terraform.init("-reconfigure")
    for environment in settings.environments:
        if stack == infrastructure_stack(environment.name):
            boundary.refuse_missing(Names(settings.project, environment))
    refuse_losses(terraform.show(PLAN), accepted=os.environ.get(LOSE, ""), stack=stack)
    terraform.apply_plan(PLAN)


def stacks(settings: Settings) -> list[str]:
    """Stacks that can be planned without a cluster: the account's, and each environment's infrastructure."""
    return [STATE_STACK, *(infrastructure_stack(environment.name) for environment in settings.environments)]


def as_markdown(stack: str, plan: dict[str, Any]) -> str:
    """What a plan does, in Markdown, what is lost first.

    :param plan: Terraform's JSON of it; empty if it changes nothing.
    """
    changes = sorted(_changes(plan), key=lambda change: (list(MARKS).index(change[0]) * -1, change[1]))
    changes = [change for change in changes if change[0] != "read"]
    if not changes:
        return f"### {stack}: no changes\n"
    counts = Counter(verb for verb, _ in changes)
    summary = ", ".join(f"{counts[verb]} to {verb}" for verb in MARKS if counts[verb])
    lines = [f"### {stack}: {summary}", ""]
    if lost := [address for verb, address in changes if verb in ("destroy", "replace")]:
        lines += [
            f"> **Warning:** {len(lost)} {'resource' if len(lost) == 1 else 'resources'} will be destroyed or replaced.",
            "",
        ]
    lines += [f"- `{key}`: {effect_of(plan, key)}" for key in settings_changed(plan) or []]
    lines += ["", "| | what | resource |", "|---|---|---|"]
    size = sum(map(len, lines))
    for verb, address in changes:
        row = f"| {MARKS[verb]} | {verb} | `{address}` |"
        size += len(row) + 1
        if size > LIMIT:
            lines.append("| | | and more: see the workflow's log |")
            break
        lines.append(row)
    return "\n".join(lines) + "\n"


def _changes(plan: dict[str, Any]) -> Iterator[tuple[str, str]]:
    for resource in plan.get("resource_changes", []):
        verb = VERBS.get(tuple(resource["change"]["actions"]), "change")
        if verb:
            yield verb, resource["address"]
