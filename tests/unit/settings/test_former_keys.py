"""Files with former names of settings: they mean what they meant, say so once a file, and merge with files that have the present names."""

import io
from pathlib import Path
from typing import Any

import pytest
import yaml

from operations.deployment.settings_file import set_image
from settings import load
from settings.effects import EFFECTS
from settings.environment import Environment
from settings.former_keys import FORMER_KEYS, first_name, present
from settings.loader import ENVIRONMENTS
from settings.problems import SettingsError
from settings.remembered import changed, remembered
from settings.schema import common_schema, environment_schema
from settings.terminal import show_former_keys
from tests.unit.settings.conftest import Files

FORMER = """
protect: true
zone: example.org
hosts: {application: clinic.example.org, rancher: rancher.example.org}
network:
  zones:
    a: {public: 10.0.1.0/24, private: 10.0.10.0/24}
    b: {public: 10.0.2.0/24, private: 10.0.11.0/24}
  nat_gateways: [a]
image: {pin: ami-0123456789abcdef0}
servers: {count: 1, instance_type: t3.large, dedicated: false}
agents: {count: 2, maximum: 4, instance_type: t3.large}
pools:
  reports: {instance_types: [t3.large], count: 1, maximum: 3, zones: [b], image: ami-0123456789abcdef1}
load_balancer: {access_logs: false}
rancher: {replicas: 1}
application:
  database_instances: 1
  python: "3.9"
  email: true
  autoscaling: {maximum: 6, cpu_percent: 70}
backups:
  database_beside: "2026-11-24T09:30:00Z"
  volume_snapshots: {enabled: true, kept: 5}
acknowledged:
  single-server: It is a test.
"""

PRESENT = """
deletion_protection: true
dns_zone: example.org
hosts: {application: clinic.example.org, rancher: rancher.example.org}
network:
  availability_zones:
    a: {public: 10.0.1.0/24, private: 10.0.10.0/24}
    b: {public: 10.0.2.0/24, private: 10.0.11.0/24}
  nat_gateways: [a]
image: {ami_id: ami-0123456789abcdef0}
servers: {count: 1, instance_type: t3.large, dedicated: false}
agents: {min_count: 2, max_count: 4, instance_type: t3.large}
pools:
  reports: {instance_types: [t3.large], min_count: 1, max_count: 3, availability_zones: [b], ami_id: ami-0123456789abcdef1}
load_balancer: {access_logs: false}
rancher: {replicas: 1}
application:
  database_instances: 1
  python_version: "3.9"
  email_reminders: true
  autoscaling: {max_replicas: 6, target_cpu_percent: 70}
backups:
  database_clone_at: "2026-11-24T09:30:00Z"
  volume_snapshots: {enabled: true, retention: 5}
acknowledged_warnings:
  single-server: It is a test.
"""


@pytest.fixture
def both(files: Files) -> Files:
    """Environments of which one has all former names, and its twin the present ones."""
    for name in ("dev", "prod"):
        (files.folder / f"{name}.yaml").unlink()
    files.replace("_project.yaml", "domain: example.com", "domain: example.org")
    (files.folder / "old.yaml").write_text(FORMER)
    return files


def test_a_file_with_former_names_means_what_it_meant(both: Files) -> None:
    old = both.load()
    (both.folder / "old.yaml").write_text(PRESENT)
    new = both.load()
    assert old.environments == new.environments
    assert [(each.code, each.acknowledged) for each in old.warnings] == [
        (each.code, each.acknowledged) for each in new.warnings
    ]
    assert {present(each.former) for each in old.former_keys} == {each.present for each in old.former_keys}
    assert {each.former.replace("reports", "*") for each in old.former_keys} == {*FORMER_KEYS}, "FORMER has every one"
    assert new.former_keys == ()


def test_the_table_renames_the_last_part_of_settings_that_there_are() -> None:
    sections = {key[: key.rindex(".")] for key in EFFECTS if "." in key}
    for former, now in FORMER_KEYS.items():
        assert former.rpartition(".")[0] == now.rpartition(".")[0], f"{former} would move to another section"
        assert now in {*EFFECTS, *sections}, f"{now} is no setting"
        assert former not in {*EFFECTS, *sections}, f"{former} is a setting again"


def test_a_file_says_once_which_names_are_new(files: Files) -> None:
    files.replace("dev.yaml", "deletion_protection: false", "protect: false")
    files.replace("dev.yaml", "  min_count: 2", "  count: 2")
    files.replace("_common.yaml", "python_version:", "python:")
    output = io.StringIO()
    show_former_keys(files.load().former_keys, output)
    assert output.getvalue() == (
        "environments/_common.yaml: these settings have new names; the former ones go on working.\n"
        f"    line {files.line('_common.yaml', 'python:')}: application.python is called application.python_version\n"
        "\n"
        "environments/dev.yaml: these settings have new names; the former ones go on working.\n"
        "    line 3: protect is called deletion_protection\n"
        "    line 21: agents.count is called agents.min_count\n"
        "\n"
    )


def test_layers_merge_whichever_name_each_has(files: Files) -> None:
    files.replace("_common.yaml", "volume_snapshots: {enabled: true}", "volume_snapshots: {enabled: true, kept: 5}")
    files.append("_common.yaml", "pools: {reports: {instance_types: [t3.large], count: 1, maximum: 3, zones: [a]}}\n")
    files.replace("dev.yaml", "backups:", "backups:\n  volume_snapshots: {enabled: true, retention: 9}")
    files.append("dev.yaml", "pools: {reports: {max_count: 4, zones: [b]}}\n")
    settings = files.load()
    dev, prod = (settings.environment(name) for name in ("dev", "prod"))
    assert (dev.backups.volume_snapshots.retention, prod.backups.volume_snapshots.retention) == (9, 5)
    assert (dev.pools["reports"].min_count, dev.pools["reports"].max_count) == (1, 4)
    assert (dev.pools["reports"].availability_zones, prod.pools["reports"].availability_zones) == (["b"], ["a"])


def test_a_setting_under_both_names_in_one_file_is_refused_with_both_lines(files: Files) -> None:
    files.replace("dev.yaml", "  min_count: 2", "  count: 7\n  min_count: 2")
    assert str(files.only()) == (
        "environments/dev.yaml:21  agents.count\n"
        "    rule    a setting must stand once; agents.min_count on line 22 is the same one under its present name, and only one of them would count\n"
        "    remedy  remove count"
    )


def test_both_names_of_a_section_are_refused_and_nothing_of_them_is_mixed(files: Files) -> None:
    files.replace("dev.yaml", "  nat_gateways: [b]", "  zones: {c: {private: 10.0.12.0/24}}\n  nat_gateways: [b]")
    problem = files.only()
    assert (problem.key, problem.remedy) == ("network.zones", "remove zones")


def test_what_is_wrong_with_a_value_is_said_where_it_stands(files: Files) -> None:
    files.replace("dev.yaml", "  min_count: 2", "  count: two")
    problem = files.only()
    assert (problem.line, problem.key, problem.value) == (21, "agents.min_count", '"two"')


@pytest.mark.parametrize("key", ["protect", "zone", "agents"])
def test_the_projects_own_file_has_no_former_names(files: Files, key: str) -> None:
    files.append("_project.yaml", f"{key}: {{count: 1}}\n")
    assert (files.only().key, files.only().rule) == (key, "is not a setting")


def test_editors_take_both_names_and_strike_the_former_one_through() -> None:
    jsonschema = pytest.importorskip("jsonschema", reason="pip install jsonschema to check the files as an editor does")
    validator = jsonschema.Draft202012Validator(environment_schema())
    for text in (FORMER, PRESENT):
        assert [error.message for error in validator.iter_errors(yaml.safe_load(text))] == []
    assert not validator.is_valid({"hosts": yaml.safe_load(PRESENT)["hosts"]}), "one of the two names is required"
    assert not validator.is_valid({"deletion_protection": True}), "hosts are required"
    schema = common_schema()
    agents, top = schema["$defs"]["AgentsSettings"]["properties"], schema["properties"]
    assert (agents["count"]["deprecated"], agents["count"]["maximum"]) == (True, agents["min_count"]["maximum"])
    assert [name for name, each in top.items() if each.get("deprecated")] == ["protect", "zone", "acknowledged"]


def test_settings_made_in_python_may_have_former_names() -> None:
    common = yaml.safe_load((ENVIRONMENTS / "_common.yaml").read_text())
    file: dict[str, Any] = yaml.safe_load((ENVIRONMENTS / "dev.yaml").read_text())
    hosts = {name: f"{name}.dev.example.com" for name in ("application", "rancher")}
    data = {**common, **file, "name": "dev", "region": "us-east-1", "hosts": hosts, "dns_zone": "dev.example.com"}
    data["network"] = {**common["network"], **file["network"]}
    data["application"] = {**common["application"], **file["application"]}
    present_ = Environment.model_validate(data)
    data["agents"] = {"count": 2, "maximum": 4, "instance_type": "t3.medium", "root_volume_gib": 50}
    data["protect"] = data.pop("deletion_protection")
    with pytest.warns(DeprecationWarning, match=r"is called (deletion_protection|agents\.m.._count) now"):
        assert Environment.model_validate(data) == present_


def test_a_program_that_writes_into_a_file_leaves_its_former_names(both: Files) -> None:
    before = both.load().environment("old")
    set_image(both.folder / "old.yaml", "0123abc")
    after = both.load()
    assert after.environment("old").application.image == "0123abc"
    assert after.environment("old").model_copy(update={"application": before.application}) == before
    assert len(after.former_keys) == len(FORMER_KEYS)


def test_the_state_keeps_first_names_and_a_plan_says_present_ones(both: Files) -> None:
    settings = both.load()
    state = remembered(settings.project, settings.environment("old"), "infrastructure")
    assert {"protect", "zone", "agents.count", "pools.reports.zones", "backups.volume_snapshots.kept"} <= state.keys()
    assert not {"deletion_protection", "agents.min_count", "pools.reports.availability_zones"} & state.keys()
    after = {**state, "agents.count": "9", "pools.reports.zones": '["a"]'}
    assert changed(state, after) == ["agents.min_count", "pools.reports.availability_zones"]
    assert [first_name(present(key)) for key in state] == [*state]


def test_a_file_that_was_shipped_before_is_still_right(tmp_path: Path) -> None:
    for name in ("_common", "_project"):
        (tmp_path / f"{name}.yaml").write_text((ENVIRONMENTS / f"{name}.yaml").read_text())
    (tmp_path / "prod.yaml").write_text(_former_text((ENVIRONMENTS / "prod.yaml").read_text()))
    before, now = load(tmp_path), load(ENVIRONMENTS)
    assert before.environment("prod") == now.environment("prod")
    assert [each.former for each in before.former_keys] == [
        "protect",
        "network.zones",
        "agents.count",
        "agents.maximum",
        "application.autoscaling.maximum",
        "acknowledged",
    ]


def test_what_is_misspelt_is_refused_as_before(files: Files) -> None:
    files.replace("dev.yaml", "deletion_protection: false", "protected: false")
    with pytest.raises(SettingsError, match="is not a setting"):
        files.load()


def _former_text(text: str) -> str:
    for now, former in (
        ("deletion_protection:", "protect:"),
        ("availability_zones:", "zones:"),
        ("min_count:", "count:"),
        ("max_count:", "maximum:"),
        ("max_replicas:", "maximum:"),
        ("acknowledged_warnings:", "acknowledged:"),
    ):
        assert now in text, now
        text = text.replace(now, former)
    return text
