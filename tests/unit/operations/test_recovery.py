"""Recovery: state from the bucket's versions, and a drill that turns red when a step does not work."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from moto import mock_aws

from operations.drill import STEPS, Drill, Step, run
from operations.failure import Failure
from operations.recover_state import recover, versions

BUCKET, KEY = "states", "vet-dev/terraform.tfstate"


@pytest.fixture
def s3(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "test")
    monkeypatch.delenv("AWS_PROFILE", raising=False)
    with mock_aws():
        client = boto3.client("s3", region_name="us-east-1")
        client.create_bucket(Bucket=BUCKET)
        client.put_bucket_versioning(Bucket=BUCKET, VersioningConfiguration={"Status": "Enabled"})
        for body in (b"first", b"second"):
            client.put_object(Bucket=BUCKET, Key=KEY, Body=body)
        client.put_object(Bucket=BUCKET, Key=f"{KEY}.tflock", Body=b"lock")
        yield client


def _content(s3: Any) -> bytes:
    body: bytes = s3.get_object(Bucket=BUCKET, Key=KEY)["Body"].read()
    return body


def test_a_deletion_is_taken_back_however_often_it_was_deleted(s3: Any) -> None:
    for _ in range(2):
        s3.delete_object(Bucket=BUCKET, Key=KEY)
    recover(s3, BUCKET, KEY, versions(s3, BUCKET, KEY), None)
    assert _content(s3) == b"second"


def test_a_broken_state_is_covered_by_an_older_version(s3: Any) -> None:
    found = versions(s3, BUCKET, KEY)
    assert [each.size for each in found] == [6, 5], "the lock file is none of its versions"
    recover(s3, BUCKET, KEY, found, found[1].id)
    assert _content(s3) == b"first"
    assert len(versions(s3, BUCKET, KEY)) == 3, "nothing is lost by a recovery"


@pytest.mark.parametrize(
    ("key", "wanted", "message"),
    [
        (KEY, None, "is there. If it is broken, name the version"),
        (KEY, "nonsense", "no version nonsense"),
        ("vet-x/terraform.tfstate", None, "never written"),
    ],
)
def test_what_cannot_be_recovered_is_refused_with_the_reason(
    s3: Any, key: str, wanted: str | None, message: str
) -> None:
    with pytest.raises(Failure, match=message):
        recover(s3, BUCKET, key, versions(s3, BUCKET, key), wanted)
    assert _content(s3) == b"second"


def _works(_: Drill) -> str:
    return "seen"


def _breaks(_: Drill) -> str:
    raise Failure("it was not there")


def test_a_step_that_breaks_turns_the_drill_red_and_the_others_still_run(capsys: pytest.CaptureFixture[str]) -> None:
    ran = []

    def last(_: Drill) -> str:
        ran.append("last")
        return "seen"

    steps = [Step("a", "A", "access", _works), Step("b", "B", "access", _breaks), Step("c", "C", "access", last)]
    assert run([], steps) is False
    assert ran == ["last"]
    assert "it was not there" in capsys.readouterr().out
    assert run(["a"], steps) is True
    with pytest.raises(Failure, match="there is no step z; there are a, b, c"):
        run(["z"], steps)


def test_the_drill_has_the_architecture_s_five_steps_and_their_runbooks() -> None:
    text = Path("docs/architecture.txt").read_text().split("### Recovery Plan")[1].split("##")[0]
    assert re.findall(r"^\d\. (.+)$", text, flags=re.MULTILINE) == [step.plan for step in STEPS]
    for step in STEPS:
        assert Path(f"docs/runbooks/{step.runbook}.md").exists(), step
