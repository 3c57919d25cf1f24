"""The environment with everything on has every switch, and so have the checks that judge each alone."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from settings import load
from settings.environment import Environment
from settings.model_keys import keys
from tests.changes import one_environment
from tests.everything import NAME, everything, switches

NO_SWITCH = {
    "application.image": "names a release; nothing is made or left out by it",
    "backups.delete_copies": "takes the copies away; tests/unit/stacks/test_saving.py has it",
    "charts.mirror": "another address for the same charts; tests/unit/stacks/test_helm.py has it",
    "cluster.versions": "other releases of the same components; tests/unit/stacks/test_releases.py has them",
    "image.ami_id": "leaves out a look-up; tests/unit/stacks/test_variations.py has it",
    "extra_manifests": "objects on the cluster; tests/unit/stacks/test_extras.py has them",
    "extra_releases": "other people's charts, which no test fetches; tests/unit/stacks/test_extras.py has them",
    "network.existing.first_server_host": "a VPC in place of a new one; tests/unit/stacks/test_existing_network.py has it",
    "network.existing.id": "a VPC in place of a new one; tests/unit/stacks/test_existing_network.py has it",
    "network.existing.subnets": "a VPC in place of a new one; tests/unit/stacks/test_existing_network.py has it",
    "network.private_only": "leaves public addresses out; tests/unit/stacks/test_existing_network.py has it",
    "patches.days": "prod has it; an environment that sleeps may not",
    "patches.end": "prod has it; an environment that sleeps may not",
    "patches.start": "prod has it; an environment that sleeps may not",
    "patches.time_zone": "prod has it; an environment that sleeps may not",
    "servers.dedicated": "prod has it",
    "terraform_overrides": "what comes out is nobody's promise; tests/unit/stacks/test_extras.py has them",
}
"""Keys that dev leaves empty and that switch nothing on, and where they are looked at."""

ADVICE = {
    "acknowledged_warnings",
    "agents.min_count",
    "application.clinic",
    "application.image",
    "charts",
    "cluster.ingress",
    "engine",
}
"""What README tells to set that switches nothing on."""


def _get(settings: Any, key: str) -> Any:
    for part in key.split("."):
        settings = getattr(settings, part, None)
    return settings


def test_what_dev_leaves_off_is_on_in_everything(tmp_path: Path) -> None:
    dev, full = load().environment("dev"), everything(tmp_path).environment(NAME)
    off = [key for key in keys(Environment) if not _get(dev, key) and key != "cost"]
    assert len(off) > 15, f"hardly a switch was found: {off}"
    missing = [key for key in off if not _get(full, key) and key not in NO_SWITCH]
    assert not missing, f"switch {missing} on in tests/everything.py, or say in NO_SWITCH where it is looked at"
    idle = [key for key in NO_SWITCH if key not in off or _get(full, key)]
    assert not idle, f"NO_SWITCH says too much: {idle}"


@pytest.mark.parametrize("name", switches())
def test_each_switch_alone_is_valid(name: str, tmp_path: Path) -> None:
    environment, project = switches()[name]
    settings = load(one_environment(tmp_path, environment, project))
    assert (settings.environment("dev"), settings.project) != (load().environment("dev"), load().project)


def test_every_switch_that_readme_tells_of_is_judged_alone() -> None:
    text = (Path(__file__).parents[3] / "README.md").read_text().partition("## Everyday tasks")[2].partition("\n## ")[0]
    spans = [span for span in re.findall(r"`([a-z_.]+: [^`]+)`", text) if not span.startswith("make ")]
    keys = {key for span in spans for key in _switched(*next(iter(yaml.safe_load(span).items())))}
    assert len(keys) >= 12, f"README's settings are read wrongly: {sorted(keys)}"
    known = {name.removeprefix("project: ") for name in switches()} | ADVICE
    unknown = {key for key in keys if not any(key == each or key.startswith(f"{each}.") for each in known)}
    assert not unknown, f"README tells of {sorted(unknown)}, which no switch of tests/everything.py is"


def _switched(key: str, value: Any) -> list[str]:
    """A span's keys as switches are named: ``agents: {spot: true}`` is ``agents.spot``."""
    if isinstance(value, dict) and key in {name.partition(".")[0] for name in switches() if "." in name}:
        return [f"{key}.{each}" for each in value]
    return [key]
