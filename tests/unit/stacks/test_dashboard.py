"""The dashboard is one that CloudWatch takes, and shows what there is."""

import json
import re
from itertools import combinations
from typing import Any

import pytest

from tests.template import Template
from tests.unit.stacks.conftest import Synthesise

DASHBOARD = "aws_cloudwatch_dashboard"


@pytest.fixture
def template(dev_with: Synthesise) -> Template:
    """Dev with alarms, two zones of agents and a dashboard."""
    return dev_with(dashboard={"enabled": True}, alarms={"enabled": True})


def widgets(template: Template) -> list[dict[str, Any]]:
    """What is on the only dashboard."""
    (dashboard,) = template.resources(DASHBOARD).values()
    content: list[dict[str, Any]] = json.loads(dashboard["dashboard_body"])["widgets"]
    return content


def metrics(template: Template) -> list[list[Any]]:
    """Every metric that a widget draws or computes with, without its expressions."""
    drawn = [metric for widget in widgets(template) for metric in widget["properties"].get("metrics", [])]
    return [metric for metric in drawn if "expression" not in metric[0]]


def test_an_environment_has_none_unless_it_asks(dev_with: Synthesise) -> None:
    assert not dev_with().resources(DASHBOARD)


def test_widgets_stand_on_the_grid_and_none_covers_another(template: Template) -> None:
    places = []
    for widget in widgets(template):
        assert widget["x"] + widget["width"] <= 24, widget
        cells = {
            (column, row)
            for column in range(widget["x"], widget["x"] + widget["width"])
            for row in range(widget["y"], widget["y"] + widget["height"])
        }
        places.append((widget["properties"]["title"], cells))
    for (one, here), (other, there) in combinations(places, 2):
        assert not here & there, f"{one} and {other} cover each other"


def test_a_metric_is_written_as_cloudwatch_reads_it(template: Template) -> None:
    for metric in metrics(template):
        *names, drawn = metric
        assert all(isinstance(name, str) for name in names), metric
        assert len(names) % 2 == 0, f"{metric}: namespace, name, and pairs of a dimension and its value"
        assert drawn.keys() <= {"id", "label", "stat", "visible", "expression"}, metric


def test_expressions_use_metrics_of_their_widget(template: Template) -> None:
    for widget in widgets(template):
        drawn = [metric[-1] for metric in widget["properties"].get("metrics", [])]
        ids = {each["id"] for each in drawn if "id" in each and "expression" not in each}
        for each in drawn:
            used = set(re.findall(r"[a-z]+\d+", each.get("expression", "")))
            assert used <= ids, f"{each} uses {used - ids}, which the widget does not have"


def test_every_machine_and_every_alarm_is_on_it(template: Template) -> None:
    text = json.dumps(widgets(template))
    for type_, attribute in (
        ("aws_instance", "id"),
        ("aws_autoscaling_group", "name"),
        ("aws_ebs_volume", "id"),
        ("aws_cloudwatch_metric_alarm", "arn"),
    ):
        for path in template.resources(type_):
            reference = f"{template.reference_to(type_, path)}.{attribute}"
            assert reference in text, f"{path} is on no widget ({reference})"


def test_what_nodes_measure_is_shown_only_where_they_measure(dev_with: Synthesise, template: Template) -> None:
    def own(of: Template) -> set[str]:
        return {metric[1] for metric in metrics(of) if metric[0].endswith("/nodes")}

    assert own(template) == {"DiskUsed", "SnapshotAge", "CertificateDays"}
    assert own(dev_with(dashboard={"enabled": True})) == set()
