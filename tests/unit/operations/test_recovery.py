"""Recovery: state from the bucket's versions, and a drill that turns red when a step does not work."""

import json
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import boto3
import pytest
from moto import mock_aws

from operations.deployment.recover_state import recover, versions
from operations.devtools import drill_steps
from operations.devtools.drill import STEPS, DrillStep, run
from operations.devtools.drill_steps import Drill, lose_and_redeploy, redeploy
from operations.devtools.emulator import local_cluster
from operations.shared.errors import Failure
from operations.supply_chain import charts

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

    steps = [
        DrillStep("a", "A", "access", _works),
        DrillStep("b", "B", "access", _breaks),
        DrillStep("c", "C", "access", last),
    ]
    assert run([], steps) is False
    assert ran == ["last"]
    assert "it was not there" in capsys.readouterr().out
    assert run(["a"], steps) is True
    with pytest.raises(Failure, match="there is no step z; there are a, b, c"):
        run(["z"], steps)


class Platform:
    """A Helm stack and its cluster, played: what is on it, and what Terraform remembers."""

    name = "vet-dev-helm"

    def __init__(self, *, loses: bool = True, comes_back: bool = True, settles: bool = True) -> None:
        self.loses, self.comes_back, self.settles = loses, comes_back, settles
        self.on_cluster: set[str] = set()
        self.known: list[str] = []
        self.applied = 0

    def apply(self) -> None:
        self.run("apply")

    def run(self, *arguments: str) -> None:
        if arguments[0] == "apply":
            self.applied += 1
            self.known = ["rancher", "vet-app"]
            if self.applied == 1 or self.comes_back:
                self.on_cluster = set(self.known)
        elif arguments[0] == "destroy":
            self.on_cluster, self.known = set() if self.loses else {"rancher"}, []

    def recover(self, version: str) -> None:
        assert version == "before the loss"
        assert not self.known, "the state was recovered before the loss"
        self.known = ["rancher", "vet-app"]

    def changes(self) -> list[str]:
        return [] if self.settles else ["helm_release.values: 1 -> 2"]

    def state(self) -> list[str]:
        return self.known

    def names(self, _: str) -> set[str]:
        return self.on_cluster


@pytest.fixture
def version(monkeypatch: pytest.MonkeyPatch) -> None:
    """The state's version in a bucket that is not there."""
    monkeypatch.setattr(drill_steps, "_version", lambda _: "before the loss")


@pytest.mark.usefixtures("version")
def test_a_platform_that_is_lost_comes_back_from_a_state_that_still_names_it() -> None:
    platform = Platform()
    seen = lose_and_redeploy(platform, platform, platform.recover)
    assert "2 resources, and a second plan changes nothing" in seen
    assert platform.applied == 2
    assert not platform.on_cluster, "the cluster is not left as it was found"


@pytest.mark.parametrize(
    ("broken", "said"),
    [
        ({"loses": False}, "rancher still there after the loss: the drill proves nothing"),
        ({"comes_back": False}, "rancher, vet-app did not come back"),
        ({"settles": False}, "a second plan would change:\nhelm_release.values: 1 -> 2"),
    ],
    ids=lambda value: "-".join(value) if isinstance(value, dict) else "",
)
@pytest.mark.usefixtures("version")
def test_a_redeployment_that_does_not_work_turns_the_drill_red(
    capsys: pytest.CaptureFixture[str], broken: dict[str, bool], said: str
) -> None:
    platform = Platform(**broken)
    step = DrillStep(
        "applications", "Redeploy", "access", lambda _: lose_and_redeploy(platform, platform, platform.recover)
    )
    assert run([], [step]) is False
    out = capsys.readouterr().out
    assert said.splitlines()[0] in " ".join(out.split()), out
    assert "proven" not in out


@pytest.mark.parametrize("missing", ["VET_TEST_KUBECONFIG", "VET_TEST_CHARTS"])
def test_without_a_cluster_or_charts_the_drill_says_that_it_proved_less_and_is_not_red(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], missing: str
) -> None:
    for variable in ("VET_TEST_KUBECONFIG", "VET_TEST_CHARTS"):
        monkeypatch.setenv(variable, str(tmp_path / "somewhere"))
    monkeypatch.delenv(missing)
    monkeypatch.setattr(charts, "FOLDER", tmp_path / "not-fetched")
    monkeypatch.setattr(local_cluster, "tool", lambda name: name)
    document = {"data": {"terraform_remote_state": {}}, "resource": {"helm_release": {"a": {}, "b": {}}}}
    (tmp_path / "cdk.tf.json").write_text(json.dumps(document))
    stack = SimpleNamespace(folder=tmp_path)
    drill = SimpleNamespace(account=SimpleNamespace(folder=tmp_path, stack=lambda _: stack))
    step = DrillStep("applications", "Redeploy", "access", lambda _: redeploy(drill))
    assert run([], [step]) is True
    out = " ".join(capsys.readouterr().out.split())
    assert "checked only" in out
    table, last, unproven = out.rpartition("not proven here: ")
    assert last, f"the last line does not say what was not proven: {out}"
    assert unproven == "Redeploy"
    assert "proven" not in table
    assert f"set {missing}" in out, out


def test_data_is_not_proven_where_nothing_runs_in_a_pod(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """SQL alone says nothing of the archive and of the operator: there a recovery to a moment failed while the drill was green."""
    ran: list[Sequence[str]] = []
    monkeypatch.setattr(drill_steps, "_run", lambda command, env=None: ran.append(command))
    monkeypatch.delenv("VET_TEST_KUBECONFIG", raising=False)
    (step,) = (each for each in STEPS if each.name == "data")
    assert run([], [step]) is True
    out = " ".join(capsys.readouterr().out.split())
    assert out.endswith("not proven here: Restore data from backups"), out
    assert ran == [["make", "-C", "vet_app", "drill"]]


def test_the_drill_has_the_architecture_s_five_steps_and_their_runbooks() -> None:
    text = Path("docs/architecture.txt").read_text().split("### Recovery Plan")[1].split("##")[0]
    assert re.findall(r"^\d\. (.+)$", text, flags=re.MULTILINE) == [step.plan for step in STEPS]
    for step in STEPS:
        assert Path(f"docs/runbooks/{step.runbook}.md").exists(), step
