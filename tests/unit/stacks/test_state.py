"""The stack that exists once per account: state bucket and zones."""

import json
from collections.abc import Mapping
from pathlib import Path

import main
from settings import load
from tests.changes import one_environment
from tests.template import Template
from tests.unit.stacks.conftest import synthesised_with


def test_state_bucket_is_guarded_versioned_and_encrypted_by_its_own_key(state: Template) -> None:
    bucket = state.one("aws_s3_bucket", bucket="vet-terraform-state-example")
    assert bucket["lifecycle"] == {"prevent_destroy": True}
    assert bucket["force_destroy"] is False
    key = state.reference_to("aws_kms_key", "storage/key")
    (rule,) = state.one("aws_s3_bucket_server_side_encryption_configuration")["rule"]
    assert rule["apply_server_side_encryption_by_default"] == {
        "kms_master_key_id": f"${{{key}.arn}}",
        "sse_algorithm": "aws:kms",
    }
    assert state.one("aws_kms_key")["lifecycle"] == {"prevent_destroy": True}
    (lifecycle,) = state.one("aws_s3_bucket_lifecycle_configuration")["rule"]
    assert lifecycle["noncurrent_version_expiration"] == [{"noncurrent_days": 365}]
    assert "expiration" not in lifecycle, "state must never expire"


def test_each_environment_has_a_zone_delegated_from_the_domain_s(state: Template) -> None:
    names = {block["name"] for block in state.resources("aws_route53_zone").values()}
    assert names == {"example.com", "dev.example.com"}
    delegation = state.one("aws_route53_record", name="dev.example.com")
    zone = state.reference_to("aws_route53_zone", "dns/zone_dev.example.com")
    assert (delegation["type"], delegation["records"]) == ("NS", f"${{{zone}.name_servers}}")


def test_zones_outlive_their_environments(state: Template) -> None:
    for path, zone in state.resources("aws_route53_zone").items():
        assert zone["lifecycle"]["prevent_destroy"] is True, path


def test_former_zones_stay_with_what_delegates_to_them_while_the_domain_is_another(tmp_path: Path) -> None:
    """Hosts that still run under the former names go on resolving until each environment is deployed."""
    project = {"domain": "clinic.example", "former_zones": ["example.com", "dev.example.com"]}
    main.build_app(load(one_environment(tmp_path, {}, project)), outdir=str(tmp_path / "out")).synth()
    moved = Template.read(tmp_path / "out/stacks/vet-state/cdk.tf.json")
    names = {block["name"] for block in moved.resources("aws_route53_zone").values()}
    assert names == {"clinic.example", "dev.clinic.example", "example.com", "dev.example.com"}
    for name, above in {"dev.clinic.example": "clinic.example", "dev.example.com": "example.com"}.items():
        delegation = moved.one("aws_route53_record", name=name)
        zone = moved.reference_to("aws_route53_zone", f"dns/zone_{above}")
        assert delegation["zone_id"] == f"${{{zone}.zone_id}}", f"{name} is delegated from another zone"
    assert len(moved.resources("aws_route53_record")) == 2, "a former domain is delegated by its registrar alone"


def test_environments_look_their_zone_up(dev: Template, prod: Template) -> None:
    assert [zone["name"] for zone in dev.document["data"]["aws_route53_zone"].values()] == ["dev.example.com"]
    assert [zone["name"] for zone in prod.document["data"]["aws_route53_zone"].values()] == ["example.com"]
    assert not dev.resources("aws_route53_zone")


def test_name_servers_to_set_at_the_registrar_are_an_output(state: Template) -> None:
    assert "registrar" in state.output("name_servers")["description"]


def test_the_key_s_policy_names_the_account_s_administrators_only(state: Template) -> None:
    (statement,) = json.loads(state.one("aws_kms_key")["policy"])["Statement"]
    assert statement["Principal"] == {"AWS": "arn:aws:iam::123456789012:root"}


def test_opentofu_encrypts_every_state_but_the_one_that_makes_the_key(tmp_path: Path) -> None:
    stacks = synthesised_with("engine: tofu\nstate_encryption: encrypt", tmp_path)
    blocks = {path.parent.name: json.loads(path.read_text())["terraform"] for path in stacks.glob("*/cdk.tf.json")}
    assert "encryption" not in blocks.pop("vet-state"), "its first state is written before there is a key"
    (alias,) = Template.read(stacks / "vet-state/cdk.tf.json").resources("aws_kms_alias").values()
    assert blocks.keys() == {"vet-dev", "vet-dev-helm", "vet-prod", "vet-prod-helm"}
    for name, terraform in blocks.items():
        encryption = terraform["encryption"]
        assert encryption["key_provider"]["aws_kms"]["state"]["kms_key_id"] == alias["name"], name
        for use in (encryption["state"], encryption["plan"], encryption["remote_state_data_sources"]["default"]):
            assert use["method"] == "method.aes_gcm.state", name


def test_terraform_gets_no_block_that_it_refuses(templates: Mapping[str, Template]) -> None:
    assert not [name for name, each in templates.items() if "encryption" in each.document["terraform"]]
