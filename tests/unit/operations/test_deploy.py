"""make deploy and make destroy: the order of stacks, where they stop, and what Terraform is told."""

import json
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from operations.deployment import deploy as module
from operations.deployment.deploy import deploy, destroy
from operations.shared.errors import Failure
from operations.shared.servers import Cluster
from operations.shared.terraform import STACKS
from tests.unit.operations.plans import plan

TERRAFORM = """#!/bin/sh
case "$*" in
  version*) echo '{{"terraform_version": "1.11.4"}}' ;;
  *"state list"*) echo helm_release.database_cluster_1234; ;;
  *output*) echo '{{"name_servers": {{"value": ["ns-1.example"]}}}}' ;;
  *show*) cat "{log}.plan" ;;
  *" plan "*) echo "$* ${{TF_VAR_api_address:-direct}}" >> "{log}"; exit "$(cat "{log}.status")" ;;
  *) echo "$* ${{TF_VAR_api_address:-direct}}" >> "{log}" ;;
esac
"""


@dataclass(frozen=True)
class Synthesised:
    """Synth whose output is stacks without anything in them."""

    folder: Path

    def synth(self) -> None:
        """Make them."""
        for stack in ("vet-state", "vet-dev", "vet-dev-helm", "vet-prod", "vet-prod-helm"):
            folder = self.folder / STACKS / stack
            folder.mkdir(parents=True, exist_ok=True)
            (folder / "cdk.tf.json").write_text('{"terraform": {"required_providers": {}}}')


@pytest.fixture
def log(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """What a stand-in for Terraform was called with, and the API's address that it was told."""
    program, log_file = tmp_path / "terraform", tmp_path / "log"
    program.write_text(TERRAFORM.format(log=log_file))
    program.chmod(stat.S_IRWXU)
    log_file.touch()
    (tmp_path / "log.status").write_text("2")
    (tmp_path / "log.plan").write_text(json.dumps(plan(create=["aws_vpc.main"])))
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(module, "refuse_placeholders", lambda _: None)
    monkeypatch.setattr(module.main, "build_app", lambda _: Synthesised(tmp_path))

    @contextmanager
    def way(cluster: Cluster) -> Iterator[dict[str, str]]:
        yield {"TF_VAR_api_address": f"way-to-{cluster.names.base}"}

    monkeypatch.setattr(module, "terraform_variables", way)
    monkeypatch.setattr(module.cluster_settings, "refuse", lambda name: log_file.open("a").write("- settings asked\n"))
    monkeypatch.setattr(module.boundary, "refuse_missing", lambda names: log_file.open("a").write("- boundary asked\n"))
    monkeypatch.setattr(module.cluster_ready, "wait", lambda cluster: None)
    monkeypatch.setattr(
        module, "before_deploy", lambda _, deployed: log_file.open("a").write(f"- asked {deployed()}\n")
    )
    return log_file


def called(log: Path) -> list[str]:
    lines = [line.split() for line in log.read_text().splitlines()]
    return [f"{line[1]} {line[0].rpartition('/')[2]} {line[-1]}" for line in lines]


def test_infrastructure_comes_first_and_the_way_to_the_cluster_is_for_the_helm_stack(
    log: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And the databases are looked at (whether Terraform knows one) with the way open, before anything is applied; so is the
    boundary of the roles."""
    monkeypatch.setattr(module, "refuse_missing", lambda _: None)
    deploy("dev", auto_approve=True)
    assert called(log) == [
        "init vet-state direct",
        "boundary - asked",
        "settings - asked",
        "init vet-dev direct",
        "plan vet-dev direct",
        "apply vet-dev direct",
        "init vet-dev-helm way-to-vet-dev",
        "asked - True",
        "plan vet-dev-helm way-to-vet-dev",
        "apply vet-dev-helm way-to-vet-dev",
    ]


def test_without_an_image_it_stops_after_the_infrastructure(log: Path) -> None:
    with pytest.raises(Failure, match=r"environments/dev\.yaml names no image .*\n.*make push ENV=dev"):
        deploy("dev", auto_approve=True)
    assert called(log)[-1] == "apply vet-dev direct"


def test_a_deploy_that_changes_nothing_says_so_and_applies_nothing(
    log: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(module, "refuse_missing", lambda _: None)
    log.with_suffix(".status").write_text("0")
    deploy("dev", auto_approve=True)
    assert not [line for line in called(log) if line.startswith("apply")]
    output = capsys.readouterr().out
    assert "vet-dev: nothing changes" in output
    assert "vet-dev-helm: nothing changes" in output


def test_a_plan_that_would_replace_a_server_is_not_applied(log: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    lost = plan(replace=["aws_instance.servers_slot_0"], because="key_name", settings={"agents.min_count": ("2", "3")})
    log.with_suffix(".plan").write_text(json.dumps(lost))
    with pytest.raises(Failure, match=r"replace a server: aws_instance.servers_slot_0 \(by key_name\)") as refused:
        deploy("dev", auto_approve=True)
    assert "agents.min_count: at once" in str(refused.value), "it names what was changed"
    assert not [line for line in called(log) if line.startswith("apply")]
    monkeypatch.setenv("VET_LOSE", "aws_instance.servers_slot_0")
    monkeypatch.setattr(module, "refuse_missing", lambda _: None)
    deploy("dev", auto_approve=True)
    assert "apply vet-dev direct" in called(log), "what is named may go"


def test_what_the_cluster_would_refuse_is_refused_before_the_infrastructure(
    log: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_: str) -> None:
        raise Failure("cluster.versions.postgresql (major) is fixed")

    monkeypatch.setattr(module.cluster_settings, "refuse", refuse)
    with pytest.raises(Failure, match="postgresql"):
        deploy("dev", auto_approve=True)
    assert not [line for line in called(log) if "vet-dev" in line], "the infrastructure was planned or applied"


def test_destroying_goes_the_opposite_way(log: Path) -> None:
    destroy("dev", auto_approve=True)
    assert [line.rsplit(" ", 1)[0] for line in called(log) if "destroy" in line] == [
        "destroy vet-dev-helm",
        "destroy vet-dev",
    ]


def test_a_dry_run_of_destroying_only_plans(log: Path) -> None:
    Path(f"{log}.status").write_text("0")
    destroy("dev", dry_run=True)
    assert [line.rsplit(" ", 1)[0] for line in called(log) if not line.startswith("init")] == [
        "plan vet-dev-helm",
        "plan vet-dev",
    ]
    assert log.read_text().count("plan -destroy -lock=false") == 2


def test_a_protected_environment_is_not_destroyed(log: Path) -> None:
    with pytest.raises(Failure, match="prod is protected"):
        destroy("prod", auto_approve=True)
    assert called(log) == []
