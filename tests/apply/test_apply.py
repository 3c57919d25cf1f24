"""Applied for real: state bucket first, then both environments, through the S3 backend, with environment variables alone."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
from botocore.exceptions import ClientError

from operations.devtools.emulator.known_gaps import FORGOTTEN, Clients, EmulatorGap, clients
from operations.devtools.emulator.stack import Stack
from settings.names import state_key

INFRASTRUCTURE = ("vet-state", "vet-dev", "vet-prod")


def test_make_state_moves_its_own_state_into_the_bucket(first_state: str, workspace: Path, aws: Clients) -> None:
    assert "first run" in first_state
    assert "moving the state" in first_state
    assert not list(workspace.glob("*.tfstate*")), "a local state file is left"
    bucket = json.loads((workspace / "cdktf.out/stacks/vet-state/cdk.tf.json").read_text())["terraform"]["backend"][
        "s3"
    ]
    state = json.load(aws("s3").get_object(Bucket=bucket["bucket"], Key=state_key("vet-state"))["Body"])
    assert state["resources"], "the state in the bucket is empty"


def test_make_state_may_run_again(second_state: str) -> None:
    assert "first run" not in second_state
    assert "vet-state: nothing changes" in second_state, second_state


def test_a_deployer_applies_its_environment_and_no_other(stacks: dict[str, Stack]) -> None:
    """The fixture has applied each environment by its workflow's role. The role of dev reads nothing of prod with the same programs."""
    deployer = replace(stacks["vet-prod"], environment=stacks["vet-dev"].environment)
    refused = deployer.run("plan", "-lock=false", "-input=false", expect=(1,))
    assert "HeadObject, https response error StatusCode: 403" in refused.stderr, refused.stderr
    secrets = clients(deployer.environment)("secretsmanager")
    with pytest.raises(ClientError, match="not authorized to perform: secretsmanager:GetSecretValue") as denied:
        secrets.get_secret_value(SecretId="vet-prod/server-token")
    assert "assumed-role/vet-github-deploy-dev/workflow" in str(denied.value)


@pytest.mark.parametrize("name", INFRASTRUCTURE)
def test_a_second_plan_has_no_changes(stacks: dict[str, Stack], name: str) -> None:
    unexpected_changes = stacks[name].unexpected_changes()
    assert not unexpected_changes, f"{name} would change:\n" + "\n".join(unexpected_changes)


@pytest.mark.parametrize("forgotten", FORGOTTEN, ids=lambda forgotten: forgotten.what)
def test_the_emulator_forgets(stacks: dict[str, Stack], aws: Clients, forgotten: EmulatorGap) -> None:
    assert forgotten.proof(aws), f"the emulator keeps {forgotten.what}: take it out of FORGOTTEN"


@pytest.mark.parametrize("name", INFRASTRUCTURE)
def test_outputs_are_described_and_not_secret(stacks: dict[str, Stack], name: str) -> None:
    outputs = json.loads(stacks[name].run("output", "-json").stdout)
    assert outputs
    assert not [key for key, output in outputs.items() if output["sensitive"] or output["value"] in (None, "", [])]


def test_state_is_locked_while_somebody_applies(stacks: dict[str, Stack], aws: Clients) -> None:
    stack = stacks["vet-dev"]
    bucket = json.loads((stack.folder / "cdk.tf.json").read_text())["terraform"]["backend"]["s3"]["bucket"]
    lock = {"Bucket": bucket, "Key": f"{state_key('vet-dev')}.tflock"}
    aws("s3").put_object(**lock, Body=json.dumps({"ID": "1", "Who": "a colleague"}))
    try:
        refused = stack.run("plan", "-lock-timeout=0s", "-input=false", expect=(1,))
    finally:
        aws("s3").delete_object(**lock)
    assert "Error acquiring the state lock" in refused.stderr
    assert "a colleague" in refused.stderr


def test_a_protected_environment_refuses_destruction_at_plan(stacks: dict[str, Stack]) -> None:
    refused = stacks["vet-prod"].run("plan", "-destroy", "-input=false", expect=(1,))
    # Terraform does not get as far as the KMS keys: what they encrypt refuses first.
    for kept in ("aws_ebs_volume", "aws_ecr_repository", "aws_s3_bucket", "aws_secretsmanager_secret", "aws_lb"):
        assert f"{kept}." in refused.stderr, f"{kept} is not protected:\n{refused.stderr}"
    assert "lifecycle.prevent_destroy" in refused.stderr
