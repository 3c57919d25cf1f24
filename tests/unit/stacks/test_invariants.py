"""What holds for every resource of every stack, whatever the settings are."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping
from itertools import combinations
from pathlib import Path

import pytest

import main
from settings import load
from settings.names import state_key
from tests import everything
from tests.policy import aws
from tests.template import Block, Template

PHYSICAL_NAMES = {
    "aws_autoscaling_group": "name",
    "aws_cloudwatch_log_group": "name",
    "aws_cloudwatch_metric_alarm": "alarm_name",
    "aws_ecr_repository": "name",
    "aws_iam_instance_profile": "name",
    "aws_iam_policy": "name",
    "aws_iam_role": "name",
    "aws_key_pair": "key_name",
    "aws_kms_alias": "name",
    "aws_launch_template": "name",
    "aws_lb": "name",
    "aws_lb_target_group": "name",
    "aws_s3_bucket": "bucket",
    "aws_secretsmanager_secret": "name",
    "aws_security_group": "name",
    "aws_sns_topic": "name",
    "aws_ssm_association": "association_name",
    "aws_ssm_document": "name",
    "aws_ssm_parameter": "name",
}
"""Resource types whose names an account (or all of AWS) has only once, and the argument with the name."""


INFRASTRUCTURE = ("vet-dev", "vet-prod", "vet-staging", "vet-full")

HELM = tuple(f"{name}-helm" for name in INFRASTRUCTURE)


@pytest.fixture(scope="session")
def templates(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, Template]:
    """Every stack by name, with a third environment, which is a copy of dev with hosts of its own, and a fourth that
    has everything on."""
    folder = tmp_path_factory.mktemp("three")
    environments = everything.write(folder / "environments")
    main.build_app(load(environments), outdir=str(folder / "cdktf.out")).synth()
    return {path.parent.name: Template.read(path) for path in sorted(folder.glob("cdktf.out/stacks/*/cdk.tf.json"))}


@pytest.fixture(params=INFRASTRUCTURE)
def infrastructure(request: pytest.FixtureRequest, templates: Mapping[str, Template]) -> Template:
    """Infrastructure of each environment in turn."""
    return templates[request.param]


@pytest.fixture(params=["vet-state", *INFRASTRUCTURE])
def stack(request: pytest.FixtureRequest, templates: Mapping[str, Template]) -> Template:
    """Each stack of AWS resources in turn."""
    return templates[request.param]


@pytest.fixture(params=["vet-state", *INFRASTRUCTURE, *HELM])
def any_stack(request: pytest.FixtureRequest, templates: Mapping[str, Template]) -> Template:
    """Each stack in turn, those on the cluster included."""
    return templates[request.param]


def test_the_manifest_names_every_stack(templates: Mapping[str, Template]) -> None:
    assert {"vet-state", *INFRASTRUCTURE, *HELM} <= set(templates)


def test_every_reference_resolves(any_stack: Template) -> None:
    dangling = any_stack.references() - any_stack.declared()
    assert not dangling, f"{any_stack.name} refers to what it does not declare: {sorted(dangling)}"
    assert len(any_stack.references()) > 5, "the search for references finds hardly any: it is broken"


def test_state_is_in_s3_under_the_stack_s_own_key_and_locked(any_stack: Template) -> None:
    backend = any_stack.document["terraform"]["backend"]
    assert backend == {
        "s3": {
            "bucket": "vet-terraform-state-example",
            "key": state_key(any_stack.name),
            "region": "us-east-1",
            "use_lockfile": True,
            "allowed_account_ids": ["123456789012"],
        }
    }


def test_no_two_stacks_share_a_physical_name(templates: Mapping[str, Template]) -> None:
    named = {
        name: {
            (type_, block[PHYSICAL_NAMES[type_]])
            for type_, _, block in template.every_resource()
            if type_ in PHYSICAL_NAMES and PHYSICAL_NAMES[type_] in block
        }
        for name, template in templates.items()
    }
    for one, other in combinations(sorted(named), 2):
        assert not named[one] & named[other], f"{one} and {other} share {named[one] & named[other]}"


def test_everything_is_tagged_through_the_provider(any_stack: Template) -> None:
    for provider in any_stack.document["provider"]["aws"]:
        (default,) = provider["default_tags"]
        assert {"Project", "ManagedBy", "CostCenter"} <= set(default["tags"])
        if any_stack.name != "vet-state":
            assert default["tags"]["Environment"] == any_stack.name.removeprefix("vet-").removesuffix("-helm")


def test_the_provider_touches_no_other_account_and_overrides_no_credentials(any_stack: Template) -> None:
    for provider in any_stack.document["provider"]["aws"]:
        assert provider["allowed_account_ids"] == ["123456789012"]
        assert set(provider) - {"alias"} == {"allowed_account_ids", "default_tags", "region"}


def test_instances_require_imds_v2_one_hop_away(stack: Template) -> None:
    machines = {**stack.resources("aws_instance"), **stack.resources("aws_launch_template")}
    for path, machine in machines.items():
        options = machine["metadata_options"]
        assert options["http_tokens"] == "required", f"{path} allows IMDSv1"
        assert options["http_put_response_hop_limit"] == 1, f"{path}: a pod could take the node's role"


def test_disks_are_encrypted_with_the_environment_s_key(infrastructure: Template) -> None:
    key = f"${{{infrastructure.reference_to('aws_kms_key', 'keys/volumes')}.arn}}"
    disks = list(_disks(infrastructure))
    assert len(disks) >= 3, f"servers' root and data volumes and agents' root, found {disks}"
    for path, disk in disks:
        assert str(disk["encrypted"]).lower() == "true", f"{path} is not encrypted"
        assert disk["kms_key_id"] == key, f"{path} is encrypted with {disk['kms_key_id']}"


def test_buckets_are_closed_encrypted_versioned_and_tls_only(stack: Template) -> None:
    buckets = list(stack.resources("aws_s3_bucket"))
    assert buckets
    for path in buckets:
        public = path == "web_identity/bucket"
        block = stack.one("aws_s3_bucket_public_access_block", f"{path}/public_access_block")
        assert block["block_public_acls"], path
        assert block["ignore_public_acls"], path
        assert block["block_public_policy"] is not public, path
        assert block["restrict_public_buckets"] is not public, path
        versioning = stack.one("aws_s3_bucket_versioning", f"{path}/versioning")
        assert versioning["versioning_configuration"]["status"] == "Enabled"
        assert stack.count("aws_s3_bucket_server_side_encryption_configuration")
        deny = json.loads(stack.one("aws_s3_bucket_policy", f"{path}/policy")["policy"])["Statement"][0]
        assert (deny["Effect"], deny["Condition"]) == ("Deny", {"Bool": {"aws:SecureTransport": "false"}}), path


def test_only_the_issuer_s_documents_are_public(infrastructure: Template) -> None:
    for path, block in infrastructure.resources("aws_s3_bucket_policy").items():
        for statement in json.loads(block["policy"])["Statement"]:
            if statement["Effect"] == "Allow" and statement["Principal"] == {"AWS": "*"}:
                assert path == "web_identity/bucket/policy", f"{path} is public"
                assert [r.split("/", 1)[1] for r in statement["Resource"]] == [
                    ".well-known/openid-configuration",
                    "openid/v1/jwks",
                ]


def test_the_internet_enters_only_through_the_application_load_balancer(infrastructure: Template) -> None:
    for path, rule in infrastructure.resources("aws_vpc_security_group_ingress_rule").items():
        if rule.get("cidr_ipv4") == "0.0.0.0/0":
            assert path.startswith("security_groups/ingress/"), f"{path} is open to the internet"


def test_roles_do_not_use_wildcards_for_actions(stack: Template) -> None:
    for path, block in stack.resources("aws_iam_role_policy").items():
        for statement in json.loads(block["policy"])["Statement"]:
            wild = [action for action in statement["Action"] if "*" in action and not action.startswith("kms:")]
            assert not wild, f"{path}: {wild}"


def test_no_secret_value_is_in_the_document(any_stack: Template) -> None:
    assert not any_stack.resources("aws_secretsmanager_secret_version")
    assert not any_stack.resources("random_password")
    assert not re.search(r"BEGIN [A-Z ]*PRIVATE KEY|AKIA[0-9A-Z]{16}", any_stack.text)


def test_outputs_are_described_and_not_secret(stack: Template) -> None:
    outputs = stack.document["output"]
    assert outputs
    for name, block in outputs.items():
        assert len(block["description"]) > 15, f"{name} is not described"
        assert block["sensitive"] is False, f"{name} would hide a secret in the state"


PASSING = {"alarms/key"}
"""Keys of what is gone once it is delivered."""


def test_protection_guards_what_holds_data_and_the_way_in(templates: Mapping[str, Template]) -> None:
    guarded = {"aws_ebs_volume", "aws_kms_key", "aws_s3_bucket", "aws_secretsmanager_secret", "aws_ecr_repository"}
    for name, protected in (("vet-state", True), ("vet-dev", False), ("vet-prod", True)):
        for type_, path, block in templates[name].every_resource():
            if path in PASSING:
                continue
            if type_ in guarded or path == "ingress":
                value = block.get("lifecycle", {}).get("prevent_destroy", False)
                assert value is protected, f"{name} {type_} {path}: prevent_destroy is {value}"


def test_every_key_is_the_account_s_to_administer(any_stack: Template) -> None:
    """Without it nobody could ever change or delete the key (KMS developer guide: default key policy)."""
    for path, key in any_stack.resources("aws_kms_key").items():
        account = json.loads(key["policy"])["Statement"][0]
        assert (account["Effect"], account["Action"], account["Resource"]) == ("Allow", ["kms:*"], ["*"]), (
            f"{path}: {account}"
        )
        assert account["Principal"]["AWS"].endswith(":root"), f"{path}: {account['Principal']}"


def test_aws_takes_the_shipped_stacks(templates: Mapping[str, Template]) -> None:
    wrong = aws.judge({name: template.document for name, template in templates.items()})
    assert not wrong, "AWS would refuse:\n" + "\n".join(wrong)


def test_synth_needs_no_program_of_this_machine(tmp_path: Path) -> None:
    """A developer who only writes stacks, or has OpenTofu, has no Terraform; and starting one takes longer than making a stack."""
    command = f"import main; main.synthesise(outdir={str(tmp_path / 'out')!r})"
    environment = {**os.environ, "PATH": str(tmp_path)}
    answer = subprocess.run([sys.executable, "-c", command], env=environment, capture_output=True, text=True)
    assert answer.returncode == 0, answer.stdout + answer.stderr


LONGEST_DELETION, SHORTEST_DELETION = 30, 7
"""Days that KMS and Secrets Manager wait before they delete permanently (KMS API: ScheduleKeyDeletion; Secrets Manager API: DeleteSecret)."""


def test_what_is_protected_can_be_brought_back_for_as_long_as_aws_allows(templates: Mapping[str, Template]) -> None:
    for name, keys, secrets in (
        ("vet-state", LONGEST_DELETION, LONGEST_DELETION),
        ("vet-prod", LONGEST_DELETION, LONGEST_DELETION),
        ("vet-dev", SHORTEST_DELETION, 0),
    ):
        for path, key in templates[name].resources("aws_kms_key").items():
            if path in PASSING:
                continue
            assert key["deletion_window_in_days"] == keys, f"{name} {path}: {key['deletion_window_in_days']} days"
        for path, secret in templates[name].resources("aws_secretsmanager_secret").items():
            assert secret["recovery_window_in_days"] == secrets, (
                f"{name} {path}: {secret['recovery_window_in_days']} days"
            )


def test_an_unprotected_environment_can_go_without_a_trace(dev: Template) -> None:
    assert all(bucket["force_destroy"] for bucket in dev.resources("aws_s3_bucket").values())
    assert all(secret["recovery_window_in_days"] == 0 for secret in dev.resources("aws_secretsmanager_secret").values())
    assert not any(lb["enable_deletion_protection"] for lb in dev.resources("aws_lb").values())


def _disks(template: Template) -> Iterator[tuple[str, Block]]:
    for path, instance in template.resources("aws_instance").items():
        yield f"{path} root", instance["root_block_device"]
    for path, launch in template.resources("aws_launch_template").items():
        for device in launch["block_device_mappings"]:
            yield f"{path} {device['device_name']}", device["ebs"]
    yield from template.resources("aws_ebs_volume").items()
