"""When what an environment uses is no longer maintained, from ``end_of_life.yaml``."""

import datetime
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from settings import yaml_text
from settings.base import Section
from settings.cluster import INGRESS, ClusterSettings
from settings.environment import Environment

TABLE = Path(__file__).with_suffix(".yaml")

DAY = datetime.timedelta(days=1)

NOTICE = datetime.timedelta(days=90)
"""How long before its end a line is spoken of."""

SIGNING_KEY = "A6310ACC4672475C"
"""Id of the key by which nodes check the AWS CLI (``nodes/aws-cli-signing-key.asc``)."""

NODE = "24"
"""Line of Node.js that the tools bring (``Pipfile``)."""


class Line(Section):
    """A line of versions that ends."""

    component: str
    """Its title."""

    line: str
    """What its versions begin with: ``1.26`` is 1.26.15."""

    date: datetime.date
    """Its last day."""

    follows: str
    """What to take instead, or what comes after."""

    source: str
    """Who says so."""


@dataclass(frozen=True)
class Use:
    """Something that an environment uses, with the line that it is of, if its end is known."""

    component: str
    version: str
    line: Line | None

    def ends_within(self, today: datetime.date, time: datetime.timedelta = NOTICE) -> bool:
        """Whether its line has ended, or will within that time."""
        return self.line is not None and self.line.date <= today + time


@cache
def lines() -> tuple[Line, ...]:
    """The table."""
    return tuple(Line.model_validate(each) for each in yaml_text.load(TABLE.read_text(encoding="utf-8")))


def today() -> datetime.date:
    """The day by which it is judged what has ended, in UTC."""
    return datetime.datetime.now(datetime.UTC).date()


def ended(cluster: ClusterSettings) -> list[Use]:
    """What is installed of lines that have ended, as the catalogue has them."""
    used = (Use(component, version, _line(component, version)) for component, version in _installed(cluster))
    return [use for use in used if use.ends_within(today() - DAY, datetime.timedelta())]


def uses(environment: Environment) -> list[Use]:
    """What the environment uses and whose end matters, soonest first; what has no known end comes last."""
    uses = [Use(component, version, _line(component, version)) for component, version in _versions(environment)]
    return sorted(uses, key=lambda use: use.line.date if use.line else datetime.date.max)


def _versions(environment: Environment) -> Iterator[tuple[str, str]]:
    yield from _installed(environment.cluster)
    yield "Python of the application", environment.application.python_version
    if ubuntu := re.search(r"[0-9]{2}\.04", environment.image.name):
        yield "Ubuntu of the nodes", ubuntu[0]
    yield "Node.js of the tools", NODE
    yield "AWS CLI's signing key", SIGNING_KEY


def _installed(cluster: ClusterSettings) -> Iterator[tuple[str, str]]:
    releases = cluster.releases
    yield "Kubernetes", releases.kubernetes
    for component in ("rancher", "cert-manager", INGRESS[cluster.ingress], "cloudnative-pg", "postgresql"):
        release = releases[component]
        yield release.component.title, str(release.program)


def _line(component: str, version: str) -> Line | None:
    return next((each for each in lines() if each.component == component and _is_of(version, each.line)), None)


def _is_of(version: str, line: str) -> bool:
    return version == line or version.startswith(f"{line}.")
