"""A year of one environment on the emulator, in the order in which it happens to people.

After each step the plan is empty, every output has a value, and no server is another one than before unless it was rolled. What is seen on
pods, etcd or real machines alone is in tests/boot (rolls, restores, rotated tokens), tests/platform (releases of the application) and
test_recovery.py (a lost state).
"""

import json
import os
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import Any

import pytest

from operations.emulator.account import account
from operations.failure import Failure
from settings import load
from settings.documents import merged
from tests.apply.conftest import cannot
from tests.apply.running import Running
from tests.changes import KEY, dev_alone

OFFICE = ["203.0.113.0/24"]


@dataclass(frozen=True)
class Step:
    """Something that a team does."""

    what: str
    changes: Mapping[str, Any]
    said: str = ""
    """Part of what the plan's summary says."""


STEPS = (
    Step("the first deploy", {}, "vet-dev is new"),
    Step("a key pair is added", {"access": {"ssh": {"public_key": KEY}}}, "next server roll; agents' refresh"),
    Step(
        "the office may come in",
        {"access": {"api": {"access": "public", "allowed_cidrs": OFFICE}, "ssh": {"allowed_cidrs": OFFICE}}},
        "access.api.access: at once",
    ),
    Step("more agents", {"agents": {"count": 4, "maximum": 6}}, "agents.count: at once"),
    Step(
        "larger machines",
        {"servers": {"instance_type": "t3.large"}, "agents": {"instance_type": "t3.large"}},
        "next server roll",
    ),
    Step("alarms and a budget", {"alarms": {"enabled": True}, "budget": {"enabled": True}}, "budget.enabled: at once"),
    Step(
        "etcd snapshots every four hours", {"cluster": {"snapshots": {"schedule": "0 */4 * * *"}}}, "next server roll"
    ),
    Step("a larger data volume", {"servers": {"data_volume_gib": 40}}, "never smaller"),
    Step(
        "snapshots of volumes, flow logs",
        {"backups": {"volume_snapshots": {"enabled": True}}, "network": {"flow_logs": True}},
    ),
    Step("it sleeps at night", {"schedule": {"enabled": True}}, "schedule.enabled: at once"),
    Step("a host is renamed", {"hosts": {"application": "clinic.dev.{domain}"}}, "the former name ends"),
    Step(
        "the office is closed again",
        {"access": {"api": {"access": "private", "allowed_cidrs": []}}},
        "access.api.access",
    ),
    Step("three servers", {"servers": {"count": 3}}, "servers.count"),
)

REFUSED = (
    Step("fewer servers", {"servers": {"count": 1}}, "delete a server"),
    Step("a smaller data volume", {"servers": {"data_volume_gib": 20}}, "which AWS refuses"),
    Step("another network", {"network": {"cidr": "10.0.0.0/17"}}, "fixed after the first deploy"),
    Step("other addresses of pods", {"cluster": {"pod_cidr": "10.44.0.0/16"}}, "fixed after the first deploy"),
)
"""What nobody should do to it at the end of the year, with what they are told."""


@dataclass
class Year:
    """The environment, and what was changed so far."""

    running: Running
    changes: dict[str, Any] = field(default_factory=dict)

    def servers(self) -> dict[str, str]:
        """Instance ids by address."""
        state = self.running.stack.state()
        return {each["address"]: each["values"]["id"] for each in state if each["type"] == "aws_instance"}

    def attribute(self, name: str) -> set[Any]:
        """Values of one attribute of all servers."""
        return {each["values"][name] for each in self.running.stack.state() if each["type"] == "aws_instance"}


@pytest.fixture(scope="module")
def year(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Year]:
    """An account of its own with the repository's dev, not deployed yet."""
    if os.environ.get("VET_TEST_YEAR") != "1":
        pytest.skip("takes a quarter of an hour: set VET_TEST_YEAR=1, or make test-year")
    folder = tmp_path_factory.mktemp("year")
    with ExitStack() as keep:
        try:
            found = keep.enter_context(account(folder, load(dev_alone(folder, {}))))
        except Failure as failure:
            cannot(str(failure))
        found.make_state()
        yield Year(Running(folder, found.emulator.environment))


@pytest.mark.parametrize("step", STEPS, ids=lambda step: step.what)
def test_a_step_of_the_year(year: Year, step: Step) -> None:
    before = year.servers() if year.changes or step is not STEPS[0] else {}
    year.changes = merged(year.changes, dict(step.changes))
    said = "\n".join(year.running.deploy(year.changes))
    assert step.said in said, said
    unexplained = year.running.stack.unexplained()
    assert not unexplained, f"{step.what}: it would change again:\n" + "\n".join(unexplained)
    after = year.servers()
    assert before.items() <= after.items(), f"{step.what} has made a server anew"
    outputs = json.loads(year.running.stack.run("output", "-json").stdout)
    assert [name for name, output in outputs.items() if output["value"] in (None, "", [])] == []


@pytest.mark.parametrize("step", REFUSED, ids=lambda step: step.what)
def test_what_would_lose_the_cluster_is_refused_and_changes_nothing(year: Year, step: Step) -> None:
    before = year.servers()
    with pytest.raises(Failure) as refused:
        year.running.deploy(merged(year.changes, dict(step.changes)))
    assert step.said in " ".join(str(refused.value).replace("│", " ").split())
    assert year.servers() == before


def test_a_roll_brings_what_the_deploys_have_left(year: Year) -> None:
    """What make roll-servers tells Terraform for each slot: only then do type and key pair change, and only that server."""
    year.running.deploy(year.changes)
    before = year.servers()
    assert len(before) == 3
    first = next(address for address in before if "slot_0" in address)
    year.running.stack.run("apply", f"-replace={first}", "-auto-approve", "-input=false")
    after = year.servers()
    assert after[first] != before[first]
    assert {address: id_ for address, id_ in after.items() if address != first}.items() <= before.items()
    assert year.attribute("instance_type") == {"t3.large"}
    assert year.attribute("key_name") != {""}
    assert not year.running.stack.unexplained()


def test_it_goes_without_a_trace(year: Year) -> None:
    year.running.stack.run("destroy", "-auto-approve", "-input=false")
    assert year.running.stack.state() == []
