"""An environment with three pools: applied, planned again without a change, one pool taken out, and gone again."""

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from operations.devtools.emulator.account import Account, account
from operations.devtools.emulator.known_gaps import clients
from operations.shared.errors import Failure
from settings import load
from tests.apply.conftest import skip_or_fail
from tests.changes import one_environment
from tests.unit.stacks.test_pools import POOLS, WITH_POOLS


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the account's files are."""
    return tmp_path_factory.mktemp("pools")


@pytest.fixture(scope="module")
def pooled(folder: Path) -> Iterator[Account]:
    """An account of its own with ``dev`` alone and its pools: one on demand, one Spot with a taint and a base, one arm64."""
    settings = load(
        one_environment(folder, {**WITH_POOLS, "pools": {**POOLS, "graviton": {**POOLS["graviton"], "min_count": 1}}})
    )
    with ExitStack() as keep:
        try:
            emulation = keep.enter_context(account(folder, settings))
        except Failure as failure:
            skip_or_fail(str(failure))
        emulation.make_state()
        emulation.synthesise(settings)
        for stack in ("vet-state", "vet-dev"):
            emulation.stack(stack).apply()
        yield emulation


def groups(emulation: Account) -> dict[str, Any]:
    """What Auto Scaling says of each group, by name."""
    client = clients(emulation.emulator.environment)("autoscaling")
    pages = client.get_paginator("describe_auto_scaling_groups").paginate()
    return {each["AutoScalingGroupName"]: each for page in pages for each in page["AutoScalingGroups"]}


def machines(emulation: Account) -> dict[str, list[dict[str, Any]]]:
    """Running machines by their pool."""
    client = clients(emulation.emulator.environment)("ec2")
    running = [{"Name": "instance-state-name", "Values": ["running"]}, {"Name": "tag-key", "Values": ["vet:pool"]}]
    by_pool: dict[str, list[dict[str, Any]]] = {}
    for page in client.describe_instances(Filters=running)["Reservations"]:
        for machine in page["Instances"]:
            tags = {tag["Key"]: tag["Value"] for tag in machine["Tags"]}
            by_pool.setdefault(tags["vet:pool"], []).append(machine)
    return by_pool


def test_each_pool_has_its_machines(pooled: Account) -> None:
    by_pool = machines(pooled)
    assert {name: len(members) for name, members in by_pool.items()} == {"reports": 1, "batch": 3, "graviton": 1}
    assert {machine["Placement"]["AvailabilityZone"] for machine in by_pool["reports"]} == {"us-east-1b"}
    (arm,) = by_pool["graviton"]
    images = clients(pooled.emulator.environment)("ec2").describe_images(ImageIds=[arm["ImageId"]])["Images"]
    assert images[0]["Architecture"] == "arm64"


def test_aws_knows_how_each_group_buys_and_that_it_is_drained(pooled: Account) -> None:
    client = clients(pooled.emulator.environment)("autoscaling")
    by_name = groups(pooled)
    assert len(by_name) == 2 + 1 + 3 + 2, sorted(by_name)
    for name, group in by_name.items():
        (hook,) = client.describe_lifecycle_hooks(AutoScalingGroupName=name)["LifecycleHooks"]
        assert hook["LifecycleTransition"] == "autoscaling:EC2_INSTANCE_TERMINATING"
        policy = group.get("MixedInstancesPolicy")
        if policy:
            spot = policy["InstancesDistribution"]["OnDemandPercentageAboveBaseCapacity"] == 0
            assert spot == (name in ("vet-dev-agent-batch-a-spot", "vet-dev-agent-batch-b-spot")), name


def test_a_second_plan_has_no_changes(pooled: Account) -> None:
    unexpected_changes = pooled.stack("vet-dev").unexpected_changes()
    assert not unexpected_changes, "vet-dev would change:\n" + "\n".join(unexpected_changes)


def test_a_pool_of_the_other_kind_takes_the_place_of_the_former_in_one_deploy(pooled: Account, folder: Path) -> None:
    """AWS takes the name of a launch template and of a group once, and Terraform makes the new ones before the former are gone."""
    kinds = {name: {**pool, "min_count": 1} if name == "graviton" else dict(pool) for name, pool in POOLS.items()}
    turned = {name: {**pool, "spot": not pool.get("spot"), "on_demand_base": 0} for name, pool in kinds.items()}
    before = machines(pooled)
    for pools in (turned, kinds):
        pooled.synthesise(load(one_environment(folder, {**WITH_POOLS, "pools": pools})))
        pooled.stack("vet-dev").apply()
        assert not pooled.stack("vet-dev").unexpected_changes()
    assert {name: len(members) for name, members in machines(pooled).items()} == {
        name: len(members) for name, members in before.items()
    }


def test_a_pool_that_is_taken_out_goes_and_nothing_else_does(pooled: Account, folder: Path) -> None:
    before = machines(pooled)
    left = {
        name: {**pool, "min_count": 1} if name == "graviton" else pool
        for name, pool in POOLS.items()
        if name != "batch"
    }
    pooled.synthesise(load(one_environment(folder, {**WITH_POOLS, "pools": left})))
    pooled.stack("vet-dev").apply()
    after = machines(pooled)
    assert {name: [each["InstanceId"] for each in members] for name, members in after.items()} == {
        name: [each["InstanceId"] for each in members] for name, members in before.items() if name != "batch"
    }
    assert not [name for name in groups(pooled) if "batch" in name]


def test_destroying_an_environment_with_pools_leaves_no_group(pooled: Account) -> None:
    stack = pooled.stack("vet-dev")
    stack.run("destroy", "-auto-approve", "-input=false")
    assert stack.state() == []
    assert groups(pooled) == {}
