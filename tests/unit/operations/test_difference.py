"""What a change does to the objects of a Helm stack, from two renderings: nothing of a Secret, and an object a row."""

import copy
from pathlib import Path
from typing import Any

import pytest

from operations.deployment import review
from operations.deployment.difference import Change, changes
from operations.deployment.rendered import HIDDEN, Helm, Objects, objects
from operations.deployment.review import Page, section
from operations.devtools.emulator.local_cluster import Absent, tool
from tests.unit.stacks.conftest import synthesised_with

STACK = "vet-dev-helm"


@pytest.fixture(scope="module")
def helm() -> Helm:
    """Helm, without charts of others: the project's own are in the stack's folder."""
    try:
        return Helm(tool("helm"), None, "1.26.15")
    except Absent as absent:
        pytest.skip(str(absent))


@pytest.fixture(scope="module")
def rendered(helm: Helm, tmp_path_factory: pytest.TempPathFactory) -> Objects:
    """The objects of dev."""
    return objects(STACK, synthesised_with("", tmp_path_factory.mktemp("dev")), helm)


def test_objects_of_terraform_and_of_charts_are_named_alike(rendered: Objects) -> None:
    assert {
        "Deployment vet-app/vet-app",
        "Cluster vet-app/database",
        "Release cattle-system/rancher",
    } <= rendered.keys()


def test_a_chart_that_is_not_at_hand_is_compared_by_version_and_values(rendered: Objects) -> None:
    release = rendered["Release cattle-system/rancher"]
    assert release["version"]
    assert "hostname" in release["values"], f"nothing to compare: {release}"


def test_no_secret_is_shown_and_its_keys_are(rendered: Objects) -> None:
    values = rendered["Secret vet-app/vet-app-secret"]["data"]
    assert values, "the Secret has no keys"
    assert set(values.values()) == {HIDDEN}, values


def test_the_same_commit_renders_the_same(helm: Helm, rendered: Objects, tmp_path: Path) -> None:
    again = objects(STACK, synthesised_with("", tmp_path), helm)
    assert changes(rendered, again) == []


def changed(rendered: Objects, name: str, path: str, value: Any) -> Objects:
    after = copy.deepcopy(rendered)
    inner: Any = after[name]
    *way, last = path.split(".")
    for key in way:
        inner = inner[int(key) if key.isdigit() else key]
    inner[last] = value
    return after


def test_a_row_names_the_object_and_the_field(rendered: Objects) -> None:
    after = changed(rendered, "Cluster vet-app/database", "spec.instances", 3)
    (row,) = changes(rendered, after)
    assert (row.verb, row.what) == ("change", "Cluster vet-app/database")
    assert row.fields == ("spec.instances: 1 → 3",)


def test_one_more_of_a_list_of_named_parts_changes_no_other() -> None:
    one, two = [{"name": "A", "value": "1"}], [{"name": "B", "value": "2"}, {"name": "A", "value": "1"}]
    (row,) = changes({"Pod a": {"env": one}}, {"Pod a": {"env": two}})
    assert all("[B]" in field for field in row.fields), row.fields


def test_a_value_cannot_leave_its_cell() -> None:
    text = "a | b`\n| 🔴 | destroy |`"
    row = section(
        STACK, "a commit", changes({"ConfigMap a": {"data": "x"}}, {"ConfigMap a": {"data": text}}), []
    ).splitlines()[-1]
    assert row.count(" | ") == 3, f"a value made cells of its own: {row}"


def test_what_may_hold_data_is_a_risk_when_it_goes(rendered: Objects) -> None:
    after = {name: each for name, each in rendered.items() if name != "Cluster vet-app/database"}
    (row,) = changes(rendered, after)
    assert row.risky
    assert not Change("destroy", "ConfigMap vet-app/vet-app").risky


def test_risks_come_before_everything() -> None:
    page = Page(risks=["vet-prod: delete a data volume"], sections=["### vet-prod: 1 to destroy"])
    assert page.text.index("delete a data volume") < page.text.index("### vet-prod"), page.text


def test_a_page_that_is_too_long_for_a_comment_is_cut_and_says_so() -> None:
    page = Page(sections=["x" * 70_000])
    assert len(page.text) < 65_536
    assert page.text.rstrip().endswith("see the log of the run")


def test_one_stack_that_cannot_be_compared_is_a_risk_and_not_a_silence() -> None:
    page = Page()
    with review._told(page, STACK):
        raise review.Failure("Helm does not render it:\nno")
    assert page.risks == [f"**{STACK} could not be compared**, so nothing is known of it: Helm does not render it: no"]
