"""What saves and guards: nothing unless a setting says so, and then exactly that."""

import json
import re
from collections.abc import Mapping
from pathlib import Path

import pytest

import main
from settings import load
from tests.changes import one_environment
from tests.template import Template
from tests.unit.stacks.conftest import Synthesise, synthesised_with

ALARM = "aws_cloudwatch_metric_alarm"

OFF = (
    "aws_scheduler_schedule",
    "aws_autoscaling_schedule",
    "aws_budgets_budget",
    "aws_dlm_lifecycle_policy",
    "aws_cloudwatch_metric_alarm",
    "aws_sns_topic",
    "aws_s3_bucket_replication_configuration",
)
"""Types that a plain environment has none of."""


def test_optional_resources_are_off_by_default(dev: Template) -> None:
    assert {type_: dev.count(type_) for type_ in OFF} == dict.fromkeys(OFF, 0)


def test_production_is_watched_and_has_a_way_back(prod: Template) -> None:
    for type_ in ("aws_budgets_budget", "aws_dlm_lifecycle_policy", "aws_cloudwatch_metric_alarm", "aws_sns_topic"):
        assert prod.count(type_), f"prod has no {type_}"


def test_volumes_of_pods_are_in_the_snapshots_where_there_are_any(templates: Mapping[str, Template]) -> None:
    policy = templates["vet-prod"].one("aws_dlm_lifecycle_policy")["policy_details"]["target_tags"]
    for stack, wanted in (("vet-prod-helm", policy), ("vet-dev-helm", {})):
        driver = json.loads(templates[stack].one("helm_release", "storage/driver")["values"][0])
        tags = driver["controller"]["extraVolumeTags"]
        assert {key: value for key, value in tags.items() if key == "Snapshot"} == wanted, stack


def test_servers_stop_after_the_agents_and_start_with_them(dev_with: Synthesise) -> None:
    schedule = {"enabled": True, "start": "06:30", "stop": "19:50", "time_zone": "Europe/Paris"}
    template = dev_with(schedule=schedule)
    server = template.reference_to("aws_instance", "servers/slot_0")
    calls = {}
    for path, block in template.resources("aws_scheduler_schedule").items():
        assert json.loads(block["target"]["input"]) == {"InstanceIds": [f"${{{server}.id}}"]}
        assert block["schedule_expression_timezone"] == "Europe/Paris"
        calls[path] = (block["schedule_expression"], block["target"]["arn"].rsplit(":", 1)[1])
    assert calls == {
        "schedule/start_servers": ("cron(30 6 ? * MON-FRI *)", "startInstances"),
        "schedule/stop_servers": ("cron(10 20 ? * MON-FRI *)", "stopInstances"),
    }
    agents = {
        path: (block["recurrence"], block["min_size"], block["max_size"], block["desired_capacity"])
        for path, block in template.resources("aws_autoscaling_schedule").items()
    }
    assert agents == {
        "schedule/stop_agents_a": ("50 19 * * 1-5", 0, 0, 0),
        "schedule/stop_agents_b": ("50 19 * * 1-5", 0, 0, 0),
        "schedule/start_agents_a": ("30 6 * * 1-5", 1, 2, 1),
        "schedule/start_agents_b": ("30 6 * * 1-5", 1, 2, 1),
    }


def test_a_plan_at_night_shows_no_change(dev_with: Synthesise) -> None:
    for group in dev_with(schedule={"enabled": True}).resources("aws_autoscaling_group").values():
        assert set(group["lifecycle"]["ignore_changes"]) == {"desired_capacity", "min_size", "max_size"}


def test_the_schedule_may_touch_this_environment_s_servers_only(dev_with: Synthesise) -> None:
    template = dev_with(schedule={"enabled": True})
    (statement,) = json.loads(template.one("aws_iam_role_policy", "schedule/policy")["policy"])["Statement"]
    assert set(statement["Action"]) == {"ec2:StartInstances", "ec2:StopInstances"}
    assert statement["Condition"]["StringEquals"] == {
        "aws:ResourceTag/vet:cluster": "vet-dev",
        "aws:ResourceTag/vet:role": "server",
    }


def test_every_day_is_every_day(dev_with: Synthesise) -> None:
    template = dev_with(schedule={"enabled": True, "days": "MON-SUN"})
    expressions = {block["schedule_expression"] for block in template.resources("aws_scheduler_schedule").values()}
    assert expressions == {"cron(0 7 ? * * *)", "cron(20 19 ? * * *)"}
    assert {block["recurrence"][-5:] for block in template.resources("aws_autoscaling_schedule").values()} == {"* * *"}


def test_a_budget_writes_at_each_percent_and_at_the_forecast(dev_with: Synthesise) -> None:
    budget = dev_with(budget={"enabled": True, "monthly_usd": 250, "alert_percent": [50, 90]}).one("aws_budgets_budget")
    assert (float(budget["limit_amount"]), budget["limit_unit"], budget["time_unit"]) == (250, "USD", "MONTHLY")
    assert budget["cost_filter"] == [{"name": "TagKeyValue", "values": ["user:Environment$dev"]}]
    alerts = [(each["notification_type"], each["threshold"]) for each in budget["notification"]]
    assert alerts == [("ACTUAL", 50), ("ACTUAL", 90), ("FORECASTED", 100)]
    assert {address for each in budget["notification"] for address in each["subscriber_email_addresses"]} == {
        "platform@example.com"
    }


def test_snapshots_of_the_data_volumes_are_taken_and_deleted_by_age(dev_with: Synthesise) -> None:
    template = dev_with(backups={"volume_snapshots": {"enabled": True, "every_hours": 12, "retention": 5}})
    details = template.one("aws_dlm_lifecycle_policy")["policy_details"]
    (schedule,) = details["schedule"]
    assert (schedule["create_rule"]["interval"], schedule["retain_rule"]["count"]) == (12, 5)
    (volume,) = template.resources("aws_ebs_volume").values()
    assert details["target_tags"].items() <= volume["tags"].items(), "the policy finds no volume"


def test_alarms_watch_targets_machines_disks_snapshots_and_certificates(dev_with: Synthesise) -> None:
    template = dev_with(alarms={"enabled": True, "emails": ["oncall@example.com"], "disk_percent": 70})
    alarms = {path.removeprefix("alarms/"): block for path, block in template.resources(ALARM).items()}
    assert set(alarms) == {
        "ingress_targets",
        "api_targets",
        "server_0_status",
        "agents_a_status",
        "agents_b_status",
        "disk",
        "snapshot_age",
        "cluster_certificates",
        "public_certificate",
    }
    topic = f"${{{template.reference_to('aws_sns_topic', 'alarms/topic')}.arn}}"
    assert {tuple(block["alarm_actions"]) for block in alarms.values()} == {(topic,)}
    disk = alarms["disk"]
    assert (disk["threshold"], disk["statistic"], disk["dimensions"]) == (70, "Maximum", {"Cluster": "vet-dev"})
    assert disk["treat_missing_data"] == "breaching", "nodes that send nothing are a fault"
    assert (alarms["cluster_certificates"]["statistic"], alarms["cluster_certificates"]["threshold"]) == ("Minimum", 30)
    addresses = {block["endpoint"] for block in template.resources("aws_sns_topic_subscription").values()}
    assert addresses == {"platform@example.com", "oncall@example.com"}


def test_nodes_measure_what_the_alarms_watch(dev_with: Synthesise) -> None:
    template = dev_with(alarms={"enabled": True})
    watched = {
        block["metric_name"] for block in template.resources(ALARM).values() if block["namespace"] == "vet-dev/nodes"
    }
    program = (Path(main.__file__).parent / "nodes/bin/publish-metrics").read_text()
    assert watched == set(re.findall(r"^ *send (\w+)", program, re.MULTILINE))
    assert "METRICS_NAMESPACE='vet-dev/nodes'" in template.one("aws_instance")["user_data"]
    for role in ("server_role", "agent_role"):
        statements = json.loads(template.one("aws_iam_role_policy", f"{role}/policy")["policy"])["Statement"]
        (allowed,) = [each for each in statements if each["Sid"] == "Metrics"]
        assert allowed["Condition"] == {"StringEquals": {"cloudwatch:namespace": "vet-dev/nodes"}}


def test_missing_data_raises_no_alarm_where_a_schedule_stops_the_nodes(dev_with: Synthesise) -> None:
    template = dev_with(alarms={"enabled": True}, schedule={"enabled": True})
    assert {block["treat_missing_data"] for block in template.resources(ALARM).values()} == {"notBreaching"}


def test_only_cloudwatch_of_this_account_publishes_alarms(dev_with: Synthesise) -> None:
    template = dev_with(alarms={"enabled": True})
    (statement,) = json.loads(template.one("aws_sns_topic_policy")["policy"])["Statement"]
    assert statement["Principal"] == {"Service": "cloudwatch.amazonaws.com"}
    assert statement["Condition"] == {"StringEquals": {"aws:SourceAccount": "123456789012"}}
    assert template.one("aws_sns_topic")["kms_master_key_id"], "the topic is not encrypted"


def test_backups_are_copied_to_the_second_region_under_its_own_key(dev_with: Synthesise) -> None:
    template = dev_with(backups={"replica_region": "us-west-2"})
    assert {each["alias"]: each["region"] for each in template.document["provider"]["aws"] if "alias" in each} == {
        "elsewhere": "us-west-2"
    }
    copies = {path: block for path, block in template.resources("aws_s3_bucket").items() if "replicas" in path}
    assert {block["bucket"] for block in copies.values()} == {
        f"vet-dev-{purpose}-2-123456789012-us-west-2" for purpose in ("snapshots", "database")
    }
    for type_, path, block in template.every_resource():
        there = path.startswith("replicas/elsewhere/")
        assert (block.get("provider") == "aws.elsewhere") == there, f"{type_} {path} is in the wrong region"
    key = template.reference_to("aws_kms_key", "replicas/elsewhere/key")
    for purpose in ("snapshots", "database"):
        replication = template.one("aws_s3_bucket_replication_configuration", f"replicas/{purpose}")
        source = template.reference_to("aws_s3_bucket", f"buckets/{purpose}")
        assert replication["bucket"] == f"${{{source}.id}}"
        (rule,) = replication["rule"]
        assert rule["destination"]["encryption_configuration"]["replica_kms_key_id"] == f"${{{key}.arn}}"
        assert rule["source_selection_criteria"]["sse_kms_encrypted_objects"]["status"] == "Enabled"
        versioned = {
            f"aws_s3_bucket_versioning.{name}" for name in template.document["resource"]["aws_s3_bucket_versioning"]
        }
        assert len(versioned & set(replication["depends_on"])) == 2, "replication is refused before versioning is on"
    assert not template.references() - template.declared()


@pytest.mark.parametrize("stack", ["vet-dev", "vet-state"])
def test_copies_that_are_to_go_leave_the_provider_that_deletes_them(stack: str, tmp_path: Path) -> None:
    """Terraform makes no plan for a resource in its state whose provider is gone."""
    going = {"replica_region": "us-west-2", "delete_copies": True}
    main.build_app(load(one_environment(tmp_path, {"backups": going}, going)), outdir=str(tmp_path / "out")).synth()
    template = Template.read(tmp_path / f"out/stacks/{stack}/cdk.tf.json")
    left = [path for _, path, _ in template.every_resource() if path.startswith("replicas/")]
    assert not left, f"still there: {left}"
    assert [each["region"] for each in template.document["provider"]["aws"] if "alias" in each] == ["us-west-2"]


def test_state_is_copied_to_the_second_region(tmp_path: Path) -> None:
    stacks = synthesised_with("replica_region: us-west-2", tmp_path)
    template = Template.read(stacks / "vet-state/cdk.tf.json")
    copy = template.one("aws_s3_bucket", "replicas/elsewhere/state")
    assert (copy["bucket"], copy["provider"]) == ("vet-terraform-state-example-replica", "aws.elsewhere")
    assert copy["lifecycle"]["prevent_destroy"] is True
    assert template.count("aws_s3_bucket_replication_configuration") == 1
