"""What changes when the settings change, and that nothing else does."""

import json
import re
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

import main
from settings import Settings, load
from settings.loader import ENVIRONMENTS
from settings.release_sets import release_set
from tests.changes import KEY, one_environment
from tests.template import Template

Synthesise = Callable[..., Template]


@pytest.fixture
def synthesise(tmp_path: Path) -> Synthesise:
    """Synthesise dev with some of its settings replaced, and return its template."""

    def changed(**sections: Any) -> Template:
        return _infrastructure(load(one_environment(tmp_path, sections)), tmp_path, "vet-dev")

    return changed


def test_ssh_is_by_key_from_the_given_networks_through_the_jump_host(synthesise: Synthesise) -> None:
    ssh = {"public_key": KEY, "allowed_cidrs": ["203.0.113.0/24"], "jump_host": {"enabled": True}}
    template = synthesise(access={"ssh": ssh})
    assert template.one("aws_key_pair")["public_key"] == KEY
    key = f"${{{template.reference_to('aws_key_pair', 'key_pair')}.key_name}}"
    assert {instance["key_name"] for instance in template.resources("aws_instance").values()} == {key}
    operators = template.reference_to("aws_security_group", "security_groups/operators")
    rule = template.one("aws_vpc_security_group_ingress_rule", cidr_ipv4="203.0.113.0/24")
    assert (rule["security_group_id"], rule["from_port"], rule["to_port"]) == (f"${{{operators}.id}}", 22, 22)
    assert template.one("aws_instance", "jump_host")["vpc_security_group_ids"] == [f"${{{operators}.id}}"]


def test_public_subnets_hold_the_load_balancer_nat_gateways_and_the_jump_host(synthesise: Synthesise) -> None:
    template = synthesise(access={"ssh": {"jump_host": {"enabled": True}}})
    public = {f"${{{template.reference_to('aws_subnet', f'network/public_{letter}')}.id}}" for letter in "ab"}
    assert set(template.one("aws_lb", load_balancer_type="application")["subnets"]) == public
    assert template.one("aws_nat_gateway")["subnet_id"] in public
    assert template.one("aws_instance", "jump_host")["subnet_id"] in public


def test_a_public_api_opens_6443_to_the_given_networks_and_never_9345(synthesise: Synthesise) -> None:
    template = synthesise(access={"api": {"access": "public", "allowed_cidrs": ["198.51.100.0/24"]}})
    balancer = template.one("aws_lb", "public_api")
    group = template.reference_to("aws_security_group", "security_groups/public_api")
    assert (balancer["internal"], balancer["security_groups"]) == (False, [f"${{{group}.id}}"])
    rules = [
        (rule["from_port"], rule.get("cidr_ipv4"))
        for rule in template.resources("aws_vpc_security_group_ingress_rule").values()
        if rule["security_group_id"] == f"${{{group}.id}}"
    ]
    assert rules == [(6443, "198.51.100.0/24")]
    assert template.one("aws_lb", "api")["internal"] is True, "nodes join inside the VPC"


def test_people_are_given_roles_by_their_iam_principals(synthesise: Synthesise) -> None:
    reader = "arn:aws:iam::123456789012:role/support"
    template = synthesise(access={"principals": {"read": [reader]}})
    (policy,) = template.resources("aws_secretsmanager_secret_policy").values()
    (statement,) = json.loads(policy["policy"])["Statement"]
    secret = template.reference_to("aws_secretsmanager_secret", "secrets/credentials_read")
    assert policy["secret_arn"] == f"${{{secret}.arn}}"
    assert (statement["Principal"], statement["Action"]) == ({"AWS": [reader]}, ["secretsmanager:GetSecretValue"])
    key_policy = json.loads(template.one("aws_kms_key", "keys/secrets")["policy"])["Statement"]
    assert [s["Principal"] for s in key_policy if s["Sid"] == "ReadCredentials"] == [{"AWS": [reader]}]


def test_agents_can_be_spot_instances(synthesise: Synthesise) -> None:
    template = synthesise(agents={"spot": True})
    assert template.one("aws_launch_template")["instance_market_options"] == {"market_type": "spot"}


def test_flow_logs_are_kept_as_long_as_other_logs(synthesise: Synthesise) -> None:
    template = synthesise(network={"flow_logs": True})
    assert template.one("aws_flow_log")["traffic_type"] == "ALL"
    assert template.one("aws_cloudwatch_log_group")["retention_in_days"] == 14


def test_flow_logs_are_encrypted_with_a_key_that_cloudwatch_may_use_for_them_alone(synthesise: Synthesise) -> None:
    template = synthesise(network={"flow_logs": True})
    group = template.one("aws_cloudwatch_log_group")
    assert group["kms_key_id"] == f"${{{template.reference_to('aws_kms_key', 'keys/backups')}.arn}}"
    statements = json.loads(template.one("aws_kms_key", "keys/backups")["policy"])["Statement"]
    (statement,) = [each for each in statements if each["Principal"] == {"Service": "logs.us-east-1.amazonaws.com"}]
    arn = f"arn:aws:logs:us-east-1:123456789012:log-group:{group['name']}"
    assert statement["Condition"] == {"ArnEquals": {"kms:EncryptionContext:aws:logs:arn": arn}}


def test_a_pinned_image_is_not_looked_up(synthesise: Synthesise) -> None:
    template = synthesise(image={"ami_id": "ami-0123456789abcdef0"})
    assert "aws_ami" not in template.document["data"]
    assert template.one("aws_instance")["ami"] == "ami-0123456789abcdef0"


def test_another_region_changes_zones_names_and_endpoints(synthesise: Synthesise) -> None:
    template = synthesise(region="eu-central-1")
    assert {s["availability_zone"] for s in template.resources("aws_subnet").values()} == {
        "eu-central-1a",
        "eu-central-1b",
    }
    assert template.one("aws_vpc_endpoint")["service_name"] == "com.amazonaws.eu-central-1.s3"
    resources = json.dumps(template.document["resource"])
    assert "us-east-1" not in resources, "something does not follow the region"


def test_a_third_environment_is_one_new_file(tmp_path: Path, templates: dict[str, Template]) -> None:
    folder = tmp_path / "environments"
    shutil.copytree(ENVIRONMENTS, folder)
    text = (folder / "dev.yaml").read_text().replace(".dev.{domain}", ".staging.{domain}")
    (folder / "staging.yaml").write_text(text)
    settings = load(folder)
    staging = _infrastructure(settings, tmp_path, "vet-staging")
    assert not staging.references() - staging.declared()
    assert len(list(staging.every_resource())) == len(list(templates["vet-dev"].every_resource()))
    assert "vet-dev" not in staging.text, "staging names something of dev's"
    state = Template.read(tmp_path / "cdktf.out/stacks/vet-state/cdk.tf.json")
    assert "staging.example.com" in {zone["name"] for zone in state.resources("aws_route53_zone").values()}


def test_output_is_a_function_of_the_repository(output: Path, settings: Settings, tmp_path: Path) -> None:
    main.build_app(settings, outdir=str(tmp_path / "cdktf.out")).synth()
    compared = list(_compare(output, tmp_path / "cdktf.out"))
    assert len(compared) >= 4
    assert all(same for _, same in compared), f"differ from run to run: {[name for name, same in compared if not same]}"


def test_no_path_of_this_machine_is_in_the_output(output: Path) -> None:
    for path in output.rglob("*.json"):
        assert str(Path.home()) not in path.read_text(), path
        assert str(output) not in path.read_text(), path


def test_dev_and_prod_differ_where_they_should(dev: Template, prod: Template) -> None:
    """Kinds of resources are the same; only how many there are differs, buckets that protection keeps, and what watches and leads back."""
    guards = ("alarms/", "budget", "volume_snapshots")
    kinds = [
        {type_ for type_, path, _ in template.every_resource() if not path.startswith(guards)}
        for template in (dev, prod)
    ]
    assert kinds[0] == kinds[1]
    places = [{path for _, path, _ in template.every_resource()} for template in (dev, prod)]
    only_prod = {path for path in places[1] - places[0] if not path.endswith(("_c", "_c_association"))}
    assert not {
        path
        for path in only_prod
        if not path.startswith(guards)
        and not any(part in path for part in ("slot_1", "slot_2", "access_logs", "buckets/files", "nat_", ".com"))
    }
    assert all(".com" in path for path in places[0] - places[1]), sorted(places[0] - places[1])


def test_database_instances_are_more_than_one_in_prod(settings: Settings) -> None:
    assert settings.environment("prod").application.database_instances == 3
    assert settings.environment("dev").application.database_instances == 1


def _infrastructure(settings: Settings, folder: Path, stack: str) -> Template:
    main.build_app(settings, outdir=str(folder / "cdktf.out")).synth()
    return Template.read(folder / f"cdktf.out/stacks/{stack}/cdk.tf.json")


def _compare(one: Path, other: Path) -> Iterator[tuple[str, bool]]:
    for path in sorted(one.rglob("*.json")):
        name = path.relative_to(one)
        yield str(name), path.read_bytes() == (other / name).read_bytes()


@pytest.mark.parametrize("name", ["documented", "current"])
def test_nodes_install_the_release_set_that_the_environment_chose(name: str, synthesise: Synthesise) -> None:
    expected = release_set(name)
    template = synthesise(cluster={"release_set": name})
    versions = set(re.findall(r"(?:RKE2|KUBECTL)_VERSION='([^']*)'", template.text))
    assert versions == {expected.rke2, f"v{expected.kubernetes}"}, f"{name}: nodes are told {versions}"


def _groups(template: Template) -> dict[str, dict[str, Any]]:
    groups = template.resources("aws_cloudwatch_log_group")
    return {each["name"]: {**each, "address": address} for address, each in groups.items()}


def test_logs_of_nodes_go_to_groups_that_they_can_only_add_to(synthesise: Synthesise) -> None:
    template = synthesise(node_logs={"enabled": True}, deletion_protection=True)
    groups = _groups(template)
    assert groups.keys() == {"/vet-dev/audit", "/vet-dev/journal"}
    for name, group in groups.items():
        assert group["retention_in_days"] == 14, f"{name}: as long as the other logs"
        assert group["lifecycle"] == {"prevent_destroy": True}, name
    rights = {}
    for role in ("server", "agent"):
        statements = json.loads(template.one("aws_iam_role_policy", f"{role}_role/policy")["policy"])["Statement"]
        log_statements = [each for each in statements if any(action.startswith("logs:") for action in each["Action"])]
        rights[role] = {each["Sid"] for each in log_statements}
        for each in log_statements:
            assert set(each["Action"]) == {"logs:CreateLogStream", "logs:DescribeLogStreams", "logs:PutLogEvents"}
    assert rights == {"server": {"AuditLog", "Journal"}, "agent": {"Journal"}}
    for instance in template.resources("aws_instance").values():
        assert "LOG_GROUPS='/vet-dev'" in instance["user_data"]
        assert "CLOUDWATCH_AGENT_VERSION='1.3" in instance["user_data"]


def test_cloudwatch_encrypts_these_logs_and_no_others(synthesise: Synthesise) -> None:
    template = synthesise(node_logs={"enabled": True}, network={"flow_logs": True})
    statements = json.loads(template.one("aws_kms_key", "keys/backups")["policy"])["Statement"]
    theirs = [each for each in statements if each["Principal"] == {"Service": "logs.us-east-1.amazonaws.com"}]
    named = [each["Condition"]["ArnEquals"]["kms:EncryptionContext:aws:logs:arn"] for each in theirs]
    arns = {arn for each in named for arn in ([each] if isinstance(each, str) else each)}
    assert arns == {f"arn:aws:logs:us-east-1:123456789012:log-group:{name}" for name in _groups(template)}


def test_nodes_send_nothing_unless_they_are_told_to(synthesise: Synthesise) -> None:
    template = synthesise()
    assert not template.resources("aws_cloudwatch_log_group")
    assert "logs:" not in template.one("aws_iam_role_policy", "server_role/policy")["policy"]
