"""Copies of buckets in a second region, for the day on which the first is gone."""

from collections.abc import Mapping
from dataclasses import dataclass

from cdktf import TerraformResource
from cdktf_cdktf_provider_aws.iam_role import IamRole
from cdktf_cdktf_provider_aws.provider import AwsProvider
from cdktf_cdktf_provider_aws.s3_bucket_replication_configuration import (
    S3BucketReplicationConfigurationA as S3BucketReplication,
)
from cdktf_cdktf_provider_aws.s3_bucket_replication_configuration import S3BucketReplicationConfigurationRule
from constructs import Construct

from modules.aws.bucket import Bucket
from modules.aws.encryption_key import EncryptionKey
from modules.aws.policy import Statement, trust
from modules.aws.role import role_with_policy


@dataclass(frozen=True)
class ReplicaSettings:
    """What all copies of one construct share."""

    name: str
    """Name of role and key, such as ``vet-prod-replicas``."""

    account_id: str
    protect: bool
    noncurrent_days: int
    """Days until a deleted or replaced object is gone from the copy as well."""


class Replicas(Construct):
    """Everything that is written to a bucket is copied to another in the provider's region, under a key of that region.
    Deletions follow, and stay in the copy's versions for a while.

    :param provider: the AWS provider of the second region.
    :param sources: the buckets to copy by a short id, each with the name of its copy.
    :param key: the key of all of them.
    """

    def __init__(
        self,
        scope: Construct,
        id_: str,
        *,
        provider: AwsProvider,
        sources: Mapping[str, tuple[Bucket, str]],
        key: EncryptionKey,
        settings: ReplicaSettings,
    ) -> None:
        super().__init__(scope, id_)
        self._settings = settings
        elsewhere = Construct(self, "elsewhere")
        self._key = EncryptionKey(
            elsewhere,
            "key",
            name=settings.name,
            purpose="Copies of buckets of another region",
            account_id=settings.account_id,
            protect=settings.protect,
        )
        self.copies = {short: self._copy(elsewhere, short, name) for short, (_, name) in sources.items()}
        for resource in elsewhere.node.find_all():
            if TerraformResource.is_terraform_resource(resource):
                # The check above tells jsii what it is, but narrows no type for mypy.
                resource.provider = provider  # type: ignore[attr-defined]
        role = self._role([bucket for bucket, _ in sources.values()], key)
        for short, (source, _) in sources.items():
            self._replicate(short, source, role)

    def _copy(self, scope: Construct, id_: str, name: str) -> Bucket:
        return Bucket(
            scope,
            id_,
            name=name,
            key=self._key,
            protect=self._settings.protect,
            noncurrent_days=self._settings.noncurrent_days,
        )

    def _replicate(self, id_: str, source: Bucket, role: IamRole) -> None:
        copy = self.copies[id_]
        rule = S3BucketReplicationConfigurationRule(
            id="everything",
            status="Enabled",
            priority=1,
            filter={"prefix": ""},
            delete_marker_replication={"status": "Enabled"},
            source_selection_criteria={"sse_kms_encrypted_objects": {"status": "Enabled"}},
            destination={
                "bucket": copy.arn,
                "storage_class": "STANDARD",
                "encryption_configuration": {"replica_kms_key_id": self._key.arn},
            },
        )
        S3BucketReplication(
            self,
            id_,
            bucket=source.bucket.id,
            role=role.arn,
            rule=[rule],
            depends_on=[source.versioning, copy.versioning],
        )

    def _role(self, sources: list[Bucket], key: EncryptionKey) -> IamRole:
        """What replication needs (Amazon S3 user guide: permissions for live replication; replicating encrypted
        objects)."""
        read = [f"s3:GetObjectVersion{what}" for what in ("ForReplication", "Acl", "Tagging")]
        write = ["s3:ReplicateObject", "s3:ReplicateDelete", "s3:ReplicateTags"]
        rights = [
            Statement("Look", ["s3:GetReplicationConfiguration", "s3:ListBucket"], [source.arn for source in sources]),
            Statement("Read", read, [source.objects() for source in sources]),
            Statement("Write", write, [copy.objects() for copy in self.copies.values()]),
            Statement("Decrypt", ["kms:Decrypt"], [key.arn]),
            Statement("Encrypt", ["kms:Encrypt", "kms:GenerateDataKey"], [self._key.arn]),
        ]
        return role_with_policy(
            self,
            "role",
            name=self._settings.name,
            description="Copies buckets to another region",
            trust=trust(
                "s3.amazonaws.com", account_id=self._settings.account_id, sources=[source.arn for source in sources]
            ),
            policy_name="replicate",
            statements=rights,
        )
