"""ServerReplacement the servers: no majority is ever risked, and the same command goes on after any interruption."""

import re
import subprocess
import time
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from operations.cluster import restore_record, roll_record, roll_servers
from operations.cluster.lock import KEY as LOCK
from operations.cluster.roll_servers import ServerReplacement, refuse_other_servers
from operations.cluster.server_differences import refuse_skipped_minors
from operations.shared.errors import Failure
from operations.shared.health import Health
from operations.shared.stack_json import Document
from operations.shared.terraform import Terraform
from tests.unit.operations.cluster import OLD, USER_DATA, WHOLE, Fake

NEW = USER_DATA.replace("${aws_vpc.main.id}", "vpc-0123")


@dataclass
class FakeInfrastructure:
    """Machines as Terraform and the node programs change them. Each change is recorded, and may be the last of a run."""

    prod: Fake
    planned: str | None = None
    """Address that the last plan replaces."""

    cordoned: set[int] = field(default_factory=set)
    stop: Callable[[str, bool], None] = lambda call, done: None
    """Called before and after each change; what it raises ends the run."""

    def change(self, call: str, work: Callable[[], None]) -> None:
        """Carry a change out."""
        self.stop(call, False)
        self.prod.calls.append(call)
        work()
        self.stop(call, True)

    def plan(self, replace: str | None) -> None:
        """Plan to replace the resource of an address, or to make what is missing."""
        self.planned = replace

    def apply(self) -> None:
        """Apply the last plan: the old machine goes, then the new one comes."""
        slots = {int(self.planned[-1])} if self.planned else set(self.prod.down)
        for slot in sorted(slots):
            if slot not in self.prod.down:
                self.change(f"destroy {slot}", lambda slot=slot: self.prod.down.add(slot))  # type: ignore[misc]
            self.change(f"create {slot}", lambda slot=slot: self._create(slot))  # type: ignore[misc]

    def planned_changes(self) -> dict[str, Any]:
        """What the last plan would do."""
        gone = sorted(self.prod.down)
        actions = {f"aws_instance.slot_{slot}": ["create"] for slot in gone}
        if self.planned:
            actions[self.planned] = ["delete", "create"]
        return {
            "resource_changes": [
                {"type": "aws_instance", "address": address, "change": {"actions": action}}
                for address, action in actions.items()
            ]
        }

    def program(self, program: str, slot: int, *arguments: str) -> None:
        """What draining does to a Node, whose cordon outlives its machine."""
        if program != "drain":
            return
        (self.cordoned.discard if arguments else self.cordoned.add)(slot)
        self.prod.healths[slot] = replace(self.prod.healths[slot], cordoned=str(slot in self.cordoned).lower())

    def _create(self, slot: int) -> None:
        self.prod.down.discard(slot)
        self.prod.generation[slot] += 1
        self.prod.user_data[slot] = NEW


@pytest.fixture
def infrastructure(prod: Fake, monkeypatch: pytest.MonkeyPatch) -> FakeInfrastructure:
    """Prod, whose servers are outdated, with Terraform and the node programs played."""
    fake = FakeInfrastructure(prod)
    instances = {
        slot: {"address": f"aws_instance.slot_{slot}", "instance_type": "t3.large", "user_data": USER_DATA}
        for slot in range(3)
    }
    monkeypatch.setattr(Document, "read", lambda stack: Document(stack, {}))
    monkeypatch.setattr(roll_servers, "wanted_servers", lambda _: instances)
    monkeypatch.setattr(roll_servers, "BACK_SECONDS", 0.05)
    monkeypatch.setattr(time, "sleep", lambda _: None)
    monkeypatch.setattr(Terraform, "init", lambda *_: None)
    monkeypatch.setattr(Terraform, "plan", lambda _, file, replace=None: fake.plan(replace))
    monkeypatch.setattr(Terraform, "show", lambda *_: fake.planned_changes())
    monkeypatch.setattr(Terraform, "apply_plan", lambda *_: fake.apply())

    def run(server: Any, program: str, *arguments: str, seconds: int = 0) -> str:
        call = " ".join([program, str(server.slot), *arguments])
        fake.change(call, lambda: fake.program(program, server.slot, *arguments))
        return ""

    monkeypatch.setattr(prod, "run", run)
    return fake


@pytest.fixture
def rolling(infrastructure: FakeInfrastructure, prod: Fake) -> ServerReplacement:
    """ServerReplacement prod."""
    return ServerReplacement(prod, auto_approve=True)


ONE = ["drain {}", "unprotect {}", "destroy {}", "create {}", "drain {} undo"]
"""What replacing a server is."""


def created(prod: Fake) -> list[str]:
    """The machines that were made, in order."""
    return [call for call in prod.calls if call.startswith("create")]


def test_servers_are_replaced_one_at_a_time_with_server_0_last(rolling: ServerReplacement, prod: Fake) -> None:
    rolling.roll()
    assert prod.calls == [step.format(slot) for slot in (2, 1, 0) for step in ONE]


def test_servers_that_are_as_they_should_be_are_passed_over(rolling: ServerReplacement, prod: Fake) -> None:
    prod.user_data = dict.fromkeys((1, 2), NEW) | {0: OLD}
    rolling.roll()
    assert created(prod) == ["create 0"]
    prod.calls.clear()
    rolling.roll()
    assert prod.calls == [], "a second run replaced something"


@pytest.mark.parametrize(
    "health",
    [
        replace(WHOLE, etcd_healthy=False),
        replace(WHOLE, members=2),
        replace(WHOLE, members=4),
        replace(WHOLE, voting=2),
        replace(WHOLE, servers_ready=2),
        replace(WHOLE, api_ready=False),
        replace(WHOLE, booted=False),
    ],
)
def test_nothing_is_replaced_while_any_server_has_a_doubt(
    health: Health, rolling: ServerReplacement, prod: Fake
) -> None:
    prod.healths[1] = health
    with pytest.raises(Failure, match="server 1"):
        rolling.roll()
    assert prod.calls == []


def test_it_stops_at_the_first_server_that_does_not_come_back_and_then_waits_for_it(
    rolling: ServerReplacement, infrastructure: FakeInfrastructure, prod: Fake
) -> None:
    def broken(call: str, done: bool) -> None:
        if call == "create 2" and done:
            prod.healths = dict.fromkeys(range(3), replace(WHOLE, members=2, voting=2))

    infrastructure.stop = broken
    for _ in range(2):  # the second run waits as well, and takes nothing else down
        with pytest.raises(Failure, match=r"(?s)server 2 is not back .*same command again"):
            rolling.roll()
        assert created(prod) == ["create 2"]
        assert infrastructure.cordoned == {2}
    prod.healths = dict.fromkeys(range(3), WHOLE)
    rolling.roll()
    assert created(prod) == ["create 2", "create 1", "create 0"]
    assert infrastructure.cordoned == set()


STEPS = [step.format(slot) for slot in (2, 1, 0) for step in ONE if "unprotect" not in step]


@pytest.mark.parametrize("done", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("step", STEPS)
def test_it_goes_on_after_an_interruption_anywhere(
    step: str, done: bool, rolling: ServerReplacement, infrastructure: FakeInfrastructure, prod: Fake
) -> None:
    """Each server is made once, and none stays cordoned or without a machine."""

    def interrupted(call: str, after: bool) -> None:
        if (call, after) == (step, done):
            infrastructure.stop = lambda call, after: None
            raise KeyboardInterrupt

    infrastructure.stop = interrupted
    with pytest.raises(KeyboardInterrupt):
        rolling.roll()
    rolling.roll()
    assert created(prod) == ["create 2", "create 1", "create 0"], prod.calls
    assert infrastructure.cordoned == set(), f"cordoned for ever: {infrastructure.cordoned}"
    assert prod.down == set()
    assert roll_record.read(prod) is None
    rolling.roll()
    assert created(prod) == ["create 2", "create 1", "create 0"], "a third run replaced something"


def test_what_somebody_else_cordoned_stays_so(
    rolling: ServerReplacement, infrastructure: FakeInfrastructure, prod: Fake, capsys: pytest.CaptureFixture[str]
) -> None:
    infrastructure.cordoned, prod.healths[1] = {1}, replace(WHOLE, cordoned="true")
    rolling.roll()
    assert created(prod) == ["create 2", "create 1", "create 0"]
    assert infrastructure.cordoned == {1}
    assert "server 1 was cordoned before" in capsys.readouterr().out


def test_a_server_that_cannot_be_emptied_is_let_back_and_not_replaced(
    rolling: ServerReplacement, infrastructure: FakeInfrastructure, prod: Fake
) -> None:
    def refuse(call: str, done: bool) -> None:
        if call == "drain 2" and done:
            raise Failure("drain on server 2 ended as Failed:\nCannot evict pod")

    infrastructure.stop = refuse
    with pytest.raises(Failure, match=r"(?s)Cannot evict pod.*takes workloads as before"):
        rolling.roll()
    assert created(prod) == []
    assert infrastructure.cordoned == set()


def test_a_cordon_that_cannot_be_told_stops_it(rolling: ServerReplacement, prod: Fake) -> None:
    prod.healths[2] = replace(WHOLE, cordoned="unknown")
    with pytest.raises(Failure, match="cannot say whether its Node is cordoned"):
        rolling.roll()
    assert prod.calls == []


@pytest.mark.parametrize("missing", [{2}, {0}, {0, 1}])
def test_a_machine_that_is_missing_is_made_again_before_anything_goes(
    missing: set[int], rolling: ServerReplacement, prod: Fake
) -> None:
    prod.down = set(missing)
    rolling.roll()
    first = [f"create {slot}" for slot in sorted(missing)]
    assert prod.calls[: len(first)] == first
    assert len(created(prod)) == 3, "a machine that was made just now was replaced as well"


def test_a_machine_that_is_stopped_is_not_taken_for_missing(
    rolling: ServerReplacement, prod: Fake, monkeypatch: pytest.MonkeyPatch
) -> None:
    there = prod.servers()
    monkeypatch.setattr(prod, "servers", lambda: [*there[:2], replace(there[2], running=False)])
    with pytest.raises(Failure, match=r"aws ec2 start-instances .*--instance-ids i-2-0"):
        rolling.roll()
    assert prod.calls == []


def test_a_failed_apply_is_taken_up_again(
    rolling: ServerReplacement, infrastructure: FakeInfrastructure, prod: Fake
) -> None:
    def fail(call: str, done: bool) -> None:
        if (call, done) == ("create 2", False):
            infrastructure.stop = lambda call, done: None
            raise subprocess.CalledProcessError(1, "terraform")

    infrastructure.stop = fail
    with pytest.raises(subprocess.CalledProcessError):
        rolling.roll()
    assert prod.down == {2}
    rolling.roll()
    assert created(prod) == ["create 2", "create 1", "create 0"]
    assert infrastructure.cordoned == set()


def test_it_is_refused_while_a_restore_is_unfinished(rolling: ServerReplacement, prod: Fake) -> None:
    restore_record.write(prod, restore_record.Record("disk", 0))
    with pytest.raises(Failure, match="make restore ENV=prod"):
        rolling.roll()
    assert prod.calls == []


def test_a_record_that_cannot_be_understood_stops_it(rolling: ServerReplacement, prod: Fake) -> None:
    prod.objects[f"{prod.names.bucket('nodes')}/{roll_record.KEY}"] = b'{"slots": 1}'
    with pytest.raises(Failure, match="no record of a roll"):
        rolling.roll()
    assert prod.calls == []


def test_a_second_terminal_is_refused(
    infrastructure: FakeInfrastructure, prod: Fake, monkeypatch: pytest.MonkeyPatch
) -> None:
    prod.objects[f"{prod.names.bucket('nodes')}/{LOCK}"] = b'{"operation": "restore", "who": "anna on desk"}'
    for name in ("load", "refuse_placeholders", "main"):
        monkeypatch.setattr(roll_servers, name, lambda *_: None)
    monkeypatch.setattr(roll_servers, "main", type("main", (), {"build_app": lambda _: type("", (), {"synth": list})}))
    monkeypatch.setattr(roll_servers, "Cluster", lambda _: prod)
    with pytest.raises(Failure, match="make restore of anna on desk is at work"):
        roll_servers.roll("prod", auto_approve=True)
    assert prod.calls == []


@pytest.mark.parametrize(("addresses", "new"), [([], []), (["b"], []), (["a", "b"], []), (["a"], ["c"])], ids="+".join)
def test_a_plan_that_does_anything_else_to_machines_is_refused(addresses: list[str], new: list[str]) -> None:
    change = {"actions": ["delete", "create"]}
    planned = {"resource_changes": [{"address": one, "type": "aws_instance", "change": change} for one in addresses]}
    with pytest.raises(Failure, match="this plan would take down"):
        refuse_other_servers(planned, taken_down=["a"], created=new)


@pytest.mark.parametrize("running", ["v1.24.17+rke2r1", "v1.28.15+rke2r1"])
def test_no_server_is_touched_whose_successor_would_skip_a_minor_or_go_back(
    rolling: ServerReplacement, prod: Fake, running: str
) -> None:
    """A deploy may have been followed by another before a roll; etcd's data decide, and they are the running version's."""
    prod.user_data[1] = OLD.replace("v1.26.15+rke2r1", running)
    with pytest.raises(Failure, match=rf"server 1 runs RKE2 {re.escape(running)}.*\n.*make upgrade ENV=prod"):
        rolling.roll()
    assert not prod.calls, "a server was touched"


def test_a_server_that_does_not_say_its_version_is_not_replaced(rolling: ServerReplacement, prod: Fake) -> None:
    prod.user_data[2] = "#cloud-config"
    with pytest.raises(Failure, match="server 2: its user data does not say which RKE2 it has"):
        rolling.roll()
    assert not prod.calls, "a server was touched"


def test_servers_go_to_the_former_minor_where_its_snapshot_was_restored(rolling: ServerReplacement, prod: Fake) -> None:
    """And no further back."""
    for running, goes in (("v1.28.15+rke2r1", True), ("v1.29.15+rke2r1", False)):
        prod.user_data[1] = OLD.replace("v1.26.15+rke2r1", running)
        refused = pytest.raises(Failure, match=rf"server 1 runs RKE2 {re.escape(running)}")
        with nullcontext() if goes else refused:
            refuse_skipped_minors(prod, prod.servers(), rolling.wanted, back=True)
