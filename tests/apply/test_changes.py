"""Settings changed on an environment that runs: a plan on its applied state does what settings/effects.py declares, and no more."""

import json
import os
import random
import re
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import pytest

import main
from operations.deployment.plan_summary import PRECIOUS, refuse_losses, summary
from operations.devtools.emulator.account import Account
from operations.devtools.emulator.stack import Stack
from operations.shared.errors import Failure
from operations.shared.terraform import binary
from settings import load
from settings.documents import merged
from settings.effects import HELM, INFRASTRUCTURE, Kind, effect
from tests.apply import identities
from tests.apply.running import Running
from tests.changes import KEY, NEXT, another, beside, changeable, first_values, next_value, one_environment

EVERY = os.environ.get("VET_TEST_CHANGES") == "1"
"""Whether each setting has a plan of its own, and batches are applied; otherwise several settings share a plan."""

TOGETHER = 1 if EVERY else 8
"""Settings that are changed in one plan; one takes some ten seconds."""

ALONE = ("network.existing.", "network.private_only")
"""Beginnings of fixed settings that the rules let stand beside no other network."""

NOT_PLANNED = {
    "region": "Terraform itself lets it be: that is how a lost region is built again; tests/unit/operations/test_plan_summary.py",
    "image.owner": "the emulator has no images of another owner",
}

NOT_FOR_PROD = {
    "dns_zone": "its hosts, which are of its zone, would have to change as well",
    "deletion_protection": "what is protected is not refused any more, as dev shows",
}
"""What is not changed in prod, with the reason."""

BATCHES = 30 if EVERY else 5
FIVE = 5
"""Settings in a batch."""

SEED = os.environ.get("VET_CHANGES_SEED", "16")
"""Which batches there are; a test's name has it, so that what it found can be had again."""

ONE_WAY = {
    "servers.count": "fewer servers is refused, as the year shows",
    "servers.data_volume_gib": "a volume never shrinks",
    "servers.root_volume_gib": "a disk never shrinks",
    "dns_zone": "its zone comes with make state",
    "deletion_protection": "what is protected cannot be taken away by the batch after it",
    "cluster.versions": "Kubernetes never goes back",
    "backups.replica_region": "its copies go while it is named, in the test of their own",
    "backups.delete_copies": "it says nothing without a region, which would be taken away beside it",
    "cluster.release_set": "another set refuses some of dev's settings to stand still",
}
"""What a batch does not set, since the next one could not take it away, with the reason."""


@dataclass(frozen=True)
class Planner:
    """Plans of an environment with settings changed, on a copy of its applied state, which they leave as it is."""

    folder: Path
    environment: Mapping[str, str]
    state: str
    name: str = "dev"

    def plan(self, changes: Mapping[str, Any]) -> tuple[list[dict[str, Any]], str]:
        """The planned changes as Terraform's messages tell them (``terraform plan -json``), and its errors."""
        lines = self._terraform(changes, "plan", "-json", "-refresh=false", "-lock=false", "-input=false").splitlines()
        messages = [json.loads(line) for line in lines if line.startswith("{")]
        planned = [each["change"] for each in messages if each["type"] == "planned_change"]
        errors = [each["diagnostic"] for each in messages if each["type"] == "diagnostic"]
        failed = [f"{each['summary']} {each['detail']}" for each in errors if each["severity"] == "error"]
        return planned, "\n".join(failed)

    def shown(self, changes: Mapping[str, Any]) -> dict[str, Any]:
        """The whole plan in JSON, as make plan reads it."""
        self._terraform(changes, "plan", "-out=plan", "-refresh=false", "-lock=false", "-input=false")
        plan: dict[str, Any] = json.loads(self._run("show", "-json", "plan"))
        return plan

    def _terraform(self, changes: Mapping[str, Any], *arguments: str) -> str:
        document = self._synthesised(changes)
        del document["terraform"]["backend"]
        (self.folder / "cdk.tf.json").write_text(json.dumps(document))
        (self.folder / "terraform.tfstate").write_text(self.state)
        if not (self.folder / ".terraform").exists():
            self._run("init", "-input=false")
        return self._run(*arguments)

    def _synthesised(self, changes: Mapping[str, Any]) -> dict[str, Any]:
        out = self.folder / "out"
        main.build_app(load(one_environment(self.folder, changes, name=self.name)), outdir=str(out)).synth()
        document: dict[str, Any] = json.loads((out / f"stacks/vet-{self.name}/cdk.tf.json").read_text())
        return document

    def _run(self, *arguments: str) -> str:
        environment = {**self.environment, "TF_IN_AUTOMATION": "1"}
        return subprocess.run(
            [binary(), *arguments], cwd=self.folder, env=environment, capture_output=True, text=True
        ).stdout


@pytest.fixture(scope="module")
def planner(stacks: dict[str, Stack], emulated: Account, tmp_path_factory: pytest.TempPathFactory) -> Planner:
    """On the state of dev."""
    return _planner(stacks["vet-dev"], emulated, tmp_path_factory.mktemp("changes"), "dev")


@pytest.fixture(scope="module")
def planner_of_prod(stacks: dict[str, Stack], emulated: Account, tmp_path_factory: pytest.TempPathFactory) -> Planner:
    """On the state of prod."""
    return _planner(stacks["vet-prod"], emulated, tmp_path_factory.mktemp("prod"), "prod")


def _planner(stack: Stack, emulated: Account, folder: Path, name: str) -> Planner:
    pulled = subprocess.run(
        [binary(), "state", "pull"],
        cwd=stack.folder,
        env=stack.environment,
        capture_output=True,
        text=True,
        check=True,
    )
    return Planner(folder, emulated.emulator.environment, pulled.stdout, name)


def _reaching() -> list[str]:
    return [key for key in changeable() if INFRASTRUCTURE in effect(key).stacks and key not in NOT_PLANNED]


def _groups() -> list[tuple[str, ...]]:
    """Every key whose change alters the infrastructure; what is fixed apart, because its plan ends with errors."""
    keys = _reaching()
    fixed = [key for key in keys if Kind.FIXED in effect(key).kinds]
    free = [key for key in keys if key not in fixed]
    by_start = [[key for key in fixed if key.startswith(start)] for start in ALONE]
    together = [key for key in fixed if not key.startswith(ALONE)]
    return [group for kind in (free, together, *by_start) for group in _apart(kind, TOGETHER)]


def _groups_of_prod() -> list[tuple[str, ...]]:
    """The same of what is not fixed, some together: what forces a server to be made again does so in every environment, and prod has three."""
    free = [key for key in _reaching() if Kind.FIXED not in effect(key).kinds and key not in NOT_FOR_PROD]
    return _apart(free, 8)


def _apart(keys: Sequence[str], size: int) -> list[tuple[str, ...]]:
    number = -(-len(keys) // size)
    return [tuple(keys[start::number]) for start in range(number)]


def _changed(keys: Sequence[str], name: str = "dev") -> dict[str, Any]:
    environment, changes = load().environment(name), dict[str, Any]()
    for key in keys:
        changes = merged(changes, merged(beside(key, name), another(key, environment)))
    return changes


@pytest.mark.parametrize("keys", _groups(), ids="+".join)
def test_a_change_does_what_is_declared_and_takes_nothing_else_away(planner: Planner, keys: tuple[str, ...]) -> None:
    planned, error = planner.plan(_changed(keys))
    if fixed := [key for key in keys if Kind.FIXED in effect(key).kinds]:
        refused = [key for key in fixed if re.search(rf"{re.escape(key)}\S* is fixed after the first deploy", error)]
        assert refused == fixed, (
            f"declared fixed, and not refused: {set(fixed) - set(refused)}; planned: {planned}\n{error}"
        )
        return
    assert not error, error
    _assert_nothing_else_goes(keys, planned)


@pytest.mark.parametrize("keys", _groups_of_prod() if EVERY else [], ids="+".join)
def test_a_change_of_prod_takes_nothing_else_away(planner_of_prod: Planner, keys: tuple[str, ...]) -> None:
    planned, error = planner_of_prod.plan(_changed(keys, "prod"))
    assert not error, error
    assert planned, f"{keys} were set to other values, and the plan is empty"
    _assert_nothing_else_goes(keys, planned)


def _assert_nothing_else_goes(keys: Sequence[str], planned: Sequence[Mapping[str, Any]]) -> None:
    gone = {
        each["resource"]["addr"]: each["resource"]["resource_type"]
        for each in planned
        if each["action"] in ("delete", "replace")
    }
    allowed = [pattern for key in keys for pattern in effect(key).loses]
    lost = [
        address
        for address, kind in gone.items()
        if kind in PRECIOUS and not any(fnmatchcase(address, pattern) for pattern in allowed)
    ]
    assert lost == [], f"{keys} may lose {allowed}, and take away {lost}"


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory, emulated: Account, stacks: dict[str, Stack]) -> Iterator[Running]:
    """dev in a folder of its own, on its state in the bucket, for changes that are applied; at the end all are taken away again."""
    identities.make(emulated, "somebody")
    environment = Running(tmp_path_factory.mktemp("running"), emulated.emulator.environment)
    yield environment
    environment.deploy({})
    assert not environment.stack.unexpected_changes(), "what was set and taken away again leaves something behind"


@pytest.fixture(scope="module")
def with_first_values(running: Running, emulated: Account, tmp_path_factory: pytest.TempPathFactory) -> Planner:
    """On the state of dev with every setting that is empty to begin with set at once."""
    if not EVERY:
        pytest.skip("takes some twelve minutes: make test-changes")
    identities.make(emulated, "support")
    running.deploy(first_values())
    state = running.stack.run("state", "pull").stdout
    return Planner(tmp_path_factory.mktemp("next"), emulated.emulator.environment, state)


@pytest.mark.parametrize("key", NEXT)
def test_a_value_in_use_is_changed_to_another_as_declared(with_first_values: Planner, key: str) -> None:
    """What was set later is changed like what an environment began with: an address list, a mirror, a pool's machines."""
    planned, error = with_first_values.plan(merged(first_values(), next_value(key)))
    assert not error, error
    changed = [each["resource"]["addr"] for each in planned if each["action"] != "noop"]
    rolled = effect(key).kinds == (Kind.ROLL,)  # servers that run are left alone: make roll-servers plans the change
    assert changed or rolled or HELM in effect(key).stacks, f"{key} was set to another value, and the plan is empty"
    _assert_nothing_else_goes([key], planned)


def test_the_summary_of_a_key_pair_names_the_rolls_and_loses_nothing(planner: Planner) -> None:
    plan = planner.shown({"access": {"ssh": {"public_key": KEY}}})
    refuse_losses(plan)
    lines = summary("vet-dev", plan)
    assert lines[0] == "vet-dev: 1 to change, 1 to create"
    assert "access.ssh.public_key: next server roll; agents' refresh" in lines[1]


def _batches() -> list[tuple[str, ...]]:
    """Five keys each, by the seed. All keys come once before one comes again, so thirty batches set and take away each of them twice."""
    chance = random.Random(SEED)
    free = [
        key
        for key in changeable()
        if key not in {*NOT_PLANNED, *ONE_WAY}
        and INFRASTRUCTURE in effect(key).stacks
        and Kind.FIXED not in effect(key).kinds
    ]
    drawn = [key for _ in range(BATCHES * FIVE // len(free) + 1) for key in chance.sample(free, len(free))]
    return [tuple(drawn[start : start + FIVE]) for start in range(0, BATCHES * FIVE, FIVE)]


def _named(batch: tuple[str, ...]) -> str:
    return f"seed {SEED}: {'+'.join(batch)}"


@pytest.mark.parametrize("batch", _batches(), ids=_named)
def test_a_batch_of_changes_is_applied_and_the_next_plan_is_empty(
    running: Running, stacks: dict[str, Stack], batch: tuple[str, ...]
) -> None:
    """Several changes at once, while those of the batch before are taken away: no server is replaced or detached by any."""
    servers = _servers(stacks["vet-dev"])
    running.deploy(_changed(sorted(set(batch))))
    unexpected_changes = running.stack.unexpected_changes()
    assert not unexpected_changes, f"{batch} would change again:\n" + "\n".join(unexpected_changes)
    assert _servers(running.stack) == servers, f"{batch} has changed a server"


def test_copies_in_another_region_go_while_the_region_is_named(running: Running) -> None:
    """Terraform deletes by a resource's own provider: without the region's there would be no plan any more."""
    running.deploy({"backups": {"replica_region": "us-west-2"}})
    with pytest.raises(Failure, match="Provider configuration not present"):
        running.deploy({})
    running.deploy({"backups": {"replica_region": "us-west-2", "delete_copies": True}})
    running.deploy({})
    assert not running.stack.unexpected_changes()


def _servers(stack: Stack) -> dict[str, str]:
    """What of a server no apply may make again, by address: instances, volumes, interfaces and how they are attached."""
    kinds = (
        "aws_instance",
        "aws_ebs_volume",
        "aws_network_interface",
        "aws_volume_attachment",
        "aws_lb_target_group_attachment",
    )
    return {
        f"{each['type']}.{each['name']}": each["instances"][0]["attributes"]["id"]
        for each in stack.written()["resources"]
        if each["type"] in kinds and "slot_" in each["name"] and "public_api" not in each["name"]
    }
