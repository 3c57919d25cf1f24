"""What servers and agents may do in AWS: two roles, each with the least that its work needs."""

from collections.abc import Sequence
from dataclasses import dataclass

from modules.aws.bucket import Bucket
from modules.aws.encryption_key import EncryptionKey
from modules.aws.node_logs import NodeLogs
from modules.aws.policy import Statement
from modules.aws.secrets import ClusterSecrets
from modules.aws.storage import Buckets

BUNDLES = "nodes/"
"""Prefix of the program bundles in the nodes bucket."""

MARKERS = "marker/"
"""Prefix of the initialisation markers in the nodes bucket."""


@dataclass(frozen=True)
class NodeRights:
    """Statements for both roles."""

    secrets: ClusterSecrets
    secrets_key: EncryptionKey
    buckets: Buckets
    backups_key: EncryptionKey
    issuer: Bucket
    issuer_documents: tuple[str, ...]
    repository_arn: str
    agent_groups: str
    """ARN pattern of the agents' auto-scaling groups."""
    metrics_namespace: str
    """CloudWatch namespace that the nodes may write to; empty: none."""
    logs: NodeLogs | None = None
    """Where nodes send their logs, if they do."""
    registry_secrets: Sequence[str] = ()
    """ARN patterns of the secrets with passwords of registries (``registries.credentials``)."""

    def server(self) -> list[Statement]:
        """Rights of a server: form the cluster, publish what others need, take snapshots, run the AWS cloud controller."""
        return [
            *self._shared(),
            Statement("Markers", ["s3:GetObject", "s3:PutObject"], [self.buckets.nodes.objects(MARKERS)]),
            Statement("ListBuckets", ["s3:ListBucket"], [self.buckets.nodes.arn, self.buckets.snapshots.arn]),
            Statement(
                "Snapshots",
                ["s3:GetObject", "s3:PutObject", "s3:DeleteObject"],
                [self.buckets.snapshots.objects()],
            ),
            Statement(
                "IssuerDocuments",
                ["s3:GetObject", "s3:PutObject"],
                [f"{self.issuer.arn}/{document}" for document in self.issuer_documents],
            ),
            Statement(
                "ClusterSecrets",
                ["secretsmanager:DescribeSecret", "secretsmanager:GetSecretValue", "secretsmanager:PutSecretValue"],
                [secret.arn for secret in self.secrets.all],
            ),
            Statement("PublishCa", ["ssm:GetParameter", "ssm:PutParameter"], [self.secrets.ca.arn]),
            self.secrets_key.use("SecretsKey"),
            self.backups_key.use("BackupsKey"),
            self._cloud_controller(),
            # Describe calls know no resource (service authorization reference: EC2 Auto Scaling).
            Statement("LeavingAgents", ["autoscaling:DescribeAutoScalingInstances"]),
            *self._logs("AuditLog", self.logs.audit.arn if self.logs else None),
            Statement("LetAgentsGo", ["autoscaling:CompleteLifecycleAction"], [self.agent_groups]),
        ]

    def agent(self) -> list[Statement]:
        """Rights of an agent: fetch its programs and its join token."""
        token, programs = self.secrets.agent_token.arn, self.buckets.nodes.arn
        return [
            *self._shared(),
            Statement("JoinToken", ["secretsmanager:GetSecretValue"], [token]),
            Statement("ClusterCa", ["ssm:GetParameter"], [self.secrets.ca.arn]),
            self.secrets_key.decrypt("JoinTokenKey", {"SecretARN": [token]}),
            # The bucket's ARN is the context with a bucket key, the object's without (Amazon S3 user guide: bucket keys).
            self.backups_key.decrypt("ProgramsKey", {"aws:s3:arn": [programs, f"{programs}/*"]}),
        ]

    def _shared(self) -> list[Statement]:
        return [
            *self._metrics(),
            *self._logs("Journal", self.logs.journal.arn if self.logs else None),
            *self._registries(),
            Statement("Programs", ["s3:GetObject"], [self.buckets.nodes.objects(BUNDLES)]),
            Statement("RegistryLogin", ["ecr:GetAuthorizationToken"]),
            Statement(
                "PullImages",
                ["ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"],
                [self.repository_arn],
            ),
        ]

    def _metrics(self) -> list[Statement]:
        """PutMetricData knows no resource, hence ``*`` with a condition (service authorization reference: CloudWatch)."""
        if not self.metrics_namespace:
            return []
        only = {"StringEquals": {"cloudwatch:namespace": self.metrics_namespace}}
        return [Statement("Metrics", ["cloudwatch:PutMetricData"], conditions=only)]

    def _logs(self, sid: str, group_arn: str | None) -> list[Statement]:
        """To add to a group, and neither to read it nor to take anything away (service authorization reference: CloudWatch Logs)."""
        if not group_arn:
            return []
        actions = ["logs:CreateLogStream", "logs:DescribeLogStreams", "logs:PutLogEvents"]
        return [Statement(sid, actions, [group_arn, f"{group_arn}:*"])]

    def _registries(self) -> list[Statement]:
        """They are encrypted with AWS's own key, which anybody may use who may read the secret (AWS Secrets Manager user guide: encryption)."""
        if not self.registry_secrets:
            return []
        return [Statement("Registries", ["secretsmanager:GetSecretValue"], sorted(set(self.registry_secrets)))]

    def _cloud_controller(self) -> Statement:
        """What the cloud controller reads to describe nodes (cloud-provider-aws, prerequisites), without load balancers or routes.

        Describe calls know no resource-level permission, hence ``*`` (service authorization reference: EC2).
        """
        actions = [
            "autoscaling:DescribeAutoScalingGroups",
            "ec2:DescribeAvailabilityZones",
            "ec2:DescribeInstances",
            "ec2:DescribeInstanceTopology",
            "ec2:DescribeRegions",
            "ec2:DescribeRouteTables",
            "ec2:DescribeSecurityGroups",
            "ec2:DescribeSubnets",
            "ec2:DescribeVolumes",
            "ec2:DescribeVpcs",
        ]
        return Statement("CloudController", actions)
