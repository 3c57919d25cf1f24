"""Dashboards are what Grafana takes, and a page that people can read."""

import json
from itertools import combinations
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[3]
DASHBOARDS = sorted((ROOT / "helm-values/charts/clinic-monitoring/dashboards").glob("*.json"))
COLUMNS = 24
"""Of a page (Grafana: dashboard JSON model, gridPos)."""


@pytest.fixture(params=DASHBOARDS, ids=lambda path: path.stem)
def dashboard(request: pytest.FixtureRequest) -> dict[str, Any]:
    """Each in turn."""
    content: dict[str, Any] = json.loads(request.param.read_text())
    return content


def test_grafana_s_own_schema_keeps_every_key(dashboard: dict[str, Any]) -> None:
    """Its types, which Grafana makes from its schema, read the dashboard and write the same again: what they do not know would be lost."""
    models = pytest.importorskip(
        "grafana_foundation_sdk.models.dashboard", reason="needs pip install grafana-foundation-sdk"
    )
    encoder = pytest.importorskip("grafana_foundation_sdk.cog.encoder")
    pytest.importorskip("grafana_foundation_sdk.cog.plugins").register_default_plugins()
    again = json.loads(encoder.JSONEncoder(sort_keys=True).encode(models.Dashboard.from_json(dashboard)))
    assert list(_lost(dashboard, again)) == []


def _lost(given: Any, again: Any, path: str = "") -> Any:
    if isinstance(given, dict) and isinstance(again, dict):
        for key, value in given.items():
            yield from _lost(value, again[key], f"{path}.{key}") if key in again else [f"{path}.{key}"]
    elif isinstance(given, list) and isinstance(again, list) and len(given) == len(again):
        for index, (one, other) in enumerate(zip(given, again, strict=True)):
            yield from _lost(one, other, f"{path}[{index}]")
    elif given != again:
        yield f"{path}: {given!r} becomes {again!r}"


def test_no_panel_lies_on_another_or_over_the_edge(dashboard: dict[str, Any]) -> None:
    places = {panel["title"]: panel["gridPos"] for panel in dashboard["panels"]}
    assert len(places) == len(dashboard["panels"]), "two panels have one title"
    for title, place in places.items():
        assert place["x"] + place["w"] <= COLUMNS, f"{title} goes over the edge"
    for (one, a), (other, b) in combinations(places.items(), 2):
        apart = (
            a["x"] + a["w"] <= b["x"]
            or b["x"] + b["w"] <= a["x"]
            or a["y"] + a["h"] <= b["y"]
            or b["y"] + b["h"] <= a["y"]
        )
        assert apart, f"{one} and {other} lie on each other"


def test_every_panel_asks_prometheus_and_has_a_unit(dashboard: dict[str, Any]) -> None:
    """The charts of both sets call their source so."""
    for panel in (each for each in dashboard["panels"] if each["type"] != "row"):
        assert panel["fieldConfig"]["defaults"]["unit"], panel["title"]
        assert panel["targets"], panel["title"]
        for target in panel["targets"]:
            assert target["datasource"] == {"type": "prometheus", "uid": "prometheus"}, panel["title"]
