"""A year of one environment on the emulator, in the order in which it happens to people.

After each step the plan is empty, every output has a value, and no server is another one than before unless it was rolled. What is seen on
pods, etcd or real machines alone is elsewhere: rotated tokens and renewed certificates in tests/boot, weekly releases of the application
and reminders in tests/platform, both environments side by side in test_apply.py, and what the doctor says of machines in
tests/unit/operations/test_doctor_servers.py.
"""

import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import Any

import pytest
import yaml

from operations.drill import lose_and_recover
from operations.emulator import REPOSITORY
from operations.emulator.account import Account, account
from operations.emulator.forgetful import clients
from operations.failure import Failure
from settings import load
from settings.documents import merged
from settings.loader import ENVIRONMENTS
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
    Step("a new image of the application", {"application": {"image": "0123abc"}}, "no resource changes"),
    Step("a step back to the image before", {"application": {"image": "0123abb"}}, "no resource changes"),
    Step("a larger data volume", {"servers": {"data_volume_gib": 40}}, "never smaller"),
    Step(
        "snapshots of volumes, flow logs",
        {"backups": {"volume_snapshots": {"enabled": True}}, "network": {"flow_logs": True}},
    ),
    Step("copies in another region", {"backups": {"replica_region": "us-west-2"}}, "backups.replica_region: at once"),
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

    account: Account
    running: Running
    changes: dict[str, Any] = field(default_factory=dict)
    state: dict[str, Any] = field(default_factory=lambda: {"resources": [], "outputs": {}})
    """As Terraform has written it after the last step."""

    def settle(self) -> None:
        """See that nothing is left to change, and every output has a value; keep the state."""
        unexplained = self.running.stack.unexplained()
        assert not unexplained, "it would change again:\n" + "\n".join(unexplained)
        self.state = self.running.stack.written()
        assert [name for name, output in self.state["outputs"].items() if output["value"] in (None, "", [])] == []

    def servers(self) -> dict[str, dict[str, Any]]:
        """Attributes of each server by its address, after the last step."""
        return {
            f"{each['type']}.{each['name']}": each["instances"][0]["attributes"]
            for each in self.state["resources"]
            if each["type"] == "aws_instance"
        }

    def ids(self) -> dict[str, str]:
        """Instance ids by address."""
        return {address: attributes["id"] for address, attributes in self.servers().items()}


@pytest.fixture(scope="module")
def year(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Year]:
    """An account of its own with the repository's dev, not deployed yet."""
    if os.environ.get("VET_TEST_YEAR") != "1":
        pytest.skip("takes half an hour: set VET_TEST_YEAR=1, or make test-year")
    folder = tmp_path_factory.mktemp("year")
    with ExitStack() as keep:
        try:
            found = keep.enter_context(account(folder, load(dev_alone(folder, {}))))
        except Failure as failure:
            cannot(str(failure))
        found.make_state()
        yield Year(found, Running(folder, found.emulator.environment))


def _take(year: Year, changes: Mapping[str, Any]) -> str:
    """Deploy changes over what was changed before; no server may be another one afterwards. Returns what was said."""
    before = year.ids()
    year.changes = merged(year.changes, dict(changes))
    said = "\n".join(year.running.deploy(year.changes))
    year.settle()
    assert before.items() <= year.ids().items(), f"a server was made anew: {before} became {year.ids()}"
    return said


@pytest.mark.parametrize("step", STEPS, ids=lambda step: step.what)
def test_a_step_of_the_year(year: Year, step: Step) -> None:
    said = _take(year, step.changes)
    assert step.said in said, said


def test_renewed_images_of_the_nodes_wait_for_the_rolls(year: Year) -> None:
    aws = clients(year.running.environment)
    image = aws("ec2").create_image(InstanceId=next(iter(year.ids().values())), Name="renewed")["ImageId"]
    said = _take(year, {"image": {"pin": image}})
    assert "next server roll; agents' refresh" in said, said
    assert image not in {server["ami"] for server in year.servers().values()}


def test_a_third_environment_leaves_the_first_alone(year: Year) -> None:
    """Its zone and its boundary come with make state; a plan of it only makes."""
    files = dev_alone(year.account.folder, year.changes)
    document = yaml.safe_load((ENVIRONMENTS / "dev.yaml").read_text())
    hosts = {name: host.replace("dev", "stage") for name, host in document["hosts"].items()}
    (files / "stage.yaml").write_text(yaml.safe_dump(document | {"hosts": hosts}))
    year.account.synthesise(load(files))
    state = year.account.stack("vet-state")
    state.run("init", "-input=false", "-reconfigure")
    state.run("apply", "-auto-approve", "-input=false")
    stage = year.account.stack("vet-stage")
    stage.run("init", "-input=false", "-reconfigure")
    assert {change.rpartition(" ")[2] for change in stage.changes()} == {"created"}
    year.settle()


def test_a_lost_state_is_brought_back(year: Year) -> None:
    def recover() -> None:
        command = [sys.executable, "-m", "operations.recover_state", "--yes", "vet-dev"]
        done = subprocess.run(command, cwd=REPOSITORY, env=year.running.environment, capture_output=True, text=True)
        assert done.returncode == 0, done.stdout + done.stderr

    assert "a plan changes nothing" in lose_and_recover(year.running.stack, recover)
    year.state = year.running.stack.written()


@pytest.mark.parametrize("step", REFUSED, ids=lambda step: step.what)
def test_what_would_lose_the_cluster_is_refused_and_changes_nothing(year: Year, step: Step) -> None:
    with pytest.raises(Failure) as refused:
        year.running.deploy(merged(year.changes, dict(step.changes)))
    assert step.said in " ".join(str(refused.value).replace("│", " ").split())
    assert year.running.stack.written()["serial"] == year.state["serial"], (
        "the state was written although it was refused"
    )


def test_a_roll_brings_what_the_deploys_have_left(year: Year) -> None:
    """What make roll-servers tells Terraform for each slot: only then do type, key pair and image change, and only that server."""
    year.running.deploy(year.changes)
    year.settle()
    before = year.ids()
    assert len(before) == 3
    first = next(address for address in before if "slot_0" in address)
    year.running.stack.run("apply", f"-replace={first}", "-auto-approve", "-input=false")
    year.settle()
    after = year.ids()
    assert after.pop(first) != before.pop(first)
    assert after == before, "another server was replaced as well"
    rolled = year.servers()[first]
    assert (rolled["instance_type"], rolled["ami"]) == ("t3.large", year.changes["image"]["pin"])
    assert rolled["key_name"]


def test_it_goes_without_a_trace(year: Year) -> None:
    year.running.stack.run("destroy", "-auto-approve", "-input=false")
    assert year.running.stack.state() == []
