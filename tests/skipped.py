"""The end of ``make test``: what it did not run, how to have it, and which lines of the architecture are without proof for it. Reads pytest's reports in a folder
(``--junitxml``) and what the application's tests noted there in ``application.txt``."""

import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from xml.etree import ElementTree

from rich.console import Console
from rich.table import Table

from tests.architecture import unproven

SEPARATE = {
    "the nodes' programs, booted in a sandbox": "make test-boot, about ten minutes",
    "random schedules of faults on servers that run etcd": "make test-schedules, about five minutes",
    "the real Terraform against an AWS emulator": "make test-apply, 20 minutes, with Terraform and the provider plugins",
    "every setting changed by itself, and a year of one environment": "make test-changes, make test-year, an hour each, as test-apply",
    "the workflows' own lines": "make test-pipeline, ten minutes, as test-apply",
    "CDK Terrain, and a move to it": "make test-engines, 25 minutes, as test-apply",
    "what loads the bindings quickly, broken on purpose": "make test-optimizations, two minutes",
    "the walk through CONTRIBUTING.md": "make test-contributing, three minutes, in a clean clone",
    "the application on the other half of its Pythons and databases": "make -C vet_app test HALF=second",
    "the Helm stacks on a Kubernetes API": "make test-platform, ten minutes, with VET_TEST_KUBECONFIG, after make charts",
    "make upgrade on API servers of each Kubernetes": "make test-upgrade, half an hour, with VET_TEST_API (tests/README.md)",
    "recovery, drain and policies where pods run": "make test-pods, half an hour, with VET_TEST_KUBECONFIG of a cluster that has the Helm stack",
    "what a visitor sees of the ingress controller": "make test-pods, with VET_TEST_INGRESS (tests/README.md)",
    "the application under its pod's limits": "make load-app",
}
"""Suites that have a target of their own, and which."""


def reasons(folder: Path) -> Iterator[tuple[str, int]]:
    """Each reason for skipping, with the number of tests that gave it."""
    counts: Counter[str] = Counter()
    for report in sorted(folder.glob("*.xml")):
        counts.update(skip.get("message", "") for skip in ElementTree.parse(report).iter("skipped"))
    yield from counts.most_common()


def noted(folder: Path) -> list[tuple[str, str]]:
    """What the application's tests could not run, and the remedy: their lines ``- what: remedy``."""
    file = folder / "application.txt"
    lines = file.read_text().splitlines() if file.exists() else []
    parts = (line.strip().removeprefix("- ").partition(": ") for line in lines)
    return [(f"the application's tests: {what}", remedy) for what, colon, remedy in parts if colon]


def unproven_lines(folder: Path) -> list[str]:
    """Lines of docs/architecture.txt whose only tests were skipped."""
    passed, skipped = set(), set()
    for report in sorted(folder.glob("*.xml")):
        for case in ElementTree.parse(report).iter("testcase"):
            node = f"{case.get('classname', '').replace('.', '/')}.py::{case.get('name')}"
            if case.find("skipped") is not None:
                skipped.add(node)
            elif case.find("failure") is None and case.find("error") is None:
                passed.add(node)
    return unproven(passed, skipped)


def show(folder: Path) -> None:
    """Print the list."""
    table = Table("not run here", "how to have it", box=None, pad_edge=False)
    for reason, count in reasons(folder):
        table.add_row(f"{count} test{'s' if count > 1 else ''}", reason)
    for what, remedy in (*noted(folder), *SEPARATE.items()):
        table.add_row(what, remedy)
    console = Console(highlight=False, width=None if sys.stdout.isatty() else 160)
    console.print("", table, sep="\n")
    for line in unproven_lines(folder):
        console.print(f"not proven here: {line} (docs/architecture.txt); all its tests were skipped", markup=False)


if __name__ == "__main__":
    show(Path(sys.argv[1]))
