"""Nothing that is installed on the way from one release set to the next is in an API version that the cluster does not serve, before its roll or after."""

import json
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import kubernetes_validate
import pytest

from operations.supply_chain.charts import archive_name
from settings.helm_values import FOLDER, merge, values
from settings.release_sets import SETS, release_set
from settings.removed_apis import not_served, table
from settings.upgrades import Step, way
from tests.unit.platform.manifests import KINDS
from tests.unit.releases.samples import LOCAL, NAMESPACES, Manifest, derived, helm_template, merged

STEPS = way(release_set(SETS[0]), release_set(SETS[-1])).steps
MINORS = sorted({releases.kubernetes_minor for step in STEPS for releases in (step.before, step.after)})
SCHEMAS = Path(kubernetes_validate.__file__).parent / "kubernetes-json-schema"
OLDEST = 25
"""The first minor whose schemas the package has."""


@pytest.mark.parametrize("minor", MINORS)
@pytest.mark.parametrize("chart", LOCAL)
def test_our_charts_are_served(helm: str, chart: str, minor: str) -> None:
    given = merged(chart, SETS[0], "prod")
    rendered = helm_template(
        helm, FOLDER / "charts" / chart, chart, LOCAL[chart], given, "--kube-version", f"{minor}.0"
    )
    assert list(not_served(rendered, minor)) == [], f"helm-values/charts/{chart} on Kubernetes {minor}"


@pytest.mark.parametrize("minor", MINORS)
def test_what_terraform_makes_is_served(minor: str) -> None:
    """Kinds of the Kubernetes provider that the stacks use (tests/unit/platform/manifests.py)."""
    kinds = [{"apiVersion": api, "kind": kind} for api, kind in KINDS.values()]
    assert list(not_served(kinds, minor)) == []


@pytest.mark.parametrize("step", STEPS, ids=lambda step: step.title)
def test_charts_of_others_are_served_before_and_after_the_roll(helm: str, charts: Path, step: Step) -> None:
    """A deploy has the charts on the former Kubernetes, and again on the one that the roll brings."""
    absent = []
    for key in (key for key in NAMESPACES if key in step.after):
        chart = charts / archive_name(step.after[key])
        if not chart.is_dir():
            absent.append(step.after[key].label)
            continue
        for kubernetes in dict.fromkeys((step.before.kubernetes, step.after.kubernetes)):
            problems = list(not_served(_rendered(helm, chart, key, step, kubernetes), kubernetes))
            assert problems == [], f"{step.after[key].label} on Kubernetes {kubernetes}"
    if absent:
        pytest.skip(f"needs charts of the way (sh scripts/run python -m operations charts --way): {', '.join(absent)}")


def _rendered(helm: str, chart: Path, key: str, step: Step, kubernetes: str) -> list[Manifest]:
    given = merge(values(key, step.after.name, version=step.after[key].version), derived(key, step.after, "prod"))
    more = ("--kube-version", kubernetes, "--api-versions", "snapshot.storage.k8s.io/v1")
    return helm_template(helm, chart, key, NAMESPACES[key], given, *more)


@pytest.mark.parametrize(
    ("api", "kind", "kubernetes", "served"),
    [
        ("policy/v1beta1", "PodDisruptionBudget", "1.24.17", True),
        ("policy/v1beta1", "PodDisruptionBudget", "1.25", False),
        ("policy/v1", "PodDisruptionBudget", "1.36", True),
        ("flowcontrol.apiserver.k8s.io/v1beta3", "FlowSchema", "1.31.14", True),
        ("flowcontrol.apiserver.k8s.io/v1beta3", "FlowSchema", "1.32.0", False),
    ],
)
def test_an_object_is_told_by_kind_version_and_minor(api: str, kind: str, kubernetes: str, served: bool) -> None:
    problems = list(not_served([{"apiVersion": api, "kind": kind, "metadata": {"name": "one"}}], kubernetes))
    assert (problems == []) is served, problems
    for problem in problems:
        assert re.fullmatch(rf"{kind} one: {api} ended with Kubernetes 1\.\d+ \(.+\); write .+/v1", problem), problem


def test_the_table_is_what_the_schemas_say() -> None:
    """Of each minor that there are schemas of: what the one before had and it has not, alpha versions apart."""
    last = max(minor for minor in range(OLDEST, 100) if _folder(minor).is_dir())
    gone = {
        (f"1.{minor}", api, kind)
        for minor in range(OLDEST + 1, last + 1)
        for api, kind in _kinds(minor - 1) - _kinds(minor)
        if "alpha" not in api
    }
    rows = {(row.removed, row.api, kind) for row in table() for kind in row.kinds}
    assert {each for each in rows if int(each[0].split(".")[1]) > OLDEST} == gone, "settings/removed_apis.yaml"


@cache
def _kinds(minor: int) -> frozenset[tuple[str, str]]:
    return frozenset(_of_schemas(minor))


def _of_schemas(minor: int) -> Iterator[tuple[str, str]]:
    for file in _folder(minor).glob("*.json"):
        if re.search(r"-v\d+(beta\d+)?\.json$", file.name):
            properties = json.loads(file.read_text()).get("properties", {})
            api, kind = (properties.get(key, {}).get("enum", [None])[0] for key in ("apiVersion", "kind"))
            if api and kind and not kind.endswith("List"):
                yield api, kind


def _folder(minor: int) -> Path:
    return SCHEMAS / f"v1.{minor}.0-local"
