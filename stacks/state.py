"""``vet-state``: what exists once per AWS account and before everything else."""

from constructs import Construct

from modules.aws.boundary import Boundary, limit_roles
from modules.aws.dns_zones import DnsZones
from modules.aws.github_roles import GitHubRoles
from modules.aws.operator_role import OperatorRole
from modules.aws.replicas import Replicas, ReplicaSettings
from modules.aws.state_storage import STATE_VERSIONS_DAYS, StateStorage
from settings.environment import Environment
from settings.loader import Settings
from settings.names import STATE_STACK, Names, project_tags, replica_bucket
from settings.project import Project
from settings.remembered import remembered_of_account
from stacks.base import PlatformStack


class StateStack(PlatformStack):
    """The bucket and key for all state, the DNS zones of all environments, and how far the roles of each reach."""

    def __init__(self, scope: Construct, *, settings: Settings) -> None:
        project = settings.project
        super().__init__(scope, STATE_STACK, project=project, region=project.region, tags=project_tags(project))
        storage = StateStorage(self, "storage", project=project)
        if project.replica_region:
            self._replicate(storage, project, project.replica_region)
        zones = DnsZones(
            self,
            "dns",
            domain=project.domain,
            names=[environment.dns_zone for environment in settings.environments],
            former=project.former_zones,
        )
        if project.access.permissions_boundary is None:
            for environment in settings.environments:
                names, zone = Names(project, environment), zones.zones[environment.dns_zone]
                Boundary(self, f"boundary_{environment.name}", names=names, zone_arn=zone.arn)
        for environment in settings.environments:
            if environment.access.operators:
                self._operate(environment, storage, zones, project)
        if project.github is not None:
            self._trust_github(settings, storage, zones, project.github.repository)
        limit_roles(self, project, project.access.permissions_boundary)
        self.output("state_bucket", storage.bucket.name, "S3 bucket that holds the state of every stack")
        self.output(
            "name_servers", zones.domain.name_servers, f"set these name servers for {project.domain} at your registrar"
        )
        self.output(
            "settings",
            remembered_of_account(project, settings.environments),
            "settings of the last apply, with which the next plan compares",
        )

    def _replicate(self, storage: StateStorage, project: Project, region: str) -> None:
        """A copy of the state in another region; the region's provider stays until it is deleted, because Terraform deletes it by that."""
        provider = self.replica_provider(region)
        if project.delete_copies:
            return
        Replicas(
            self,
            "replicas",
            provider=provider,
            sources={"state": (storage.bucket, replica_bucket(project))},
            key=storage.key,
            settings=ReplicaSettings(
                name=f"{project.name_prefix}-state-replica",
                account_id=project.account_id,
                protect=True,
                noncurrent_days=STATE_VERSIONS_DAYS,
            ),
        )

    def _operate(self, environment: Environment, storage: StateStorage, zones: DnsZones, project: Project) -> None:
        """The role that an environment's operators take."""
        OperatorRole(
            self,
            f"operator_{environment.name}",
            names=Names(project, environment),
            operators=environment.access.operators,
            zone_arn=zones.zones[environment.dns_zone].arn,
            state_bucket=storage.bucket.arn,
            state_key=storage.key.arn,
        )

    def _trust_github(self, settings: Settings, storage: StateStorage, zones: DnsZones, repository: str) -> None:
        """The roles of the repository's workflows, and the variables that name them there."""
        roles = GitHubRoles(
            self, "github", settings=settings, repository=repository, storage=storage, zones=zones.zones
        )
        self.output("github_plan_role", roles.plan.arn, "variable AWS_PLAN_ROLE of the repository on GitHub")
        self.output("github_publish_role", roles.publish.arn, "variable AWS_PUBLISH_ROLE of the repository on GitHub")
        self.output(
            "github_deploy_roles",
            {name: role.arn for name, role in roles.deploy.items()},
            "variable AWS_DEPLOY_ROLE of each environment on GitHub",
        )
