"""AWS roles for pods, without keys: AWS trusts the tokens of the cluster's service accounts."""

from collections.abc import Sequence

from cdktf_cdktf_provider_aws.iam_openid_connect_provider import IamOpenidConnectProvider
from cdktf_cdktf_provider_aws.iam_role import IamRole
from constructs import Construct

from modules.aws.bucket import Bucket
from modules.aws.policy import ANYONE, Statement, policy
from modules.aws.role import role_with_policy
from settings.environment import Environment
from settings.names import Names
from settings.web_identity import ServiceAccount

AUDIENCE = "sts.amazonaws.com"
"""Audience of the projected tokens."""

AMAZON_ROOT_THUMBPRINTS = ["9e99a48a9960b14926bb7f3b02e22da2b0ab7280"]
"""Root of S3's certificates (Starfield Services). AWS verifies S3 issuers by its own trust store and ignores it (IAM: OIDC thumbprints)."""


class WebIdentityIssuer(Construct):
    """The issuer's two public documents, and AWS's trust in them.

    The bucket is the one exemption from the public-access block: it holds the discovery document and the public keys, which anyone must
    be able to read (OpenID Connect Discovery 1.0), and nothing else. Only those two objects are readable.
    """

    DOCUMENTS = (".well-known/openid-configuration", "openid/v1/jwks")

    def __init__(self, scope: Construct, id_: str, *, names: Names, environment: Environment) -> None:
        super().__init__(scope, id_)
        self._names = names
        name = names.bucket("issuer")
        reading = Statement(
            "ReadIssuerDocuments",
            ["s3:GetObject"],
            [f"arn:aws:s3:::{name}/{document}" for document in self.DOCUMENTS],
            principals=ANYONE,
        )
        self.bucket = Bucket(
            self,
            "bucket",
            name=name,
            key=None,
            protect=environment.deletion_protection,
            noncurrent_days=environment.backups.noncurrent_days,
            public_read=True,
            statements=[reading],
        )
        self.host = f"{name}.s3.{environment.region}.amazonaws.com"
        self.provider = IamOpenidConnectProvider(
            self,
            "provider",
            url=self.url,
            client_id_list=[AUDIENCE],
            thumbprint_list=AMAZON_ROOT_THUMBPRINTS,
            tags={"Name": names.base},
            depends_on=[self.bucket.ready],
        )

    @property
    def url(self) -> str:
        """The issuer, as the API server names itself in tokens."""
        return f"https://{self.host}"

    def role(self, id_: str, accounts: Sequence[ServiceAccount], statements: Sequence[Statement]) -> IamRole:
        """A role that these service accounts may take, with these rights."""
        scope = Construct(self, id_)
        subjects = [account.subject for account in accounts]
        one_or_all = subjects[0] if len(subjects) == 1 else subjects
        trust = Statement(
            "ServiceAccount",
            ["sts:AssumeRoleWithWebIdentity"],
            resources=(),
            principals={"Federated": self.provider.arn},
            conditions={"StringEquals": {f"{self.host}:sub": one_or_all, f"{self.host}:aud": AUDIENCE}},
        )
        return role_with_policy(
            scope,
            "Resource",
            name=self._names.resource(id_.replace("_", "-")),
            description=f"{accounts[0].namespace}/{accounts[0].name} of cluster {self._names.base}",
            trust=policy(trust),
            policy_name="pod",
            statements=statements,
        )
