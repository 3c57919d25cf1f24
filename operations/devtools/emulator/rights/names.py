"""What calls are named in policies: actions that have another name than their operation, and the ARN that a call is asked for.

Source: service authorization reference ("Actions defined by ...", "Resource types defined by ..."), one page a service.
"""

from collections.abc import Mapping, Sequence

TAGS_UNSEEN = ("s3", "route53")
"""Services whose decisions do not see tags (attribute-based control is off in S3 by default; Route 53 has no such key)."""

ACTIONS: Mapping[str, Mapping[str, str]] = {
    "budgets": {
        "CreateBudget": "ModifyBudget",
        "UpdateBudget": "ModifyBudget",
        "DeleteBudget": "ModifyBudget",
        "CreateNotification": "ModifyBudget",
        "UpdateNotification": "ModifyBudget",
        "DeleteNotification": "ModifyBudget",
        "CreateSubscriber": "ModifyBudget",
        "UpdateSubscriber": "ModifyBudget",
        "DeleteSubscriber": "ModifyBudget",
        "DescribeBudget": "ViewBudget",
        "DescribeNotificationsForBudget": "ViewBudget",
        "DescribeSubscribersForNotification": "ViewBudget",
    },
    "s3": {
        "CopyObject": "PutObject",
        "CreateMultipartUpload": "PutObject",
        "UploadPart": "PutObject",
        "CompleteMultipartUpload": "PutObject",
        "DeleteBucketEncryption": "PutEncryptionConfiguration",
        "DeleteBucketLifecycle": "PutLifecycleConfiguration",
        "DeleteBucketOwnershipControls": "PutBucketOwnershipControls",
        "DeleteBucketReplication": "PutReplicationConfiguration",
        "DeleteBucketTagging": "PutBucketTagging",
        "DeleteObjects": "DeleteObject",
        "DeletePublicAccessBlock": "PutBucketPublicAccessBlock",
        "GetBucketAccelerateConfiguration": "GetAccelerateConfiguration",
        "GetBucketEncryption": "GetEncryptionConfiguration",
        "GetBucketLifecycleConfiguration": "GetLifecycleConfiguration",
        "GetBucketReplication": "GetReplicationConfiguration",
        "GetObjectLockConfiguration": "GetBucketObjectLockConfiguration",
        "GetPublicAccessBlock": "GetBucketPublicAccessBlock",
        "HeadBucket": "ListBucket",
        "HeadObject": "GetObject",
        "ListObjects": "ListBucket",
        "ListObjectsV2": "ListBucket",
        "ListObjectVersions": "ListBucketVersions",
        "PutBucketEncryption": "PutEncryptionConfiguration",
        "PutBucketLifecycleConfiguration": "PutLifecycleConfiguration",
        "PutBucketReplication": "PutReplicationConfiguration",
        "PutPublicAccessBlock": "PutBucketPublicAccessBlock",
    },
    "sts": {"GetCallerIdentity": ""},
}
"""By service and operation; an empty text for what takes no right at all."""

WITHOUT_RESOURCE: Sequence[str] = (
    "acm:ListCertificates", "acm:RequestCertificate", "autoscaling:Describe*", "cloudwatch:DescribeAlarms", "cloudwatch:PutMetricData",
    "dlm:GetLifecyclePolicies", "ec2:Describe*", "ecr:GetAuthorizationToken", "elasticloadbalancing:Describe*", "iam:ListOpenIDConnectProviders",
    "iam:ListPolicies",
    "kms:CreateKey", "kms:ListAliases", "kms:ListKeys", "logs:DescribeLogGroups", "route53:ListHostedZones*", "s3:ListBuckets",
    "secretsmanager:ListSecrets", "sns:ListTopics", "sqs:ListQueues", "ssm:DescribeParameters", "ssm:GetCommandInvocation", "ssm:ListCommand*",
    "tag:GetResources",
)  # fmt: skip
"""Actions that know no resource, so that only a policy for ``*`` allows them."""

RESOURCES: Mapping[str, Sequence[tuple[str, str, str]]] = {
    "acm": [("*", "CertificateArn", "")],
    "autoscaling": [
        ("*", "AutoScalingGroupName", "autoscaling autoScalingGroup:1:autoScalingGroupName/{value}"),
        ("*Tags", "Tags.ResourceId", "autoscaling autoScalingGroup:1:autoScalingGroupName/{value}"),
        ("*InAutoScalingGroup", "InstanceId", "autoscaling autoScalingGroup:1:autoScalingGroupName/{group}"),
    ],
    "budgets": [
        ("*", "BudgetName", "budgets budget/{value}"),
        ("*Budget", "Budget.BudgetName", "budgets budget/{value}"),
        ("*Budget", "NewBudget.BudgetName", "budgets budget/{value}"),
        ("*", "ResourceARN", ""),
    ],
    "cloudwatch": [
        ("*", "AlarmName", "cloudwatch alarm:{value}"),
        ("DeleteAlarms", "AlarmNames", "cloudwatch alarm:{value}"),
        ("*Dashboard", "DashboardName", "cloudwatch dashboard/{value}"),
        ("DeleteDashboards", "DashboardNames", "cloudwatch dashboard/{value}"),
        ("*", "ResourceARN", ""),
    ],
    "dlm": [
        ("*", "PolicyId", "dlm policy/{value}"),
        ("*", "ResourceArn", ""),
        ("CreateLifecyclePolicy", "Description", "dlm policy/*"),
    ],
    "ecr": [
        ("*", "repositoryName", "ecr repository/{value}"),
        ("*", "repositoryNames", "ecr repository/{value}"),
        ("*", "resourceArn", ""),
    ],
    "elasticloadbalancing": [
        ("*", "RuleArn", ""),
        ("*", "ListenerArn", ""),
        ("*", "TargetGroupArn", ""),
        ("*", "LoadBalancerArn", ""),
        ("*", "ResourceArns", ""),
        ("CreateLoadBalancer", "Name", "elasticloadbalancing loadbalancer/app/{value}/*"),
        ("CreateTargetGroup", "Name", "elasticloadbalancing targetgroup/{value}/*"),
    ],
    "events": [
        ("*Rule", "Name", "events rule/{value}"),
        ("*Target*", "Rule", "events rule/{value}"),
        ("*", "ResourceARN", ""),
    ],
    "iam": [
        ("*InstanceProfile", "InstanceProfileName", "iam instance-profile{Path}{value}"),
        ("*Role*", "RoleName", "iam role{Path}{value}"),
        ("ListInstanceProfilesForRole", "RoleName", "iam role/{value}"),
        ("*AssumeRolePolicy", "RoleName", "iam role/{value}"),
        ("*Polic*", "PolicyArn", ""),
        ("CreatePolicy", "PolicyName", "iam policy{Path}{value}"),
        ("*OpenIDConnectProvider*", "OpenIDConnectProviderArn", ""),
        ("CreateOpenIDConnectProvider", "Url", "iam oidc-provider/{value}"),
        ("CreateServiceLinkedRole", "AWSServiceName", "iam role/aws-service-role/{value}/*"),
    ],
    "logs": [
        ("PutLogEvents", "logStreamName", "logs log-group:{logGroupName}:log-stream:{value}"),
        ("*", "logGroupName", "logs log-group:{value}"),
        ("*", "resourceArn", ""),
    ],
    "route53": [
        ("*", "HostedZoneId", "route53 hostedzone/{value}"),
        ("GetChange", "Id", "route53 change/{value}"),
        ("*", "Id", "route53 hostedzone/{value}"),
        ("*Tags*", "ResourceId", "route53 hostedzone/{value}"),
        ("CreateHostedZone", "Name", "route53 hostedzone/*"),
    ],
    "s3": [
        ("*Object", "Key", "s3 {Bucket}/{value}"),
        ("*ObjectTagging", "Key", "s3 {Bucket}/{value}"),
        ("*MultipartUpload", "Key", "s3 {Bucket}/{value}"),
        ("UploadPart", "Key", "s3 {Bucket}/{value}"),
        ("DeleteObjects", "Delete.Objects.Key", "s3 {Bucket}/{value}"),
        ("*", "Bucket", "s3 {value}"),
    ],
    "scheduler": [
        ("*", "Name", "scheduler schedule/{GroupName}/{value}"),
        ("*", "ResourceArn", ""),
    ],
    "secretsmanager": [("CreateSecret", "Name", "secretsmanager secret:{value}-AbCdEf")],
    "sns": [
        ("*", "TopicArn", ""),
        ("*", "SubscriptionArn", ""),
        ("*", "ResourceArn", ""),
        ("CreateTopic", "Name", "sns {value}"),
    ],
    "sqs": [
        ("*", "QueueUrl", "sqs {last}"),
        ("*", "QueueName", "sqs {value}"),
    ],
    "ssm": [
        ("*Parameter", "Name", "ssm parameter{value}"),
        ("*Parameters", "Names", "ssm parameter{value}"),
        ("*Document*", "Name", "ssm document/{value}"),
        ("*Tags*", "ResourceId", "ssm {kind}/{value}"),
        ("*Association", "AssociationId", "ssm association/{value}"),
        ("CreateAssociation", "Name", "ssm document/{value}"),
        ("SendCommand", "DocumentName", "ssm document/{value}"),
        ("StartSession", "Target", "ec2 instance/{value}"),
    ],
    "sts": [("AssumeRole", "RoleArn", "")],
}
"""By service: operations, the parameter that names the resource, and its ARN after the service. A value that is an ARN stands for itself."""

BESIDES: Mapping[str, tuple[str, str]] = {
    "ssm:CreateAssociation": ("", "ec2 instance/*"),
    "ssm:SendCommand": ("InstanceIds", "ec2 instance/{value}"),
    "ssm:StartSession": ("DocumentName", "ssm document/{value}"),
}
"""Resources that an action is asked for as well: the parameter that names them, if one does, and their ARN."""

KINDS: Mapping[str, str] = {
    "acl": "network-acl", "ami": "image", "eipalloc": "elastic-ip", "eni": "network-interface", "fl": "vpc-flow-log", "i": "instance",
    "igw": "internet-gateway", "key": "key-pair", "lt": "launch-template", "nat": "natgateway", "rtb": "route-table", "sg": "security-group",
    "sgr": "security-group-rule", "snap": "snapshot", "subnet": "subnet", "vol": "volume", "vpc": "vpc", "vpce": "vpc-endpoint",
}  # fmt: skip
"""EC2's resource types by the beginning of their ids."""
