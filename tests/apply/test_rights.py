"""Least is not less than needed: what plans, rolls, restores and looks after environments, by the roles that do it and with no other right.

The evaluator of rights refuses each call that a role's policies do not allow, and each that it does not know. Deploys are in
``test_apply.py``, adoption is in ``test_adoption.py``, and every command of the runbooks in ``test_runbooks.py``.
"""

import subprocess
from typing import Any

import pytest
import yaml
from botocore.exceptions import ClientError

from operations.devtools.emulator import REPOSITORY
from operations.devtools.emulator.account import Account
from operations.devtools.emulator.known_gaps import Clients, clients
from operations.devtools.emulator.stack import Stack
from settings import Settings
from settings.names import Names
from tests.apply import identities
from tests.apply.reader import LimitedReader
from tests.unit.operations.cluster import BODY

WORKFLOW = REPOSITORY / ".github/workflows/pull-request.yml"
SNAPSHOT = "etcd-snapshot-ip-10-0-10-10.ec2.internal-1700000000"


def _step(job: str, name: str) -> str:
    """What a step of the pull request's workflow runs."""
    steps: list[dict[str, Any]] = yaml.safe_load(WORKFLOW.read_text())["jobs"][job]["steps"]
    return next(str(step["run"]) for step in steps if step.get("name") == name)


@pytest.fixture(scope="module")
def review(reader: LimitedReader, emulated: Account, trusted: Settings) -> str:
    """The page of a pull request: what the workflow's own line writes, in a checkout, with the planning role's credentials."""
    keys = identities.planner(emulated, trusted)
    environment = {**reader.environment_of("prod"), **keys, "PRIVATE": "true"}
    line = _step("review", "review")
    done = subprocess.run(["bash", "-ec", line], cwd=reader.folder, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    return (reader.folder / "review.md").read_text()


@pytest.mark.parametrize("stack", ["vet-state", "vet-dev", "vet-prod"])
def test_a_pull_request_plans_every_stack_of_aws(review: str, stack: str) -> None:
    """Helm stacks are compared with a commit, and this checkout has none: tests/pipeline has them."""
    assert f"### {stack}: no changes\n" in review, review


def test_a_pull_request_changes_nothing(emulated: Account, trusted: Settings, stacks: dict[str, Stack]) -> None:
    keys = identities.planner(emulated, trusted)
    locked = Stack(stacks["vet-dev"].folder, keys).run("plan", "-input=false", expect=(1,))
    assert "s3:PutObject" in locked.stderr, f"the planning role wrote a lock:\n{locked.stderr}"
    aws = clients(keys)
    with pytest.raises(ClientError, match="not authorized to perform: secretsmanager:GetSecretValue"):
        aws("secretsmanager").get_secret_value(SecretId="vet-dev/server-token")


@pytest.fixture
def snapshot(aws: Clients, trusted: Settings) -> str:
    """A whole etcd snapshot in prod's bucket."""
    names = Names(trusted.project, trusted.environment("prod"))
    aws("s3").put_object(Bucket=names.bucket("snapshots"), Key=f"{names.base}/{SNAPSHOT}", Body=BODY)
    return SNAPSHOT


def test_operators_restore_roll_and_make_room(reader: LimitedReader, snapshot: str, aws: Clients) -> None:
    """Each goes through all of its calls of AWS; the machines' own answers are the emulator's."""
    aws("ssm").put_parameter(Name="/vet-prod/cluster-ca", Value="CA", Type="String", Overwrite=True)
    for command, text in (
        ("make snapshots ENV=prod", snapshot),
        ("make snapshots ENV=prod TAKE=before-the-upgrade", "took before-the-upgrade"),
        (f"make restore ENV=prod SNAPSHOT={snapshot} FORCE=yes AUTO_APPROVE=yes", f"restored {snapshot}"),
        ("make defragment ENV=prod AUTO_APPROVE=yes", "server 2"),
        ("make roll-servers ENV=prod AUTO_APPROVE=yes", "server"),
        ("make kubeconfig ENV=prod ROLE=admin", "export KUBECONFIG="),
    ):
        done = reader.run(command)
        assert done.returncode == 0, f"{command}\n{done.stdout}{done.stderr}"
        assert text in done.stdout, f"{command}\n{done.stdout}{done.stderr}"


def test_the_doctor_may_look_at_all_that_it_looks_at(reader: LimitedReader) -> None:
    looked = reader.run("make doctor ENV=prod")
    output = looked.stdout + looked.stderr
    assert "server" in output
    assert not [line for line in output.splitlines() if "not authorized" in line or "AccessDenied" in line], output


def test_operators_of_dev_look_at_nothing_of_prod(reader: LimitedReader, emulated: Account, aws: Clients) -> None:
    for command in ("make plan ENV=prod", "make snapshots ENV=prod", "make kubeconfig ENV=prod ROLE=admin"):
        refused = reader.run_as("dev", command)
        assert refused.returncode != 0, f"{command} by dev's operators\n{refused.stdout}"
        assert "403" in refused.stderr + refused.stdout or "not authorized" in refused.stderr + refused.stdout, command
    there = aws("ec2").describe_instances(Filters=[{"Name": "tag:vet:role", "Values": ["server"]}])["Reservations"]
    ssm = clients(identities.operator(emulated, "dev"))("ssm")
    for machine in (machine for each in there for machine in each["Instances"]):
        environment = next(tag["Value"] for tag in machine["Tags"] if tag["Key"] == "Environment")
        asked = {"InstanceIds": [machine["InstanceId"]], "DocumentName": "AWS-RunShellScript"}
        if environment == "dev":
            assert ssm.send_command(**asked, Parameters={"commands": ["true"]})
        else:
            with pytest.raises(ClientError, match="not authorized to perform: ssm:SendCommand"):
                ssm.send_command(**asked, Parameters={"commands": ["true"]})


def test_somebody_whom_no_role_trusts_takes_none(emulated: Account, stacks: dict[str, Stack]) -> None:
    identities.make(emulated, "stranger")
    with pytest.raises(ClientError, match="not authorized to perform: sts:AssumeRole"):
        emulated.taking("vet-operate-dev", emulated.taking("stranger"))


def test_a_registry_s_login_is_given_to_operators(emulated: Account, stacks: dict[str, Stack]) -> None:
    """``make push`` needs it, and a builder of images, which is not everywhere."""
    assert clients(identities.operator(emulated, "dev"))("ecr").get_authorization_token()["authorizationData"]
