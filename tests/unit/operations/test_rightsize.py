"""``make rightsize``: what it proposes follows from what was measured, nothing unmeasured is taken for little, and no rule is broken."""

import json
import os
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import boto3
import pytest

os.environ.setdefault(
    "MOTO_AMIS_PATH", "operations/devtools/emulator/images.json"
)  # read by moto's import; its own list takes seconds

from moto import mock_aws

from operations.report import rightsize
from operations.report.measurements import InCluster, kinds, with_requests
from operations.report.rightsize import allowed, changed, disk_advice
from operations.report.sizing import (
    BUSY_PERCENT,
    Load,
    MachineKind,
    Option,
    Requests,
    commitments,
    disk,
    options,
    price,
)
from operations.shared.errors import Failure
from settings import Settings, load
from settings.instance_types import INSTANCE_TYPES
from settings.prices import prices
from tests.changes import one_environment

IDLE = Load(hours=300, mean=5, busy=10)
LITTLE = Requests(once=(800, 2000), each=(300, 400), largest=(200, 512))
MEASURED = replace(IDLE, memory=20.0, requests=LITTLE)
FIXED = MachineKind("agents", "m6i.large", 3, count_is_free=True)


def best(kind: MachineKind, load_: Load) -> Option:
    """The cheapest that does."""
    return next(options(kind, load_, prices()))


def test_without_memory_nothing_has_less_of_it() -> None:
    for option in options(FIXED, replace(MEASURED, memory=None), prices()):
        assert INSTANCE_TYPES[option.instance_type].memory_gib >= 8, option
        assert option.count >= 3, option


def test_without_requests_no_node_has_less_of_anything() -> None:
    for option in options(FIXED, replace(MEASURED, requests=None), prices()):
        machine = INSTANCE_TYPES[option.instance_type]
        assert machine.vcpus >= 2, option
        assert machine.memory_gib >= 8, option
        assert option.count >= 3, option


def test_idle_machines_become_burstable_ones_of_the_same_size() -> None:
    choice = best(FIXED, IDLE)
    assert (choice.instance_type, choice.count) == ("t3a.large", 3)
    now = price(FIXED, IDLE, prices(), "m6i.large", 3)
    assert now.monthly == pytest.approx(3 * 730 * 0.096)
    assert choice.monthly == pytest.approx(3 * 730 * 0.0752), (
        "5 % is below the baseline of 30 %: nothing is charged above it"
    )


def test_what_is_known_to_be_little_may_become_less() -> None:
    choice = best(FIXED, MEASURED)
    assert choice.monthly < best(FIXED, IDLE).monthly
    assert choice.count < 3 or INSTANCE_TYPES[choice.instance_type].memory_gib < 8


def test_burstable_machines_that_work_all_day_are_charged_for_it() -> None:
    busy = Load(hours=300, mean=55, busy=58)
    kind = replace(FIXED, instance_type="t3.large", count_is_free=False)
    charged = price(kind, busy, prices(), "t3.large", 3)
    above = (0.55 - 0.30) * 2 * 0.05
    assert charged.monthly == pytest.approx(3 * 730 * (0.0832 + above))
    assert best(kind, busy).instance_type == "m5.large", "a machine with its own processors costs less than the surplus"


def test_machines_that_are_too_small_get_larger_ones() -> None:
    full = Load(hours=300, mean=70, busy=90)
    kind = replace(FIXED, count_is_free=False)
    for option in options(kind, full, prices()):
        assert BUSY_PERCENT / 100 * INSTANCE_TYPES[option.instance_type].vcpus >= 0.9 * 2, option


def test_pods_requests_are_never_left_without_room() -> None:
    asking = replace(MEASURED, requests=Requests(once=(5000, 9000), each=(300, 400), largest=(1500, 3000)))
    for option in options(FIXED, asking, prices()):
        machine = INSTANCE_TYPES[option.instance_type]
        assert (machine.vcpus * 1000 - 300) * option.count >= 5000, option
        assert machine.memory_gib * 1024 - 400 > 3000, f"the largest pod has no node: {option}"


def test_a_commitment_is_paid_in_every_hour() -> None:
    always = Option("t3.large", 3, 0)
    ways = {way.name: way for way in commitments(always, replace(FIXED, instance_type="t3.large"), prices())}
    one = ways["standard reservation, 1 year"]
    assert one.monthly == pytest.approx(3 * 730 * 0.0832 * 0.37)
    assert (one.breaks_even_months, one.needed_percent) == (8, 63), "after 7.6 months it has cost less"
    asleep = replace(FIXED, instance_type="t3.large", hours=260)
    for way in commitments(always, asleep, prices()):
        pays = way.needed_percent < 260 / 730 * 100
        assert (way.monthly > 0) == pays, f"{way}: machines run 36 % of the hours"
    assert list(commitments(always, replace(FIXED, spot=True), prices())) == [], "Spot has no commitments"


def test_disks() -> None:
    assert disk(50, 20) == 20
    assert disk(50, 85) == 70
    assert disk(100, 60) == 90


@pytest.fixture(scope="module")
def shipped() -> Settings:
    """The repository's own."""
    return load()


def test_no_rule_of_the_settings_is_broken_and_no_warning_comes(shipped: Settings) -> None:
    prod, dev = shipped.environment("prod"), shipped.environment("dev")
    agents = MachineKind("agents", "t3.large", 3, count_is_free=True)
    assert allowed(shipped, prod, agents, Option("t3a.large", 3, 0))
    assert not allowed(shipped, prod, agents, Option("t3.large", 1, 0)), "one agent in production is warned of"
    assert not allowed(shipped, prod, MachineKind("servers", "t3.large", 3), Option("t3.medium", 3, 0)), (
        "Rancher has no room in 4 GiB"
    )
    assert not allowed(shipped, dev, MachineKind("servers", "t3.medium", 1), Option("t3.small", 1, 0)), (
        "acknowledged for t3.medium only"
    )
    assert not allowed(shipped, prod, MachineKind("servers", "t3.large", 3), Option("t4g.large", 3, 0)), (
        "servers are x86-64"
    )


def test_a_proposal_changes_nothing_but_its_machines(shipped: Settings) -> None:
    prod = shipped.environment("prod")
    after = changed(prod, MachineKind("agents", "t3.large", 3), Option("t3a.large", 7, 0))
    assert (after.agents.instance_type, after.agents.min_count, after.agents.max_count) == ("t3a.large", 7, 7)
    assert after.model_copy(update={"agents": prod.agents}) == prod


def test_kinds_are_what_the_settings_have(tmp_path: Path) -> None:
    pools = {
        "one": {"instance_types": ["m6i.large"], "min_count": 2, "max_count": 4},
        "several": {"instance_types": ["c6i.xlarge", "c5.xlarge"], "min_count": 2, "max_count": 4, "spot": True},
        "empty": {"instance_types": ["m6i.large"], "min_count": 0, "max_count": 4},
    }
    environment = load(one_environment(tmp_path, {"pools": pools, "schedule": {"enabled": True}})).environment("dev")
    listed = kinds(environment)
    assert [each.key for each in listed] == ["servers", "agents", "pools.one"]
    assert {each.key: each.count_is_free for each in listed} == {"servers": False, "agents": True, "pools.one": True}
    assert all(each.hours < 300 for each in listed), "machines that sleep are paid for fewer hours"


def test_a_full_disk_grows_and_an_empty_one_shrinks_only_on_agents(shipped: Settings) -> None:
    prod = shipped.environment("prod")
    (less,) = disk_advice(prod, 20.0)
    assert (less.key, less.wanted, less.saves) == ("agents.root_volume_gib", 20, pytest.approx(30 * 3 * 0.08))
    (more,) = disk_advice(prod, 90.0)
    assert more.wanted > 50
    assert more.saves < 0
    assert list(disk_advice(prod, None)) == [], "what is not measured is not empty"


def test_requests_are_summed_by_kind_of_node_and_daemons_apart() -> None:
    def pod(node: str, cpu: str, memory: str, owner: str = "ReplicaSet") -> dict[str, Any]:
        containers = [{"resources": {"requests": {"cpu": cpu, "memory": memory}}}, {}]
        return {
            "metadata": {"ownerReferences": [{"kind": owner}]},
            "spec": {"nodeName": node, "containers": containers},
            "status": {"phase": "Running"},
        }

    labels = {"s": {"node-role.kubernetes.io/control-plane": "true"}, "a": {}, "b": {}, "r": {"vet/pool": "reports"}}
    pods = [
        pod("s", "1", "1Gi"), pod("a", "100m", "256Mi"), pod("b", "0.5", "1Gi"), pod("r", "2", "4Gi"),
        pod("a", "50m", "64Mi", "DaemonSet"), pod("b", "50m", "128Mi", "DaemonSet"),
    ]  # fmt: skip
    requests = with_requests(IDLE, MachineKind("agents", "t3.large", 2), InCluster(labels, pods)).requests
    assert requests == Requests(once=(600, 1280), each=(50, 128), largest=(500, 1024))


@pytest.fixture
def measured(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """An account with prod's servers, whose CloudWatch has two weeks of them."""
    for name in ("AWS_PROFILE", "AWS_ENDPOINT_URL", "AWS_SESSION_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "test")
    monkeypatch.setattr(InCluster, "ask", classmethod(lambda cls, _: None))
    with mock_aws():
        yield boto3.client("cloudwatch", region_name="us-east-1")


def write(
    cloudwatch: Any, namespace: str, metric: str, dimensions: dict[str, str], value: float, hours: int = 200
) -> None:
    """An hour's value for each of the last hours."""
    now = datetime.now(UTC).replace(minute=30, second=0, microsecond=0)
    named = [{"Name": name, "Value": text} for name, text in dimensions.items()]
    data = [
        {"MetricName": metric, "Dimensions": named, "Timestamp": now - timedelta(hours=hour), "Value": value}
        for hour in range(1, hours + 1)
    ]
    for start in range(0, len(data), 100):
        cloudwatch.put_metric_data(Namespace=namespace, MetricData=data[start : start + 100])


Say = Callable[[], dict[str, Any]]


@pytest.fixture
def say(measured: Any, capsys: pytest.CaptureFixture[str]) -> Say:
    """What is said of prod, by key."""

    def run() -> dict[str, Any]:
        rightsize.run("prod", 14, as_json=True)
        document: dict[str, Any] = json.loads(capsys.readouterr().out)
        return {**document, "machines": {each["kind"]["key"]: each for each in document["machines"]}}

    return run


def test_what_was_not_measured_is_said_and_nothing_is_proposed(say: Say) -> None:
    machines = say()["machines"]
    assert {key: each["proposal"] for key, each in machines.items()} == {"servers": None, "agents": None}
    assert "measured for 0 hours" in machines["agents"]["why"]
    assert machines["agents"]["commitments"], "commitments need no measurement"


def test_idle_agents_of_every_zone_are_proposed_cheaper_ones(say: Say, measured: Any) -> None:
    for letter in "abc":
        group = {"AutoScalingGroupName": f"vet-prod-agent-{letter}"}
        write(measured, "AWS/EC2", "CPUUtilization", group, 4.0 + ord(letter) - ord("a"))
    agents = say()["machines"]["agents"]
    assert agents["load"]["busy"] == pytest.approx(6.0), "the busiest zone counts"
    assert agents["proposal"]["instance_type"] == "t3a.large"
    assert agents["saves"] == pytest.approx(3 * 730 * (0.0832 - 0.0752))


def test_one_busy_zone_keeps_the_machines(say: Say, measured: Any) -> None:
    for letter, value in (("a", 4.0), ("b", 4.0), ("c", 59.0)):
        write(measured, "AWS/EC2", "CPUUtilization", {"AutoScalingGroupName": f"vet-prod-agent-{letter}"}, value)
    agents = say()["machines"]["agents"]
    assert agents["load"]["mean"] == pytest.approx(59.0)
    assert agents["proposal"] is None or agents["proposal"]["instance_type"].startswith(("m5", "m6i", "c5", "c6i"))


def test_too_few_hours_are_no_basis(say: Say, measured: Any) -> None:
    write(measured, "AWS/EC2", "CPUUtilization", {"AutoScalingGroupName": "vet-prod-agent-a"}, 2.0, hours=30)
    agents = say()["machines"]["agents"]
    assert agents["proposal"] is None
    assert "are needed" in agents["why"]


def test_the_disks_measure_is_the_nodes_own(say: Say, measured: Any) -> None:
    write(measured, "vet-prod/nodes", "DiskUsed", {"Cluster": "vet-prod"}, 18.0)
    (row,) = say()["disks"]
    assert (row["key"], row["wanted"]) == ("agents.root_volume_gib", 20)


def test_the_tables_name_what_limits_them(measured: Any, capsys: pytest.CaptureFixture[str]) -> None:
    write(measured, "AWS/EC2", "CPUUtilization", {"AutoScalingGroupName": "vet-prod-agent-a"}, 5.0)
    rightsize.run("prod", 14)
    text = " ".join(capsys.readouterr().out.split())
    for part in (
        "3 × t3a.large",
        "Memory is not measured",
        "What pods request is not known",
        "8 months",
        "nothing was changed",
    ):
        assert part in text, f"{part!r} is not in:\n{text}"


@pytest.mark.parametrize("days", [0, 91])
def test_a_period_without_hours_is_refused(days: int) -> None:
    with pytest.raises(Failure, match="must be 1 to 90"):
        rightsize.run("prod", days)
