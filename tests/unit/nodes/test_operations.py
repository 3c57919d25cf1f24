"""Operations that change servers: they refuse what would cost the majority, stop at the first doubt, and resume."""

import base64
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import yaml

from operations import kubeconfig, restore, roll_servers, snapshots
from operations.failure import Failure
from operations.roll_servers import Rolling, refuse_other_servers
from operations.servers import Cluster, Health, Server

WHOLE = Health(True, True, 3, 3, 3, True, True, "")
SNAPSHOTS = [f"etcd-snapshot-ip-10-0-10-10.ec2.internal-{number}" for number in (1700000000, 1600000000)]
USER_DATA = "#cloud-config\nVPC_ID='${aws_vpc.main.id}'\nBUNDLE_SHA256='new'\n"


@dataclass
class Fake(Cluster):
    """A cluster whose AWS is played: what it is asked to run is recorded, what servers say is chosen."""

    name: str = "prod"
    healths: dict[int, Health] = field(default_factory=lambda: dict.fromkeys(range(3), WHOLE))
    down: set[int] = field(default_factory=set)
    user_data: dict[int, str] = field(default_factory=lambda: dict.fromkeys(range(3), "old"))
    calls: list[str] = field(default_factory=list)
    after: Callable[[str, int], None] = lambda program, slot: None
    generation: dict[int, int] = field(default_factory=lambda: dict.fromkeys(range(3), 0))

    def __post_init__(self) -> None:
        super().__init__(self.name)

    def servers(self) -> list[Server]:
        """All that are not down."""
        slots = [slot for slot in range(self.environment.servers.count) if slot not in self.down]
        return [Server(slot, f"i-{slot}-{self.generation[slot]}", "t3.large", "ami-1", running=True) for slot in slots]

    def run(self, server: Server, program: str, *arguments: str, seconds: int = 0) -> str:
        """Record, then let the test change the world."""
        self.calls.append(" ".join([program, str(server.slot), *arguments]))
        self.after(program, server.slot)
        return ""

    def health(self, server: Server) -> Health:
        """As chosen."""
        return self.healths[server.slot]

    def client(self, service: str) -> Any:
        """S3 with snapshots, EC2 with user data and one image."""
        return FakeClient(self)


@dataclass
class FakeClient:
    """The few calls of boto3 that operations make."""

    cluster: Fake

    def get_paginator(self, _: str) -> "FakeClient":
        """Itself: it has one page."""
        return self

    def paginate(self, Bucket: str, Prefix: str) -> list[dict[str, Any]]:  # noqa: N803 - boto3's own names
        """Snapshots, older ones last, and RKE2's notes on them."""
        assert (Bucket, Prefix) == (self.cluster.names.bucket("snapshots"), "vet-prod/")
        now = datetime(2026, 1, 2, tzinfo=UTC)
        keys = [*reversed(SNAPSHOTS), f".metadata/{SNAPSHOTS[0]}"]
        return [
            {
                "Contents": [
                    {"Key": f"{Prefix}{key}", "LastModified": now + timedelta(hours=hour), "Size": 9}
                    for hour, key in enumerate(keys)
                ]
            }
        ]

    def describe_images(self, **_: Any) -> dict[str, Any]:
        """An old and a new image."""
        return {"Images": [{"ImageId": "ami-0", "CreationDate": "2025"}, {"ImageId": "ami-1", "CreationDate": "2026"}]}

    def describe_instance_attribute(self, InstanceId: str, Attribute: str) -> dict[str, Any]:  # noqa: N803
        """User data that the machine was started with."""
        text = self.cluster.user_data[int(InstanceId.split("-")[1])]
        return {"UserData": {"Value": base64.b64encode(text.encode()).decode()}}

    def modify_instance_attribute(self, InstanceId: str, DisableApiTermination: dict[str, bool]) -> None:  # noqa: N803
        """Recorded."""
        self.cluster.calls.append(f"unprotect {InstanceId.split('-')[1]}")


@pytest.fixture
def prod() -> Fake:
    """Three servers, all well."""
    return Fake()


# Snapshots


def test_snapshots_are_listed_newest_first_without_rke2s_notes(prod: Fake) -> None:
    assert [snapshot.name for snapshot in snapshots.snapshots(prod)] == SNAPSHOTS


# Restore


def _lose(prod: Fake) -> None:
    lost = replace(WHOLE, api_ready=False, etcd_healthy=False, members=0, voting=0, servers_ready=0, booted=False)
    prod.healths = dict.fromkeys(range(3), lost)


def _recover(prod: Fake) -> Callable[[str, int], None]:
    def after(program: str, slot: int) -> None:
        if program == "restore":
            prod.healths[slot] = replace(
                WHOLE, members=1, voting=1, servers_ready=1, booted=False, restored=SNAPSHOTS[0]
            )
        if program == "rejoin":
            members = prod.healths[0].members + 1
            for each in [0, slot]:
                prod.healths[each] = replace(
                    WHOLE, members=members, voting=members, servers_ready=members, restored=SNAPSHOTS[0]
                )

    return after


def test_restore_takes_the_newest_stops_all_resets_one_and_lets_the_others_rejoin_in_turn(prod: Fake) -> None:
    _lose(prod)
    prod.after = _recover(prod)
    restore.restore(prod, None, unattended=True)
    assert prod.calls == ["quiesce 1", "quiesce 2", f"restore 0 {SNAPSHOTS[0]}", "rejoin 1", "rejoin 2"]


def test_restore_with_a_wrong_name_names_the_newest_and_does_nothing(prod: Fake) -> None:
    _lose(prod)
    with pytest.raises(Failure, match=SNAPSHOTS[0]):
        restore.restore(prod, "no-such-snapshot", unattended=True)
    assert prod.calls == []


def test_restore_is_refused_on_a_healthy_cluster_without_the_flag(prod: Fake) -> None:
    with pytest.raises(Failure, match="FORCE=yes"):
        restore.restore(prod, None, unattended=True)
    assert prod.calls == []


def test_restore_of_a_healthy_cluster_with_the_flag(prod: Fake) -> None:
    prod.after = _recover(prod)
    restore.restore(prod, SNAPSHOTS[0], force=True, unattended=True)
    assert f"restore 0 {SNAPSHOTS[0]} --healthy-too" in prod.calls


def test_restore_dry_run_shows_and_changes_nothing(prod: Fake, capsys: pytest.CaptureFixture[str]) -> None:
    _lose(prod)
    restore.restore(prod, None, dry_run=True)
    assert prod.calls == []
    shown = capsys.readouterr().out
    assert SNAPSHOTS[0] in shown
    assert "nothing was changed" in shown


def test_restore_that_stopped_while_others_rejoined_goes_on_there(prod: Fake) -> None:
    _lose(prod)
    recover = _recover(prod)

    def fail_at_rejoin(program: str, slot: int) -> None:
        if program == "rejoin":
            raise Failure("Session Manager does not reach server 1")
        recover(program, slot)

    prod.after = fail_at_rejoin
    with pytest.raises(Failure, match="does not reach"):
        restore.restore(prod, None, unattended=True)
    prod.calls.clear()
    prod.after = recover
    restore.restore(prod, None, unattended=True)
    assert prod.calls == ["rejoin 1", "rejoin 2"], "what was restored was restored again"


# Roll


@pytest.fixture
def rolling(prod: Fake, monkeypatch: pytest.MonkeyPatch) -> Rolling:
    """Rolling prod, with Terraform played: an apply makes a new machine with the wanted user data."""
    instances = {
        slot: {"address": f"aws_instance.slot_{slot}", "instance_type": "t3.large", "user_data": USER_DATA}
        for slot in range(3)
    }
    monkeypatch.setattr(roll_servers.json, "loads", lambda _: {})
    monkeypatch.setattr(roll_servers.Path, "read_text", lambda *_, **__: "")
    monkeypatch.setattr(roll_servers, "wanted_servers", lambda _: instances)
    monkeypatch.setattr(roll_servers, "BACK_SECONDS", 0.05)
    monkeypatch.setattr(roll_servers.time, "sleep", lambda _: None)
    made = Rolling(prod, unattended=True)
    planned: list[str] = []

    def terraform(*arguments: str) -> None:
        if arguments[0] == "plan":
            planned[:] = [arguments[1].removeprefix("-replace=")]
            return
        slot = int(planned[0][-1])
        prod.calls.append(f"apply {slot}")
        prod.generation[slot] += 1
        prod.user_data[slot] = USER_DATA.replace("${aws_vpc.main.id}", "vpc-0123")
        prod.after("apply", slot)

    monkeypatch.setattr(made, "_terraform", terraform)
    change = {"type": "aws_instance", "change": {"actions": ["delete", "create"]}}
    monkeypatch.setattr(made, "_planned", lambda _: {"resource_changes": [{**change, "address": planned[0]}]})
    monkeypatch.setattr(roll_servers.Terraform, "init", lambda *_: None)
    return made


def test_servers_are_replaced_one_at_a_time_with_server_0_last(rolling: Rolling, prod: Fake) -> None:
    rolling.roll()
    one = ["drain {}", "unprotect {}", "apply {}", "drain {} undo"]
    assert prod.calls == [step.format(slot) for slot in (2, 1, 0) for step in one]


def test_servers_that_are_as_they_should_be_are_passed_over(rolling: Rolling, prod: Fake) -> None:
    prod.user_data = dict.fromkeys((1, 2), USER_DATA.replace("${aws_vpc.main.id}", "vpc-0123")) | {0: "old"}
    rolling.roll()
    assert [call for call in prod.calls if call.startswith("apply")] == ["apply 0"]
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
def test_nothing_is_replaced_while_any_server_has_a_doubt(health: Health, rolling: Rolling, prod: Fake) -> None:
    prod.healths[1] = health
    with pytest.raises(Failure, match="server 1"):
        rolling.roll()
    assert prod.calls == []


def test_a_second_server_is_never_taken_down(rolling: Rolling, prod: Fake) -> None:
    prod.down = {2}
    with pytest.raises(Failure, match="server 2 has no running machine"):
        rolling.roll()
    assert prod.calls == []


def test_it_stops_at_the_first_server_that_does_not_come_back_and_resumes(rolling: Rolling, prod: Fake) -> None:
    def broken(program: str, slot: int) -> None:
        if program == "apply":
            prod.healths = dict.fromkeys(range(3), replace(WHOLE, members=2, voting=2))

    prod.after = broken
    with pytest.raises(Failure, match="server 2 is not back"):
        rolling.roll()
    assert [call for call in prod.calls if call.startswith("apply")] == ["apply 2"]
    prod.after = lambda program, slot: None
    prod.healths = dict.fromkeys(range(3), WHOLE)
    prod.calls.clear()
    rolling.roll()
    assert [call for call in prod.calls if call.startswith("apply")] == ["apply 1", "apply 0"]


@pytest.mark.parametrize("addresses", [[], ["aws_instance.b"], ["aws_instance.a", "aws_instance.b"]])
def test_a_plan_that_takes_down_another_machine_is_refused(addresses: list[str]) -> None:
    change = {"actions": ["delete", "create"]}
    planned = {"resource_changes": [{"address": one, "type": "aws_instance", "change": change} for one in addresses]}
    with pytest.raises(Failure, match=r"must be aws_instance\.a alone"):
        refuse_other_servers(planned, "aws_instance.a")


# Kubeconfig


@pytest.fixture
def reachable(prod: Fake, monkeypatch: pytest.MonkeyPatch) -> Fake:
    """A deployed environment."""
    host = "vet-prod-api-1.elb.us-east-1.amazonaws.com"
    monkeypatch.setattr(kubeconfig, "api_host", lambda *_, **__: host)
    monkeypatch.setattr(kubeconfig, "_ca", lambda _: base64.b64encode(b"CERTIFICATE\n").decode())
    return prod


@pytest.mark.parametrize("role", kubeconfig.ROLES)
def test_a_kubeconfig_has_no_key_and_works_through_a_tunnel(role: str, reachable: Fake) -> None:
    document = kubeconfig.kubeconfig(reachable, role)
    text = yaml.safe_dump(document)
    for secret in ("client-key", "client-certificate-data", "token:", "password"):
        assert secret not in text
    (cluster,) = document["clusters"]
    assert cluster["cluster"]["server"] == "https://127.0.0.1:6443"
    assert cluster["cluster"]["tls-server-name"].startswith("vet-prod-api-")
    (user,) = document["users"]
    assert reachable.names.secret(f"credentials/{role}") in user["user"]["exec"]["args"]


def test_the_tunnel_goes_to_a_server_that_runs(reachable: Fake) -> None:
    reachable.down = {0}
    assert "i-1-0" in kubeconfig.tunnel_command(reachable)


def test_an_unknown_environment_names_those_there_are() -> None:
    with pytest.raises(Failure, match="dev, prod"):
        Cluster("staging")
