"""When what an environment uses is no longer maintained, from ``end_of_life.yaml``."""

import datetime
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from pydantic import model_validator

from settings import yaml_text
from settings.base import Section
from settings.environment import Environment
from settings.release_sets import ReleaseSet

TABLE = Path(__file__).with_suffix(".yaml")

DAY = datetime.timedelta(days=1)

NOTICE = datetime.timedelta(days=90)
"""How long before its end a line is spoken of."""

SIGNING_KEY = "A6310ACC4672475C"
"""Id of the key by which nodes check the AWS CLI (``nodes/aws-cli-signing-key.asc``)."""

TOOLS: Mapping[str, str] = {
    "Node.js": "24",
    "CDK for Terraform": "0.21.0",
    "AWS provider": "6.25.0",
    "Helm provider": "3.1.1",
    "Kubernetes provider": "2.38.0",
}
"""What the project itself brings (``Pipfile``), by the titles of the table, and of which version. Terraform or OpenTofu is each machine's own."""


class Line(Section):
    """A line of versions that ends, or why nobody can say when."""

    component: str
    """Its title."""

    line: str = ""
    """What its versions begin with: ``1.26`` is 1.26.15. Left out, all of them."""

    date: datetime.date | None = None
    """Its last day."""

    reason: str = ""
    """Why it has none."""

    follows: str = ""
    """What to take instead, or what comes after."""

    source: str
    """Who says so."""

    @model_validator(mode="after")
    def has_a_date_or_a_reason(self) -> "Line":
        """Either of them, and what follows where there is a date. Raises ``ValueError`` otherwise."""
        if (self.date is None) == (not self.reason) or (self.date is not None and not self.follows):
            raise ValueError(
                f"settings/end_of_life.yaml: {self.component} {self.line} must have date and follows, or a reason"
            )
        return self


@dataclass(frozen=True)
class Use:
    """Something that an environment uses, with the line that it is of."""

    component: str
    version: str
    line: Line | None
    """``None`` where the table lacks it; the tests see that it does not for what the project brings."""

    @property
    def end(self) -> datetime.date | None:
        """Its last day, where one is published."""
        return self.line.date if self.line else None

    def ends_within(self, today: datetime.date, time: datetime.timedelta = NOTICE) -> bool:
        """Whether its line has ended, or will within that time."""
        return self.end is not None and self.end <= today + time


@cache
def lines() -> tuple[Line, ...]:
    """The table."""
    return tuple(Line.model_validate(each) for each in yaml_text.load(TABLE.read_text(encoding="utf-8")))


def today() -> datetime.date:
    """The day by which it is judged what has ended, in UTC."""
    return datetime.datetime.now(datetime.UTC).date()


def ended(releases: ReleaseSet) -> list[Use]:
    """Of what is installed, what is of lines that have ended."""
    return [use for use in _of(_installed(releases)) if use.ends_within(today() - DAY, datetime.timedelta())]


def uses(environment: Environment) -> list[Use]:
    """What the environment uses and whose end matters, soonest first; what has no known end comes last."""
    return _of(_versions(environment))


def tools(others: Mapping[str, str] | None = None) -> list[Use]:
    """What makes and applies the stacks, soonest end first.

    :param others: versions of what is not the project's own but this machine's, such as Terraform's, by title.
    """
    return _of({**TOOLS, **(others or {})}.items())


def _of(versions: Iterable[tuple[str, str]]) -> list[Use]:
    components = [Use(component, version, line_of(component, version)) for component, version in versions]
    return sorted(components, key=lambda use: use.end or datetime.date.max)


def _versions(environment: Environment) -> Iterator[tuple[str, str]]:
    yield from _installed(environment.releases)
    yield "Python of the application", environment.application.python_version
    if ubuntu := re.search(r"[0-9]{2}\.04", environment.image.name):
        yield "Ubuntu of the nodes", ubuntu[0]
    yield "AWS CLI's signing key", SIGNING_KEY


def _installed(releases: ReleaseSet) -> Iterator[tuple[str, str]]:
    yield "Kubernetes", releases.kubernetes
    for component in releases.pins:
        if component != "rke2":  # its lines are those of the Kubernetes that it brings
            release = releases[component]
            yield release.component.title, str(release.program)


def line_of(component: str, version: str) -> Line | None:
    """The row of that version, by the component's title."""
    return next((each for each in lines() if each.component == component and _is_of(version, each.line)), None)


def _is_of(version: str, line: str) -> bool:
    return not line or version == line or version.startswith(f"{line}.")
