"""make state: what it plans, refuses, asks and applies."""

import json
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from operations.deployment import approval
from operations.deployment import bootstrap as module
from operations.shared.errors import Failure
from operations.shared.terraform import STACKS
from tests.unit.operations.plans import plan

TERRAFORM = """#!/bin/sh
case "$*" in
  version*) echo '{{"terraform_version": "1.11.4"}}' ;;
  *output*) echo '{{"state_bucket": {{"value": "b"}}, "name_servers": {{"value": ["ns-1.example"]}}}}' ;;
  *show*) cat "{log}.plan" ;;
  *" plan "*) echo plan >> "{log}"; exit 2 ;;
  *" init "*) echo "init $(ls "{folder}" | grep -c local_override) $*" >> "{log}" ;;
  *) echo "$2" >> "{log}" ;;
esac
"""

ZONE, DELEGATION = "aws_route53_zone.dns_zone_devexamplecom_1", "aws_route53_record.dns_delegation_devexamplecom_1"
MOVED = {"dns_zone of dev": ('"dev.example.com"', '"example.com"')}


@pytest.fixture
def planned(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[dict[str, Any]], Path]:
    """Has a stand-in for Terraform answer with a plan; returns where it writes what it was called with."""
    program, log, folder = tmp_path / "terraform", tmp_path / "log", tmp_path / STACKS / "vet-state"
    folder.mkdir(parents=True)
    (folder / "cdk.tf.json").write_text('{"terraform": {"required_providers": {}}}')
    program.write_text(TERRAFORM.format(log=log, folder=folder))
    program.chmod(stat.S_IRWXU)
    log.touch()
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    monkeypatch.delenv("VET_LOSE", raising=False)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(module, "refuse_placeholders", lambda _: None)
    monkeypatch.setattr(module, "refuse_another", lambda _: None)
    monkeypatch.setattr(module, "_existing", lambda *, adopt: {})
    monkeypatch.setattr(module.main, "build_app", lambda _: type("App", (), {"synth": lambda self: None})())
    monkeypatch.setattr(module, "_state_is_in_the_bucket", lambda _, *, adopt: True)

    def answering(plan: dict[str, Any]) -> Path:
        log.with_suffix(".plan").write_text(json.dumps(plan))
        return log

    return answering


def _called(log: Path) -> list[str]:
    return [line.split()[0] for line in log.read_text().splitlines()]


def test_a_zone_and_its_delegation_never_go_unasked(
    planned: Callable[[dict[str, Any]], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not with AUTO_APPROVE either: the delegation would go first, and hosts that serve people would not resolve."""
    log = planned(plan(delete=[ZONE, DELEGATION], before={"type": "NS"}, settings=MOVED))
    with pytest.raises(Failure) as refused:
        module.run(auto_approve=True)
    assert _called(log) == ["init", "plan"], "nothing is applied"
    for part in (ZONE, DELEGATION, "dns_zone of dev: at once; interrupts", "another zone", "make state LOSE="):
        assert part in str(refused.value), refused.value
    monkeypatch.setenv("VET_LOSE", f"{ZONE} {DELEGATION}")
    module.run(auto_approve=True)
    assert _called(log)[2:] == ["init", "plan", "apply"], "what is named may go"


def test_the_plan_that_a_person_saw_is_the_one_that_is_applied(
    planned: Callable[[dict[str, Any]], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    log = planned(plan(create=["aws_route53_zone.new"], settings={}))
    monkeypatch.setattr(approval, "agreed", lambda _, question: False)
    with pytest.raises(Failure, match="stopped before applying vet-state; nothing of it was changed"):
        module.run()
    assert _called(log) == ["init", "plan"]
    monkeypatch.setattr(approval, "agreed", lambda _, question: True)
    module.run()
    assert _called(log)[2:] == ["init", "plan", "apply"]
    assert not list(Path().rglob("plan.tfplan")), "the plan, which holds values, is left behind"


def test_the_first_run_plans_with_local_state_as_well(
    planned: Callable[[dict[str, Any]], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_state_is_in_the_bucket", lambda _, *, adopt: False)
    log = planned(plan(create=["aws_s3_bucket.state"]))
    module.run(auto_approve=True)
    assert _called(log) == ["init", "plan", "apply", "init"]
    first, *_, last = log.read_text().splitlines()
    assert first.startswith("init 1 "), "before the bucket exists the state is in a file"
    assert last.startswith("init 0 "), "then it is moved into the bucket"
    assert "-migrate-state" in last
