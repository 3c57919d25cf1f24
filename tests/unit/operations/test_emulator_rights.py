"""The emulator refuses a role what its policies do not allow, as AWS words it, and what it does not know."""

import json
from collections.abc import Callable, Iterator
from typing import Any

import boto3
import pytest
from botocore import UNSIGNED
from botocore.config import Config
from botocore.exceptions import ClientError

from operations.devtools.emulator import ACCOUNT_ID, Emulator
from operations.devtools.emulator.account import web_identity

ISSUER = "token.actions.githubusercontent.com"
Clients = Callable[..., Any]


@pytest.fixture(scope="module")
def emulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Emulator]:
    with Emulator(tmp_path_factory.mktemp("emulator") / "log") as running:
        yield running


@pytest.fixture(scope="module")
def administrator(emulator: Emulator) -> Clients:
    """Clients with the account's own credentials."""
    session = boto3.Session("emulator", "emulator", region_name="us-east-1")
    return lambda service: session.client(service, endpoint_url=emulator.url)


def document(*statements: dict[str, Any]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


def allow(*actions: str, resource: str = "*", **more: Any) -> dict[str, Any]:
    return {"Effect": "Allow", "Action": list(actions), "Resource": resource, **more}


TRUST = document(
    {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT_ID}:root"}}
)


@pytest.fixture
def role(emulator: Emulator, administrator: Clients, request: pytest.FixtureRequest) -> Callable[..., Clients]:
    """Make a role with these statements and be it."""
    name = request.node.name[:60].replace("[", "-").replace("]", "").replace(" ", "-")

    def make(*statements: dict[str, Any], boundary: str = "") -> Clients:
        iam, more = administrator("iam"), {}
        if boundary:
            more = {"PermissionsBoundary": iam.create_policy(PolicyName=name, PolicyDocument=boundary)["Policy"]["Arn"]}
        arn = iam.create_role(RoleName=name, AssumeRolePolicyDocument=TRUST, **more)["Role"]["Arn"]
        iam.put_role_policy(RoleName=name, PolicyName="own", PolicyDocument=document(*statements))
        keys = administrator("sts").assume_role(RoleArn=arn, RoleSessionName="test")["Credentials"]
        session = boto3.Session(
            keys["AccessKeyId"], keys["SecretAccessKey"], keys["SessionToken"], region_name="us-east-1"
        )
        return lambda service, region="us-east-1": session.client(service, region, endpoint_url=emulator.url)

    return make


def refusal(call: Callable[..., Any], **parameters: Any) -> tuple[str, str]:
    with pytest.raises(ClientError) as refused:
        call(**parameters)
    return refused.value.response["Error"]["Code"], refused.value.response["Error"]["Message"]


def test_a_secrets_copy_in_another_region_is_judged_as_the_secret_is(
    emulator: Emulator, administrator: Clients, role: Callable[..., Clients]
) -> None:
    secrets = administrator("secretsmanager")
    replicas = [{"Region": "eu-west-1"}]
    for name in ("dev/copied", "prod/copied"):
        secrets.create_secret(Name=name, SecretString="text", AddReplicaRegions=replicas)
    own = f"arn:aws:secretsmanager:*:{ACCOUNT_ID}:secret:dev/*"
    elsewhere = role(allow("secretsmanager:GetSecretValue", resource=own))("secretsmanager", "eu-west-1")
    assert elsewhere.get_secret_value(SecretId="dev/copied")["SecretString"] == "text"
    code, message = refusal(elsewhere.get_secret_value, SecretId="prod/copied")
    assert code == "AccessDeniedException", message


def test_a_role_does_what_it_may_and_no_more(administrator: Clients, role: Callable[..., Clients]) -> None:
    for name in ("dev-own", "prod-own"):
        administrator("s3").create_bucket(Bucket=name)
        administrator("s3").put_object(Bucket=name, Key="key", Body=b"1")
    s3 = role(allow("s3:GetObject", resource="arn:aws:s3:::dev-*"))("s3")
    assert s3.get_object(Bucket="dev-own", Key="key")["Body"].read() == b"1"
    code, message = refusal(s3.get_object, Bucket="prod-own", Key="key")
    assert code == "AccessDenied"
    assert message == (
        f"User: arn:aws:sts::{ACCOUNT_ID}:assumed-role/test_a_role_does_what_it_may_and_no_more/test is not authorized to perform: "
        "s3:GetObject on resource: arn:aws:s3:::prod-own/key because no identity-based policy allows the s3:GetObject action"
    )
    refusal(s3.put_object, Bucket="dev-own", Key="key", Body=b"2")


@pytest.mark.parametrize(
    ("service", "operation", "parameters", "code"),
    [
        ("ec2", "create_vpc", {"CidrBlock": "10.0.0.0/16"}, "UnauthorizedOperation"),
        ("kms", "create_key", {}, "AccessDeniedException"),
        ("iam", "list_open_id_connect_providers", {}, "AccessDenied"),
        ("sns", "create_topic", {"Name": "x"}, "AuthorizationError"),
        ("scheduler", "get_schedule", {"Name": "x"}, "AccessDeniedException"),
        ("dlm", "get_lifecycle_policy", {"PolicyId": "policy-0123456789abcdef0"}, "AccessDeniedException"),
        ("route53", "list_hosted_zones", {}, "AccessDenied"),
    ],
)
def test_each_protocol_says_it_as_its_services_do(
    role: Callable[..., Clients], service: str, operation: str, parameters: dict[str, Any], code: str
) -> None:
    actual, message = refusal(getattr(role(allow("s3:*"))(service), operation), **parameters)
    assert actual == code
    assert f"is not authorized to perform: {service}:" in message


def test_a_boundary_ends_it(role: Callable[..., Clients]) -> None:
    clients = role(allow("*"), boundary=document(allow("s3:*")))
    assert clients("s3").list_buckets()
    assert (
        "because no permissions boundary allows the ec2:CreateVpc action"
        in refusal(clients("ec2").create_vpc, CidrBlock="10.0.0.0/16")[1]
    )


def test_tags_of_the_thing_and_of_the_call_decide(administrator: Clients, role: Callable[..., Clients]) -> None:
    def arguments(environment: str) -> Any:
        tags = [{"Key": "Environment", "Value": environment}]
        return {"CidrBlock": "10.0.0.0/16", "TagSpecifications": [{"ResourceType": "vpc", "Tags": tags}]}

    theirs = administrator("ec2").create_vpc(**arguments("prod"))["Vpc"]["VpcId"]
    not_dev = {
        "StringNotEquals": {"aws:ResourceTag/Environment": "dev"},
        "Null": {"aws:ResourceTag/Environment": "false"},
    }
    other_name = {
        "StringNotEquals": {"aws:RequestTag/Environment": "dev"},
        "Null": {"aws:RequestTag/Environment": "false"},
    }
    denied = [{"Effect": "Deny", "Action": "*", "Resource": "*", "Condition": each} for each in (not_dev, other_name)]
    ec2 = role(allow("ec2:*"), *denied)("ec2")
    ours = ec2.create_vpc(**arguments("dev"))["Vpc"]["VpcId"]
    assert "with an explicit deny in an identity-based policy" in refusal(ec2.delete_vpc, VpcId=theirs)[1]
    assert "with an explicit deny" in refusal(ec2.create_vpc, **arguments("prod"))[1]
    ec2.delete_vpc(VpcId=ours)


def test_a_command_takes_the_right_to_its_document_and_to_each_machine(
    administrator: Clients, role: Callable[..., Clients]
) -> None:
    """AWS's own documents belong to no account, and a machine is told by its tags."""
    image = administrator("ec2").describe_images()["Images"][0]["ImageId"]
    machines = {}
    for environment in ("dev", "prod"):
        tags = [{"ResourceType": "instance", "Tags": [{"Key": "Environment", "Value": environment}]}]
        (instance,) = administrator("ec2").run_instances(ImageId=image, MinCount=1, MaxCount=1, TagSpecifications=tags)[
            "Instances"
        ]
        machines[environment] = instance["InstanceId"]
    dev = {"StringEquals": {"aws:ResourceTag/Environment": "dev"}}
    ssm = role(
        allow("ssm:SendCommand", resource=f"arn:aws:ec2:us-east-1:{ACCOUNT_ID}:instance/*", Condition=dev),
        allow("ssm:SendCommand", resource="arn:aws:ssm:us-east-1::document/AWS-RunShellScript"),
    )("ssm")
    shell = {"DocumentName": "AWS-RunShellScript", "Parameters": {"commands": ["true"]}}
    assert ssm.send_command(InstanceIds=[machines["dev"]], **shell)["Command"]
    _, message = refusal(ssm.send_command, InstanceIds=list(machines.values()), **shell)
    assert f"instance/{machines['prod']}" in message
    assert (
        "document/AWS-RunRemoteScript"
        in refusal(ssm.send_command, InstanceIds=[machines["dev"]], **{**shell, "DocumentName": "AWS-RunRemoteScript"})[
            1
        ]
    )


def test_who_ends_a_member_of_a_group_needs_the_right_to_the_group(
    administrator: Clients, role: Callable[..., Clients]
) -> None:
    image = administrator("ec2").describe_images()["Images"][0]["ImageId"]
    scaling = administrator("autoscaling")
    scaling.create_launch_configuration(LaunchConfigurationName="one", ImageId=image, InstanceType="t3.micro")
    for name in ("dev-agents", "prod-agents"):
        scaling.create_auto_scaling_group(
            AutoScalingGroupName=name, LaunchConfigurationName="one", MinSize=0, MaxSize=2, DesiredCapacity=1,
            AvailabilityZones=["us-east-1a"],
        )  # fmt: skip
    groups = scaling.describe_auto_scaling_groups(AutoScalingGroupNames=["dev-agents", "prod-agents"])
    members = {each["AutoScalingGroupName"]: each["Instances"][0]["InstanceId"] for each in groups["AutoScalingGroups"]}
    own = f"arn:aws:autoscaling:us-east-1:{ACCOUNT_ID}:autoScalingGroup:*:autoScalingGroupName/dev-*"
    end = role(allow("autoscaling:*", resource=own))("autoscaling").terminate_instance_in_auto_scaling_group
    assert (
        "autoScalingGroupName/prod-agents"
        in refusal(end, InstanceId=members["prod-agents"], ShouldDecrementDesiredCapacity=True)[1]
    )
    assert end(InstanceId=members["dev-agents"], ShouldDecrementDesiredCapacity=True)["Activity"]


def test_versions_and_copies_take_rights_of_their_own(administrator: Clients, role: Callable[..., Clients]) -> None:
    s3 = administrator("s3")
    s3.create_bucket(Bucket="kept")
    s3.put_bucket_versioning(Bucket="kept", VersioningConfiguration={"Status": "Enabled"})
    old = s3.put_object(Bucket="kept", Key="state", Body=b"old")["VersionId"]
    s3.put_object(Bucket="kept", Key="state", Body=b"new")
    own = "arn:aws:s3:::kept/*"
    plain = role(allow("s3:GetObject", "s3:PutObject", "s3:DeleteObject", resource=own))("s3")
    source = {"Bucket": "kept", "Key": "state"}
    plain.copy_object(Bucket="kept", Key="copy", CopySource=source)
    for message in (
        refusal(plain.get_object, **source, VersionId=old)[1],
        refusal(plain.copy_object, **source, CopySource={**source, "VersionId": old})[1],
    ):
        assert "not authorized to perform: s3:GetObjectVersion" in message
    assert "s3:DeleteObjectVersion" in refusal(plain.delete_object, **source, VersionId=old)[1]


def test_giving_a_role_to_a_service_takes_the_right_to_pass_it(role: Callable[..., Clients]) -> None:
    passed = f"arn:aws:iam::{ACCOUNT_ID}:role/other"
    dlm = role(allow("dlm:*"))("dlm")
    more = {"State": "ENABLED", "PolicyDetails": {"PolicyType": "EBS_SNAPSHOT_MANAGEMENT"}}
    _, message = refusal(dlm.create_lifecycle_policy, ExecutionRoleArn=passed, Description="x", **more)
    assert f"perform: iam:PassRole on resource: {passed}" in message


def test_a_key_s_own_policy_counts(administrator: Clients, role: Callable[..., Clients]) -> None:
    closed = document({**allow("kms:*"), "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT_ID}:role/nobody-here"}})
    administrator("iam").create_role(RoleName="nobody-here", AssumeRolePolicyDocument=TRUST)
    shut = administrator("kms").create_key(Policy=closed)["KeyMetadata"]["KeyId"]
    left = administrator("kms").create_key()["KeyMetadata"]["KeyId"]
    kms = role(allow("kms:*"))("kms")
    assert kms.describe_key(KeyId=left)
    assert (
        "because no resource-based policy allows the kms:DescribeKey action" in refusal(kms.describe_key, KeyId=shut)[1]
    )


def test_what_is_not_known_is_refused_and_says_so(role: Callable[..., Clients]) -> None:
    code, message = refusal(role(allow("*"))("sns").list_phone_numbers_opted_out)
    assert code == "AuthorizationError"
    assert "does not know which rights this takes, and allows nothing unknown" in message
    assert "sns:ListPhoneNumbersOptedOut" in message


def test_a_role_is_taken_by_whom_it_trusts(
    emulator: Emulator, administrator: Clients, role: Callable[..., Clients]
) -> None:
    somebody = role(allow("s3:ListAllMyBuckets"))
    me = somebody("sts").get_caller_identity()["Arn"].replace(":sts:", ":iam:").replace("assumed-role", "role")
    other = administrator("iam").create_role(RoleName="other", AssumeRolePolicyDocument=TRUST)["Role"]["Arn"]
    for name, principal in (("trusting", me.rsplit("/", 1)[0]), ("not-trusting", other)):
        trust = {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"AWS": principal}}
        administrator("iam").create_role(RoleName=name, AssumeRolePolicyDocument=document(trust))
    take = somebody("sts").assume_role
    assert take(RoleArn=f"arn:aws:iam::{ACCOUNT_ID}:role/trusting", RoleSessionName="test")["Credentials"]
    code, message = refusal(take, RoleArn=f"arn:aws:iam::{ACCOUNT_ID}:role/not-trusting", RoleSessionName="test")
    assert code == "AccessDenied"
    assert "sts:AssumeRole on resource: arn:aws:iam::" in message


def test_a_web_identity_gets_the_role_that_trusts_it(emulator: Emulator, administrator: Clients) -> None:
    trusted = {
        "Effect": "Allow",
        "Action": "sts:AssumeRoleWithWebIdentity",
        "Principal": {"Federated": f"arn:aws:iam::{ACCOUNT_ID}:oidc-provider/{ISSUER}"},
        "Condition": {
            "StringEquals": {f"{ISSUER}:sub": "repo:a/b:environment:dev", f"{ISSUER}:aud": "sts.amazonaws.com"}
        },
    }
    response = administrator("iam").create_role(RoleName="workflow", AssumeRolePolicyDocument=document(trusted))
    sts = boto3.client(
        "sts", region_name="us-east-1", endpoint_url=emulator.url, config=Config(signature_version=UNSIGNED)
    )
    asked = {"RoleArn": response["Role"]["Arn"], "RoleSessionName": "run"}
    sts.assume_role_with_web_identity(**asked, WebIdentityToken=web_identity("repo:a/b:environment:dev"))
    code, message = refusal(
        sts.assume_role_with_web_identity, **asked, WebIdentityToken=web_identity("repo:a/b:environment:prod")
    )
    assert (code, message) == ("AccessDenied", "Not authorized to perform sts:AssumeRoleWithWebIdentity")
