"""Secrets and parameters that the servers fill in: Terraform makes them and never sees a value."""

from collections.abc import Sequence

from cdktf_cdktf_provider_aws.secretsmanager_secret import SecretsmanagerSecret
from cdktf_cdktf_provider_aws.secretsmanager_secret_policy import SecretsmanagerSecretPolicy
from cdktf_cdktf_provider_aws.ssm_parameter import SsmParameter
from constructs import Construct

from modules.aws.encryption_key import EncryptionKey
from modules.aws.lifecycle import lifecycle
from modules.aws.policy import Statement, policy
from nodes.inputs import PENDING
from settings.access import Principals
from settings.names import Names


class Secret(Construct):
    """An empty secret.

    :param readers: ARNs of principals that may read it, beside those whose own policies allow it.
    """

    def __init__(
        self,
        scope: Construct,
        id_: str,
        *,
        name: str,
        description: str,
        key: EncryptionKey,
        protect: bool,
        readers: Sequence[str] = (),
    ) -> None:
        super().__init__(scope, id_)
        self.name = name
        self.secret = SecretsmanagerSecret(
            self,
            "Resource",
            name=name,
            description=description,
            kms_key_id=key.arn,
            recovery_window_in_days=30 if protect else 0,
            lifecycle=lifecycle(protect=protect),
        )
        if readers:
            reading = Statement("Read", ["secretsmanager:GetSecretValue"], principals={"AWS": list(readers)})
            SecretsmanagerSecretPolicy(
                self, "policy", secret_arn=self.secret.arn, policy=policy(reading), block_public_policy=True
            )

    @property
    def arn(self) -> str:
        """The secret's ARN."""
        return self.secret.arn


class ClusterSecrets(Construct):
    """Join tokens, credentials by role, and the certificate authority of the cluster."""

    def __init__(
        self,
        scope: Construct,
        id_: str,
        *,
        names: Names,
        key: EncryptionKey,
        protect: bool,
        principals: Principals,
    ) -> None:
        super().__init__(scope, id_)
        self._names, self._key, self._protect = names, key, protect
        self.server_token = self._secret("server-token", "Token by which RKE2 servers join; it decrypts etcd snapshots")
        self.agent_token = self._secret("agent-token", "Token by which RKE2 agents join")
        self.credentials = {
            role: self._secret(
                f"credentials/{role}", f"Kubernetes credentials for the role {role}, renewed hourly", readers
            )
            for role, readers in principals
        }
        self.ca = SsmParameter(
            self,
            "cluster_ca",
            name=names.parameter("cluster-ca"),
            description="Certificate authority of the Kubernetes API; public, filled in by a server",
            type="String",
            value=PENDING,
            lifecycle=lifecycle(ignore=["value"]),
        )

    @property
    def credentials_prefix(self) -> str:
        """What the credentials' names start with."""
        return self._names.secret("credentials")

    @property
    def all(self) -> list[Secret]:
        """Every secret."""
        return [self.server_token, self.agent_token, *self.credentials.values()]

    def _secret(self, purpose: str, description: str, readers: Sequence[str] = ()) -> Secret:
        return Secret(
            self,
            purpose.replace("/", "_").replace("-", "_"),
            name=self._names.secret(purpose),
            description=description,
            key=self._key,
            protect=self._protect,
            readers=readers,
        )
