"""A year of one environment on the emulator, in the order in which it happens to people.

After each step the plan is empty, every output has a value, the doctor is content, and no server is another one than before unless it was
rolled. What is seen on pods, etcd or real machines alone is elsewhere: certificates that end and the programs of a rotated token in
tests/boot, releases of the application and reminders in tests/platform, agents that are drained in tests/pods, and what the doctor says of
sick machines in tests/unit/operations/test_doctor_servers.py.

``VET_YEAR_FROM`` begins at a step: what the ones before it set is deployed at once, and what else they do is left out.
"""

import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from typing import Any

import pytest
import yaml

from operations.devtools.drill_steps import lose_and_recover
from operations.devtools.emulator.account import account
from operations.devtools.emulator.known_gaps import clients
from operations.shared.errors import Failure
from settings import load
from settings.documents import merged
from settings.loader import ENVIRONMENTS
from tests.apply.conftest import skip_or_fail
from tests.apply.reader import Reader, copied
from tests.apply.running import Running, left_of
from tests.apply.year import Step, Year
from tests.changes import KEY, one_environment

OFFICE = ["203.0.113.0/24"]
LARGER = "t3.large"


def prod_is_deployed(year: Year) -> str:
    """Beside dev, which does not notice."""
    year.running.beside["prod"] = yaml.safe_load((ENVIRONMENTS / "prod.yaml").read_text())
    return _deployed(year, "prod")


def a_third_environment(year: Year) -> str:
    """Its zone and its boundary come with make state."""
    document = yaml.safe_load((ENVIRONMENTS / "dev.yaml").read_text())
    hosts = {name: host.replace("dev", "stage") for name, host in document["hosts"].items()}
    year.running.beside["stage"] = document | {"hosts": hosts}
    year.running.synthesise(year.changes)
    year.reader.done("make state")
    return _deployed(year, "stage")


def _deployed(year: Year, name: str) -> str:
    year.running.synthesise(year.changes)
    stack = year.running.other(name)
    stack.run("init", "-input=false", "-reconfigure")
    actions = {change.rpartition(" ")[2] for change in stack.changes()}
    assert actions == {"created"}, f"a first deploy would not only make: {actions}"
    stack.run("apply", "-input=false", "tfplan")
    assert not stack.unexpected_changes()
    return f"vet-{name} is deployed, and a plan changes nothing"


def servers_are_rolled(year: Year) -> str:
    """By the command: type, key pair and image come, slot by slot."""
    output = year.reader.done("make roll-servers ENV=dev")
    year.state = year.running.stack.written()
    for address, server in year.servers().items():
        assert server["instance_type"] == year.changes["servers"]["instance_type"], address
        assert server["key_name"], f"{address} has no key pair"
        assert server["ami"] == year.changes.get("image", {}).get("ami_id", server["ami"]), address
    return output


def agents_are_rolled(year: Year) -> str:
    return year.reader.done("make roll-agents ENV=dev")


def images_of_the_nodes_are_renewed(year: Year) -> str:
    """They wait for the rolls."""
    image = year.aws("ec2").create_image(InstanceId=next(iter(year.ids().values())), Name="renewed")["ImageId"]
    output = year.deploy({"image": {"ami_id": image}})
    assert image not in {server["ami"] for server in year.servers().values()}
    return output


def tokens_are_rotated(year: Year) -> str:
    """What the servers' program writes into Secrets Manager is not Terraform's."""
    for name in ("server-token", "agent-token"):
        year.aws("secretsmanager").put_secret_value(SecretId=f"vet-dev/{name}", SecretString=f"a new {name}")
    return year.reader.done("make plan ENV=dev")


def a_state_is_lost(year: Year) -> str:
    def recover() -> None:
        year.reader.done("make recover-state ENV=dev")

    return lose_and_recover(year.running.stack, recover)


STEPS = (
    Step("the first deploy", words="vet-dev is new"),
    Step("prod is deployed beside it", act=prod_is_deployed),
    Step("a key pair is added", {"access": {"ssh": {"public_key": KEY}}}, "next server roll; agents' refresh"),
    Step(
        "the office may come in",
        {"access": {"api": {"access": "public", "allowed_cidrs": OFFICE}, "ssh": {"allowed_cidrs": OFFICE}}},
        "access.api.access: at once",
    ),
    Step("a third environment", act=a_third_environment),
    Step("more agents", {"agents": {"min_count": 5, "max_count": 6}}, "agents.min_count: at once"),
    Step(
        "larger machines",
        {"servers": {"instance_type": LARGER}, "agents": {"instance_type": LARGER}},
        "next server roll",
    ),
    Step("the server is rolled", {}, "1 server(s) replaced", act=servers_are_rolled, rolls=True),
    Step("the agents are rolled", {}, "refreshed", act=agents_are_rolled),
    Step("a new image of the application", {"application": {"image": "0123abc"}}, "no resource changes"),
    Step("a step back to the image before", {"application": {"image": "0123abb"}}, "no resource changes"),
    Step("reminders are turned on", {"application": {"email_reminders": True}}, "no resource changes"),
    Step("alarms and a budget", {"alarms": {"enabled": True}, "budget": {"enabled": True}}, "budget.enabled: at once"),
    Step("copies in another region", {"backups": {"replica_region": "us-west-2"}}, "backups.replica_region: at once"),
    Step("snapshots every four hours", {"cluster": {"snapshots": {"schedule": "0 */4 * * *"}}}, "next server roll"),
    Step("a larger data volume", {"servers": {"data_volume_gib": 40}}, "never smaller"),
    Step(
        "snapshots of volumes, flow logs",
        {"backups": {"volume_snapshots": {"enabled": True}}, "network": {"flow_logs": True}},
        "network.flow_logs: at once",
    ),
    Step("images of the nodes are renewed", {}, "next server roll; agents' refresh", images_of_the_nodes_are_renewed),
    Step("tokens are rotated", {}, "vet-dev: nothing changes", tokens_are_rotated),
    Step("it sleeps at night", {"schedule": {"enabled": True}}, "schedule.enabled: at once"),
    Step("a host is renamed", {"hosts": {"application": "clinic.dev.{domain}"}}, "the former name ends"),
    Step(
        "the office is closed again",
        {"access": {"api": {"access": "private", "allowed_cidrs": []}}},
        "access.api.access",
    ),
    Step("three servers", {"servers": {"count": 3}}, "servers.count"),
    Step("a lost state is brought back", {}, "a plan changes nothing", a_state_is_lost),
    Step("three servers are rolled", {}, "3 server(s) replaced", act=servers_are_rolled, rolls=True),
)

REFUSED = (
    ("fewer servers", {"servers": {"count": 1}}, "delete a server", "servers.count"),
    ("a smaller data volume", {"servers": {"data_volume_gib": 20}}, "which AWS refuses", "servers.data_volume_gib"),
    ("a smaller disk", {"servers": {"root_volume_gib": 30}}, "which AWS refuses", "servers.root_volume_gib"),
    ("another network", {"network": {"cidr": "10.0.0.0/17"}}, "fixed after the first deploy", "network.cidr"),
    ("other addresses of pods", {"cluster": {"pod_cidr": "10.44.0.0/16"}}, "fixed after the first", "cluster.pod_cidr"),
)
"""What nobody should do to it at the end of the year: the change, what it is refused for, and the setting that is named."""

WAY = "docs/runbooks/changing-settings.md"


@pytest.fixture(scope="module")
def year(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Year]:
    """An account of its own with the repository's dev: not deployed yet, or as the steps before the first one would leave it."""
    if os.environ.get("VET_TEST_YEAR") != "1":
        pytest.skip("takes most of an hour: set VET_TEST_YEAR=1, or make test-year")
    folder = copied(tmp_path_factory.mktemp("year") / "repository")
    with ExitStack() as keep:
        try:
            emulation = keep.enter_context(account(folder, load(one_environment(folder, {}))))
        except Failure as failure:
            skip_or_fail(str(failure))
        reader = Reader(folder, emulation.emulator)
        reader.done("make state")
        begun = Year(reader, Running(folder, reader.environment), clients(emulation.emulator.environment))
        if before := STEPS[: _first()]:
            begun.deploy(_all(before))
            begun.settle()
        yield begun


def _first() -> int:
    """The number of the step that is begun with."""
    name = os.environ.get("VET_YEAR_FROM", "")
    steps = [number for number, step in enumerate(STEPS) if name in step.what]
    if not steps:
        pytest.fail(f"VET_YEAR_FROM={name}: no step has this in its name: {', '.join(step.what for step in STEPS)}")
    return steps[0]


def _all(steps: tuple[Step, ...]) -> dict[str, Any]:
    changes: dict[str, Any] = {}
    for step in steps:
        changes = merged(changes, dict(step.changes))
    return changes


Record = Callable[[str, object], None]


@pytest.mark.parametrize("step", STEPS, ids=lambda step: step.what)
def test_a_step_of_the_year(year: Year, step: Step, record_property: Record) -> None:
    if STEPS.index(step) < _first():
        pytest.skip("comes before the step that FROM (VET_YEAR_FROM) names: leave it out to play the whole year")
    output = step.play(year)
    record_property("said", next((line for line in output.splitlines() if step.words in line), output))


@pytest.mark.parametrize(("what", "changes", "reason", "key"), REFUSED, ids=[case[0] for case in REFUSED])
def test_what_would_lose_the_cluster_is_refused_with_the_setting_and_the_way(
    year: Year, what: str, changes: Mapping[str, Any], reason: str, key: str, record_property: Record
) -> None:
    """By ``make plan``, which changes nothing, and names what to do instead."""
    year.running.synthesise(merged(year.changes, dict(changes)))
    answer = year.reader.run("make plan ENV=dev")
    output = " ".join((answer.stdout + answer.stderr).replace("│", " ").split())
    assert answer.returncode != 0, f"{what} was not refused:\n{output}"
    for part in (reason, key, WAY):
        assert part in output, f"{part} is not said of {what}:\n{answer.stdout}\n{answer.stderr}"
    serial = year.running.stack.written()["serial"]
    assert year.state["serial"] in (serial, 0), "the state was written although it was refused"
    record_property("said", f"refused: {key}, {reason}")


def test_a_plan_that_replaces_a_server_is_refused_with_the_setting_and_the_way(
    year: Year, record_property: Record
) -> None:
    """A server that Terraform takes for broken would be made again by any deploy, whatever was changed."""
    year.running.synthesise(year.changes)
    address = next(iter(year.running.stack.run("state", "list").stdout.split("aws_instance.")[1:])).split()[0]
    year.running.stack.run("taint", f"aws_instance.{address}")
    try:
        year.running.synthesise(merged(year.changes, {"tags": {"Team": "platform"}}))
        answer = year.reader.run("make plan ENV=dev")
    finally:
        year.running.stack.run("untaint", f"aws_instance.{address}")
    assert answer.returncode != 0
    for part in (f"replace a server: aws_instance.{address}", "tags: at once", WAY):
        assert part in answer.stderr, f"{part} is not said:\n{answer.stdout}\n{answer.stderr}"
    year.running.synthesise(year.changes)
    record_property("said", f"refused: replace a server: aws_instance.{address}")


def test_it_goes_without_a_trace_and_the_others_stay(year: Year, record_property: Record) -> None:
    """``make destroy`` has Helm's stack, which needs a cluster; its infrastructure alone goes here."""
    year.running.synthesise(year.changes)
    year.running.stack.run("destroy", "-auto-approve", "-input=false")
    assert year.running.stack.state() == []
    left = left_of("dev", year.aws)
    assert not left, f"left behind: {left}"
    for name in year.running.beside:
        assert not year.running.other(name).unexpected_changes(), f"{name} would change"
    record_property("said", f"nothing is left of dev; {' and '.join(year.running.beside)} would not change")
