"""A deployed environment moves from CDK for Terraform to CDK Terrain and back, and no plan sees a change."""

import sys
from pathlib import Path

import pytest

from operations.devtools.emulator.account import Account
from operations.devtools.emulator.stack import Stack
from operations.shared.errors import Failure
from settings.names import STATE_STACK
from tests.apply.conftest import skip_or_fail
from tests.engines.environments import documents, environment, synthesise

PYTHON, NODE = f"{sys.version_info.major}.{sys.version_info.minor}", "24"
STACKS = (STATE_STACK, "vet-dev")


@pytest.fixture(scope="module")
def deployed(emulated: Account) -> Account:
    """The account's state and development, deployed from the JSON of CDK for Terraform."""
    emulated.make_state()
    emulated.stack("vet-dev").apply()
    return emulated


def plan_and_apply(stack: Stack) -> list[str]:
    """What a plan of the stack would change; then apply it, so that the next engine finds what this one leaves."""
    try:
        stack.run("init", "-input=false", "-reconfigure")
    except Failure as failure:
        if "Failed to query available provider packages" in str(failure):
            skip_or_fail(f"Terraform cannot install the AWS provider of {stack.folder}/cdk.tf.json: give it a network")
        raise
    changes = stack.unexpected_changes()
    stack.run("apply", "-auto-approve", "-input=false")
    return changes


@pytest.mark.parametrize("engine", ["cdktn-0.22", "cdktn-0.24"])
def test_an_environment_moves_to_cdk_terrain_and_back(engine: str, deployed: Account, tmp_path: Path) -> None:
    synthesise(environment(engine, PYTHON, NODE), tmp_path, VET_CDK="cdktn")
    written = documents(tmp_path)
    for name in STACKS:
        source = written[name]["terraform"]["required_providers"]["aws"]["source"]
        assert source == "hashicorp/aws", f"{source}: CDK Terrain did not write this"
        there = Stack(tmp_path / "stacks" / name, deployed.emulator.environment)
        assert not (changes := plan_and_apply(there)), f"{name}, to {engine}: {changes}"
        assert not (changes := plan_and_apply(deployed.stack(name))), f"{name}, back from {engine}: {changes}"
