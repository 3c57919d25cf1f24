"""What workflows on GitHub may do: look at what plans compare, and change what belongs to one environment.

What has a name of ours is allowed by its name: other environments' buckets, secrets, images, roles and zones are then nobody's business, with or
without tags (Amazon S3 and Route 53 decide without them). What AWS names is allowed as a kind, and denied where its tags say that it is
another environment's or the account's own.
"""

from collections.abc import Sequence

from modules.aws.encryption_key import USE
from modules.aws.policy import Statement
from settings.names import Names, helm_stack, infrastructure_stack

STATES = (
    "acm:Describe*", "acm:List*", "autoscaling:Describe*", "budgets:ListTagsForResource", "budgets:ViewBudget",
    "cloudwatch:DescribeAlarms", "cloudwatch:GetDashboard", "cloudwatch:ListTagsForResource", "dlm:Get*", "dlm:ListTagsForResource", "ec2:Describe*",
    "ecr:Describe*", "ecr:GetLifecyclePolicy", "ecr:GetRepositoryPolicy", "ecr:ListTagsForResource",
    "elasticloadbalancing:Describe*", "iam:GetInstanceProfile", "iam:GetOpenIDConnectProvider", "iam:GetPolicy",
    "iam:GetPolicyVersion", "iam:GetRole", "iam:GetRolePolicy", "iam:ListAttachedRolePolicies",
    "iam:ListInstanceProfilesForRole", "iam:ListOpenIDConnectProviders", "iam:ListPolicyVersions", "iam:ListRolePolicies",
    "kms:DescribeKey", "kms:GetKeyPolicy", "kms:GetKeyRotationStatus", "kms:List*", "logs:DescribeLogGroups",
    "logs:ListTags*", "route53:Get*", "route53:List*", "scheduler:GetSchedule", "scheduler:ListTagsForResource",
    "secretsmanager:DescribeSecret", "secretsmanager:GetResourcePolicy", "sns:GetSubscriptionAttributes",
    "sns:GetTopicAttributes", "sns:ListTagsForResource", "ssm:Describe*", "ssm:List*",
)  # fmt: skip
"""How things are and not what they hold, for every kind of resource in the stacks (the AWS provider reads each before it plans)."""

BUCKETS = ("s3:GetBucket*", "s3:Get*Configuration", "s3:ListBucket*", "s3:ListTagsForResource")
"""The same of a bucket, with the names of its objects."""

MANAGED = ("acm:*", "dlm:*", "ec2:*", "elasticloadbalancing:*", "logs:CreateLogDelivery", "logs:DeleteLogDelivery")
"""Services whose resources AWS names: Terraform makes, changes and removes them."""

MANAGE_KEYS = (
    "kms:CancelKeyDeletion", "kms:CreateAlias", "kms:CreateKey", "kms:DeleteAlias", "kms:EnableKeyRotation", "kms:CreateGrant",
    "kms:PutKeyPolicy", "kms:RetireGrant", "kms:RevokeGrant", "kms:ScheduleKeyDeletion", "kms:TagResource", "kms:UntagResource", "kms:Update*",
)  # fmt: skip

WITHIN_A_BOUNDARY = ("iam:CreateRole", "iam:PutRolePermissionsBoundary", "iam:PutRolePolicy")
"""Each knows the boundary that the role has, or is given (service authorization reference: IAM, ``iam:PermissionsBoundary``)."""

MANAGE_ROLES = (
    "iam:AddRoleToInstanceProfile", "iam:CreateInstanceProfile", "iam:CreateOpenIDConnectProvider", "iam:DeleteInstanceProfile",
    "iam:DeleteOpenIDConnectProvider", "iam:DeleteRole", "iam:DeleteRolePolicy", "iam:DetachRolePolicy",
    "iam:RemoveRoleFromInstanceProfile", "iam:Tag*", "iam:Untag*", "iam:UpdateAssumeRolePolicy",
    "iam:UpdateOpenIDConnectProviderThumbprint", "iam:UpdateRole", "iam:UpdateRoleDescription",
)  # fmt: skip
"""What needs no boundary, because it gives a role nothing: taking rights away, and saying who may use what stays within one."""

PASSED_TO = ("dlm", "ec2", "s3", "scheduler", "vpc-flow-logs")
"""Services that the stacks give a role."""

LINKED = ("autoscaling", "elasticloadbalancing", "spot")
"""Services that make a role of their own, which AWS defines, when they are first used in an account."""


def planning(names: Sequence[Names], state_bucket: str, state_key: str) -> list[Statement]:
    """A plan reads state, and how things are; no backups, snapshots, logs, secrets, and nothing of others in the account."""
    buckets = [f"arn:aws:s3:::{each.base}-*" for each in names]
    published = [f"arn:aws:s3:::{each.bucket('nodes')}/*" for each in names]
    parameters = [each.arn("ssm", f"{kind}{each.base}{rest}") for each in names for kind, rest in PUBLISHED]
    return [
        Statement("States", STATES),
        *(_events(names, EVENT_STATES)),
        Statement("Buckets", BUCKETS, [*buckets, state_bucket, f"{state_bucket}-replica"]),
        Statement("State", ["s3:GetObject"], [f"{state_bucket}/*"]),
        Statement("StateKey", ["kms:Decrypt", *_encrypting(names)], [state_key]),
        Statement("Programs", ["s3:GetObject", "s3:GetObjectTagging"], published),
        Statement("ProgramsKey", ["kms:Decrypt"], conditions=_of_programs(names)),
        Statement("Published", ["ssm:GetParameter*", "ssm:GetDocument"], parameters),
    ]


PUBLISH = (
    "ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:CompleteLayerUpload", "ecr:DescribeImages", "ecr:GetDownloadUrlForLayer",
    "ecr:InitiateLayerUpload", "ecr:PutImage", "ecr:UploadLayerPart",
)  # fmt: skip
"""What pushing an image takes, and bringing one that another registry has (Amazon ECR user guide: pushing an image, required rights)."""


def publishing(names: Sequence[Names]) -> list[Statement]:
    """Bring images to the application's repositories, whose tags cannot be changed: nothing runs by that."""
    return [
        Statement("Login", ["ecr:GetAuthorizationToken"]),
        Statement("Images", PUBLISH, [each.arn("ecr", f"repository/{each.application_repository}") for each in names]),
    ]


EVENT_STATES = ("events:Describe*", "events:List*", "sqs:Get*", "sqs:List*")
"""How the rules and the queue of the interruption handler are."""


def _events(names: Sequence[Names], actions: Sequence[str]) -> list[Statement]:
    """Rules and queue of the environments that have an interruption handler."""
    interruptible = [each for each in names if each.environment.interruptible]
    resources = [
        arn
        for each in interruptible
        for arn in (each.arn("events", f"rule/{each.base}-*"), each.arn("sqs", f"{each.base}-*"))
    ]
    return [Statement("Events", actions, resources)] if interruptible else []


PUBLISHED = (("parameter/", "/cluster-ca"), ("document/", "-*"))
"""The one parameter and the documents of an environment: they hold what anyone may know."""


def _of_programs(names: Sequence[Names]) -> dict[str, dict[str, list[str]]]:
    """The key opens what S3 encrypted in these buckets: the context is the bucket's ARN with a bucket key, or else the object's (Amazon S3
    user guide: bucket keys)."""
    contexts = [f"arn:aws:s3:::{each.bucket('nodes')}{rest}" for each in names for rest in ("", "/*")]
    return {"StringLike": {"kms:EncryptionContext:aws:s3:arn": contexts, "kms:ViaService": ["s3.*.amazonaws.com"]}}


def _encrypting(names: Sequence[Names]) -> list[str]:
    """OpenTofu makes a new data key each time that it opens its encryption, also to read (opentofu/opentofu
    internal/encryption/keyprovider/aws_kms/provider.go), and a plan file is written with it. Such a key opens nothing that is there."""
    return ["kms:GenerateDataKey"] if any(each.project.state_encryption for each in names) else []


def deploying(names: Names, *, zone_arn: str, state_bucket: str, state_key: str) -> list[Statement]:
    """Everything that the infrastructure stack of one environment holds, and its state."""
    return [
        Statement("States", STATES),
        Statement("Services", MANAGED),
        *_events([names], ("events:*", "sqs:*")),
        *_named(names, zone_arn),
        *_keys(names),
        *_roles(names),
        *_state(names, state_bucket, state_key),
        *_outside(names),
    ]


def _named(names: Names, zone_arn: str) -> list[Statement]:
    base = names.base
    return [
        Statement("Buckets", ["s3:*"], [f"arn:aws:s3:::{base}-*"]),
        Statement("Zone", ["route53:ChangeResourceRecordSets"], [zone_arn]),
        Statement(
            "Named",
            ["autoscaling:*", "budgets:*", "cloudwatch:*", "ecr:*", "logs:*", "scheduler:*", "secretsmanager:*", "sns:*", "ssm:*"],
            [
                names.agent_groups,
                names.arn("budgets", f"budget/{base}", region=""),
                names.arn("cloudwatch", f"alarm:{base}-*"),
                names.arn("cloudwatch", f"dashboard/{base}", region=""),
                names.arn("ecr", f"repository/{base}/*"),
                names.arn("logs", f"log-group:/{base}/*"),
                names.arn("scheduler", f"schedule/default/{base}-*"),
                names.arn("secretsmanager", f"secret:{base}/*"),
                names.arn("sns", f"{base}-*"),
                names.arn("ssm", f"parameter/{base}/*"),
                names.arn("ssm", f"document/{base}-*"),
            ],
        ),
        Statement(
            "Associations",
            ["ssm:*Association", "ssm:*TagsToResource", "ssm:RemoveTagsFromResource"],
            [names.arn("ssm", "association/*"), names.arn("ec2", "instance/*")],
        ),
    ]  # fmt: skip


def _keys(names: Names) -> list[Statement]:
    own = {"StringEquals": {"aws:ResourceTag/Environment": names.environment.name}}
    return [
        Statement("Keys", MANAGE_KEYS),
        Statement("UseKeys", USE, [names.arn("kms", "key/*", region="*")], conditions=own),
    ]


def _roles(names: Names) -> list[Statement]:
    within = {"ArnEquals": {"iam:PermissionsBoundary": names.boundary_arn}}
    passed = {"StringEquals": {"iam:PassedToService": [f"{each}.amazonaws.com" for each in PASSED_TO]}}
    linked = {"StringEquals": {"iam:AWSServiceName": [f"{each}.amazonaws.com" for each in LINKED]}}
    own = [
        names.roles,
        names.roles.replace(":role/", ":instance-profile/"),
        names.arn("iam", f"oidc-provider/{names.base}-*", region=""),
    ]
    of_aws = names.arn("iam", "role/aws-service-role/*", region="")
    return [
        Statement("MakeRoles", WITHIN_A_BOUNDARY, [names.roles], conditions=within),
        Statement("Roles", MANAGE_ROLES, own),
        Statement("PassRoles", ["iam:PassRole"], [names.roles], conditions=passed),
        Statement("LinkedRoles", ["iam:CreateServiceLinkedRole"], [of_aws], conditions=linked),
    ]


def _state(names: Names, bucket: str, key: str) -> list[Statement]:
    """Terraform lists the bucket, locks with an object beside the state, and removes that (Terraform: S3 backend, permissions)."""
    name = names.environment.name
    objects = [f"{bucket}/{stack}/*" for stack in (infrastructure_stack(name), helm_stack(name))]
    return [
        Statement("ListState", ["s3:ListBucket"], [bucket]),
        Statement("State", ["s3:GetObject", "s3:PutObject", "s3:DeleteObject"], objects),
        Statement("StateKey", ["kms:Decrypt", "kms:GenerateDataKey"], [key]),
    ]


def _outside(names: Names) -> list[Statement]:
    """What has the project's tag and not this environment's belongs to another environment, or to the account as the state's keys do.
    Nobody marks a thing as another environment's either, or puts one into a group that would end it."""
    environment = names.environment.name
    other = {"aws:ResourceTag/Environment": environment}
    project = {"aws:ResourceTag/Project": names.project.name_prefix}
    return [
        Statement(
            "NothingOutside",
            ["kms:Decrypt", "kms:DescribeKey", "kms:GenerateDataKey"],
            conditions={"StringEquals": project, "StringNotEquals": other},
            effect="Deny",
            all_but=True,
        ),
        Statement(
            "NoOtherName",
            ["*"],
            conditions={
                "StringNotEquals": {"aws:RequestTag/Environment": environment},
                "Null": {"aws:RequestTag/Environment": "false"},
            },
            effect="Deny",
        ),
        Statement("NoForeignMembers", ["autoscaling:AttachInstances"], effect="Deny"),
    ]
