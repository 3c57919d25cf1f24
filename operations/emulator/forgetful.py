"""What the emulator forgets of what it is told, each with a proof that needs neither Terraform nor this project.

A plan after an apply may show these changes and no other.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import boto3

Clients = Callable[[str], Any]


@dataclass(frozen=True)
class Forgotten:
    """One thing that is lost.

    :param change: pattern of the changes that a plan shows for it.
    :param proof: tells the emulator directly; true if what it then says lacks it.
    """

    what: str
    change: str
    proof: Callable[[Clients], bool]

    def explains(self, change: str) -> bool:
        """Whether this is the reason of a change in a plan."""
        return re.fullmatch(self.change, change) is not None


def clients(environment: dict[str, str]) -> Clients:
    """Clients of the emulator by service."""
    session = boto3.Session(environment["AWS_ACCESS_KEY_ID"], environment["AWS_SECRET_ACCESS_KEY"])
    return lambda service: session.client(
        service, region_name=environment["AWS_REGION"], endpoint_url=environment["AWS_ENDPOINT_URL"]
    )


def _instance(aws: Clients, **options: Any) -> str:
    ec2 = aws("ec2")
    image = ec2.describe_images(Owners=["099720109477"])["Images"][0]["ImageId"]
    identifier: str = ec2.run_instances(ImageId=image, InstanceType="t3.micro", MinCount=1, MaxCount=1, **options)[
        "Instances"
    ][0]["InstanceId"]
    return identifier


def _loses_credits(aws: Clients) -> bool:
    instance = _instance(aws, CreditSpecification={"CpuCredits": "unlimited"})
    answer = aws("ec2").describe_instance_credit_specifications(InstanceIds=[instance])
    return bool(answer["InstanceCreditSpecifications"][0].get("CpuCredits") != "unlimited")


def _loses_termination_protection(aws: Clients) -> bool:
    instance = _instance(aws, DisableApiTermination=True)
    answer = aws("ec2").describe_instance_attribute(InstanceId=instance, Attribute="disableApiTermination")
    return answer["DisableApiTermination"]["Value"] is False


def _loses_descriptions(aws: Clients) -> bool:
    ec2 = aws("ec2")
    group = ec2.create_security_group(GroupName="proof", Description="proof")["GroupId"]
    pair = {"GroupId": group, "Description": "kept?"}
    rule = {"IpProtocol": "tcp", "FromPort": 1, "ToPort": 1, "UserIdGroupPairs": [pair]}
    ec2.authorize_security_group_ingress(GroupId=group, IpPermissions=[rule])
    rules = ec2.describe_security_group_rules(Filters=[{"Name": "group-id", "Values": [group]}])["SecurityGroupRules"]
    return all("kept?" not in rule.get("Description", "") for rule in rules)


def _adds_own_tags(aws: Clients) -> bool:
    ec2 = aws("ec2")
    template = ec2.create_launch_template(
        LaunchTemplateName="proof",
        LaunchTemplateData={"InstanceType": "t3.micro"},
        TagSpecifications=[{"ResourceType": "launch-template", "Tags": [{"Key": "a", "Value": "b"}]}],
    )["LaunchTemplate"]["LaunchTemplateId"]
    versions = ec2.describe_launch_template_versions(LaunchTemplateId=template, Versions=["$Latest"])
    data = versions["LaunchTemplateVersions"][0]["LaunchTemplateData"]
    return any(each["ResourceType"] == "launch-template" for each in data.get("TagSpecifications", []))


FORGOTTEN = (
    Forgotten(
        "CPU credits of an instance",
        r"aws_instance\.credit_specification\[0\]\.cpu_credits: 'standard' -> 'unlimited'",
        _loses_credits,
    ),
    Forgotten(
        "termination protection asked for when an instance is started",
        r"aws_instance\.disable_api_termination: False -> True",
        _loses_termination_protection,
    ),
    Forgotten(
        "descriptions of security group rules that name another group",
        r"aws_vpc_security_group_(in|e)gress_rule\.description: None -> '.+'",
        _loses_descriptions,
    ),
    Forgotten(
        "that tags of a launch template are not tags of what it launches",
        r"aws_launch_template\.tag_specifications\[\d\]\..+",
        _adds_own_tags,
    ),
)
