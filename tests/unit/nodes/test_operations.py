"""Operations that change servers: they refuse what would cost the majority, stop at the first doubt, and resume."""

import base64
import hashlib
import io
import json
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import pytest
import yaml
from botocore.exceptions import ClientError

from operations import kubeconfig, restore, roll_servers, snapshots
from operations.failure import Failure
from operations.lock import KEY as LOCK
from operations.restore import Wish
from operations.restore_record import KEY as RECORD
from operations.roll_servers import Rolling, refuse_other_servers
from operations.servers import Cluster, Health, Server

WHOLE = Health(True, True, 3, 3, 3, True, True)
BODY = b"\0" * 16 + b"\xed\xda\x0c\xed" + b"\0" * (1024 + 12)
"""As much of a snapshot as is looked at: the magic number of etcd's database, and 32 bytes after whole blocks."""
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
    objects: dict[str, bytes] = field(default_factory=dict)
    age: dict[str, float] = field(default_factory=dict)
    metadata: dict[str, dict[str, str]] = field(default_factory=dict)
    generation: dict[int, int] = field(default_factory=lambda: dict.fromkeys(range(3), 0))

    def __post_init__(self) -> None:
        super().__init__(self.name)
        folder = f"{self.names.bucket('snapshots')}/vet-prod"
        self.objects |= {f"{folder}/{key}": BODY for key in [*reversed(SNAPSHOTS), f".metadata/{SNAPSHOTS[0]}"]}

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
        """Snapshots in the order in which they were put, one an hour, and RKE2's notes on them."""
        now = datetime(2026, 1, 2, tzinfo=UTC)
        names = [name for name in self.cluster.objects if name.startswith(f"{Bucket}/{Prefix}")]
        return [
            {
                "Contents": [
                    {
                        "Key": name.removeprefix(f"{Bucket}/"),
                        "LastModified": now + timedelta(hours=hour),
                        "Size": len(self.cluster.objects[name]),
                    }
                    for hour, name in enumerate(names)
                ]
            }
        ]

    def get_object(self, Bucket: str, Key: str, Range: str = "") -> dict[str, Any]:  # noqa: N803
        """What was put, just now by S3's clock."""
        name = f"{Bucket}/{Key}"
        if name not in self.cluster.objects:
            raise ClientError({"Error": {"Code": "NoSuchKey"}}, "GetObject")
        now, body = datetime.now(UTC), self.cluster.objects[name]
        first, _, last = Range.removeprefix("bytes=").partition("-")
        if Range:
            body = body[int(first) : int(last) + 1] if first else body[-int(last) :]
        return {
            "Body": io.BytesIO(body),
            "ETag": str(hash(self.cluster.objects[name])),
            "LastModified": now - timedelta(seconds=self.cluster.age.get(Key, 0)),
            "ResponseMetadata": {"HTTPHeaders": {"date": format_datetime(now, usegmt=True)}},
        }

    def put_object(self, Bucket: str, Key: str, Body: bytes, **condition: str) -> dict[str, Any]:  # noqa: N803
        """With S3's conditions."""
        name = f"{Bucket}/{Key}"
        there = self.cluster.objects.get(name)
        if ("IfNoneMatch" in condition and there is not None) or (
            "IfMatch" in condition and condition["IfMatch"] != str(hash(there))
        ):
            raise ClientError({"Error": {"Code": "PreconditionFailed"}}, "PutObject")
        self.cluster.objects[name] = Body
        self.cluster.age.pop(Key, None)
        return {"ETag": str(hash(Body))}

    def delete_object(self, Bucket: str, Key: str) -> None:  # noqa: N803
        """Gone."""
        self.cluster.objects.pop(f"{Bucket}/{Key}", None)

    def head_object(self, Bucket: str, Key: str) -> dict[str, Any]:  # noqa: N803
        """What RKE2 noted at an object."""
        return {"Metadata": self.cluster.metadata.get(Key, {})}

    def get_secret_value(self, SecretId: str) -> dict[str, str]:  # noqa: N803
        """The join token."""
        return {"SecretString": "server-token"}

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


def _lose(prod: Fake, disks: tuple[int, ...] = ()) -> None:
    lost = replace(WHOLE, api_ready=False, etcd_healthy=False, members=0, voting=0, servers_ready=0, booted=False)
    prod.healths = {slot: replace(lost, data=slot in disks, data_written=1_767_000_000 + slot) for slot in range(3)}


def _recover(prod: Fake) -> Callable[[str, int], None]:
    """What the programs do to a cluster, however often."""
    joined: set[int] = set()

    def after(program: str, slot: int) -> None:
        if program == "quiesce":
            prod.healths[slot] = replace(prod.healths[slot], api_ready=False, etcd_healthy=False)
        if program in ("restore", "rejoin"):
            joined.add(slot)
            members = len(joined)
            prod.healths |= dict.fromkeys(
                joined, replace(WHOLE, members=members, voting=members, servers_ready=members)
            )

    return after


ALL = Wish(unattended=True)


def _without_runs(calls: list[str]) -> list[str]:
    """Calls without the name of the run, which differs each time."""
    return [" ".join(word for word in call.split() if not (len(word) == 12 and word.isalnum())) for call in calls]


WHOLE_RESTORE = [
    f"quiesce 1 {SNAPSHOTS[0]}",
    f"quiesce 2 {SNAPSHOTS[0]}",
    f"restore 0 {SNAPSHOTS[0]}",
    "rejoin 1",
    "rejoin 2",
]


def test_restore_takes_the_newest_stops_all_resets_one_and_lets_the_others_rejoin_in_turn(prod: Fake) -> None:
    _lose(prod)
    prod.after = _recover(prod)
    restore.restore(prod, ALL)
    assert _without_runs(prod.calls) == WHOLE_RESTORE


@pytest.mark.parametrize("name", ["no-such-snapshot", "a'; touch /tmp/x; '", "$(id)", "../x"])
def test_restore_with_a_wrong_name_does_nothing(name: str, prod: Fake) -> None:
    _lose(prod)
    with pytest.raises(Failure, match=r"there is no snapshot|a snapshot's name has"):
        restore.restore(prod, Wish(name, unattended=True))
    assert prod.calls == []


def test_restore_is_refused_on_a_healthy_cluster_without_the_flag(prod: Fake) -> None:
    with pytest.raises(Failure, match="FORCE=yes"):
        restore.restore(prod, ALL)
    assert prod.calls == []


def test_restore_of_a_healthy_cluster_with_the_flag(prod: Fake) -> None:
    prod.after = _recover(prod)
    restore.restore(prod, Wish(SNAPSHOTS[0], force=True, unattended=True))
    assert f"restore 0 {SNAPSHOTS[0]} --healthy-too" in _without_runs(prod.calls)


def test_restore_dry_run_shows_and_changes_nothing(prod: Fake, capsys: pytest.CaptureFixture[str]) -> None:
    _lose(prod)
    before = dict(prod.objects)
    restore.restore(prod, Wish(dry_run=True))
    assert prod.calls == []
    assert prod.objects == before, "a dry run left something in a bucket"
    shown = capsys.readouterr().out
    assert SNAPSHOTS[0] in shown
    assert "nothing was changed" in shown


@pytest.mark.parametrize("step", range(len(WHOLE_RESTORE)))
@pytest.mark.parametrize("done", [False, True], ids=["before", "after"])
def test_restore_goes_on_after_an_interruption_anywhere_and_resets_once(step: int, done: bool, prod: Fake) -> None:
    """Without FORCE, although what was restored is healthy by then. A step may have been carried out all the same."""
    _lose(prod)
    recover, seen, resets = _recover(prod), [0], [0]

    def interrupted(program: str, slot: int) -> None:
        seen[0] += 1
        if seen[0] != step + 1 or done:
            recover(program, slot)
            resets[0] += program == "restore"
        if seen[0] == step + 1:
            raise KeyboardInterrupt

    prod.after = interrupted
    with pytest.raises(KeyboardInterrupt):
        restore.restore(prod, ALL)
    first = _runs(prod)
    restore.restore(prod, ALL)
    assert _runs(prod) == first, "the second command began another restore"
    assert _without_runs(prod.calls)[-2:] == ["rejoin 1", "rejoin 2"] or step == 4
    # The same run again is no second reset: the server's own record says so (tests/boot/test_restore.py).
    assert resets[0] <= 1 + (done and step == 2), prod.calls


def _runs(prod: Fake) -> set[str]:
    return {word for call in prod.calls for word in call.split() if len(word) == 12 and word.isalnum()}


def test_the_same_snapshot_a_second_time_is_restored_again(prod: Fake) -> None:
    for force in (False, True):
        _lose(prod)
        prod.after = _recover(prod)
        restore.restore(prod, Wish(SNAPSHOTS[0], force=force, unattended=True))
    assert len(_runs(prod)) == 2, prod.calls
    assert sum(call.startswith("restore") for call in prod.calls) == 2


def test_another_snapshot_while_a_restore_is_in_use_takes_the_flag(prod: Fake) -> None:
    _lose(prod)
    recover = _recover(prod)

    def fail_at_rejoin(program: str, slot: int) -> None:
        if program == "rejoin":
            raise Failure("Session Manager does not reach server 1")
        recover(program, slot)

    prod.after = fail_at_rejoin
    with pytest.raises(Failure, match="does not reach"):
        restore.restore(prod, ALL)
    with pytest.raises(Failure, match="already in use"):
        restore.restore(prod, Wish(SNAPSHOTS[1], unattended=True))


def test_a_second_terminal_is_refused_until_the_first_is_gone(prod: Fake) -> None:
    _lose(prod)
    prod.after = _recover(prod)
    lock = f"{prod.names.bucket('nodes')}/{LOCK}"
    prod.objects[lock] = json.dumps({"operation": "restore", "who": "anna on desk"}).encode()
    with pytest.raises(Failure, match="make restore of anna on desk is at work"):
        restore.restore(prod, ALL)
    assert prod.calls == []
    prod.age[LOCK] = 301
    restore.restore(prod, ALL)
    assert lock not in prod.objects, "the lock outlives its holder"


def test_a_server_that_runs_and_cannot_be_asked_stops_it_before_anything(
    prod: Fake, monkeypatch: pytest.MonkeyPatch
) -> None:
    _lose(prod)
    answer = prod.healths

    def health(server: Server) -> Health:
        if server.slot == 2:
            raise Failure("Session Manager does not reach server 2")
        return answer[server.slot]

    monkeypatch.setattr(prod, "health", health)
    with pytest.raises(Failure, match="cannot be asked:\n  server 2"):
        restore.restore(prod, ALL)
    assert prod.calls == []


@pytest.mark.parametrize("body", [b"", BODY[:-40], b"<html>" + BODY], ids=["empty", "cut", "something else"])
def test_what_is_not_whole_is_never_the_newest_and_refused_by_name(body: bytes, prod: Fake) -> None:
    _lose(prod)
    prod.after = _recover(prod)
    prod.objects[f"{prod.names.bucket('snapshots')}/vet-prod/later"] = body
    with pytest.raises(Failure, match="later cannot be restored"):
        restore.restore(prod, Wish("later", unattended=True))
    assert prod.calls == []
    restore.restore(prod, ALL)
    assert _without_runs(prod.calls) == WHOLE_RESTORE


def test_a_snapshot_of_another_token_is_refused(prod: Fake) -> None:
    _lose(prod)
    prod.after = _recover(prod)
    key, ours = f"vet-prod/{SNAPSHOTS[0]}", hashlib.sha256(b"server-token").hexdigest()[:12]
    prod.metadata[key] = {"rke2-token-hash": "0" * 12}
    with pytest.raises(Failure, match="another join token"):
        restore.restore(prod, ALL)
    assert prod.calls == []
    prod.metadata[key] = {"rke2-token-hash": ours}
    restore.restore(prod, ALL)
    assert _without_runs(prod.calls) == WHOLE_RESTORE


def test_one_whole_disk_is_offered_before_a_snapshot(prod: Fake, capsys: pytest.CaptureFixture[str]) -> None:
    _lose(prod, disks=(1,))
    restore.restore(prod, Wish(dry_run=True))
    shown = " ".join(capsys.readouterr().out.split())
    assert "the disk of server 1" in shown
    assert "everything since is lost" in shown
    assert "2025-12-29 09:20 UTC" in shown, shown


def test_a_majority_of_whole_disks_is_brought_back_and_not_restored(prod: Fake) -> None:
    _lose(prod, disks=(0, 2))
    with pytest.raises(Failure, match="a majority of 3: with them running nothing is lost"):
        restore.restore(prod, ALL)
    assert prod.calls == []


def test_fewer_votes_than_servers_are_said(prod: Fake, capsys: pytest.CaptureFixture[str]) -> None:
    _lose(prod)
    prod.down, prod.after = {2}, _recover(prod)
    restore.restore(prod, ALL)
    assert "2 of 3 servers vote" in " ".join(capsys.readouterr().out.split())


def test_a_record_that_cannot_be_read_stops_it(prod: Fake) -> None:
    _lose(prod)
    prod.objects[f"{prod.names.bucket('nodes')}/{RECORD}"] = b"<html>"
    with pytest.raises(Failure, match="no record of a restore"):
        restore.restore(prod, ALL)
    assert prod.calls == []


# Servers that are well


def test_snapshots_and_tunnels_take_the_first_server_that_is_well(prod: Fake) -> None:
    prod.healths[0] = replace(WHOLE, etcd_healthy=False)
    snapshots.take(prod, "before-change")
    assert prod.calls == ["snapshot 1 before-change"]
    prod.healths = dict.fromkeys(range(3), replace(WHOLE, api_ready=False))
    with pytest.raises(Failure, match="no server of vet-prod is well"):
        snapshots.take(prod, "before-change")
    with pytest.raises(Failure, match="a snapshot's name has"):
        snapshots.take(prod, "x'; reboot; '")


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


def test_the_tunnel_goes_to_a_server_that_is_well(reachable: Fake) -> None:
    reachable.down = {0}
    assert "i-1-0" in kubeconfig.tunnel_command(reachable)


def test_an_unknown_environment_names_those_there_are() -> None:
    with pytest.raises(Failure, match="dev, prod"):
        Cluster("staging")
