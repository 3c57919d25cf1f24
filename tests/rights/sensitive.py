"""What would do harm in the wrong hands, for each kind of resource: the actions whose reach the matrix shows."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from operations.devtools.emulator.rights.conditions import Context
from operations.devtools.emulator.rights.evaluation import Request
from operations.devtools.emulator.rights.names import TAGS_UNSEEN
from tests.rights.account import ADMINISTRATOR, Account, Resource

PASSED_TO = ("ec2", "lambda", "ecs-tasks", "codebuild", "cloudformation", "scheduler", "dlm", "s3", "vpc-flow-logs")
"""Services that run something as the role that one passes to them."""


@dataclass(frozen=True)
class Act:
    """Something to try on a resource.

    :param suffix: of the resource's ARN, such as ``/*`` for a bucket's objects.
    :param ways: contexts that the caller may choose; one that is let through is enough.
    :param name: what the matrix calls it, if the action alone does not say it.
    """

    action: str
    suffix: str = ""
    ways: Sequence[Context] = ({},)
    name: str = ""

    def __str__(self) -> str:
        return self.name or self.action


def _acts(*actions: str, suffix: str = "") -> list[Act]:
    return [Act(action, suffix) for action in actions]


def _record(name: str, type_: str, title: str) -> Act:
    context = {
        "route53:ChangeResourceRecordSetsNormalizedRecordNames": [name],
        "route53:ChangeResourceRecordSetsRecordTypes": [type_],
        "route53:ChangeResourceRecordSetsActions": ["UPSERT"],
    }
    return Act("route53:ChangeResourceRecordSets", ways=[context], name=title)


_OBJECTS = ("s3:GetObject", "s3:PutObject", "s3:DeleteObject", "s3:DeleteObjectVersion")

ACTS: Mapping[str, Sequence[Act]] = {
    "state": _acts(*_OBJECTS),
    "aws_s3_bucket": [
        *_acts(*_OBJECTS, suffix="/object"),
        *_acts("s3:ListBucket", "s3:PutBucketPolicy", "s3:PutLifecycleConfiguration", "s3:DeleteBucket"),
    ],
    "aws_route53_zone": [
        _record("app.example.com", "A", "write any record"),
        _record("_acme-challenge.app.example.com", "TXT", "answer a challenge"),
        Act("route53:DeleteHostedZone"),
    ],
    "aws_secretsmanager_secret": _acts(
        "secretsmanager:GetSecretValue", "secretsmanager:PutSecretValue", "secretsmanager:PutResourcePolicy",
        "secretsmanager:DeleteSecret",
    ),
    "aws_ssm_parameter": _acts("ssm:GetParameter", "ssm:PutParameter", "ssm:DeleteParameter"),
    "aws_ssm_document": _acts("ssm:UpdateDocument", "ssm:CreateAssociation"),
    "aws_ecr_repository": _acts("ecr:BatchGetImage", "ecr:PutImage", "ecr:BatchDeleteImage", "ecr:SetRepositoryPolicy"),
    "aws_iam_policy": _acts("iam:CreatePolicyVersion", "iam:DeletePolicy"),
    "aws_iam_instance_profile": _acts("iam:AddRoleToInstanceProfile"),
    "aws_iam_openid_connect_provider": _acts("iam:AddClientIDToOpenIDConnectProvider", "iam:DeleteOpenIDConnectProvider"),
    "aws_instance": _acts(
        "ec2:TerminateInstances", "ec2:StopInstances", "ec2:ModifyInstanceAttribute", "ec2:CreateTags",
        "ec2:ReplaceIamInstanceProfileAssociation", "ssm:SendCommand", "ssm:StartSession",
        "ec2-instance-connect:SendSSHPublicKey",
    ),
    "aws_ebs_volume": _acts("ec2:CreateSnapshot", "ec2:DetachVolume", "ec2:DeleteVolume"),
    "aws_volume": _acts("ec2:CreateSnapshot", "ec2:DetachVolume", "ec2:DeleteVolume"),
    "aws_snapshot": _acts("ec2:CreateVolume", "ec2:ModifySnapshotAttribute", "ec2:DeleteSnapshot", "ebs:GetSnapshotBlock"),
    "aws_security_group": _acts("ec2:AuthorizeSecurityGroupIngress"),
    "aws_vpc": _acts("ec2:DeleteVpc", "ec2:CreateVpcPeeringConnection"),
    "aws_launch_template": _acts("ec2:CreateLaunchTemplateVersion"),
    "aws_autoscaling_group": _acts("autoscaling:UpdateAutoScalingGroup", "autoscaling:PutScheduledUpdateGroupAction", "autoscaling:SetDesiredCapacity"),
    "aws_lb": _acts("elasticloadbalancing:DeleteLoadBalancer", "elasticloadbalancing:SetSecurityGroups"),
    "aws_acm_certificate": _acts("acm:DeleteCertificate"),
    "aws_scheduler_schedule": _acts("scheduler:UpdateSchedule", "scheduler:DeleteSchedule"),
    "aws_dlm_lifecycle_policy": _acts("dlm:UpdateLifecyclePolicy", "dlm:DeleteLifecyclePolicy"),
    "aws_cloudwatch_log_group": [*_acts("logs:DeleteLogGroup"), *_acts("logs:GetLogEvents", suffix=":log-stream:one")],
    "aws_cloudwatch_metric_alarm": _acts("cloudwatch:DeleteAlarms", "cloudwatch:SetAlarmState"),
    "aws_sns_topic": _acts("sns:Subscribe", "sns:Publish", "sns:DeleteTopic"),
    "aws_sqs_queue": _acts("sqs:SendMessage", "sqs:DeleteMessage", "sqs:DeleteQueue"),
    "aws_budgets_budget": _acts("budgets:ModifyBudget"),
}  # fmt: skip
"""Acts on each type of resource; roles, keys and the account have theirs below, because they depend on more."""


def acts(resource: Resource, account: Account) -> Iterator[tuple[Act, Sequence[Request]]]:
    """What to try on a resource, each with the requests that would do it."""
    acts = list(ACTS.get(resource.type, ()))
    if resource.type == "aws_s3_bucket" and "nodes" in resource.label:
        acts += [Act("s3:PutObject", "/nodes/programs.zip", name="write the nodes' programs")]
    if resource.type == "aws_s3_bucket" and "web_identity" in resource.label:
        acts += [Act("s3:PutObject", "/openid/v1/jwks", name="write the issuer's keys")]
    if resource.type == "aws_kms_key":
        acts += list(_of_key(resource, account))
    if resource.type == "aws_iam_role":
        acts += list(_of_role())
    for act in acts:
        requests = [Request(act.action, resource.arn + act.suffix, context(resource, act, way)) for way in act.ways]
        yield act, requests


def context(resource: Resource, act: Act, way: Context) -> Context:
    """The keys of a request: what the caller chooses, and what AWS adds of the resource."""
    service = act.action.split(":")[0]
    tags: dict[str, str] = {}
    if service not in TAGS_UNSEEN:
        for key, value in resource.tags.items():
            tags[f"aws:ResourceTag/{key}"] = value
            tags[f"{service}:ResourceTag/{key}"] = value
    return {"aws:SecureTransport": "true", "ec2:CreateAction": "CreateVolume", **tags, **way}


def _of_key(key: Resource, account: Account) -> Iterator[Act]:
    """A key decrypts in the context that the service gives it; the secrets' key in one for each secret (KMS: encryption context)."""
    region = key.arn.split(":")[3]
    yield from _acts("kms:ScheduleKeyDeletion", "kms:PutKeyPolicy", "kms:CreateGrant")
    services = [{"kms:ViaService": f"{each}.{region}.amazonaws.com"} for each in ("ec2", "s3", "ecr")]
    yield Act("kms:Decrypt", ways=[{}, *services], name="kms:Decrypt")
    if not key.label.endswith("keys/secrets"):
        return
    for secret in account.of("aws_secretsmanager_secret"):
        if secret.environment == key.environment:
            way = {
                "kms:ViaService": f"secretsmanager.{region}.amazonaws.com",
                "kms:EncryptionContext:SecretARN": secret.arn,
                "kms:EncryptionContextKeys": ["SecretARN", "SecretVersionId"],
            }
            yield Act("kms:Decrypt", ways=[way], name=f"kms:Decrypt {secret.label.split('/')[-1]}")


def _of_role() -> Iterator[Act]:
    yield Act("sts:AssumeRole")
    yield Act("iam:UpdateAssumeRolePolicy")
    yield Act("iam:DeleteRolePermissionsBoundary")
    yield Act("iam:PutRolePolicy")
    yield Act("iam:AttachRolePolicy", ways=[{"iam:PolicyARN": ADMINISTRATOR}])
    for service in PASSED_TO:
        yield Act("iam:PassRole", ways=[{"iam:PassedToService": f"{service}.amazonaws.com"}], name=f"pass to {service}")


OF_THE_ACCOUNT = [
    Request("iam:CreateUser", "arn:aws:iam::123456789012:user/someone"),
    Request("iam:CreateAccessKey", "arn:aws:iam::123456789012:user/someone"),
    Request("iam:CreatePolicyVersion", "arn:aws:iam::123456789012:policy/someone-s"),
    Request("s3:GetObject", "arn:aws:s3:::another-bucket/object"),
    Request("ssm:GetParameter", "arn:aws:ssm:us-east-1:123456789012:parameter/another"),
    Request("secretsmanager:GetSecretValue", "arn:aws:secretsmanager:us-east-1:123456789012:secret:another-AbCdEf"),
    Request("logs:GetLogEvents", "arn:aws:logs:us-east-1:123456789012:log-group:another:log-stream:one"),
    Request("logs:FilterLogEvents", "arn:aws:logs:us-east-1:123456789012:log-group:another"),
    Request("logs:StartQuery", "arn:aws:logs:us-east-1:123456789012:log-group:another"),
    Request("sqs:ReceiveMessage", "arn:aws:sqs:us-east-1:123456789012:another"),
    Request("dynamodb:GetItem", "arn:aws:dynamodb:us-east-1:123456789012:table/another"),
    Request("lambda:GetFunction", "arn:aws:lambda:us-east-1:123456789012:function:another"),
    Request("codecommit:GitPull", "arn:aws:codecommit:us-east-1:123456789012:another"),
    Request("ssm:CreateAssociation", "arn:aws:ssm:us-east-1::document/AWS-RunShellScript"),
    Request("ssm:GetDocument", "arn:aws:ssm:us-east-1::document/AWS-RunShellScript"),
    Request("ssm:StartAutomationExecution", "arn:aws:ssm:us-east-1::automation-definition/AWS-RunShellScript:1"),
    Request(
        "autoscaling:AttachInstances",
        "arn:aws:autoscaling:us-east-1:123456789012:autoScalingGroup:1:autoScalingGroupName/a",
    ),
    Request("cloudwatch:PutMetricData", "*", {"cloudwatch:namespace": "another"}),
    Request("organizations:LeaveOrganization"),
    Request("cloudtrail:StopLogging", "arn:aws:cloudtrail:us-east-1:123456789012:trail/another"),
]
"""What belongs to nobody's environment: other people's things in the account, and ways round that name no resource."""
