"""Compute Layer: servers, agents, and what they may do."""

import json

import yaml
from cdktf import Testing
from cdktf_cdktf_provider_aws.autoscaling_group import AutoscalingGroup
from cdktf_cdktf_provider_aws.instance import Instance
from cdktf_cdktf_provider_aws.launch_template import LaunchTemplate

from settings import Settings
from tests.template import Block, Template


def statements(template: Template, role: str) -> dict[str, Block]:
    """A role's own statements by their ids."""
    document = json.loads(template.one("aws_iam_role_policy", f"{role}/policy")["policy"])
    return {statement["Sid"]: statement for statement in document["Statement"]}


def test_servers_have_the_documented_count_and_type(dev: Template, prod: Template) -> None:
    for template, count, type_ in ((dev, 1, "t3.medium"), (prod, 3, "t3.large")):
        assert template.count(Instance.TF_RESOURCE_TYPE, instance_type=type_) == count
        assert len(template.resources(Instance.TF_RESOURCE_TYPE)) == count


def test_agents_have_the_documented_count_and_type(dev: Template, prod: Template) -> None:
    for template, count, type_ in ((dev, 2, "t3.medium"), (prod, 3, "t3.large")):
        groups = template.resources(AutoscalingGroup.TF_RESOURCE_TYPE)
        assert sum(group["desired_capacity"] for group in groups.values()) == count
        assert Testing.to_have_resource_with_properties(
            template.text, LaunchTemplate.TF_RESOURCE_TYPE, {"instance_type": type_}
        )


def test_root_volumes_are_50_gb_gp3_and_encrypted(infrastructure: Template) -> None:
    for instance in infrastructure.resources("aws_instance").values():
        root = instance["root_block_device"]
        assert (root["volume_size"], root["volume_type"], root["encrypted"]) == (50, "gp3", True)
    (device,) = infrastructure.one("aws_launch_template")["block_device_mappings"]
    assert (device["ebs"]["volume_size"], device["ebs"]["volume_type"], device["ebs"]["encrypted"]) == (
        50,
        "gp3",
        "true",
    )


def test_nodes_run_ubuntu_22_04_from_canonical(infrastructure: Template) -> None:
    image = infrastructure.document["data"]["aws_ami"]["image"]
    assert image["owners"] == ["099720109477"]
    assert {"name": "name", "values": ["ubuntu/images/hvm-ssd/ubuntu-jammy-22.04-amd64-server-*"]} in image["filter"]


def test_prod_has_a_server_in_each_of_three_zones(prod: Template) -> None:
    subnets = [interface["subnet_id"] for interface in prod.resources("aws_network_interface").values()]
    assert sorted(subnets) == sorted(
        f"${{{prod.reference_to('aws_subnet', f'network/private_{letter}')}.id}}" for letter in "abc"
    )


def test_a_server_keeps_its_address_and_disk_when_it_is_replaced(infrastructure: Template) -> None:
    for path, instance in infrastructure.resources("aws_instance").items():
        interface = infrastructure.reference_to("aws_network_interface", f"{path}/interface")
        (attached,) = instance["network_interface"]
        assert attached["network_interface_id"] == f"${{{interface}.id}}"
        assert attached["delete_on_termination"] is False
        attachment = infrastructure.one("aws_volume_attachment", f"{path}/data_attachment")
        assert attachment["stop_instance_before_detaching"] is True
        data = infrastructure.one("aws_ebs_volume", f"{path}/data_volume")
        volume = infrastructure.reference_to("aws_ebs_volume", f"{path}/data_volume")
        server = infrastructure.reference_to("aws_instance", path)
        assert (attachment["volume_id"], attachment["instance_id"]) == (f"${{{volume}.id}}", f"${{{server}.id}}")
        assert (data["type"], data["encrypted"]) == ("gp3", True)


def test_an_apply_never_touches_a_running_server(infrastructure: Template) -> None:
    for instance in infrastructure.resources("aws_instance").values():
        assert set(instance["lifecycle"]["ignore_changes"]) == {
            "ami",
            "user_data",
            "instance_type",
            "key_name",
            "credit_specification",
        }


def test_servers_wait_for_routes_rights_and_programs(infrastructure: Template) -> None:
    """An instance that boots before its way out or its rights exist fails its only boot script."""
    needed = ("aws_route.", "aws_iam_role_policy.", "aws_s3_object.", "aws_vpc_endpoint.", "aws_secretsmanager_secret.")
    machines = {**infrastructure.resources("aws_instance"), **infrastructure.resources("aws_autoscaling_group")}
    for path, machine in machines.items():
        for prefix in needed:
            addresses = [address for address in machine["depends_on"] if address.startswith(prefix)]
            assert addresses, f"{path} does not wait for any {prefix}"


def test_agents_have_a_group_in_each_zone_that_the_autoscaler_finds(
    infrastructure: Template, settings: Settings
) -> None:
    groups = infrastructure.resources("aws_autoscaling_group")
    private = [path for path in infrastructure.resources("aws_subnet") if "private" in path]
    subnets = {f"${{{infrastructure.reference_to('aws_subnet', path)}.id}}" for path in private}
    assert {subnet for group in groups.values() for subnet in group["vpc_zone_identifier"]} == subnets
    assert len(groups) == len(subnets)
    agents = settings.environment(infrastructure.name.removeprefix("vet-")).agents
    assert sum(group["max_size"] for group in groups.values()) == agents.max_count > agents.min_count
    for path, group in groups.items():
        assert len(group["vpc_zone_identifier"]) == 1, f"{path} spans zones, and EBS volumes cannot"
        tags = {tag["key"]: tag["value"] for tag in group["tag"]}
        assert tags["k8s.io/cluster-autoscaler/enabled"] == "true"
        assert tags[f"kubernetes.io/cluster/{infrastructure.name}"] == "owned"
        assert group["lifecycle"]["ignore_changes"] == ["desired_capacity"]
        assert group["min_size"] <= group["desired_capacity"] <= group["max_size"]


MEASURING = "Metrics"
"""The statement of nodes that alarms are about: PutMetricData knows no resource, so its namespace is a condition."""


def test_agents_may_not_do_what_servers_may(infrastructure: Template) -> None:
    assert set(statements(infrastructure, "agent_role")) - {MEASURING} == {
        "Programs",
        "RegistryLogin",
        "PullImages",
        "JoinToken",
        "ClusterCa",
        "JoinTokenKey",
        "ProgramsKey",
        "Agent",
        "Documents",
    }
    join = statements(infrastructure, "agent_role")["JoinToken"]
    token = infrastructure.reference_to("aws_secretsmanager_secret", "secrets/agent_token")
    assert join["Resource"] == [f"${{{token}.arn}}"]
    assert join["Action"] == ["secretsmanager:GetSecretValue"]


def test_servers_write_only_where_they_should(infrastructure: Template) -> None:
    rights = statements(infrastructure, "server_role")
    writing = {
        sid: statement["Resource"]
        for sid, statement in rights.items()
        if any(action.split(":")[1].startswith(("Put", "Delete")) for action in statement["Action"])
    }
    del writing[
        "Agent"
    ]  # it deletes messages of Systems Manager, which are its own instance's (ec2messages:DeleteMessage)
    measuring = writing.pop(MEASURING, None)
    assert not measuring or "cloudwatch:namespace" in str(rights[MEASURING]["Condition"]), "they write any metric"
    assert set(writing) == {"Markers", "Snapshots", "IssuerDocuments", "ClusterSecrets", "PublishCa"}
    for sid, resources in writing.items():
        assert "*" not in resources, f"{sid} writes everywhere"


def test_user_data_is_a_small_cloud_config_without_secrets(infrastructure: Template) -> None:
    texts = [instance["user_data"] for instance in infrastructure.resources("aws_instance").values()]
    texts += list(infrastructure.document["locals"].values())
    assert len(texts) == len(infrastructure.resources("aws_instance")) + 1
    for text in texts:
        assert text.startswith("#cloud-config\n")
        assert yaml.safe_load(text)
        assert len(text.encode()) < 16384 - 1024, "references grow when Terraform fills them in"


def test_terraform_waits_until_server_0_says_that_the_cluster_is_ready(infrastructure: Template) -> None:
    gate = infrastructure.one("aws_ssm_association")
    first = infrastructure.reference_to("aws_instance", "servers/slot_0")
    assert gate["targets"] == [{"key": "InstanceIds", "values": [f"${{{first}.id}}"]}]
    assert gate["wait_for_success_timeout_seconds"] >= 900
    assert gate["lifecycle"]["replace_triggered_by"] == [f"{first}.id"]


def test_session_manager_reaches_every_node(infrastructure: Template) -> None:
    """By rights of its own: AWS's AmazonSSMManagedInstanceCore reads every parameter and document of the account."""
    assert not infrastructure.resources("aws_iam_role_policy_attachment")
    for role in ("server_role", "agent_role"):
        rights = json.loads(infrastructure.one("aws_iam_role_policy", f"{role}/policy")["policy"])["Statement"]
        allowed = {action for statement in rights for action in statement["Action"]}
        for channel in ("Create", "Open"):
            assert {f"ssmmessages:{channel}ControlChannel", f"ssmmessages:{channel}DataChannel"} <= allowed, role
        assert {"ssm:UpdateInstanceInformation", "ec2messages:GetMessages"} <= allowed, role


def test_no_key_pair_and_no_jump_host_unless_asked_for(infrastructure: Template) -> None:
    assert not infrastructure.resources("aws_key_pair")
    assert not any("jump" in path for path in infrastructure.resources("aws_instance"))


def test_nodes_stand_in_private_subnets(infrastructure: Template) -> None:
    private = {
        f"${{{infrastructure.reference_to('aws_subnet', path)}.id}}"
        for path in infrastructure.resources("aws_subnet")
        if "private" in path
    }
    for interface in infrastructure.resources("aws_network_interface").values():
        assert interface["subnet_id"] in private
    for group in infrastructure.resources("aws_autoscaling_group").values():
        assert set(group["vpc_zone_identifier"]) <= private
