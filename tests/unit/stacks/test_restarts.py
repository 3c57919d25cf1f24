"""Restarts for updates: only where the settings have a window, one node at a time, and no further when one does not come back."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import main
from settings import load
from settings.patches import Patches
from tests.changes import one_environment
from tests.template import Template


def values(template: Template) -> dict[str, Any]:
    """What kured's release is given."""
    (text,) = template.one("helm_release", name="kured")["values"]
    content: dict[str, Any] = json.loads(text)
    return content


def test_an_environment_that_says_nothing_has_none(templates: Mapping[str, Template]) -> None:
    assert templates["vet-dev-helm"].count("helm_release", name="kured") == 0
    assert "patches" not in json.dumps(templates["vet-dev-helm"].output("settings")), "what is off is remembered"


def test_production_restarts_at_weekends_by_night_in_the_clinics_time_zone(templates: Mapping[str, Template]) -> None:
    given = values(templates["vet-prod-helm"])["configuration"]
    assert {key: given[key] for key in ("rebootDays", "startTime", "endTime", "timeZone")} == {
        "rebootDays": ["sat", "sun"],
        "startTime": "02:00",
        "endTime": "05:00",
        "timeZone": load().environment("prod").application.clinic.time_zone,
    }


def test_one_node_at_a_time_and_none_after_one_that_stays_away(templates: Mapping[str, Template]) -> None:
    given = values(templates["vet-prod-helm"])["configuration"]
    assert given.get("concurrency", 1) == 1, "kured's own default, and 1.13 knows no other"
    assert given["lockTtl"] == 0, "a lock that ends by itself lets the next node restart while one is missing"
    assert not given.get("forceReboot"), "a node that could not be emptied would restart with its pods"
    assert given["drainTimeout"] == "15m"
    assert given["lockReleaseDelay"] != "0", "a server's etcd must have caught up"


def test_it_runs_on_every_node_whatever_its_taints(templates: Mapping[str, Template]) -> None:
    given = values(templates["vet-prod-helm"])
    assert given["tolerations"] == [{"operator": "Exists"}]
    assert "nodeSelector" not in given


def test_the_days_of_a_window() -> None:
    assert Patches(days="MON-FRI").weekdays == ["mon", "tue", "wed", "thu", "fri"]
    assert Patches(days="SAT-SUN").weekdays == ["sat", "sun"]
    assert len(Patches().weekdays) == 7


def test_each_release_set_has_a_version_that_was_made_for_its_kubernetes(tmp_path: Path) -> None:
    versions = {}
    for name in ("documented", "current"):
        settings = load(one_environment(tmp_path, {"patches": {}, "cluster": {"release_set": name}}))
        main.build_app(settings, outdir=str(tmp_path / "out")).synth()
        template = Template.read(tmp_path / "out/stacks/vet-dev-helm/cdk.tf.json")
        versions[name] = template.one("helm_release", name="kured")["version"]
    assert versions == {"documented": "5.1.0", "current": "6.1.0"}
