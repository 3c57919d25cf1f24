"""``make review``: what this checkout would change in every stack, as one page for people; and ``make drift``, which asks whether what is deployed is
still what Git says.

The infrastructure is planned by Terraform. Of a Helm stack the rendered objects are compared with those of the commit that was deployed last
(docs/decisions/0130-review-by-rendering.md). Values of AWS resources, and contents of Secrets, are on neither page.
"""

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import main
from operations.deployment import deployed, difference, plan, rendered
from operations.deployment.difference import Change
from operations.deployment.plan_summary import losses, refuse_losses
from operations.deployment.rendered import Helm
from operations.report.cost import assumptions
from operations.report.cost_estimate import environment_estimate
from operations.shared import git
from operations.shared.console import terminal
from operations.shared.errors import Failure, refuse_placeholders
from operations.shared.programs import tool
from operations.shared.stack_json import Document
from operations.shared.terraform import STACKS, Terraform
from settings import Settings, load
from settings.effects import effect
from settings.environment import Environment
from settings.names import Names, helm_stack, infrastructure_stack
from settings.prices import prices
from settings.remembered import changed

MAIN = ("origin/main", "main")
PICTURES = "docs/pictures"
SMALL_USD = 0.5
"""A difference that is not worth a row."""

console = terminal(whole_lines=True)


@dataclass
class Page:
    """What was found, in the order in which people should read it."""

    risks: list[str] = field(default_factory=list)
    """What goes and may hold data or serve people, what is refused, and what could not be looked at."""

    sections: list[str] = field(default_factory=list)
    changes: bool = False
    """Whether anything differs."""

    refused: bool = False

    @property
    def text(self) -> str:
        """Markdown, cut where a comment would be too long for GitHub."""
        first = (
            [f"> **Look at this first**\n{''.join(f'> - {risk}{chr(10)}' for risk in self.risks)}"]
            if self.risks
            else []
        )
        text = "\n".join(["## What this changes\n", *first, *self.sections])
        return text if len(text) <= plan.LIMIT else f"{text[: plan.LIMIT]}\n\n… and more: see the log of the run\n"


def run(*, markdown: Path | None = None, values: bool = True, lock: bool = True) -> None:
    """Compare, show, and write the page.

    :param values: let Terraform show its plans as well, which name values.
    :param lock: False for an identity that may only read state, which cannot lock it.

    Raises:
        Failure: a plan destroys what no changed setting may destroy; the page is written before.
    """
    page = compare(values=values, lock=lock)
    console.print(page.text, markup=False)
    if markdown:
        markdown.write_text(page.text, encoding="utf-8")
    if page.refused:
        raise Failure("a plan is refused: the page says what it would take away")


def drift(*, markdown: Path) -> bool:
    """Whether what is deployed differs from what this checkout says; the page is written only then.

    A Helm stack differs where the commit that was deployed renders other objects than this one.
    """
    page = compare(values=False, lock=False)
    console.print(page.text, markup=False)
    if page.changes or page.risks:
        markdown.write_text(
            page.text.replace("## What this changes", "## What a deploy of main would change", 1), encoding="utf-8"
        )
    return page.changes or bool(page.risks)


def compare(*, values: bool, lock: bool) -> Page:
    """Look at every stack."""
    settings = load()
    refuse_placeholders(settings)
    main.build_app(settings).synth()
    page = Page()
    for stack in plan.stacks(settings):
        with _told(page, stack):
            _infrastructure(page, stack, values=values, lock=lock)
    costs: list[str] = []
    for environment in settings.environments:
        with _told(page, helm_stack(environment.name)):
            costs += _environment(page, settings, environment)
    if costs:
        head = "### Cost\n\n| environment | USD a month before | after | difference |\n|---|---|---|---|"
        page.sections.append("\n".join([head, *costs]) + "\n")
    if drawn := list(_pictures()):
        page.sections.append("### Pictures that differ\n\n" + "\n".join(drawn) + "\n")
    return page


@contextmanager
def _told(page: Page, stack: str) -> Iterator[None]:
    """One stack that cannot be looked at keeps no other from being looked at; the page says that it was not."""
    try:
        yield
    except Failure as failure:
        why = " ".join(str(failure).split())[:600]
        page.risks.append(f"**{stack} could not be compared**, so nothing is known of it: {why}")


def _infrastructure(page: Page, stack: str, *, values: bool, lock: bool) -> None:
    terraform = Terraform(stack)
    terraform.init("-reconfigure")
    planned = terraform.show(plan.PLAN) if terraform.plan(plan.PLAN, lock=lock, shown=values) else {}
    page.changes |= bool(planned)
    page.risks += [f"{stack}: {loss}" for loss in losses(planned)]
    try:
        refuse_losses(planned, accepted=os.environ.get(plan.LOSE, ""), stack=stack)
    except Failure:
        page.refused = True
        page.risks.append(f"**{stack}: this plan is refused**, since no changed setting is declared to take that away")
    page.sections.append(plan.as_markdown(stack, planned))


def _environment(page: Page, settings: Settings, environment: Environment) -> Iterator[str]:
    """The section of a Helm stack, and the row of what the environment costs."""
    names, stack = Names(settings.project, environment), helm_stack(environment.name)
    known = deployed.last(names)
    commit = known.commit if known else _fork_point()
    helm = Helm.here(tool("helm"), environment.cluster.releases.kubernetes)
    with git.synthesised(commit) as before:
        if not (before / stack).is_dir():
            page.sections.append(f"### {stack}: new\n")
            page.changes = True
            return
        changes = difference.changes(rendered.objects(stack, before, helm), rendered.objects(stack, STACKS, helm))
        keys = _settings(stack, before)
        unrendered = rendered.not_rendered(stack, STACKS, helm)
        row = _cost(environment, before)
    page.changes |= bool(changes)
    page.risks += [f"{stack}: {each.verb} {each.what}, and what it holds" for each in changes if each.risky]
    against = f"commit {known}" if known else f"commit {commit[:12]}: there is no record of a deploy"
    page.sections.append(section(stack, against, changes, keys, unrendered))
    yield from row


def section(
    stack: str, against: str, changes: Sequence[Change], keys: Sequence[str], unrendered: Sequence[str] = ()
) -> str:
    """A Helm stack's part of the page."""
    counts = {verb: sum(each.verb == verb for each in changes) for verb in ("destroy", "change", "create")}
    totals = ", ".join(f"{count} to {verb}" for verb, count in counts.items() if count) or "no changes"
    lines = [f"### {stack}: {totals}", "", f"Objects as they are rendered, compared with {against}."]
    if unrendered:
        lines.append(
            f"Of {', '.join(unrendered)} chart, version and values were compared: the charts are not available (make charts)."
        )
    lines += ["", *(f"- `{key}`: {effect(key)}" for key in keys)]
    if changes:
        lines += ["", "| | what | object | fields |", "|---|---|---|---|"]
        lines += [f"| {plan.MARKS[each.verb]} | {each.verb} | `{each.what}` | {each.shown} |" for each in changes]
    return "\n".join(lines) + "\n"


def _fork_point() -> str:
    for main_branch in MAIN:
        if git.knows(main_branch):
            return git.git("merge-base", main_branch, "HEAD")
    raise Failure(f"this clone has neither {' nor '.join(MAIN)} to compare with")


def _settings(stack: str, before: Path) -> list[str]:
    one, other = (_remembered(stack, folder) for folder in (before, STACKS))
    return changed(one, other)


def _remembered(stack: str, folder: Path) -> dict[str, str]:
    values: dict[str, str] = Document.read(stack, folder).content.get("output", {}).get("settings", {}).get("value", {})
    return values


def _cost(environment: Environment, before: Path) -> list[str]:
    use, table = assumptions(environment, ()), prices()
    one, other = (
        environment_estimate(
            environment, table, use, Document.read(infrastructure_stack(environment.name), folder)
        ).total
        for folder in (before, STACKS)
    )
    if abs(other - one) < SMALL_USD:
        return []
    return [f"| {environment.name} | {one:.0f} | {other:.0f} | {other - one:+.0f} |"]


def _pictures() -> Iterator[str]:
    """Pictures that this branch changes, with links to both where it is known where they are."""
    try:
        since = _fork_point()
    except Failure:
        return
    listed = git.git("diff", "--name-status", "--no-renames", since, "--", PICTURES).splitlines()
    for kind, path in (line.split("\t") for line in listed):
        sides = {"before": since, "after": git.git("rev-parse", "HEAD")}
        sides = {
            side: commit for side, commit in sides.items() if (kind, side) not in (("A", "before"), ("D", "after"))
        }
        links = ", ".join(
            f"[{side}]({_address(commit, path)})" if _address(commit, path) else side for side, commit in sides.items()
        )
        yield f"- `{path}`: {links}"


def _address(commit: str, path: str) -> str:
    server, repository = os.environ.get("GITHUB_SERVER_URL"), os.environ.get("GITHUB_REPOSITORY")
    return f"{server}/{repository}/blob/{commit}/{path}" if server and repository else ""
