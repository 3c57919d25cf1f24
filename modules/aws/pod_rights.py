"""What the platform's pods may do in AWS, one list a service account. Rights end at the environment's own resources by their tags."""

from modules.aws.bucket import Bucket
from modules.aws.encryption_key import EncryptionKey
from modules.aws.policy import Statement
from settings.names import Names


def storage(names: Names) -> list[Statement]:
    """The EBS CSI driver (its docs: example IAM policy), narrowed from "any cluster" to volumes and instances of this one."""
    owned = {"StringEquals": {f"aws:ResourceTag/{names.cluster_tag}": "owned"}}
    requested = {"StringEquals": {f"aws:RequestTag/{names.cluster_tag}": "owned"}}
    volumes, snapshots = "arn:aws:ec2:*:*:volume/*", "arn:aws:ec2:*:*:snapshot/*"
    return [
        Statement(
            "Look",
            [
                "ec2:DescribeAvailabilityZones",
                "ec2:DescribeInstances",
                "ec2:DescribeSnapshots",
                "ec2:DescribeTags",
                "ec2:DescribeVolumes",
                "ec2:DescribeVolumesModifications",
                "ec2:DescribeVolumeStatus",
            ],
        ),
        Statement("Create", ["ec2:CreateVolume"], [volumes], conditions=requested),
        Statement("CreateFromSnapshot", ["ec2:CreateVolume"], [snapshots], conditions=owned),
        Statement("Snapshot", ["ec2:CreateSnapshot"], [snapshots], conditions=requested),
        Statement("SnapshotSource", ["ec2:CreateSnapshot"], [volumes], conditions=owned),
        Statement(
            "TagWhenCreating",
            ["ec2:CreateTags"],
            [volumes, snapshots],
            conditions={"StringEquals": {"ec2:CreateAction": ["CreateVolume", "CreateSnapshot"]}},
        ),
        Statement(
            "Attach",
            ["ec2:AttachVolume", "ec2:DetachVolume"],
            [volumes, "arn:aws:ec2:*:*:instance/*"],
            conditions=owned,
        ),
        Statement("Change", ["ec2:ModifyVolume", "ec2:DeleteVolume"], [volumes], conditions=owned),
        Statement("DeleteSnapshot", ["ec2:DeleteSnapshot"], [snapshots], conditions=owned),
    ]


def certificates(zone_id: str) -> list[Statement]:
    """cert-manager's DNS-01 challenges in one zone (cert-manager docs: Route 53): it writes TXT records of challenges, and no others
    (Route 53 developer guide: conditions for fine-grained access control; names are lower-case and without a dot at the end)."""
    challenges: dict[str, dict[str, object]] = {
        "ForAllValues:StringLike": {"route53:ChangeResourceRecordSetsNormalizedRecordNames": ["_acme-challenge.*"]},
        "ForAllValues:StringEquals": {"route53:ChangeResourceRecordSetsRecordTypes": ["TXT"]},
        # Holds for no request that has no names: ForAllValues alone would.
        "Null": {"route53:ChangeResourceRecordSetsRecordTypes": "false"},
    }
    zone = f"arn:aws:route53:::hostedzone/{zone_id}"
    return [
        Statement("Follow", ["route53:GetChange"], ["arn:aws:route53:::change/*"]),
        Statement("Look", ["route53:ListResourceRecordSets"], [zone]),
        Statement("Answer", ["route53:ChangeResourceRecordSets"], [zone], conditions=challenges),
    ]


def autoscaler(names: Names) -> list[Statement]:
    """The cluster autoscaler (its AWS docs: IAM policy), narrowed to this cluster's groups."""
    look = [
        "autoscaling:DescribeAutoScalingGroups",
        "autoscaling:DescribeAutoScalingInstances",
        "autoscaling:DescribeLaunchConfigurations",
        "autoscaling:DescribeScalingActivities",
        "ec2:DescribeImages",
        "ec2:DescribeInstanceTypes",
        "ec2:DescribeLaunchTemplateVersions",
        "ec2:GetInstanceTypesFromInstanceRequirements",
    ]
    own = {"StringEquals": {f"aws:ResourceTag/k8s.io/cluster-autoscaler/{names.base}": "owned"}}
    scale = ["autoscaling:SetDesiredCapacity", "autoscaling:TerminateInstanceInAutoScalingGroup"]
    return [Statement("Look", look), Statement("Scale", scale, [names.agent_groups], conditions=own)]


def interruptions(queue_arn: str) -> list[Statement]:
    """The interruption handler (aws-node-termination-handler: IAM role), without the answer to lifecycle hooks, which is the servers'."""
    return [
        Statement("Events", ["sqs:ReceiveMessage", "sqs:DeleteMessage"], [queue_arn]),
        Statement("Look", ["ec2:DescribeInstances"]),
    ]


def logs(group_arn: str) -> list[Statement]:
    """Fluent Bit (its docs: Amazon CloudWatch) adds to one group, and neither reads it nor takes anything away."""
    return [Statement("Add", ["logs:CreateLogStream", "logs:PutLogEvents"], [f"{group_arn}:*"])]


def database(bucket: Bucket, key: EncryptionKey) -> list[Statement]:
    """Backups and write-ahead log of the database."""
    return [
        Statement("List", ["s3:ListBucket", "s3:GetBucketLocation"], [bucket.arn]),
        Statement("Backups", ["s3:GetObject", "s3:PutObject", "s3:DeleteObject"], [bucket.objects()]),
        key.use("BackupsKey"),
    ]


def velero(bucket: Bucket, key: EncryptionKey) -> list[Statement]:
    """Velero (velero-plugin-for-aws: set permissions), without EC2: snapshots of volumes are the EBS CSI driver's."""
    objects = [
        "s3:GetObject",
        "s3:PutObject",
        "s3:DeleteObject",
        "s3:AbortMultipartUpload",
        "s3:ListMultipartUploadParts",
    ]
    return [
        Statement("List", ["s3:ListBucket"], [bucket.arn]),
        Statement("Backups", objects, [bucket.objects()]),
        key.use("BackupsKey"),
    ]


def attachments(bucket: Bucket, key: EncryptionKey) -> list[Statement]:
    """Files of patients. Without the right to list, S3 answers 403 and not 404 for a name that is free (S3: HeadObject, permissions)."""
    return [
        Statement("List", ["s3:ListBucket"], [bucket.arn]),
        Statement("Files", ["s3:GetObject", "s3:PutObject", "s3:DeleteObject"], [bucket.objects("attachments/")]),
        key.use("FilesKey"),
    ]
