"""What could not be asked is never taken for "no": the commands stop and say which answer is missing."""

import subprocess
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError, EndpointConnectionError

from operations.cluster.restore_choice import refuse_unknown_disks
from operations.deployment.import_existing import managed_addresses
from operations.doctor import aws_checks
from operations.doctor.finding import CheckContext
from operations.shared import terraform
from operations.shared.errors import Failure, run_command
from operations.shared.health import Health
from operations.shared.kubectl import Kubectl
from operations.shared.servers import Server
from operations.shared.terraform import Terraform
from settings import Settings
from tests.unit.operations.cluster import WHOLE

HEALTH = "rke2=active\nboot=active\napi=ready\netcd=healthy\nmembers=3\nvoting=3\nservers_ready=3\n"


def program(folder: Path, script: str) -> str:
    """A program that is played."""
    path = folder / "program"
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)
    return str(path)


@pytest.mark.parametrize(
    ("script", "known"),
    [
        ("echo helm_release.database_cluster_1", True),
        ("echo helm_release.other", False),
        ("echo 'No state file was found!' >&2; exit 1", False),
        ("echo 'Error: AccessDenied' >&2; exit 1", None),
    ],
    ids=["there", "another", "no state yet", "unreadable"],
)
def test_a_state_that_cannot_be_read_is_not_one_without_the_database(
    script: str, known: bool | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without any state, as in a region that is new, a deploy ended with nothing said."""
    monkeypatch.setattr(terraform, "program", lambda: program(tmp_path, script))
    stack = Terraform("vet-prod-helm")
    if known is None:
        with pytest.raises(Failure, match="cannot be read: Error: AccessDenied"):
            stack.knows("helm_release.database_cluster_")
    else:
        assert stack.knows("helm_release.database_cluster_") is known


@pytest.mark.parametrize(
    ("error", "message"),
    [
        (subprocess.CalledProcessError(3, ["terraform", "show"], stderr="Error: no plan"), "Error: no plan"),
        (subprocess.CalledProcessError(3, ["terraform", "show"], stderr=b"Error: no plan"), "Error: no plan"),
        (ClientError({"Error": {"Code": "Throttling", "Message": "slow"}}, "DescribeImages"), "Throttling"),
        (EndpointConnectionError(endpoint_url="https://ec2"), "https://ec2"),
    ],
)
def test_no_command_ends_with_a_traceback_or_without_a_word(
    error: Exception, message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    def command() -> None:
        raise error

    with pytest.raises(SystemExit) as ended:
        run_command(command)
    assert ended.value.code not in (0, None)
    assert message in capsys.readouterr().err + str(ended.value.code)


@pytest.mark.parametrize(
    ("message", "state"),
    [
        ('Error from server (NotFound): cronjobs "x" not found', "absent"),
        ('error: the server doesn\'t have a resource type "cluster"', "absent"),
        (
            "E1 couldn't get resource list for v1: timeout\nerror: the server doesn't have a resource type \"cluster\"",
            "unknown",
        ),
        ("The connection to the server was refused", "unknown"),
    ],
)
def test_an_api_that_cannot_list_what_it_has_does_not_lack_it(message: str, state: str, tmp_path: Path) -> None:
    (tmp_path / "said").write_text(message)
    kubectl = Kubectl("config", "vet-app", program(tmp_path, f"cat {tmp_path / 'said'} >&2; exit 1"))
    if state == "absent":
        assert kubectl.find("cluster", "x") is None
    else:
        with pytest.raises(Failure, match="ended with 1"):
            kubectl.find("cluster", "x")


@pytest.mark.parametrize("data", ["unknown", ""])
def test_a_disk_that_cannot_be_read_is_no_empty_one(data: str) -> None:
    server, other = (Server(slot, f"i-{slot}", "t3.large", "ami-1", running=True) for slot in (0, 1))
    health = Health.read(f"{HEALTH}data={data}\n")
    assert (health.data, health.data_known) == (False, False)
    with pytest.raises(Failure, match="whether etcd data is on server 1"):
        refuse_unknown_disks({server: WHOLE, other: health})
    refuse_unknown_disks({server: WHOLE, other: replace(WHOLE, data=False)})


def test_numbers_that_are_none_are_said() -> None:
    with pytest.raises(Failure, match="no number for voting"):
        Health.read(HEALTH.replace("voting=3", "voting=three"))


@pytest.mark.parametrize("text", ["", '{"version": 4', '{"version": 4}'])
def test_a_cut_state_is_not_an_empty_one(text: str, tmp_path: Path) -> None:
    path = tmp_path / "vet-state.tfstate"
    assert managed_addresses(path) == set()
    path.write_text(text)
    with pytest.raises(Failure, match=r"no state of Terraform.*\n?.*backup"):
        managed_addresses(path)


class Pages:
    """ACM, whose list of certificates has two pages; the second has the one that is looked for."""

    def __init__(self, domain: str) -> None:
        self.domain = domain

    def get_paginator(self, _: str) -> "Pages":
        """Itself."""
        return self

    def paginate(self) -> list[dict[str, Any]]:
        """Two pages."""
        return [
            {"CertificateSummaryList": [{"CertificateArn": "other", "DomainName": "other"}]},
            {"CertificateSummaryList": [{"CertificateArn": self.domain, "DomainName": self.domain}]},
        ]

    def describe_certificate(self, CertificateArn: str) -> dict[str, Any]:  # noqa: N803 - boto3's own names
        """Not issued yet."""
        return {
            "Certificate": {"DomainName": CertificateArn, "SubjectAlternativeNames": self.names, "Status": "PENDING"}
        }

    names: list[str] = []


def test_a_certificate_on_the_second_page_is_found(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    environment = settings.environment("dev")
    acm = Pages(environment.hosts.all[0])
    acm.names = list(environment.hosts.all)
    monkeypatch.setattr(CheckContext, "client", lambda *_: acm)
    findings = list(aws_checks.certificate(CheckContext(settings, environment)))
    assert [one.text for one in findings] == ["is PENDING"], findings


@pytest.mark.parametrize(("code", "remedy"), [("404", "make state"), ("403", "another account's")])
def test_a_bucket_that_may_not_be_seen_is_not_one_to_be_made(
    code: str, remedy: str, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    class S3:
        def head_bucket(self, **_: str) -> None:
            raise ClientError({"Error": {"Code": code}}, "HeadBucket")

    client: Callable[..., S3] = lambda *_, **__: S3()  # noqa: E731
    monkeypatch.setattr(boto3, "client", client)
    (finding,) = aws_checks.state(CheckContext(settings, settings.environment("dev")))
    assert remedy in finding.remedy
