"""Every setting has a declared effect, and the JSON of the stacks bears it out: each is changed once, and what differs is looked at."""

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import cache
from pathlib import Path
from typing import Any

import pytest

import main
from modules.aws.servers import BROUGHT_BY_THE_ROLL
from operations.deployment.plan_summary import PRECIOUS
from operations.report.cost_estimate import environment_estimate
from operations.shared.stack_json import Document
from settings import load
from settings.costs import COSTS
from settings.documents import merged
from settings.effects import EFFECTS, HELM, INFRASTRUCTURE, PROJECT_EFFECTS, STATE, Kind, effect
from settings.environment import Environment
from settings.model_keys import keys
from settings.pools import Pool
from settings.prices import prices
from settings.project import Project
from settings.remembered import changed, remembered
from tests.changes import BESIDE_OF_PROJECT, another, another_of_project, beside, changeable, one_environment

Stacks = Mapping[str, dict[str, Any]]


NAMED_IN_LOSE = {
    "deletion_protection": "buckets that only the protection keeps (docs/runbooks/destroying-an-environment.md)",
    "servers.count": "fewer is refused until each server is named (docs/runbooks/changing-instance-types.md)",
}
"""Keys whose change may take away something precious that no effect allows."""


@dataclass(frozen=True)
class Synthesised:
    """An environment's stacks, and the estimate of what they cost."""

    stacks: Stacks
    monthly: float
    """USD."""


Synthesise = Callable[[str], Synthesised]

COMPARED_ELSEWHERE = {
    "acknowledged_warnings": "a warning that is accepted changes nothing",
    "cluster.versions": "what it does depends on the component; tests/unit/operations/test_plan_summary.py, tests/unit/stacks/test_releases.py",
    "cluster.release_set": "another set refuses some of dev's settings to stand still; tests/unit/stacks/test_releases.py has both",
}
"""Keys whose change is looked at by another test, or in other words."""


AS_DEAR = {
    "network.availability_zones": "its other value has as many zones",
    "network.nat_gateways": "its other value has as many gateways",
    "pools.*.instance_types": "the other type costs as much",
}
"""Keys with a price whose other value in the tests costs the same."""


SERVING = {"ingress": "ingress_controller_", "database": "database_cluster_"}
"""Releases whose change people may notice: the word that a note must have, and what the address begins with."""

LENGTH = re.compile(r"\b(seconds?|minutes?|hours?)\b")


def test_what_interrupts_says_for_how_long() -> None:
    silent = [
        key
        for key, each in {**EFFECTS, **PROJECT_EFFECTS}.items()
        if Kind.INTERRUPTS in each.kinds and not LENGTH.search(each.note)
    ]
    assert silent == [], "say in the note how long people have no answers"


@pytest.fixture(scope="module")
def synthesise(tmp_path_factory: pytest.TempPathFactory) -> Synthesise:
    """The stacks of dev with settings changed, given in JSON; each once."""
    folder = tmp_path_factory.mktemp("effects")

    @cache
    def synthesis(changes: str) -> Synthesised:
        settings = load(one_environment(folder, json.loads(changes)))
        main.build_app(settings, outdir=str(folder / "out")).synth()
        stacks = {INFRASTRUCTURE: "vet-dev", HELM: "vet-dev-helm"}
        environment, document = settings.environment("dev"), Document.read("vet-dev", folder / "out/stacks")
        monthly = environment_estimate(environment, prices(), environment.cost, document).total
        return Synthesised(
            {what: _read(folder / "out/stacks" / stack / "cdk.tf.json") for what, stack in stacks.items()}, monthly
        )

    return synthesis


def _read(path: Path) -> dict[str, Any]:
    """A stack without what remembers the settings themselves."""
    document: dict[str, Any] = json.loads(path.read_text())
    document["output"].pop("settings")
    document["resource"].pop("terraform_data")
    return document


def test_every_key_has_a_declared_effect_and_no_other_has() -> None:
    undeclared = []
    for key in keys(Environment):
        try:
            effect(key)
        except KeyError:
            undeclared.append(key)
    assert undeclared == [], "declare what a change does in settings/effects.py"
    known = {*keys(Environment), *(f"pools.*.{key}" for key in keys(Pool))}
    assert {key for key in known if key.startswith("pools.*.")} <= {*EFFECTS}, "declare what a change of a pool does"
    assert {key for key in EFFECTS if not any(each == key or each.startswith(f"{key}.") for each in known)} == set()
    assert set(keys(Project)) == set(PROJECT_EFFECTS)


@pytest.mark.parametrize("key", [key for key in changeable() if key not in COMPARED_ELSEWHERE])
def test_the_json_of_the_stacks_bears_the_effect_out(synthesise: Synthesise, key: str) -> None:
    before, after = (each.stacks for each in _both(synthesise, key))
    declared = effect(key)
    differing = {stack for stack in before if before[stack] != after[stack]}
    assert differing == declared.stacks - {STATE}, f"{key} changes the JSON of {differing or 'no stack'}"
    if Kind.FIXED in declared.kinds:
        return
    rolled = [_brought_by_the_roll(stacks[INFRASTRUCTURE]) for stacks in (before, after)]
    assert (rolled[0] != rolled[1]) == (Kind.ROLL in declared.kinds), (
        f"{key}: {declared}, and what a roll brings says otherwise"
    )
    pods = [_pods_of_the_application(stacks[HELM]) for stacks in (before, after)]
    assert (pods[0] != pods[1]) == (Kind.RESTART in declared.kinds), (
        f"{key}: {declared}, and the Deployment's pod template says otherwise"
    )
    for word, address in SERVING.items():
        releases = [_release(stacks[HELM], address) for stacks in (before, after)]
        assert releases[0] == releases[1] or word in declared.note, (
            f"{key} changes {address}, through which people are served, and its note does not say what the {word} does then: {declared}"
        )
    agents = [_agents(stacks[INFRASTRUCTURE]) for stacks in (before, after)]
    assert _differ(*agents) == (Kind.REFRESH in declared.kinds), (
        f"{key}: {declared}, and the launch template says otherwise"
    )


WHOM_ALARMS_REACH = {"alarms": {"enabled": True}}
STACKS = {STATE: "vet-state", INFRASTRUCTURE: "vet-dev", HELM: "vet-dev-helm"}


@pytest.mark.parametrize("key", PROJECT_EFFECTS)
def test_the_json_bears_the_effect_of_a_key_of_the_project_out(tmp_path: Path, key: str) -> None:
    documents = []
    for project in (BESIDE_OF_PROJECT.get(key, {}), another_of_project(key)):
        main.build_app(
            load(one_environment(tmp_path, WHOM_ALARMS_REACH, project)), outdir=str(tmp_path / "out")
        ).synth()
        documents.append(
            {
                what: json.loads((tmp_path / f"out/stacks/{stack}/cdk.tf.json").read_text())
                for what, stack in STACKS.items()
            }
        )
    before, after = documents
    plans = {
        what: (before[what]["output"].pop("settings")["value"], after[what]["output"].pop("settings")["value"])
        for what in STACKS
    }
    for document in (*before.values(), *after.values()):
        document["resource"].pop("terraform_data", None)
    differing = {what for what in STACKS if before[what] != after[what]}
    assert differing == PROJECT_EFFECTS[key].stacks, f"{key} changes the JSON of {differing or 'no stack'}"
    for what in differing:
        names = changed(*plans[what])
        assert f"_project.{key}" in names, f"a plan of {STACKS[what]} does not name {key}: {names}"


def test_a_path_of_roles_is_fixed_in_each_environment(tmp_path: Path) -> None:
    main.build_app(
        load(one_environment(tmp_path, {}, another_of_project("access.role_path"))), outdir=str(tmp_path / "out")
    ).synth()
    kept = json.loads((tmp_path / "out/stacks/vet-dev/cdk.tf.json").read_text())["resource"]["terraform_data"].values()
    (block,) = [each for each in kept if "access.role_path" in each["input"]]
    assert block["input"] == {"access.role_path": "/platform/"}
    (rule,) = block["lifecycle"]["postcondition"]
    assert "access.role_path is fixed after the first deploy" in rule["error_message"]


@pytest.mark.parametrize("key", [key for key in changeable() if key not in COMPARED_ELSEWHERE])
def test_a_setting_has_a_price_if_the_estimate_changes_with_it(synthesise: Synthesise, key: str) -> None:
    before, after = _both(synthesise, key)
    differs = abs(before.monthly - after.monthly) > 0.001
    known = key.replace("pools.reports", "pools.*") in COSTS.keys() - AS_DEAR.keys()
    assert differs == known, f"{key}: {before.monthly:.2f} becomes {after.monthly:.2f} USD (settings/costs.py)"


def test_prices_are_of_settings_that_there_are() -> None:
    assert COSTS.keys() <= EFFECTS.keys()


def _both(synthesise: Synthesise, key: str) -> tuple[Synthesised, Synthesised]:
    """Dev before and after another value of the setting."""
    changes = merged(beside(key), another(key, load().environment("dev")))
    return synthesise(json.dumps(beside(key))), synthesise(json.dumps(changes))


def _brought_by_the_roll(document: dict[str, Any]) -> dict[str, Any]:
    """What an apply leaves to the roll on server 0; a new image is found by the data source."""
    servers = [each for each in document["resource"]["aws_instance"].values() if each["tags"].get("vet:slot") == "0"]
    return {
        **{name: servers[0].get(name) for name in BROUGHT_BY_THE_ROLL},
        "image": document.get("data", {}).get("aws_ami"),
    }


def _gone(before: Stacks, after: Stacks) -> set[str]:
    """Addresses of what is precious that the second JSON has no more. A record other than A, and the jump host, hold nothing."""
    here, there = (
        {
            f"{kind}.{id_}": block
            for document in side.values()
            for kind, blocks in document["resource"].items()
            for id_, block in blocks.items()
            if kind in PRECIOUS
        }
        for side in (before, after)
    )
    return {
        address
        for address in here.keys() - there.keys()
        if not address.startswith(("aws_route53_record.certificate_validation_", "aws_instance.jump_host_"))
    }


@pytest.mark.parametrize("key", [key for key in changeable() if key not in {*COMPARED_ELSEWHERE, *NAMED_IN_LOSE}])
def test_what_a_change_and_its_way_back_take_away_is_declared(synthesise: Synthesise, key: str) -> None:
    """Setting a key, and taking it out again: both are changes that somebody makes."""
    before, after = (each.stacks for each in _both(synthesise, key))
    if Kind.FIXED in effect(key).kinds:
        return
    for what, gone in {"set": _gone(before, after), "taken out": _gone(after, before)}.items():
        undeclared = [address for address in gone if not any(fnmatchcase(address, each) for each in effect(key).loses)]
        assert not undeclared, (
            f"{key}, {what}, takes away {sorted(undeclared)}, and its effect declares {effect(key).loses}"
        )


def _pods_of_the_application(document: dict[str, Any]) -> Any:
    """What makes a Deployment replace its pods."""
    (deployment,) = document["resource"]["kubernetes_deployment_v1"].values()
    return deployment["spec"]["template"]


def _release(document: dict[str, Any], address: str) -> Any:
    (release,) = [each for id_, each in document["resource"]["helm_release"].items() if id_.startswith(address)]
    return release


def _agents(document: dict[str, Any]) -> list[Any]:
    """What makes a new version of a launch template."""
    templates = document["resource"]["aws_launch_template"]
    texts = {name: value for name, value in document.get("locals", {}).items() if "user_data" in name}
    return [
        {id_: {**each, "tags": None} for id_, each in templates.items()},
        texts,
        document.get("data", {}).get("aws_ami"),
    ]


def _differ(before: list[Any], after: list[Any]) -> bool:
    """Whether nodes that stay would be started otherwise; a template that comes or goes takes its nodes with it."""
    for here, there in zip(before, after, strict=True):
        both = (here or {}).keys() & (there or {}).keys()
        if any(here[key] != there[key] for key in both):
            return True
    return False


def test_settings_are_remembered_where_they_matter_and_hold_nothing_else() -> None:
    environment = load().environment("prod")
    infrastructure, helm = (remembered(load().project, environment, stack) for stack in (INFRASTRUCTURE, HELM))
    assert infrastructure["servers.count"] == "3"
    assert "application.image" not in infrastructure, "a release of the application is no change of the infrastructure"
    assert "servers.instance_type" not in helm
    assert not [key for key in {*infrastructure, *helm} if key.startswith(("cost.", "acknowledged"))]


def test_a_pool_is_remembered_by_its_parts_and_told_of_whole_when_it_goes() -> None:
    pool = Pool(instance_types=["t3.large"], min_count=1, max_count=2)
    with_pool = load().environment("dev").model_copy(update={"pools": {"reports": pool}})
    before, after = (
        remembered(load().project, each, INFRASTRUCTURE) for each in (with_pool, load().environment("dev"))
    )
    assert before["pools.reports.maximum"] == "2"
    assert changed(before, after) == ["pools.reports"]
    assert changed(before, {**before, "pools.reports.maximum": "3"}) == ["pools.reports.max_count"]
    assert "drained" in str(effect("pools.reports"))
    assert effect("pools.reports.labels.team") == effect("pools.*.labels")


def test_a_changed_value_is_seen_whichever_side_has_it() -> None:
    assert changed({"a": "1", "b": "2"}, {"a": "1", "b": "3", "c": "4"}) == ["b", "c"]
    assert changed({"a": "1"}, {}) == ["a"]
