"""``--dry-run`` says what a command would do, and changes nothing."""

from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest
from botocore.exceptions import ClientError

from operations.cluster import grow_volumes, outdated
from operations.cluster.defragment import defragment
from operations.cluster.grow_volumes import Growing, Growth
from operations.deployment import recover_state
from operations.shared.errors import Failure
from operations.shared.stack_json import Document
from tests.unit.operations import test_recovery, test_roll_agents
from tests.unit.operations.cluster import USER_DATA, WHOLE, Fake

s3 = test_recovery.s3


@pytest.fixture
def synthesised(prod: Fake, monkeypatch: pytest.MonkeyPatch) -> Fake:
    """Prod with a stack in which all three servers have the newest user data."""
    wanted = {slot: {"instance_type": "t3.large", "user_data": USER_DATA} for slot in range(3)}
    monkeypatch.setattr(outdated, "Cluster", lambda _: prod)
    monkeypatch.setattr(outdated, "load", lambda: None)
    monkeypatch.setattr(outdated, "refuse_placeholders", lambda _: None)
    monkeypatch.setattr(outdated.main, "build_app", lambda _: SimpleNamespace(synth=lambda: None))
    monkeypatch.setattr(Document, "read", lambda stack: Document(stack, {}))
    monkeypatch.setattr(outdated, "wanted_servers", lambda _: wanted)
    return prod


def test_a_server_that_would_be_replaced_is_shown_with_the_reason(
    synthesised: Fake, capsys: pytest.CaptureFixture[str]
) -> None:
    synthesised.user_data[0] = USER_DATA.replace("${aws_vpc.main.id}", "vpc-0123")
    synthesised.down = {2}
    outdated.show_servers("prod")
    assert [line.strip() for line in capsys.readouterr().out.splitlines()] == [
        "server 2: would be replaced: it has no machine",
        "server 1: would be replaced: programs or configuration are newer",
        "server 0: stays as it is",
    ]
    assert synthesised.calls == []


def test_outdated_agents_are_counted_by_group(
    synthesised: Fake, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    fleet = test_roll_agents.Fake()
    monkeypatch.setattr(outdated, "Cluster", lambda _: fleet)
    outdated.show_agents("dev")
    assert "vet-dev-agent-a: 1 of 2 agent(s) would be replaced" in capsys.readouterr().out
    assert fleet.started == []


def test_etcd_is_not_defragmented(prod: Fake, capsys: pytest.CaptureFixture[str]) -> None:
    prod.healths = dict.fromkeys(range(3), replace(WHOLE, database_bytes=2_000_000, alarms="NOSPACE"))
    defragment(prod, dry_run=True)
    assert prod.calls == []
    assert "server 2: 2.0 MB of disk" in capsys.readouterr().out


def test_volumes_do_not_grow(prod: Fake, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(Growing, "growths", lambda _: iter([Growth("batch", "/mnt/x", "i-1", "vol-1", 50, 100)]))
    monkeypatch.setattr(Growing, "_enlarge", lambda *_: pytest.fail("a volume was enlarged"))
    monkeypatch.setattr(grow_volumes, "prices", lambda: SimpleNamespace(volume_gib_month={"gp3": 0.1}))
    Growing(prod).grow(dry_run=True)
    assert "5.00 USD a month more; nothing was changed" in capsys.readouterr().out


def test_a_state_stays_deleted(s3: Any, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    project = SimpleNamespace(project=SimpleNamespace(region="us-east-1", state_bucket=test_recovery.BUCKET))
    monkeypatch.setattr(recover_state, "load", lambda: project)
    s3.delete_object(Bucket=test_recovery.BUCKET, Key=f"{test_recovery.KEY}.tflock")
    s3.delete_object(Bucket=test_recovery.BUCKET, Key=test_recovery.KEY)
    recover_state.run("vet-dev", None, dry_run=True)
    assert f"{test_recovery.KEY} would again be version" in capsys.readouterr().out
    with pytest.raises(ClientError, match="NoSuchKey"):
        s3.get_object(Bucket=test_recovery.BUCKET, Key=test_recovery.KEY)


def test_a_state_that_is_there_is_refused_as_without_it(s3: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    project = SimpleNamespace(project=SimpleNamespace(region="us-east-1", state_bucket=test_recovery.BUCKET))
    monkeypatch.setattr(recover_state, "load", lambda: project)
    s3.delete_object(Bucket=test_recovery.BUCKET, Key=f"{test_recovery.KEY}.tflock")
    with pytest.raises(Failure, match="name the version"):
        recover_state.run("vet-dev", None, dry_run=True)
