"""Visitors of the application through the ingress controller, and what they saw."""

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from tests.pods.conftest import Platform
from tests.pods.probe import Source

PROGRAM = Path(__file__).with_name("visitors.py")
CONTROLLER = ("get", "pods", "-n", "ingress-nginx", "--field-selector=status.phase=Running")


@dataclass
class Visits:
    """What the visitors saw."""

    asked: int = 0
    repeated: int = 0
    longest: float = 0
    failed: list[tuple[float, str]] = field(default_factory=list)
    """Second and status, or the error's name."""


def host(platform: Platform) -> str:
    """The application's name."""
    return platform.kubectl("get", "ingress/vet-app", "--output", "jsonpath={.spec.rules[0].host}")


def entrance(platform: Platform) -> str:
    """Address of a node on which an ingress controller runs."""
    return platform.kubernetes.run(*CONTROLLER, "--output", "jsonpath={.items[0].status.hostIP}")


@contextmanager
def visiting(
    platform: Platform, source: Source, seconds: int, path: str = "/livez", a_second: int = 50
) -> Iterator[Visits]:
    """People ask meanwhile."""
    visitors = 10
    words = (str(seconds), host(platform), entrance(platform), path, str(visitors), str(visitors / a_second))
    visits = Visits()
    with source.start(platform, PROGRAM, *words) as process:
        time.sleep(3)
        assert process.poll() is None, f"the visitors failed: {process.communicate()[1][-2000:]}"
        yield visits
        out, errors = process.communicate()
    assert process.returncode == 0, f"the visitors failed: {errors[-2000:]}"
    seen = json.loads(out)
    visits.asked, visits.repeated = sum(seen["answers"].values()), seen["repeated"]
    visits.longest, visits.failed = seen["longest"], [(at, what) for at, what in seen["failed"]]
