"""The KMS keys of an environment: the right to read one kind of data does not include another."""

from constructs import Construct

from modules.aws import flow_logs, node_logs, pod_logs
from modules.aws.encryption_key import USE, EncryptionKey, via_service_statement
from modules.aws.policy import Statement
from settings.environment import Environment
from settings.names import Names


class Keys(Construct):
    """Keys for volumes, for secrets and for backups.

    An etcd snapshot can only be opened with the join token, so the two lie under different keys: reading one needs rights that reading the
    other does not give (rke2-docs, backup and restore: security).
    """

    def __init__(self, scope: Construct, id_: str, *, names: Names, environment: Environment) -> None:
        super().__init__(scope, id_)
        self._names, self._environment = names, environment
        account_id, region = names.project.account_id, environment.region
        self.volumes = self._key(
            "volumes",
            "EBS volumes of nodes and pods",
            via_service_statement("ec2", account_id=account_id, region=region, grants=True),
        )
        self.secrets = self._key("secrets", "Join tokens and cluster credentials", *self._readers())
        self.backups = self._key("backups", "Node programs, etcd snapshots, database backups, images", *self._logs())

    def _logs(self) -> list[Statement]:
        """CloudWatch Logs encrypts the groups that there are (CloudWatch Logs user guide: encrypt log data using AWS KMS)."""
        purposes = {
            "FlowLogs": [flow_logs.PURPOSE] if self._environment.network.flow_logs else [],
            "PodLogs": [pod_logs.PURPOSE] if self._environment.services.logs.enabled else [],
            "NodeLogs": [node_logs.AUDIT, node_logs.JOURNAL] if self._environment.node_logs.enabled else [],
        }
        return [self._groups(sid, each) for sid, each in purposes.items() if each]

    def _groups(self, sid: str, purposes: list[str]) -> Statement:
        region = self._environment.region
        groups = [self._names.arn("logs", f"log-group:{self._names.log_group(purpose)}") for purpose in purposes]
        return Statement(
            sid,
            [action for action in USE if action != "kms:DescribeKey"],  # it has no encryption context to compare
            principals={"Service": f"logs.{region}.amazonaws.com"},
            conditions={"ArnEquals": {"kms:EncryptionContext:aws:logs:arn": groups if len(groups) > 1 else groups[0]}},
        )

    def _key(self, id_: str, purpose: str, *statements: Statement) -> EncryptionKey:
        return EncryptionKey(
            self,
            id_,
            name=self._names.resource(id_),
            purpose=f"{purpose} of {self._names.base}",
            account_id=self._names.project.account_id,
            protect=self._environment.deletion_protection,
            statements=statements,
        )

    def _readers(self) -> list[Statement]:
        """People and pipelines that are given a role in the cluster read its credentials and no other secret, through Secrets Manager only
        (AWS Secrets Manager user guide: encryption context; the ARN ends with six signs that AWS makes up)."""
        names, region = self._names, self._environment.region
        return [
            Statement(
                f"{role.title()}Credentials",
                ["kms:Decrypt"],
                principals={"AWS": list(readers)},
                conditions={
                    "StringEquals": {"kms:ViaService": f"secretsmanager.{region}.amazonaws.com"},
                    "StringLike": {
                        "kms:EncryptionContext:SecretARN": names.arn(
                            "secretsmanager", f"secret:{names.secret(f'credentials/{role}')}-??????"
                        )
                    },
                },
            )
            for role, readers in self._environment.access.principals
            if readers
        ]
