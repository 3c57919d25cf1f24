"""``make doctor``: every line is ok or says what to do, and nothing becomes a traceback."""

import json
import os
import shlex
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest

os.environ.setdefault(
    "MOTO_AMIS_PATH", "operations/devtools/emulator/images.json"
)  # read by moto's import; its own list takes seconds

from moto import mock_aws

from operations.doctor import cluster_checks, doctor
from operations.doctor.finding import CheckContext, Finding
from settings import Settings

BUCKET = "vet-terraform-state-example"


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """An empty account."""
    for name in ("AWS_PROFILE", "AWS_ENDPOINT_URL", "AWS_SESSION_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "test")
    with mock_aws():
        yield


def refuse(*_: object) -> Any:
    raise OSError("nobody answers")


@pytest.fixture
def examine(settings: Settings, aws: None, monkeypatch: pytest.MonkeyPatch) -> Callable[..., dict[str, Finding]]:
    """Examine dev; findings by what they are about."""

    def run(resolve: Any = lambda _: "192.0.2.1") -> dict[str, Finding]:
        context = CheckContext(
            settings, settings.environment("dev"), resolve=resolve, connect=refuse, tunnel=lambda _: False
        )
        return {finding.what: finding for finding in doctor.run_checks(context)}

    return run


@pytest.fixture
def account(aws: None, settings: Settings) -> None:
    """An account in which dev is deployed, as far as the emulator can play it."""
    s3 = boto3.client("s3", region_name="us-east-1")
    s3.create_bucket(Bucket=BUCKET)
    s3.put_bucket_versioning(Bucket=BUCKET, VersioningConfiguration={"Status": "Enabled"})
    for stack in ("vet-dev", "vet-dev-helm"):
        s3.put_object(Bucket=BUCKET, Key=f"{stack}/terraform.tfstate", Body=b"{}")
    boto3.client("route53").create_hosted_zone(Name="dev.example.com", CallerReference="1")
    ec2 = boto3.client("ec2", region_name="us-east-1")
    image = json.loads(Path("operations/devtools/emulator/images.json").read_text())[0]["ami_id"]
    for role, count in (("server", 1), ("agent", 2)):
        tags = [{"Key": "vet:cluster", "Value": "vet-dev"}, {"Key": "vet:role", "Value": role}]
        tags += [{"Key": "vet:slot", "Value": "0"}] if role == "server" else []
        specification = [{"ResourceType": "instance", "Tags": tags}]
        ec2.run_instances(ImageId=image, MinCount=count, MaxCount=count, TagSpecifications=specification)


def test_an_empty_account_gets_advice_on_every_line(examine: Callable[..., dict[str, Finding]]) -> None:
    findings = examine()
    assert findings["state bucket"].verdict == "fails"
    assert "make state" in findings["state bucket"].remedy
    assert findings["DNS zone"].remedy == "make state"
    assert findings["servers"].text == "0 of 1 run"
    for finding in findings.values():
        assert (finding.verdict == "ok") == (finding.remedy == ""), f"{finding}: not ok needs a remedy, and ok none"
        assert "defect" not in finding.remedy, finding


def test_a_deployed_environment_is_well(examine: Callable[..., dict[str, Finding]], account: None) -> None:
    findings = examine()
    for what in (
        "credentials",
        "state bucket",
        "state of vet-dev",
        "state of vet-dev-helm",
        "DNS zone",
        "servers",
        "agents",
    ):
        assert findings[what].verdict == "ok", findings[what]


def test_a_held_lock_names_who_holds_it(examine: Callable[..., dict[str, Finding]], account: None) -> None:
    lock = {"ID": "7", "Who": "ann@laptop", "Created": "2026-01-02T03:04:05.678Z"}
    body = json.dumps(lock).encode()
    boto3.client("s3", region_name="us-east-1").put_object(
        Bucket=BUCKET, Key="vet-dev/terraform.tfstate.tflock", Body=body
    )
    finding = examine()["lock of vet-dev"]
    assert finding.text == "held by ann@laptop since 2026-01-02T03:04:05"
    assert "force-unlock 7" in finding.remedy


def test_a_lock_that_somebody_made_up_is_no_command_to_paste(
    examine: Callable[..., dict[str, Finding]], account: None
) -> None:
    """Anybody who may write dev's state chooses what stands in its lock; who reads the doctor may have other rights."""
    lock = {"ID": "7; touch pwned", "Who": "ann\x1b[2J\nok  everything", "Created": "$(touch pwned)"}
    boto3.client("s3", region_name="us-east-1").put_object(
        Bucket=BUCKET, Key="vet-dev/terraform.tfstate.tflock", Body=json.dumps(lock).encode()
    )
    finding = examine()["lock of vet-dev"]
    assert shlex.split(finding.remedy.split("force-unlock ")[1]) == ["7; touch pwned"], finding.remedy
    assert finding.text.isprintable(), f"the terminal is told what to do: {finding.text!r}"


def test_a_missing_delegation_names_the_name_servers(examine: Callable[..., dict[str, Finding]], account: None) -> None:
    finding = examine(resolve=refuse)["DNS of vet-app.dev.example.com"]
    assert finding.verdict == "fails"
    assert "registrar" in finding.remedy
    assert "ns-" in finding.remedy


def test_each_thing_that_broke_is_found(examine: Callable[..., dict[str, Finding]], account: None) -> None:
    s3 = boto3.client("s3", region_name="us-east-1")
    s3.put_bucket_versioning(Bucket=BUCKET, VersioningConfiguration={"Status": "Suspended"})
    ec2 = boto3.client("ec2", region_name="us-east-1")
    servers = ec2.describe_instances(Filters=[{"Name": "tag:vet:role", "Values": ["server"]}])["Reservations"]
    ec2.stop_instances(InstanceIds=[servers[0]["Instances"][0]["InstanceId"]])
    boto3.client("acm", region_name="us-east-1").request_certificate(
        DomainName="vet-app.dev.example.com",
        SubjectAlternativeNames=["rancher.dev.example.com"],
        ValidationMethod="DNS",
    )
    findings = examine()
    assert findings["state bucket"].text == f"{BUCKET} keeps no versions"
    assert findings["servers"].text == "0 of 1 run"
    assert findings["certificate"].text == "is PENDING_VALIDATION"
    assert "delegate dev.example.com" in findings["certificate"].remedy


def test_without_credentials_aws_is_asked_once(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    for name in ("AWS_PROFILE", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    for name in ("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"):
        monkeypatch.setenv(name, str(tmp_path / "none"))
    findings = list(
        doctor.run_checks(CheckContext(settings, settings.environment("dev"), connect=refuse, tunnel=lambda _: False))
    )
    assert [f.what for f in findings if f.text == "there are no AWS credentials"] == ["credentials"]
    assert all(f.verdict == "later" for f in findings if f.text == "needs AWS credentials")


def test_whatever_a_check_stumbles_over_becomes_a_line(
    settings: Settings, aws: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(_: CheckContext) -> Iterator[Finding]:
        raise RuntimeError("unforeseen")

    monkeypatch.setattr(doctor, "CHECKS", (broken,))
    (finding,) = doctor.run_checks(CheckContext(settings, settings.environment("dev")))
    assert (finding.what, finding.verdict) == ("broken", "fails")
    assert "unforeseen" in finding.text


def test_nodes_and_releases_are_read_from_the_cluster(monkeypatch: pytest.MonkeyPatch) -> None:
    def node(name: str, ready: str, **spec: bool) -> dict[str, Any]:
        conditions = [{"type": "Ready", "status": ready}]
        return {"metadata": {"name": name}, "spec": spec, "status": {"conditions": conditions}}

    def release(name: str, version: str, status: str) -> dict[str, Any]:
        return {"metadata": {"labels": {"name": name, "version": version, "status": status}}}

    answers = {
        "nodes": [node("a", "True"), node("b", "Unknown"), node("c", "True", unschedulable=True)],
        "secrets": [
            release("rancher", "9", "superseded"),
            release("rancher", "10", "failed"),
            release("x", "1", "deployed"),
        ],
    }
    monkeypatch.setattr(cluster_checks, "_kubectl", lambda *arguments: answers[arguments[1]])
    findings = {finding.what: finding for finding in cluster_checks._inside([], dedicated=False)}
    assert {what: finding.verdict for what, finding in findings.items()} == {
        "node a": "ok",
        "node b": "fails",
        "node c": "fails",
        "release rancher": "fails",
        "release x": "ok",
    }
    assert findings["release rancher"].text == "failed, revision 10"
    assert "cordoned" in findings["node c"].text
    assert "kubectl uncordon c" in findings["node c"].remedy


@pytest.mark.parametrize(
    ("logins", "verdict", "text"),
    [
        ([{"default": "true", "value": ""}], "fails", "nobody has used"),
        ([{"default": "true", "value": "true"}], "fails", "nobody has used"),
        ([{"default": "true", "value": "false"}], "ok", "has been used"),
        ([], "later", "has not said yet"),
    ],
)
def test_a_first_password_that_nobody_has_used_is_told(
    logins: list[dict[str, str]], verdict: str, text: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    labels = {"name": "rancher", "version": "1", "status": "deployed"}
    answers = {"nodes": [], "secrets": [{"metadata": {"labels": labels}}], "settings.management.cattle.io": logins}
    monkeypatch.setattr(cluster_checks, "_kubectl", lambda *arguments: answers[arguments[1]])
    (login_finding,) = (
        finding for finding in cluster_checks._inside([], dedicated=False) if finding.what == "Rancher's first password"
    )
    assert (login_finding.verdict, text in login_finding.text) == (verdict, True), login_finding
    assert (login_finding.remedy == "") == (verdict == "ok")


@pytest.mark.parametrize(
    ("pods", "verdict", "text"),
    [
        ({}, "later", "not there yet"),
        ({"agent-0": ("server", "Running"), "controller": (None, "Pending")}, "ok", "servers alone"),
        ({"agent-0": ("agent", "Running"), "controller": ("server", "Running")}, "fails", "agent-0 on agent"),
        ({"agent-0": ("server", "Running"), "cleanup": ("agent", "Succeeded")}, "ok", "servers alone"),
    ],
)
def test_fleet_on_an_agent_is_told_where_servers_are_dedicated(
    pods: dict[str, tuple[str | None, str]], verdict: str, text: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its agent is the cluster's administrator, and keeping it on servers is a person's step (decision 0092)."""
    role = {"node-role.kubernetes.io/control-plane": "true"}
    nodes = [
        {"metadata": {"name": name, "labels": labels}, "status": {"conditions": []}}
        for name, labels in (("server", role), ("agent", {}))
    ]
    of_fleet = [
        {"metadata": {"name": name}, "spec": {"nodeName": node} if node else {}, "status": {"phase": phase}}
        for name, (node, phase) in pods.items()
    ]

    def answers(_: str, kind: str, *options: str) -> list[Any]:
        if kind == "pods":
            return of_fleet if "--namespace=cattle-fleet-local-system" in options else []
        labels = {"name": "rancher", "version": "1", "status": "deployed"}
        others: dict[str, list[Any]] = {"nodes": nodes, "secrets": [{"metadata": {"labels": labels}}]}
        return others.get(kind, [])

    monkeypatch.setattr(cluster_checks, "_kubectl", answers)
    fleet_finding = {finding.what: finding for finding in cluster_checks._inside([], dedicated=True)}["Fleet's pods"]
    assert (fleet_finding.verdict, text in fleet_finding.text) == (verdict, True), fleet_finding
    assert (fleet_finding.remedy == "") == (verdict == "ok")
    assert not [each for each in cluster_checks._inside([], dedicated=False) if each.what == "Fleet's pods"]
