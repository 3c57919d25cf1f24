"""What GitHub's workflows may do in AWS: tokens that GitHub signs for one run are exchanged for short-lived credentials; no key is stored.

GitHub documents the issuer and the subjects (Actions: "Configuring OpenID Connect in Amazon Web Services"): a pull request's token has the
subject ``repo:OWNER/NAME:pull_request``, a job's that names an environment ``repo:OWNER/NAME:environment:NAME``. Repositories made or
renamed since 15 July 2026 send ``repo:OWNER@ID/NAME@ID:...`` instead (GitHub changelog, 2026-04-23: immutable subject claims). The one
form that the settings name is trusted, and compared as a whole: who later makes a repository of the same name has other numbers.
"""

from collections.abc import Mapping, Sequence

from cdktf_cdktf_provider_aws.iam_openid_connect_provider import IamOpenidConnectProvider
from cdktf_cdktf_provider_aws.iam_role import IamRole
from cdktf_cdktf_provider_aws.route53_zone import Route53Zone
from constructs import Construct

from modules.aws.github_rights import deploying, planning, publishing
from modules.aws.operator_role import reaching
from modules.aws.policy import Statement, policy
from modules.aws.role import role_with_policy
from modules.aws.state_storage import StateStorage
from settings import Settings
from settings.names import Names

HOST = "token.actions.githubusercontent.com"
AUDIENCE = "sts.amazonaws.com"


class GitHubRoles(Construct):
    """One role that plans every stack and changes nothing, one that brings images to the registries, and one for each environment that
    deploys it alone.

    :param repository: ``OWNER/NAME`` or ``OWNER@ID/NAME@ID``, whichever its tokens' subjects have.
    :param storage: the state that both read and the deploying roles write, each its own.
    :param zones: the environments' zones by their names.
    """

    def __init__(
        self,
        scope: Construct,
        id_: str,
        *,
        settings: Settings,
        repository: str,
        storage: StateStorage,
        zones: Mapping[str, Route53Zone],
    ) -> None:
        super().__init__(scope, id_)
        self._settings, self._repository = settings, repository
        self._provider = IamOpenidConnectProvider(
            self, "provider", url=f"https://{HOST}", client_id_list=[AUDIENCE], tags={"Name": "github-actions"}
        )
        state = {"state_bucket": storage.bucket.arn, "state_key": storage.key.arn}
        names = [Names(settings.project, environment) for environment in settings.environments]
        self.plan = self._role("plan", ["pull_request", "ref:refs/heads/main"], planning(names, **state))
        self.publish = self._role("publish", ["ref:refs/heads/main"], publishing(names))
        self.deploy = {
            each.environment.name: self._role(
                f"deploy-{each.environment.name}",
                [f"environment:{each.environment.name}"],
                [
                    *deploying(each, zone_arn=zones[each.environment.dns_zone].arn, **state),
                    *reaching(each, storage.bucket.arn),
                ],
            )
            for each in names
        }

    def _role(self, name: str, subjects: Sequence[str], statements: Sequence[Statement]) -> IamRole:
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
        return role_with_policy(
            scope,
            "Resource",
            name=f"{self._settings.project.name_prefix}-github-{name}",
            description=f"Workflows of {self._repository}: {', '.join(subjects)}",
            trust=policy(trust),
            policy_name="workflow",
            statements=statements,
        )
