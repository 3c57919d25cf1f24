"""The emulator refuses what AWS refuses, in the words of the protocol that an SDK speaks."""

import base64
from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from operations.devtools.emulator import Emulator

KEY = b"ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIHnuLIqriBtSzn1ayt2WvEXUextsV/h1tggansAHo0Mg ops"


@pytest.fixture(scope="module")
def aws(tmp_path_factory: pytest.TempPathFactory) -> Iterator[boto3.Session]:
    """A session whose clients speak to an empty account."""
    with Emulator(tmp_path_factory.mktemp("emulator") / "log") as emulator:
        variables = emulator.variables

        class Session(boto3.Session):
            def client(self, name: str, **more: Any) -> Any:
                return super().client(name, endpoint_url=variables["AWS_ENDPOINT_URL"], **more)

        yield Session("test", "test", region_name="us-east-1")


REFUSED = {
    "an apostrophe in a group's description": (
        ("ec2", "create_security_group"),
        {"GroupName": "clinic", "Description": "Operators' way in"},
        "InvalidParameterValue",
    ),
    "a group that looks like an id": (
        ("ec2", "create_security_group"),
        {"GroupName": "sg-clinic", "Description": "clinic"},
        "InvalidParameterValue",
    ),
    "an elliptic key": (
        ("ec2", "import_key_pair"),
        {"KeyName": "clinic", "PublicKeyMaterial": b"ecdsa-sha2-nistp256 AAAA ops"},
        "InvalidParameterValue",
    ),
    "a VPC that is too large": (("ec2", "create_vpc"), {"CidrBlock": "10.0.0.0/8"}, "InvalidVpc.Range"),
    "a VPC of this host's own addresses": (("ec2", "create_vpc"), {"CidrBlock": "127.0.0.0/16"}, "InvalidVpc.Range"),
    "a VPC over the metadata service": (("ec2", "create_vpc"), {"CidrBlock": "169.254.0.0/16"}, "InvalidVpc.Range"),
    "a load balancer that looks internal": (
        ("elbv2", "create_load_balancer"),
        {"Name": "internal-clinic", "Subnets": ["subnet-12345678"]},
        "ValidationError",
    ),
    "a role described by an emoji": (
        ("iam", "create_role"),
        {"RoleName": "clinic", "AssumeRolePolicyDocument": "{}", "Description": "nodes \U0001f600"},
        "ValidationError",
    ),
    "a role's name with a blank": (
        ("iam", "create_role"),
        {"RoleName": "clinic nodes", "AssumeRolePolicyDocument": "{}"},
        "ValidationError",
    ),
    "a profile's name that is too long": (
        ("iam", "create_instance_profile"),
        {"InstanceProfileName": "a" * 129},
        "ValidationError",
    ),
    "a policy's name with a slash": (
        ("iam", "create_policy"),
        {"PolicyName": "clinic/nodes", "PolicyDocument": "{}"},
        "ValidationError",
    ),
    "user data of more than 16 KB": (
        ("ec2", "run_instances"),
        {"ImageId": "ami-12c6146b", "MinCount": 1, "MaxCount": 1, "UserData": "x" * 16385},
        "InvalidParameterValue",
    ),
    "a launch template's user data of more than 16 KB": (
        ("ec2", "create_launch_template"),
        {
            "LaunchTemplateName": "clinic",
            "LaunchTemplateData": {"UserData": base64.b64encode(b"\xff" * 16385).decode()},
        },
        "InvalidUserData.Malformed",
    ),
    "a bucket of an access point": (("s3", "create_bucket"), {"Bucket": "clinic-s3alias"}, "InvalidBucketName"),
    "a reserved parameter": (
        ("ssm", "put_parameter"),
        {"Name": "/aws-clinic/ca", "Value": "pending", "Type": "String"},
        "InvalidParameterException",
    ),
    "a secret that ends like an ARN": (
        ("secretsmanager", "create_secret"),
        {"Name": "clinic-abc123"},
        "InvalidParameterException",
    ),
    "a repository with two dashes": (
        ("ecr", "create_repository"),
        {"repositoryName": "a--b"},
        "InvalidParameterException",
    ),
}


@pytest.mark.parametrize(("call", "parameters", "code"), REFUSED.values(), ids=REFUSED.keys())
def test_what_aws_refuses_is_refused(
    call: tuple[str, str], parameters: dict[str, Any], code: str, aws: boto3.Session
) -> None:
    client, operation = call
    with pytest.raises(ClientError) as refused:
        getattr(aws.client(client), operation)(**parameters)
    assert refused.value.response["Error"]["Code"] == code, refused.value


def test_a_rule_with_an_apostrophe_is_refused(aws: boto3.Session) -> None:
    ec2 = aws.client("ec2")
    group = ec2.create_security_group(GroupName="rules", Description="for its rules")["GroupId"]
    network = {"CidrIp": "203.0.113.0/24", "Description": "the clinic's office"}
    rule = {"IpProtocol": "tcp", "FromPort": 22, "ToPort": 22, "IpRanges": [network]}
    with pytest.raises(ClientError, match="Description"):
        ec2.authorize_security_group_ingress(GroupId=group, IpPermissions=[rule])


def test_what_aws_takes_is_taken(aws: boto3.Session) -> None:
    ec2 = aws.client("ec2")
    assert ec2.create_security_group(GroupName="clinic", Description="Way in: jump host (SSH)")["GroupId"]
    assert ec2.import_key_pair(KeyName="clinic", PublicKeyMaterial=KEY)["KeyPairId"]
    aws.client("s3").create_bucket(Bucket="clinic-files")
    aws.client("s3").put_object(Bucket="clinic-files", Key="it's a key", Body=b"bytes")
    room = base64.b64encode(b"\xff" * 16384).decode()
    ec2.create_launch_template(LaunchTemplateName="full", LaunchTemplateData={"UserData": room})
    assert aws.client("ssm").put_parameter(Name="/clinic/ca", Value="pending", Type="String")["Version"] == 1


def test_a_name_in_use_is_refused(aws: boto3.Session) -> None:
    ec2 = aws.client("ec2")
    ec2.create_security_group(GroupName="twice", Description="first")
    with pytest.raises(ClientError, match="Duplicate"):
        ec2.create_security_group(GroupName="twice", Description="second")


def test_a_target_group_in_use_stays(aws: boto3.Session) -> None:
    ec2, elb = aws.client("ec2"), aws.client("elbv2")
    subnets = [each["SubnetId"] for each in ec2.describe_subnets()["Subnets"][:2]]
    balancer = elb.create_load_balancer(Name="clinic", Subnets=subnets)["LoadBalancers"][0]["LoadBalancerArn"]
    vpc = ec2.describe_vpcs()["Vpcs"][0]["VpcId"]
    group = elb.create_target_group(Name="clinic", Protocol="HTTPS", Port=443, VpcId=vpc)["TargetGroups"][0]
    forward = {"Type": "forward", "TargetGroupArn": group["TargetGroupArn"]}
    elb.create_listener(LoadBalancerArn=balancer, Protocol="HTTP", Port=80, DefaultActions=[forward])
    with pytest.raises(ClientError, match="in use"):
        elb.delete_target_group(TargetGroupArn=group["TargetGroupArn"])


def test_a_record_that_exists_is_not_created_again(aws: boto3.Session) -> None:
    route53 = aws.client("route53")
    zone = route53.create_hosted_zone(Name="clinic.example.com", CallerReference="1")["HostedZone"]["Id"]
    record = {"Name": "a.clinic.example.com", "Type": "A", "TTL": 60, "ResourceRecords": [{"Value": "192.0.2.1"}]}
    batch = {"Changes": [{"Action": "CREATE", "ResourceRecordSet": record}]}
    route53.change_resource_record_sets(HostedZoneId=zone, ChangeBatch=batch)
    with pytest.raises(ClientError, match="already exists"):
        route53.change_resource_record_sets(HostedZoneId=zone, ChangeBatch=batch)
