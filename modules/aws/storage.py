"""The buckets of an environment, each with one purpose."""

from cdktf_cdktf_provider_aws.s3_object import S3Object
from constructs import Construct

from modules.aws.bucket import Bucket
from modules.aws.encryption_key import EncryptionKey
from modules.aws.policy import Statement
from nodes.boot import SERVERS_KEY, Bundle
from settings.environment import Environment
from settings.names import Names


class Buckets(Construct):
    """Programs and markers of the nodes, etcd snapshots, database backups, and files of patients, backups of objects and access logs when they are kept."""

    def __init__(
        self, scope: Construct, id_: str, *, names: Names, environment: Environment, key: EncryptionKey
    ) -> None:
        super().__init__(scope, id_)
        self._names, self._environment, self._key = names, environment, key
        self.nodes = self._bucket("nodes")
        self.snapshots = self._bucket("snapshots")
        self.database = self._bucket("database")
        # A protected environment keeps what was written when a setting is turned off: the bucket stays, and costs nothing empty.
        protected = environment.deletion_protection
        self.attachments = self._bucket("files") if environment.application.attachments_in_s3 or protected else None
        self.velero = self._bucket("velero") if environment.services.velero.enabled else None
        self.access_logs = self._access_logs() if environment.load_balancer.access_logs or protected else None

    def publish(self, bundle: Bundle) -> S3Object:
        """Put a bundle of node programs where the nodes fetch it."""
        return S3Object(
            self,
            "bundle",
            bucket=self.nodes.bucket.id,
            key=bundle.key,
            content_base64=bundle.base64,
            kms_key_id=self._key.arn,
            content_type="application/gzip",
            depends_on=[self.nodes.ready],
        )

    def record_servers(self, addresses: str) -> S3Object:
        """Keep the environment's record of its servers where they read it at boot: one that was made earlier learns of new ones."""
        return S3Object(
            self,
            "servers",
            bucket=self.nodes.bucket.id,
            key=SERVERS_KEY,
            content=addresses,
            kms_key_id=self._key.arn,
            content_type="text/plain",
            depends_on=[self.nodes.ready],
        )

    def _bucket(self, purpose: str) -> Bucket:
        return Bucket(
            self,
            purpose,
            name=self._names.bucket(purpose),
            key=self._key,
            protect=self._environment.deletion_protection,
            noncurrent_days=self._environment.backups.noncurrent_days,
        )

    def _access_logs(self) -> Bucket:
        """Elastic Load Balancing writes here (its user guide: access logs); it cannot use a customer's key, so S3's own encrypts."""
        name = self._names.bucket("access-logs")
        writing = Statement(
            "ElasticLoadBalancingWrites",
            ["s3:PutObject"],
            [f"arn:aws:s3:::{name}/AWSLogs/{self._names.project.account_id}/*"],
            principals={"Service": "logdelivery.elasticloadbalancing.amazonaws.com"},
        )
        return Bucket(
            self,
            "access_logs",
            name=name,
            key=None,
            protect=self._environment.deletion_protection,
            noncurrent_days=self._environment.backups.noncurrent_days,
            expire_days=self._environment.load_balancer.access_logs_days,
            statements=[writing],
        )
