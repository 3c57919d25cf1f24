"""``make cost``: what the estimate counts, and that it follows the JSON."""

import copy
from collections.abc import Mapping
from pathlib import Path

import pytest

import main
from operations.report.cost import EXPECTED_RANGES, assumptions, verdict
from operations.report.cost_estimate import (
    FREE,
    PRICED,
    Estimate,
    Line,
    environment_estimate,
    estimate,
)
from operations.report.savings import can_stop, savings
from operations.shared.errors import Failure
from operations.shared.stack_json import Document
from settings import Settings
from settings.cost import CostAssumptions
from settings.instance_types import INSTANCE_TYPES
from settings.names import infrastructure_stack
from settings.prices import prices
from settings.schedule import ScheduleSettings
from tests.everything import NAME, everything

USE = CostAssumptions()


def _estimate(documents: Mapping[str, Document], settings: Settings, name: str) -> Estimate:
    environment = settings.environment(name)
    return environment_estimate(environment, prices(), environment.cost, documents[infrastructure_stack(name)])


@pytest.mark.parametrize("name", EXPECTED_RANGES)
def test_environments_cost_what_the_architecture_expects(
    documents: Mapping[str, Document], settings: Settings, name: str
) -> None:
    found = _estimate(documents, settings, name)
    low, high = EXPECTED_RANGES[name]
    assert low <= found.total <= high, f"{name}: {found.total:.2f} USD a month: {found.by_group()}"


def test_a_shipped_budget_tells_of_a_surprise_and_not_of_every_month(
    documents: Mapping[str, Document], settings: Settings
) -> None:
    watched = [each for each in settings.environments if each.budget.enabled]
    assert [each.name for each in watched] == ["prod"]
    for environment in watched:
        expected = _estimate(documents, settings, environment.name).total
        amount = environment.budget.monthly_usd
        assert 1.05 * expected < amount < 1.25 * expected, f"{amount} USD, and make cost says {expected:.0f}"


def test_every_resource_is_priced_or_known_to_be_free(documents: Mapping[str, Document], tmp_path: Path) -> None:
    main.build_app(everything(tmp_path), outdir=str(tmp_path / "cdktf.out")).synth()
    full = Document.read(infrastructure_stack(NAME), tmp_path / "cdktf.out/stacks")
    stacks = [*documents.values(), full]
    aws = {each.type for document in stacks for each in document.everything() if each.type.startswith("aws_")}
    unknown = aws - FREE - set(PRICED)
    assert not unknown, (
        f"{sorted(unknown)}: price them in PRICED or name them in FREE (operations/report/cost_estimate.py)"
    )
    assert not FREE & set(PRICED)


def test_every_instance_type_that_settings_allow_has_a_price() -> None:
    for name in INSTANCE_TYPES:
        assert prices().instance_hour(name) > 0
    assert prices().instance_hour("t3.medium") == pytest.approx(0.0416)
    assert prices().instance_hour("m5.4xlarge") == pytest.approx(0.768)
    with pytest.raises(KeyError, match=r"no price for x9\.large.*prices\.yaml"):
        prices().instance_hour("x9.large")


def test_nodes_are_counted_as_the_json_says(documents: Mapping[str, Document]) -> None:
    document = documents["vet-dev"]
    before = estimate(document, prices(), USE)
    more = copy.deepcopy(document.content)
    next(iter(more["resource"]["aws_autoscaling_group"].values()))["desired_capacity"] += 1
    after = estimate(Document("vet-dev", more), prices(), USE)
    node = 730 * 0.0416 + 50 * 0.08 + 2.10 + USE.surplus_vcpu_hours * 0.05
    assert after.total - before.total == pytest.approx(node)


def test_an_environment_that_sleeps_is_charged_for_the_hours_of_its_schedule(
    documents: Mapping[str, Document], settings: Settings
) -> None:
    schedule = ScheduleSettings(enabled=True, start="08:00", stop="16:00", days="MON-SAT")
    assert schedule.weekly_hours == pytest.approx(6 * (8 + 1 / 3))
    awake = settings.environment("dev")
    sleeping = awake.model_copy(update={"schedule": schedule})
    content = copy.deepcopy(documents["vet-dev"].content)
    content["resource"]["aws_scheduler_schedule"] = {"stop": {"//": {"metadata": {"path": "vet-dev/schedule/stop"}}}}
    found = environment_estimate(sleeping, prices(), USE, Document("vet-dev", content))
    usual = environment_estimate(awake, prices(), USE, documents["vet-dev"])
    share = schedule.weekly_hours * 52 / 12 / USE.hours
    nodes = sum(group.line.monthly for group in usual.instance_groups)
    assert usual.total - found.total == pytest.approx(nodes * (1 - share), rel=0.01), found.by_group()
    assert can_stop(awake)
    assert not can_stop(sleeping), "what sleeps already cannot save that once more"


def test_spot_agents_in_the_json_cost_less(documents: Mapping[str, Document]) -> None:
    content = copy.deepcopy(documents["vet-prod"].content)
    for template in content["resource"]["aws_launch_template"].values():
        template["instance_market_options"] = {"market_type": "spot"}
    spot = estimate(Document("vet-prod", content), prices(), USE)
    normal = estimate(documents["vet-prod"], prices(), USE)
    promised = next(way for way in savings(normal, USE, can_stop=False) if way.way == "Spot agents")
    assert normal.total - spot.total == pytest.approx(promised.monthly)
    assert next(way for way in savings(spot, USE, can_stop=False) if way.way == "Spot agents").monthly == 0


def test_only_an_unprotected_environment_may_stop_at_night(documents: Mapping[str, Document]) -> None:
    found = estimate(documents["vet-dev"], prices(), USE)
    ways = {way.way: way.monthly for way in savings(found, USE, can_stop=True)}
    assert 50 < ways["stop at night"] < sum(group.line.monthly for group in found.instance_groups)
    assert "stop at night" not in {way.way for way in savings(found, USE, can_stop=False)}


def test_volumes_of_the_database_are_counted(documents: Mapping[str, Document], settings: Settings) -> None:
    found = _estimate(documents, settings, "prod")
    database = [line for line in found.lines if "made by the cluster" in line.what]
    assert [(line.quantity, line.unit) for line in database] == [(15, "GiB")]


def test_assumptions_can_be_tried(settings: Settings) -> None:
    environment = settings.environment("dev")
    assert assumptions(environment, ["nat_gb=500"]).nat_gb == 500
    with pytest.raises(Failure, match="there is no 'nat'; there are hours, nat_gb"):
        assumptions(environment, ["nat=1"])
    with pytest.raises(Failure, match=r"nat_gb='-1'.*greater than or equal to 0"):
        assumptions(environment, ["nat_gb=-1"])
    with pytest.raises(Failure, match="nat_gb='much'"):
        assumptions(environment, ["nat_gb=much"])


def test_a_total_outside_of_its_band_is_explained() -> None:
    dear = Estimate("vet-dev", [Line("NAT", "a", 100, "h", 9), Line("agents", "b", 1, "h", 5)])
    assert "above" in verdict("dev", dear)
    assert "NAT 900, agents 5" in verdict("dev", dear)
    assert "no band" in verdict("staging", dear)
