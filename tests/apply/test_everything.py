"""What saves, guards and copies, which is off by default: switched on together, applied, and gone again."""

import os
from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from operations.devtools.emulator import ACCOUNT_ID
from operations.devtools.emulator.account import Account, account
from operations.devtools.emulator.known_gaps import clients
from operations.shared.errors import Failure
from settings import load
from tests.apply import identities
from tests.apply.conftest import skip_or_fail
from tests.changes import KEY, one_environment

PROJECT = {"github": {"repository": "clinic/platform"}, "replica_region": "us-west-2"}
OFFICE = ["203.0.113.0/24"]
ENVIRONMENT = {
    "schedule": {"enabled": True},
    "budget": {"enabled": True},
    "alarms": {"enabled": True, "emails": ["oncall@example.com"]},
    "backups": {"volume_snapshots": {"enabled": True}, "replica_region": "us-west-2"},
    "network": {"flow_logs": True},
    "agents": {"spot": True, "autoscaler": True},
    "load_balancer": {"access_logs": True},
    "access": {
        "ssh": {"public_key": KEY, "allowed_cidrs": OFFICE},
        "rancher": {"allowed_cidrs": [*OFFICE, *(f"198.51.100.{n}/32" for n in range(4))]},  # more than a rule takes
        "api": {"access": "public", "allowed_cidrs": OFFICE},
        "principals": {"read": [f"arn:aws:iam::{ACCOUNT_ID}:role/support"]},
        "operators": [f"arn:aws:iam::{ACCOUNT_ID}:role/support"],
    },
}


@pytest.fixture(scope="module")
def everything(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Account]:
    """An account of its own with ``dev`` alone, and all of it on."""
    if os.environ.get("VET_TEST_EVERYTHING") != "1":
        pytest.skip("takes minutes: set VET_TEST_EVERYTHING=1 after a change of what is off by default")
    folder = tmp_path_factory.mktemp("everything")
    files = one_environment(folder, ENVIRONMENT, PROJECT)
    with ExitStack() as keep:
        try:
            emulation = keep.enter_context(account(folder, load(files)))
        except Failure as failure:
            skip_or_fail(str(failure))
        identities.make(emulation, "support")  # AWS stores no policy for a principal that does not exist
        emulation.make_state()  # by the repository's own settings: the bucket, to which the apply below adds
        emulation.synthesise(load(files))
        for stack in ("vet-state", "vet-dev"):
            emulation.stack(stack).apply()
        yield emulation


def test_a_second_plan_has_no_changes(everything: Account) -> None:
    for stack in ("vet-state", "vet-dev"):
        unexpected_changes = everything.stack(stack).unexpected_changes()
        assert not unexpected_changes, f"{stack} would change:\n" + "\n".join(unexpected_changes)


def test_each_setting_has_made_what_it_is_for(everything: Account) -> None:
    types = {each["type"] for stack in ("vet-state", "vet-dev") for each in everything.stack(stack).state()}
    wanted = {
        "aws_budgets_budget",
        "aws_cloudwatch_metric_alarm",
        "aws_dlm_lifecycle_policy",
        "aws_flow_log",
        "aws_iam_openid_connect_provider",
        "aws_key_pair",
        "aws_s3_bucket_replication_configuration",
        "aws_scheduler_schedule",
    }
    assert wanted <= types, f"not made: {wanted - types}"


def test_destroying_an_environment_leaves_no_resource(everything: Account) -> None:
    stack = everything.stack("vet-dev")
    stack.run("destroy", "-auto-approve", "-input=false")
    assert stack.state() == []
    aws = clients(everything.emulator.environment)
    assert not aws("dlm").get_lifecycle_policies()["Policies"]
    assert not aws("budgets").describe_budgets(AccountId="123456789012")["Budgets"]
    assert not aws("scheduler").list_schedules()["Schedules"]
