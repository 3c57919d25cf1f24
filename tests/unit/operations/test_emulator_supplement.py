"""What AWS does and moto does not: each piece that the emulator adds, by a request."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError

from operations.devtools.emulator import Emulator
from operations.devtools.emulator.local_cluster import client

IMAGE = "ami-0a1b2c3d4e5f60718"
Clients = Callable[[str], Any]


@pytest.fixture(scope="module")
def aws(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Clients]:
    """Clients of an account in which nothing is."""
    with Emulator(tmp_path_factory.mktemp("emulator") / "log") as started:
        yield lambda service: client(started, service, "us-east-1")


def test_a_nat_gateway_is_found_by_its_tag_alone(aws: Clients) -> None:
    """moto forgets this filter, and answers with everybody's."""
    ec2 = aws("ec2")
    vpc = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    for name, place in (("mine", 1), ("others", 2)):
        subnet = ec2.create_subnet(VpcId=vpc, CidrBlock=f"10.0.{place}.0/24")["Subnet"]["SubnetId"]
        tags = [{"ResourceType": "natgateway", "Tags": [{"Key": "Environment", "Value": name}]}]
        ec2.create_nat_gateway(SubnetId=subnet, ConnectivityType="private", TagSpecifications=tags)
    gateways = ec2.describe_nat_gateways(Filters=[{"Name": "tag:Environment", "Values": ["mine"]}])["NatGateways"]
    assert [each["Tags"][0]["Value"] for each in gateways] == ["mine"]


def test_a_root_disk_has_the_images_size_and_another_disk_needs_one(aws: Clients) -> None:
    ec2 = aws("ec2")

    def launch(device: str) -> Any:
        disk = {"DeviceName": device, "Ebs": {"VolumeType": "gp3", "Encrypted": True}}
        return ec2.run_instances(ImageId=IMAGE, MinCount=1, MaxCount=1, BlockDeviceMappings=[disk])

    launched = launch("/dev/sda1")["Instances"][0]["InstanceId"]
    attached = [{"Name": "attachment.instance-id", "Values": [launched]}]
    assert [each["Size"] > 0 for each in ec2.describe_volumes(Filters=attached)["Volumes"]] == [True]
    with pytest.raises(ClientError, match="size or snapshotId"):
        launch("/dev/sdb")


def test_tags_of_an_association_come_and_go(aws: Clients) -> None:
    ssm = aws("ssm")
    association = ssm.create_association(Name="ready", Tags=[{"Key": "Team", "Value": "platform"}])[
        "AssociationDescription"
    ]
    named = {"ResourceType": "Association", "ResourceId": association["AssociationId"]}
    ssm.add_tags_to_resource(**named, Tags=[{"Key": "Owner", "Value": "clinic"}])
    ssm.remove_tags_from_resource(**named, TagKeys=["Team"])
    assert ssm.list_tags_for_resource(**named)["TagList"] == [{"Key": "Owner", "Value": "clinic"}]


def test_an_alarm_of_a_deleted_ones_name_has_its_own_tags_alone(aws: Clients) -> None:
    cloudwatch = aws("cloudwatch")
    alarm: dict[str, Any] = {
        "AlarmName": "disk", "EvaluationPeriods": 1, "ComparisonOperator": "GreaterThanThreshold", "Threshold": 80.0,
        "MetricName": "used", "Namespace": "clinic", "Period": 60, "Statistic": "Maximum",
    }  # fmt: skip
    cloudwatch.put_metric_alarm(**alarm, Tags=[{"Key": "Team", "Value": "platform"}])
    cloudwatch.delete_alarms(AlarmNames=["disk"])
    cloudwatch.put_metric_alarm(**alarm)
    (arn,) = [each["AlarmArn"] for each in cloudwatch.describe_alarms(AlarmNames=["disk"])["MetricAlarms"]]
    assert cloudwatch.list_tags_for_resource(ResourceARN=arn)["Tags"] == []


def test_a_launch_templates_tags_are_those_of_now(aws: Clients) -> None:
    ec2 = aws("ec2")
    response = ec2.create_launch_template(LaunchTemplateName="agents", LaunchTemplateData={"InstanceType": "t3.large"})
    name = response["LaunchTemplate"]["LaunchTemplateId"]
    ec2.create_tags(Resources=[name], Tags=[{"Key": "Team", "Value": "platform"}])
    (described,) = ec2.describe_launch_templates(LaunchTemplateIds=[name])["LaunchTemplates"]
    assert described["Tags"] == [{"Key": "Team", "Value": "platform"}], described
