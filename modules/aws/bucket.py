"""An S3 bucket as every bucket here should be."""

from collections.abc import Sequence
from typing import Any

from cdktf import ITerraformDependable
from cdktf_cdktf_provider_aws.s3_bucket import S3Bucket
from cdktf_cdktf_provider_aws.s3_bucket_lifecycle_configuration import (
    S3BucketLifecycleConfiguration,
    S3BucketLifecycleConfigurationRule,
    S3BucketLifecycleConfigurationRuleAbortIncompleteMultipartUpload,
    S3BucketLifecycleConfigurationRuleExpiration,
    S3BucketLifecycleConfigurationRuleFilter,
    S3BucketLifecycleConfigurationRuleNoncurrentVersionExpiration,
)
from cdktf_cdktf_provider_aws.s3_bucket_ownership_controls import S3BucketOwnershipControls
from cdktf_cdktf_provider_aws.s3_bucket_policy import S3BucketPolicy
from cdktf_cdktf_provider_aws.s3_bucket_public_access_block import S3BucketPublicAccessBlock
from cdktf_cdktf_provider_aws.s3_bucket_server_side_encryption_configuration import (
    S3BucketServerSideEncryptionConfigurationA as S3BucketEncryption,
)
from cdktf_cdktf_provider_aws.s3_bucket_server_side_encryption_configuration import (
    S3BucketServerSideEncryptionConfigurationRuleA as S3BucketEncryptionRule,
)
from cdktf_cdktf_provider_aws.s3_bucket_versioning import S3BucketVersioningA as S3BucketVersioning
from constructs import Construct

from modules.aws.encryption_key import EncryptionKey
from modules.aws.lifecycle import lifecycle
from modules.aws.policy import ANYONE, Statement, policy


class Bucket(Construct):
    """Versioned, encrypted, TLS only, owned by the bucket's owner, closed to the public.

    :param name: globally unique bucket name.
    :param key: KMS key of the default encryption; without one S3's own key encrypts (what AWS services that write logs require).
    :param protect: refuse destruction; otherwise the bucket goes with all that is in it.
    :param noncurrent_days: days until replaced or deleted objects are deleted permanently.
    :param expire_days: days until objects are deleted, if ever.
    :param public_read: let anyone read objects by a bucket policy. The one exemption from the public-access block; its statement must be
        among ``statements``, and access control lists stay blocked.
    :param statements: further statements of the bucket's policy, made by ``allow``.
    """

    def __init__(
        self,
        scope: Construct,
        id_: str,
        *,
        name: str,
        key: EncryptionKey | None,
        protect: bool,
        noncurrent_days: int,
        expire_days: int | None = None,
        public_read: bool = False,
        statements: Sequence[Statement] = (),
    ) -> None:
        super().__init__(scope, id_)
        self.name = name
        self.arn = f"arn:aws:s3:::{name}"
        self.bucket = S3Bucket(
            self, "Resource", bucket=name, force_destroy=not protect, lifecycle=lifecycle(protect=protect)
        )
        self.versioning = self._versions(noncurrent_days, expire_days)
        self._encryption(key)
        self._ownership()
        self.policy = self._access(public_read, statements)

    @property
    def ready(self) -> ITerraformDependable:
        """What to depend on before writing to the bucket."""
        return self.policy

    def objects(self, prefix: str = "") -> str:
        """ARN pattern of the objects below a prefix, such as ``nodes/``."""
        return f"{self.arn}/{prefix}*"

    def _versions(self, noncurrent_days: int, expire_days: int | None) -> S3BucketVersioning:
        versioning = S3BucketVersioning(
            self, "versioning", bucket=self.bucket.id, versioning_configuration={"status": "Enabled"}
        )
        expiration = [S3BucketLifecycleConfigurationRuleExpiration(days=expire_days)] if expire_days else None
        rule = S3BucketLifecycleConfigurationRule(
            id="old-versions",
            status="Enabled",
            filter=[S3BucketLifecycleConfigurationRuleFilter(prefix="")],
            noncurrent_version_expiration=[
                S3BucketLifecycleConfigurationRuleNoncurrentVersionExpiration(noncurrent_days=noncurrent_days)
            ],
            abort_incomplete_multipart_upload=[
                S3BucketLifecycleConfigurationRuleAbortIncompleteMultipartUpload(days_after_initiation=7)
            ],
            expiration=expiration,
        )
        S3BucketLifecycleConfiguration(self, "lifecycle", bucket=self.bucket.id, rule=[rule], depends_on=[versioning])
        return versioning

    def _encryption(self, key: EncryptionKey | None) -> None:
        default: dict[str, Any] = {"sse_algorithm": "AES256"}
        if key is not None:
            default = {"sse_algorithm": "aws:kms", "kms_master_key_id": key.arn}
        S3BucketEncryption(
            self,
            "encryption",
            bucket=self.bucket.id,
            rule=[
                S3BucketEncryptionRule(
                    apply_server_side_encryption_by_default=default, bucket_key_enabled=key is not None
                )
            ],
        )

    def _ownership(self) -> None:
        S3BucketOwnershipControls(
            self, "ownership", bucket=self.bucket.id, rule={"object_ownership": "BucketOwnerEnforced"}
        )

    def _access(self, public_read: bool, statements: Sequence[Statement]) -> S3BucketPolicy:
        block = S3BucketPublicAccessBlock(
            self,
            "public_access_block",
            bucket=self.bucket.id,
            block_public_acls=True,
            ignore_public_acls=True,
            block_public_policy=not public_read,
            restrict_public_buckets=not public_read,
        )
        tls_only = Statement(
            "TlsOnly",
            ["s3:*"],
            [self.arn, self.objects()],
            principals=ANYONE,
            conditions={"Bool": {"aws:SecureTransport": "false"}},
            effect="Deny",
        )
        return S3BucketPolicy(
            self, "policy", bucket=self.bucket.id, policy=policy(tls_only, *statements), depends_on=[block]
        )
