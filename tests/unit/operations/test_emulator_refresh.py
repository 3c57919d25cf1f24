"""The emulator knows from which version of the launch template an agent was started, and an instance refresh brings the newest."""

import base64
from collections.abc import Iterator
from typing import Any

import pytest

from operations.devtools.emulator import Emulator
from operations.devtools.emulator.local_cluster import client

GROUP = "agents"


@pytest.fixture(scope="module")
def emulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Emulator]:
    with Emulator(tmp_path_factory.mktemp("emulator") / "log") as started:
        yield started


def _instances(scaling: Any) -> dict[str, str]:
    """Version by instance."""
    (group,) = scaling.describe_auto_scaling_groups(AutoScalingGroupNames=[GROUP])["AutoScalingGroups"]
    return {each["InstanceId"]: each["LaunchTemplate"]["Version"] for each in group["Instances"]}


def test_a_refresh_replaces_what_is_outdated_and_leaves_the_rest(emulator: Emulator) -> None:
    ec2, scaling = client(emulator, "ec2", "us-east-1"), client(emulator, "autoscaling", "us-east-1")
    image = ec2.describe_images()["Images"][0]["ImageId"]
    data = {"ImageId": image, "InstanceType": "t3.medium", "UserData": base64.b64encode(b"first").decode()}
    template = ec2.create_launch_template(LaunchTemplateName="agent", LaunchTemplateData=data)
    identifier = template["LaunchTemplate"]["LaunchTemplateId"]
    scaling.create_auto_scaling_group(
        AutoScalingGroupName=GROUP,
        MinSize=2,
        MaxSize=4,
        AvailabilityZones=["us-east-1a"],
        LaunchTemplate={"LaunchTemplateId": identifier, "Version": "$Latest"},
    )
    first = _instances(scaling)
    assert sorted(first.values()) == ["1", "1"]
    larger = {**data, "InstanceType": "t3.large", "UserData": base64.b64encode(b"second").decode()}
    ec2.create_launch_template_version(LaunchTemplateId=identifier, LaunchTemplateData=larger)
    ec2.modify_launch_template(LaunchTemplateId=identifier, DefaultVersion="2")
    scaling.set_desired_capacity(AutoScalingGroupName=GROUP, DesiredCapacity=3)
    (added,) = _instances(scaling).keys() - first.keys()
    assert _instances(scaling) == first | {added: "2"}
    response = ec2.describe_instance_attribute(InstanceId=added, Attribute="userData")["UserData"]["Value"]
    assert base64.b64decode(response) == b"second"
    refresh = scaling.start_instance_refresh(AutoScalingGroupName=GROUP)["InstanceRefreshId"]
    response = scaling.describe_instance_refreshes(AutoScalingGroupName=GROUP, InstanceRefreshIds=[refresh])
    assert [each["Status"] for each in response["InstanceRefreshes"]] == ["Successful"]
    after = _instances(scaling)
    assert sorted(after.values()) == ["2", "2", "2"]
    assert after.keys() & {*first, added} == {added}, (
        "what was newest already was replaced, or what was outdated stayed"
    )


def test_a_group_keeps_its_policy_over_an_update_of_its_size(emulator: Emulator) -> None:
    ec2, scaling = client(emulator, "ec2", "us-east-1"), client(emulator, "autoscaling", "us-east-1")
    data = {"ImageId": ec2.describe_images()["Images"][0]["ImageId"], "InstanceType": "t3.medium"}
    created = ec2.create_launch_template(LaunchTemplateName="mixed", LaunchTemplateData=data)["LaunchTemplate"]
    specification = {"LaunchTemplateId": created["LaunchTemplateId"], "Version": "$Latest"}
    policy = {
        "LaunchTemplate": {"LaunchTemplateSpecification": specification, "Overrides": [{"InstanceType": "t3.medium"}]}
    }
    name = "mixed"
    scaling.create_auto_scaling_group(
        AutoScalingGroupName=name, MinSize=0, MaxSize=2, AvailabilityZones=["us-east-1a"], MixedInstancesPolicy=policy
    )
    scaling.update_auto_scaling_group(AutoScalingGroupName=name, MinSize=1, MaxSize=2)
    (group,) = scaling.describe_auto_scaling_groups(AutoScalingGroupNames=[name])["AutoScalingGroups"]
    template = group["MixedInstancesPolicy"]["LaunchTemplate"]
    assert template["LaunchTemplateSpecification"]["LaunchTemplateId"] == created["LaunchTemplateId"]
    assert (len(group["Instances"]), template["Overrides"]) == (1, [{"InstanceType": "t3.medium"}])
