"""Values: layers, merging as Helm does it, and no key that its chart does not know."""

import re
import shutil
from pathlib import Path
from typing import Any

import pytest
import yaml

from operations.supply_chain.charts import CHARTS, fetched
from settings import SettingsError, helm_values, load
from settings.helm_values import FOLDER, ValuesError, files, merge, read_chart, unknown_keys
from settings.images import images
from settings.release_sets import SETS, catalogue, find, release_set, releases_of
from tests.unit.releases.samples import (
    AGAIN,
    LOCAL,
    NAMESPACES,
    OF_SERVICES,
    SERVICES,
    helm_template,
    installed,
    merged,
)

ENVIRONMENTS = ("dev", "prod")

LAYERS: list[dict[str, Any]] = [
    {"a": {"kept": 1, "changed": 1, "gone": 1}, "list": [1, 2, 3], "map": {"x": 1}, "scalar": 1},
    {"a": {"changed": 2, "added": {"deep": True}}, "list": [9], "map": "now a scalar", "scalar": {"now": "a map"}},
    {"a": {"gone": None}, "b": {}},
]
"""Three layers with every way in which two values can meet."""


def test_merge_is_deep_and_replaces_lists() -> None:
    assert merge(*LAYERS) == {
        "a": {"kept": 1, "changed": 2, "gone": None, "added": {"deep": True}},
        "list": [9],
        "map": "now a scalar",
        "scalar": {"now": "a map"},
        "b": {},
    }
    assert LAYERS[0]["a"] == {"kept": 1, "changed": 1, "gone": 1}, "merging changed a layer"


def test_merge_is_what_helm_does(helm: str, tmp_path: Path) -> None:
    """A chart that prints its values gets our merged map, or Helm merges the files itself: the same comes out."""
    chart = tmp_path / "printer"
    (chart / "templates").mkdir(parents=True)
    (chart / "Chart.yaml").write_text("apiVersion: v2\nname: printer\nversion: 1.0.0\n", encoding="utf-8")
    (chart / "values.yaml").write_text("a: {gone: 5, default: 1}\n", encoding="utf-8")
    (chart / "templates/all.yaml").write_text("values: {{ .Values | toJson }}\n", encoding="utf-8")
    paths = []
    for number, layer in enumerate(LAYERS):
        paths.append(tmp_path / f"{number}.yaml")
        paths[-1].write_text(yaml.safe_dump(layer), encoding="utf-8")
    by_helm = helm_template(helm, chart, "p", "p", {}, *(f"--values={path}" for path in paths))
    assert by_helm == helm_template(helm, chart, "p", "p", merge(*LAYERS))
    assert "gone" not in by_helm[0]["values"]["a"], "null takes a chart's default away"


def test_layers_come_in_the_documented_order() -> None:
    assert [str(path.relative_to(FOLDER)) for path in files("rancher", "current")] == [
        "rancher.yaml",
        "since/rancher-2.12.yaml",
    ]
    with pytest.raises(ValuesError, match=r"helm-values/ranger\.yaml does not exist"):
        files("ranger", "current")


def test_values_that_nothing_reads_any_more_are_not_dropped_without_a_word(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Environments once had files of their own here; anybody who has them still is told where each goes."""
    shutil.copytree(FOLDER / "keys", tmp_path / "keys")
    (tmp_path / "prod").mkdir()
    (tmp_path / "prod/rancher.yaml").write_text("antiAffinity: required\n", encoding="utf-8")
    monkeypatch.setattr(helm_values, "FOLDER", tmp_path)
    with pytest.raises(SettingsError) as raised:
        load()
    (problem,) = raised.value.problems
    assert problem.file == "helm-values/prod/rancher.yaml"
    assert "environments/prod.yaml, below values: {rancher: ...}" in problem.remedy, problem


def test_what_settings_say_goes_last() -> None:
    base = helm_values.values("ingress-nginx", "documented")
    assert base["controller"]["config"]["proxy-real-ip-cidr"] == "127.0.0.1/32"
    given = {"controller": {"config": {"proxy-real-ip-cidr": "10.0.1.0/24"}}}
    over = helm_values.values("ingress-nginx", "documented", given)
    assert over["controller"]["config"]["proxy-real-ip-cidr"] == "10.0.1.0/24"
    assert over["controller"]["config"]["enable-real-ip"] == "true"


@pytest.mark.parametrize("text", ["a: [", "- a list", "a: 1\n---\nb: 2"])
def test_a_file_that_is_no_map_is_refused_by_name(text: str, tmp_path: Path) -> None:
    path = tmp_path / "broken.yaml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ValuesError, match=r"broken\.yaml"):
        helm_values.load(path)


@pytest.mark.parametrize("environment", ENVIRONMENTS)
@pytest.mark.parametrize("set_name", SETS)
def test_charts_know_every_key(set_name: str, environment: str) -> None:
    for release in installed(set_name):
        pinned = release_set(set_name)[release]
        # Charts show these in a comment alone; that they arrive in what is rendered is seen in test_images.py.
        digests = {each.value for each in images(release, pinned.version)}
        unknown = [key for key in unknown_keys(pinned, merged(release, set_name, environment)) if key not in digests]
        assert unknown == [], f"{release} in {set_name} for {environment} has keys that its chart ignores: {unknown}"


def test_a_key_that_no_chart_key_answers_to_is_found() -> None:
    ingress = release_set("documented")["ingress-nginx"]
    given = {"controller": {"hostPorts": {"enabled": True}, "config": {"any-name": "1"}, "hostPort": {"enabled": True}}}
    assert unknown_keys(ingress, given) == ["controller.hostPorts.enabled"]
    rancher = release_set("documented")["rancher"]
    assert unknown_keys(rancher, {"extraTolerations": [], "startupProbe": {"periodSeconds": 1}}) == ["extraTolerations"]


def test_every_values_file_belongs_to_a_release() -> None:
    releases = {*NAMESPACES, *LOCAL, *AGAIN, *SERVICES, *OF_SERVICES}
    releases |= {each.chart.name for name in SERVICES for each in releases_of(name)}
    assert {path.name for path in FOLDER.iterdir() if path.is_dir()} == set(helm_values.FOLDERS)
    assert {path.name for path in (FOLDER / "release-sets").iterdir()} <= set(SETS)
    for path in [*FOLDER.glob("*.yaml"), *FOLDER.glob("*/*.yaml"), *FOLDER.glob("release-sets/*/*.yaml")]:
        release = re.sub(r"-[0-9.]+$", "", path.stem) if path.parent.name == "since" else path.stem
        assert release in releases, f"{path.relative_to(FOLDER)} belongs to no release"


@pytest.mark.parametrize(
    ("version", "logged"), [("2.7.9", False), ("2.11.3", False), ("2.12.3", True), ("2.15.0", True)]
)
def test_what_a_chart_wants_from_a_version_on_does_not_depend_on_the_set(version: str, logged: bool) -> None:
    """Rancher 2.12 turned its audit log off for those who only give a level; on the way to `current` nobody would notice."""
    for set_name in SETS:
        values = helm_values.values("rancher", set_name, version=version)
        assert values["auditLog"].get("enabled", False) is logged, f"Rancher {version} over {set_name}"


@pytest.mark.parametrize("path", sorted((FOLDER / "keys").glob("*.txt")), ids=lambda path: path.stem)
def test_the_lists_of_keys_are_fresh(path: Path) -> None:
    chart = (fetched() or Path("/nonexistent")) / path.stem
    if not chart.is_dir():
        pytest.skip(f"needs the chart {path.stem}: run make charts, or set {CHARTS} to a folder with it")
    assert path.read_text(encoding="utf-8").split() == read_chart(chart)


def test_there_is_a_list_for_every_chart_of_the_catalogue_and_no_other() -> None:
    """An environment's values are compared with them at each version that an upgrade passes, not at those of the sets alone."""
    wanted = {
        f"{find(key, version).chart.name}-{version}"
        for key, component in catalogue().items()
        for version, info in component.releases.items()
        if component.chart or info.chart
    }
    assert len(wanted) > 30, wanted
    assert {path.stem for path in (FOLDER / "keys").glob("*.txt")} == wanted
