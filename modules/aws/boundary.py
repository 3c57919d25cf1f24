"""How far the roles of an environment reach at most, no matter who makes them and which rights they are given.

The boundary is made by ``vet-state``, which people deploy: the roles that deploy environments can neither edit it nor make a role without it
(IAM user guide: permissions boundaries, delegating responsibility). What is named, is allowed by name; what AWS names, by its tag, which
those roles cannot set on what is another environment's.
"""

from cdktf_cdktf_provider_aws.iam_instance_profile import IamInstanceProfile
from cdktf_cdktf_provider_aws.iam_policy import IamPolicy
from cdktf_cdktf_provider_aws.iam_role import IamRole
from constructs import Construct

from modules.aws.encryption_key import USE
from modules.aws.instance_role import AGENT
from modules.aws.policy import Statement, policy
from settings.names import Names
from settings.project import Project


class Boundary(Construct):
    """The permissions boundary of one environment.

    :param zone_arn: the zone of its hosts, in which names can be written.
    """

    def __init__(self, scope: Construct, id_: str, *, names: Names, zone_arn: str) -> None:
        super().__init__(scope, id_)
        self.policy = IamPolicy(
            self,
            "Resource",
            name=names.boundary,
            path=names.project.access.role_path,
            description=f"How far roles of {names.base} reach at most",
            policy=policy(*_looking(), *_by_name(names, zone_arn), *_by_tag(names)),
        )


def limit_roles(scope: Construct, project: Project, boundary: str | None) -> None:
    """Give every role below ``scope`` its path and its boundary: none can be forgotten."""
    for construct in scope.node.find_all():
        if isinstance(construct, IamRole | IamInstanceProfile):
            if project.access.role_path != "/":
                construct.path = project.access.role_path
            if boundary and isinstance(construct, IamRole):
                construct.permissions_boundary = boundary


def _looking() -> list[Statement]:
    """What shows names and states, and no contents."""
    actions = [
        "autoscaling:Describe*",
        "ec2:Describe*",
        "ec2:GetInstanceTypesFromInstanceRequirements",
        "ecr:GetAuthorizationToken",
        "logs:DescribeLogGroups",
        *AGENT,
    ]
    return [Statement("Look", actions)]


def _by_name(names: Names, zone_arn: str) -> list[Statement]:
    base = names.base
    return [
        Statement("Buckets", ["s3:*"], [f"arn:aws:s3:::{base}-*"]),
        Statement(
            "Stores",
            ["secretsmanager:*SecretValue", "secretsmanager:DescribeSecret", "ssm:*Parameter", "ssm:GetDocument", "ecr:*"],
            [
                names.arn("secretsmanager", f"secret:{base}/*"),
                names.arn("ssm", f"parameter/{base}/*"),
                names.arn("ssm", f"document/{base}-*"),
                names.arn("ecr", f"repository/{base}/*"),
            ],
        ),
        *_queues(names),
        Statement("Logs", ["logs:*"], [names.arn("logs", f"log-group:/{base}/*")]),
        Statement("Groups", ["autoscaling:*"], [names.agent_groups]),
        Statement("Metrics", ["cloudwatch:PutMetricData"], conditions=_equal("cloudwatch:namespace", f"{base}/*", like=True)),
        Statement("Names", ["route53:ChangeResourceRecordSets", "route53:ListResourceRecordSets"], [zone_arn]),
        Statement("FollowNames", ["route53:GetChange"], ["arn:aws:route53:::change/*"]),
    ]  # fmt: skip


def _queues(names: Names) -> list[Statement]:
    if not names.environment.interruptible:
        return []
    return [Statement("Queues", ["sqs:ReceiveMessage", "sqs:DeleteMessage"], [names.arn("sqs", f"{names.base}-*")])]


def _by_tag(names: Names) -> list[Statement]:
    """EC2 and KMS make up the names of things themselves. What is being made has no tag yet, and its tags are in the request."""
    environment = names.environment.name
    own = _equal("aws:ResourceTag/Environment", environment)
    disks = ["arn:aws:ec2:*:*:volume/*", "arn:aws:ec2:*:*:snapshot/*"]
    return [
        Statement("Keys", [*USE, "kms:CreateGrant"], [names.arn("kms", "key/*", region="*")], conditions=own),
        Statement(
            "Own",
            ["ec2:*Volume", "ec2:CreateSnapshot", "ec2:DeleteSnapshot", "ec2:StartInstances", "ec2:StopInstances"],
            [*disks, "arn:aws:ec2:*:*:instance/*"],
            conditions=own,
        ),
        Statement("Make", ["ec2:CreateVolume"], disks[:1], conditions=_equal("aws:RequestTag/Environment", environment)),
        Statement("Copy", ["ec2:CreateSnapshot"], disks[1:], conditions=_missing("aws:ResourceTag/Environment")),
        Statement(
            "Tag",
            ["ec2:CreateTags"],
            disks,
            conditions={"StringEqualsIfExists": {"aws:ResourceTag/Environment": environment}},
        ),
    ]  # fmt: skip


def _equal(key: str, value: str, *, like: bool = False) -> dict[str, dict[str, str]]:
    return {"StringLike" if like else "StringEquals": {key: value}}


def _missing(key: str) -> dict[str, dict[str, str]]:
    return {"Null": {key: "true"}}
