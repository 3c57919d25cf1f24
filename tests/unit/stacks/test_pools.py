"""Pools: what their groups buy and where, what their nodes are called, how they are emptied, and that nothing changes without them."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from settings import load
from settings.addresses import fleets
from settings.pools import Pool
from tests.template import Block, Template
from tests.unit.stacks.conftest import Synthesise, synthesise_dev

POOLS: dict[str, Any] = {
    "reports": {
        "instance_types": ["m6i.large", "m5.large"],
        "min_count": 1,
        "max_count": 3,
        "availability_zones": ["b"],
    },
    "batch": {
        "instance_types": ["c6i.xlarge", "c5.xlarge"],
        "min_count": 3,
        "max_count": 8,
        "spot": True,
        "on_demand_base": 1,
        "labels": {"workload": "batch"},
        "taints": [{"key": "workload", "value": "batch"}],
        "root_volume_gib": 80,
    },
    "graviton": {"instance_types": ["m7g.large"], "min_count": 0, "max_count": 2},
}
"""One on demand in a zone, one Spot with a base and a taint, one arm64 that starts with nothing."""

WITH_POOLS: dict[str, Any] = {"cluster": {"release_set": "current"}, "pools": POOLS}


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Template:
    """Infrastructure of dev with the pools."""
    return synthesise_dev(tmp_path_factory.mktemp("pools"), WITH_POOLS)


def groups(template: Template, pool: str) -> dict[str, Block]:
    """A pool's groups by what stands after its name in their path."""
    blocks = template.resources("aws_autoscaling_group")
    return {
        path.removeprefix(f"pools/{pool}/"): each for path, each in blocks.items() if path.startswith(f"pools/{pool}/")
    }


def tags(group: Block) -> dict[str, str]:
    return {tag["key"]: tag["value"] for tag in group["tag"]}


def user_data(template: Template, part: str) -> str:
    (content,) = [
        text for name, text in template.document["locals"].items() if name.startswith(f"pools_{part}_user_data")
    ]
    return str(content)


def listed(text: str, key: str) -> list[str]:
    """A list in the node's RKE2 configuration."""
    match = re.search(rf"^( *){key}:\n((?:\1- .*\n)+)", text, re.MULTILINE)
    return re.findall(r"- (.*)", match[2]) if match else []


def test_each_pool_has_a_group_in_each_of_its_zones_with_its_numbers(template: Template) -> None:
    sizes = {
        name: {path: (each["min_size"], each["max_size"]) for path, each in groups(template, name).items()}
        for name in POOLS
    }
    assert sizes == {
        "reports": {"on_demand/group_b": (1, 3)},
        "batch": {"spot/group_a": (1, 3), "spot/group_b": (1, 4), "base/group_b": (1, 1)},
        "graviton": {"on_demand/group_a": (0, 1), "on_demand/group_b": (0, 1)},
    }


def test_no_two_groups_or_templates_share_a_name(template: Template) -> None:
    for type_ in ("aws_autoscaling_group", "aws_launch_template"):
        names = [each["name"] for each in template.resources(type_).values()]
        assert len(names) == len(set(names)), sorted(names)
        assert all(name.startswith("vet-dev-agent") for name in names), "rights end at names that begin so"


def test_a_group_buys_all_of_it_in_one_way_and_of_every_type(template: Template) -> None:
    for name, pool in POOLS.items():
        for path, group in groups(template, name).items():
            policy = group["mixed_instances_policy"]
            spot = path.startswith("spot/")
            assert policy["instances_distribution"]["on_demand_percentage_above_base_capacity"] == (0 if spot else 100)
            assert policy["instances_distribution"]["on_demand_base_capacity"] == 0
            assert group["capacity_rebalance"] is spot, "a new Spot node comes before one that is at risk goes"
            types = [each["instance_type"] for each in policy["launch_template"]["override"]]
            assert types == pool["instance_types"]
            assert tags(group)["vet:pool"] == name


def test_a_node_says_its_pool_how_it_is_bought_and_what_its_file_says(template: Template) -> None:
    spot = user_data(template, "batch_spot")
    assert listed(spot, "node-label") == ["vet/pool=batch", "vet/purchase=spot", "workload=batch"]
    assert listed(spot, "node-taint") == ["workload=batch:NoSchedule"]
    base = user_data(template, "batch_base")
    assert "vet/purchase=on-demand" in listed(base, "node-label")
    assert listed(user_data(template, "reports_on_demand"), "node-taint") == []


def test_the_autoscaler_knows_the_nodes_of_an_empty_group(template: Template) -> None:
    """Each label and taint of a node, its zone for volumes, and its disk stand in the group's tags."""
    prefix = "k8s.io/cluster-autoscaler/node-template/"
    for name in POOLS:
        for path, group in groups(template, name).items():
            part, _, zone = path.partition("/group_")
            hints = {key.removeprefix(prefix): value for key, value in tags(group).items() if key.startswith(prefix)}
            if part == "base":
                assert not hints
                assert "k8s.io/cluster-autoscaler/enabled" not in tags(group), "the base is nobody's to shrink"
                continue
            text = user_data(template, f"{name}_{part}")
            labels = dict(each.split("=") for each in listed(text, "node-label"))
            assert {key: hints[f"label/{key}"] for key in labels} == labels
            taints = dict(each.split("=") for each in listed(text, "node-taint"))
            assert {key: hints[f"taint/{key}"] for key in taints} == taints
            assert hints["label/topology.ebs.csi.aws.com/zone"] == f"us-east-1{zone}"
            assert hints["resources/ephemeral-storage"] == f"{POOLS[name].get('root_volume_gib', 50)}Gi"
            assert tags(group)["k8s.io/cluster-autoscaler/vet-dev"] == "owned"


def test_a_pool_that_goes_is_drained_by_servers_that_are_still_there(template: Template) -> None:
    servers = {f"aws_instance.{id_}" for id_ in template.document["resource"]["aws_instance"]}
    for name in POOLS:
        for path, group in groups(template, name).items():
            assert group["force_delete"] is False, f"{path}: a forced deletion asks no hook"
            (hook,) = group["initial_lifecycle_hook"]
            assert hook["lifecycle_transition"] == "autoscaling:EC2_INSTANCE_TERMINATING"
            assert servers <= set(group["depends_on"]), f"{path} may outlive the servers that drain it"
    hooks = template.resources("aws_autoscaling_lifecycle_hook")
    assert not [path for path in hooks if path.startswith("pools/")], "a hook of its own would be gone before the group"


def test_an_arm64_pool_starts_from_arm64_images_with_arm64_programs(template: Template) -> None:
    image = template.document["data"]["aws_ami"]["image_arm64"]
    wanted = {each["name"]: each["values"] for each in image["filter"]}
    assert wanted["architecture"] == ["arm64"]
    assert wanted["name"] == ["ubuntu/images/hvm-ssd/ubuntu-jammy-22.04-arm64-server-*"]
    block = template.one("aws_launch_template", "pools/graviton/on_demand")
    assert block["image_id"] == "${data.aws_ami.image_arm64.id}"
    text = user_data(template, "graviton_on_demand")
    assert "ARCHITECTURE='arm64'" in text
    assert "awscli-exe-linux-aarch64-" in text
    assert "x86_64" not in text
    assert listed(text, "node-taint") == ["kubernetes.io/arch=arm64:NoSchedule"], "images for x86-64 would not start"
    other = template.one("aws_launch_template", "pools/reports/on_demand")
    assert other["image_id"] == "${data.aws_ami.image.id}"


def test_a_pinned_image_is_the_pools_own(dev_with: Synthesise) -> None:
    pools = {"reports": {**POOLS["reports"], "image": "ami-0123456789abcdef0"}}
    block = dev_with(pools=pools).one("aws_launch_template", "pools/reports/on_demand")
    assert block["image_id"] == "ami-0123456789abcdef0"


def test_disks_of_pools_are_encrypted_with_the_environments_key(template: Template) -> None:
    own = template.one("aws_launch_template", "agents")["block_device_mappings"][0]["ebs"]
    for path, each in template.resources("aws_launch_template").items():
        disk = each["block_device_mappings"][0]["ebs"]
        assert (disk["encrypted"], disk["kms_key_id"]) == ("true", own["kms_key_id"]), path
        assert each["metadata_options"]["http_put_response_hop_limit"] == 1, f"{path}: a pod could take the node's role"


def test_pools_sleep_and_are_watched_as_agents_are(dev_with: Synthesise) -> None:
    template = dev_with(**WITH_POOLS, schedule={"enabled": True}, alarms={"enabled": True})
    slept = {each["autoscaling_group_name"] for each in template.resources("aws_autoscaling_schedule").values()}
    watched = {
        each["dimensions"].get("AutoScalingGroupName")
        for each in template.resources("aws_cloudwatch_metric_alarm").values()
    }
    for path in template.resources("aws_autoscaling_group"):
        name = f"${{{template.reference_to('aws_autoscaling_group', path)}.name}}"
        assert name in slept, f"{path} does not sleep"
        assert name in watched, f"{path} has no alarm"


def test_agents_stay_as_they_are_beside_pools(template: Template, dev_with: Synthesise) -> None:
    alone = dev_with(cluster={"release_set": "current"})
    for type_ in ("aws_launch_template", "aws_autoscaling_group", "aws_autoscaling_lifecycle_hook"):
        assert {path: each for path, each in template.resources(type_).items() if path.startswith("agents")} == (
            alone.resources(type_)
        ), type_


def test_spot_agents_say_so_where_there_are_pools(dev_with: Synthesise) -> None:
    """Where the database must keep away from Spot, it has to know which nodes are."""
    spot, pools = {"agents": {"spot": True}}, {"pools": {"reports": POOLS["reports"]}}
    beside, alone = dev_with(**spot, **pools), dev_with(**spot)
    for template, labels in ((beside, ["vet/purchase=spot"]), (alone, [])):
        (content,) = [text for name, text in template.document["locals"].items() if name.startswith("agents_user_data")]
        assert listed(content, "node-label") == labels


def test_fleets_are_the_pools_numbers() -> None:
    environment = load().environment("prod")
    pool = Pool(instance_types=["t3.large"], min_count=5, max_count=9, spot=True, on_demand_base=2)
    groups = fleets(environment, pool)
    assert sum(sum(fleet.minimum.values()) for fleet in groups) == pool.min_count
    assert sum(sum(fleet.maximum.values()) for fleet in groups) == pool.max_count
    assert [(fleet.spot, fleet.fixed) for fleet in groups] == [(True, False), (False, True)]


@pytest.fixture(scope="module")
def helm(tmp_path_factory: pytest.TempPathFactory) -> Template:
    """The Helm stack of dev with the pools and the autoscaler."""
    sections = {**WITH_POOLS, "agents": {"autoscaler": True}}
    return synthesise_dev(tmp_path_factory.mktemp("pools_helm"), sections, "vet-dev-helm")


def release(helm: Template, name: str) -> Block:
    """Values of a Helm release."""
    content: Block = json.loads(helm.one("helm_release", name=name)["values"][0])
    return content


def expressions(affinity: Block) -> list[list[Block]]:
    """Each way to fulfil a node affinity, in either spelling."""
    (required,) = affinity.values()
    terms = required.get("nodeSelectorTerms") or required["node_selector_term"]
    return [term.get("matchExpressions") or term["match_expressions"] for term in terms]


def test_database_and_application_are_never_on_spot(helm: Template) -> None:
    off_spot = {"key": "vet/purchase", "operator": "NotIn", "values": ["spot"]}
    ways = expressions(release(helm, "database")["nodeAffinity"])
    assert all(off_spot in way for way in ways), f"a way leads to a Spot node: {ways}"
    assert any(each["key"].endswith("control-plane") for way in ways for each in way), "what dev says is kept"
    pods = [helm.one("kubernetes_deployment_v1")["spec"]["template"]["spec"]]
    for job in helm.resources("kubernetes_job_v1").values():
        pods.append(job["spec"]["template"]["spec"])
    for cron in helm.resources("kubernetes_cron_job_v1").values():
        pods.append(cron["spec"]["job_template"]["spec"]["template"]["spec"])
    assert len(pods) > 1
    for pod in pods:
        ways = expressions(pod["affinity"]["node_affinity"])
        assert all(off_spot in way for way in ways), f"a way leads to a Spot node: {ways}"


def test_the_autoscaler_tries_the_pool_with_the_highest_number_first(tmp_path: Path) -> None:
    pools = {"batch": {**POOLS["batch"], "priority": 50}, "reports": POOLS["reports"]}
    helm = synthesise_dev(tmp_path, {"agents": {"autoscaler": True}, "pools": pools}, "vet-dev-helm")
    values = release(helm, "cluster-autoscaler")
    assert values["extraArgs"]["expander"].split(",")[0] == "priority"
    infrastructure = Template.read(tmp_path / "cdktf.out/stacks/vet-dev/cdk.tf.json")
    priorities: dict[str, int] = {}
    for path, group in infrastructure.resources("aws_autoscaling_group").items():
        matching = [
            int(priority)
            for priority, patterns in values["expanderPriorities"].items()
            for pattern in patterns
            if re.search(pattern, group["name"])
        ]
        scaled = "k8s.io/cluster-autoscaler/enabled" in tags(group)
        assert len(matching) == scaled, f"{group['name']} has the priorities {matching}"
        if scaled:
            priorities[path] = matching[0]
    assert {path for path, priority in priorities.items() if priority == 50} == {
        "pools/batch/spot/group_a",
        "pools/batch/spot/group_b",
    }
    assert {priority for path, priority in priorities.items() if "batch" not in path} == {10}


def test_what_ec2_says_reaches_an_encrypted_queue_that_rules_alone_fill(template: Template) -> None:
    queue = template.reference_to("aws_sqs_queue", "interruptions")
    assert template.one("aws_sqs_queue")["sqs_managed_sse_enabled"] is True
    document = json.loads(template.one("aws_sqs_queue_policy")["policy"])
    events, tls = document["Statement"]
    assert events["Principal"] == {"Service": "events.amazonaws.com"}
    assert events["Condition"]["ArnLike"]["aws:SourceArn"].endswith(":rule/vet-dev-*"), "a foreign rule could fill it"
    assert (tls["Effect"], tls["Condition"]) == ("Deny", {"Bool": {"aws:SecureTransport": "false"}})
    kinds = set()
    rules = template.resources("aws_cloudwatch_event_rule")
    for path, rule in rules.items():
        assert template.one("aws_cloudwatch_event_target", f"{path}/target")["arn"] == f"${{{queue}.arn}}"
        kinds |= set(json.loads(rule["event_pattern"])["detail-type"])
    assert kinds == {
        "EC2 Spot Instance Interruption Warning",
        "EC2 Instance State-change Notification",
        "AWS Health Event",
    }, "a rebalance is the group's to answer, and a lifecycle action the servers'"


def test_a_lifecycle_hook_is_answered_by_one_alone(template: Template) -> None:
    answering = [
        path
        for path, each in template.resources("aws_iam_role_policy").items()
        if "CompleteLifecycleAction" in each["policy"]
    ]
    assert answering == ["server_role/policy"]


def test_the_handler_may_empty_the_machines_that_have_its_tag(template: Template, helm: Template) -> None:
    tag = release(helm, "interruption-handler")["managedTag"]
    for path, group in template.resources("aws_autoscaling_group").items():
        assert (tag in tags(group)) == path.startswith("pools/"), path
    for path, server in template.resources("aws_instance").items():
        assert tag not in server["tags"], f"{path} would be drained weeks before its maintenance"
    (allowed,) = [
        json.loads(each["policy"])["Statement"]
        for path, each in template.resources("aws_iam_role_policy").items()
        if path.startswith("web_identity/interruption_handler")
    ]
    queue = template.reference_to("aws_sqs_queue", "interruptions")
    assert {each["Sid"]: each["Resource"] for each in allowed} == {"Events": [f"${{{queue}.arn}}"], "Look": ["*"]}


def test_the_handler_is_there_only_with_spot_in_pools(tmp_path: Path, helm: Template) -> None:
    assert helm.count("helm_release", name="interruption-handler") == 1
    for sections in ({"agents": {"spot": True}}, {"pools": {"reports": POOLS["reports"]}}):
        template = synthesise_dev(tmp_path, sections)
        assert not template.count("aws_sqs_queue")
        assert not Template.read(tmp_path / "cdktf.out/stacks/vet-dev-helm/cdk.tf.json").count(
            "helm_release", name="interruption-handler"
        )


def test_the_handler_is_never_on_a_node_that_goes(helm: Template) -> None:
    (way,) = expressions(release(helm, "interruption-handler")["affinity"]["nodeAffinity"])
    assert {"key": "vet/purchase", "operator": "NotIn", "values": ["spot"]} in way
