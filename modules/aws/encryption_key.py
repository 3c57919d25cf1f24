"""A customer-managed KMS key."""

from collections.abc import Mapping, Sequence

from cdktf_cdktf_provider_aws.kms_alias import KmsAlias
from cdktf_cdktf_provider_aws.kms_key import KmsKey
from constructs import Construct

from modules.aws.lifecycle import lifecycle
from modules.aws.policy import ANYONE, Statement, policy

USE = ("kms:Encrypt", "kms:Decrypt", "kms:ReEncrypt*", "kms:GenerateDataKey*", "kms:DescribeKey")
"""What using a key for envelope encryption takes."""


class EncryptionKey(Construct):
    """A rotating key with an alias. The account's administrators manage it; roles use it by their own policies.

    :param name: alias without ``alias/``, such as ``vet-dev-volumes``.
    :param purpose: what it encrypts, for people.
    :param protect: refuse destruction, and keep a deleted key 30 days rather than 7.
    :param statements: further statements of the key's policy.
    """

    def __init__(
        self,
        scope: Construct,
        id_: str,
        *,
        name: str,
        purpose: str,
        account_id: str,
        protect: bool,
        statements: Sequence[Statement] = (),
    ) -> None:
        super().__init__(scope, id_)
        administrators = Statement("Administrators", ["kms:*"], principals={"AWS": f"arn:aws:iam::{account_id}:root"})
        self.key = KmsKey(
            self,
            "Resource",
            description=purpose,
            enable_key_rotation=True,
            deletion_window_in_days=30 if protect else 7,
            policy=policy(administrators, *statements),
            tags={"Name": name},
            lifecycle=lifecycle(protect=protect),
        )
        KmsAlias(self, "alias", name=f"alias/{name}", target_key_id=self.key.key_id)

    @property
    def arn(self) -> str:
        """The key's ARN."""
        return self.key.arn

    def use(self, sid: str) -> Statement:
        """The right to encrypt and decrypt with this key, for a role's policy."""
        return Statement(sid, USE, [self.key.arn])

    def decrypt(self, sid: str, only: Mapping[str, Sequence[str]]) -> Statement:
        """The right to decrypt what a service encrypted in one of these contexts, such as ``{"SecretARN": [...]}`` (KMS: encryption
        context)."""
        contexts = {f"kms:EncryptionContext:{key}": list(values) for key, values in only.items()}
        return Statement(sid, ["kms:Decrypt"], [self.arn], conditions={"StringLike": contexts})


def via_service_statement(service: str, *, account_id: str, region: str, grants: bool = False) -> Statement:
    """Let anybody in the account who may use ``service`` use the key through it, and only so.

    AWS's own ``aws/ebs`` key has this policy (KMS developer guide: Amazon EBS). It lets EC2, Auto Scaling's service-linked role and the
    scheduler start instances with encrypted volumes without naming roles that a new account does not have yet.
    """
    return Statement(
        f"Through{service.title().replace('-', '')}",
        (*USE, *(["kms:CreateGrant"] if grants else [])),
        principals=ANYONE,
        conditions={
            "StringEquals": {"kms:CallerAccount": account_id, "kms:ViaService": f"{service}.{region}.amazonaws.com"}
        },
    )
