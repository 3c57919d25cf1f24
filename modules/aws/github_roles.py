"""What GitHub's workflows may do in AWS: tokens that GitHub signs for one run are exchanged for short-lived credentials; no key is stored.

GitHub documents the issuer and the subjects (Actions: "Configuring OpenID Connect in Amazon Web Services"): a pull request's token has the
subject ``repo:OWNER/NAME:pull_request``, a job's that names an environment ``repo:OWNER/NAME:environment:NAME``. Repositories made or
renamed since 15 July 2026 send ``repo:OWNER@ID/NAME@ID:...`` instead (GitHub changelog, 2026-04-23: immutable subject claims). The one
form that the settings name is trusted, and compared as a whole: whoever later makes a repository of the same name has other numbers.
"""

from collections.abc import Sequence

from cdktf_cdktf_provider_aws.iam_openid_connect_provider import IamOpenidConnectProvider
from cdktf_cdktf_provider_aws.iam_role import IamRole
from cdktf_cdktf_provider_aws.iam_role_policy import IamRolePolicy
from cdktf_cdktf_provider_aws.iam_role_policy_attachment import IamRolePolicyAttachment
from constructs import Construct

from modules.aws.policy import Statement, policy
from modules.aws.state_storage import StateStorage
from settings import Settings
from settings.names import STATE_STACK, Names, helm_stack, infrastructure_stack

HOST = "token.actions.githubusercontent.com"
AUDIENCE = "sts.amazonaws.com"

READ_ONLY = "arn:aws:iam::aws:policy/ReadOnlyAccess"
POWER_USER = "arn:aws:iam::aws:policy/PowerUserAccess"
"""Everything but IAM; what IAM takes is added below, for names of the environment only."""

MANAGE_ROLES = (
    "iam:AddRoleToInstanceProfile", "iam:AttachRolePolicy", "iam:CreateInstanceProfile", "iam:CreateOpenIDConnectProvider",
    "iam:CreateRole", "iam:DeleteInstanceProfile", "iam:DeleteOpenIDConnectProvider", "iam:DeleteRole",
    "iam:DeleteRolePolicy", "iam:DetachRolePolicy", "iam:GetInstanceProfile", "iam:GetOpenIDConnectProvider", "iam:GetRole",
    "iam:GetRolePolicy", "iam:ListAttachedRolePolicies", "iam:ListInstanceProfilesForRole", "iam:ListRolePolicies",
    "iam:PassRole", "iam:PutRolePolicy", "iam:RemoveRoleFromInstanceProfile", "iam:TagInstanceProfile",
    "iam:TagOpenIDConnectProvider", "iam:TagRole", "iam:UntagInstanceProfile", "iam:UntagOpenIDConnectProvider",
    "iam:UntagRole", "iam:UpdateAssumeRolePolicy", "iam:UpdateOpenIDConnectProviderThumbprint", "iam:UpdateRole",
)  # fmt: skip
"""What the infrastructure stack does with roles, profiles and the cluster's identity provider."""


class GitHubRoles(Construct):
    """One role that plans every stack and changes nothing, and one for each environment that deploys it alone.

    :param repository: ``OWNER/NAME`` or ``OWNER@ID/NAME@ID``, whichever its tokens' subjects have.
    :param storage: the state that both read and the deploying roles write, each its own.
    """

    def __init__(
        self, scope: Construct, id_: str, *, settings: Settings, repository: str, storage: StateStorage
    ) -> None:
        super().__init__(scope, id_)
        self._settings, self._repository, self._storage = settings, repository, storage
        self._provider = IamOpenidConnectProvider(
            self, "provider", url=f"https://{HOST}", client_id_list=[AUDIENCE], tags={"Name": "github-actions"}
        )
        subjects = ["pull_request", "ref:refs/heads/main"]
        self.plan = self._role("plan", subjects, READ_ONLY, self._reading())
        self.deploy = {
            environment.name: self._role(
                f"deploy-{environment.name}",
                [f"environment:{environment.name}"],
                POWER_USER,
                self._deploying(Names(settings.project, environment)),
            )
            for environment in settings.environments
        }

    def _role(self, name: str, subjects: Sequence[str], managed: str, statements: Sequence[Statement]) -> IamRole:
        scope = Construct(self, name)
        trust = Statement(
            "Workflows",
            ["sts:AssumeRoleWithWebIdentity"],
            resources=(),
            principals={"Federated": self._provider.arn},
            conditions={
                "StringEquals": {
                    f"{HOST}:aud": AUDIENCE,
                    f"{HOST}:sub": [f"repo:{self._repository}:{subject}" for subject in subjects],
                }
            },
        )
        role = IamRole(
            scope,
            "Resource",
            name=f"{self._settings.project.name_prefix}-github-{name}",
            description=f"Workflows of {self._repository}: {', '.join(subjects)}",
            assume_role_policy=policy(trust),
        )
        IamRolePolicyAttachment(scope, "managed", role=role.name, policy_arn=managed)
        IamRolePolicy(scope, "policy", name="workflow", role=role.id, policy=policy(*statements))
        return role

    def _reading(self) -> list[Statement]:
        """A plan reads state and resources, and none of what they hold: no backups, snapshots, logs or secrets."""
        names = [Names(self._settings.project, environment) for environment in self._settings.environments]
        closed = [
            f"arn:aws:s3:::{each.bucket(what)}/*" for each in names for what in ("database", "snapshots", "access-logs")
        ]
        return [
            Statement("StateKey", ["kms:Decrypt"], [self._storage.key.arn]),
            Statement("NoContents", ["s3:GetObject", "s3:GetObjectVersion"], closed, effect="Deny"),
            Statement(
                "NoSecrets",
                ["secretsmanager:GetSecretValue", "secretsmanager:BatchGetSecretValue"],
                effect="Deny",
            ),
        ]

    def _deploying(self, names: Names) -> list[Statement]:
        account = names.project.account_id
        own = {infrastructure_stack(names.environment.name), helm_stack(names.environment.name)}
        others = [each.name for each in self._settings.environments if each.name != names.environment.name]
        stacks = [STATE_STACK, *(stack for name in others for stack in (infrastructure_stack(name), helm_stack(name)))]
        objects = [f"{self._storage.bucket.arn}/{stack}/*" for stack in stacks if stack not in own]
        denied = [
            Statement(
                "NoOtherState", ["s3:PutObject", "s3:DeleteObject", "s3:DeleteObjectVersion"], objects, effect="Deny"
            ),
            Statement(
                "NoStateBucket",
                ["s3:DeleteBucket", "s3:PutBucketPolicy", "s3:PutBucketVersioning", "s3:PutLifecycleConfiguration"],
                [self._storage.bucket.arn],
                effect="Deny",
            ),
            Statement(
                "NoStateKey",
                ["kms:ScheduleKeyDeletion", "kms:DisableKey", "kms:PutKeyPolicy"],
                [self._storage.key.arn],
                effect="Deny",
            ),
        ]
        if others:
            tagged = {"StringEquals": {"aws:ResourceTag/Environment": others}}
            denied.append(Statement("NoOtherEnvironment", ["*"], conditions=tagged, effect="Deny"))
        roles = [
            f"arn:aws:iam::{account}:role/{names.base}-*",
            f"arn:aws:iam::{account}:instance-profile/{names.base}-*",
            f"arn:aws:iam::{account}:oidc-provider/{names.base}-*",
        ]
        return [Statement("Roles", MANAGE_ROLES, roles), *denied]
