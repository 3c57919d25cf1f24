"""``vet-<env>-helm``: what runs on the cluster of one environment."""

from constructs import Construct

from modules.platform.cluster import Cluster
from modules.platform.upstream import Upstream
from settings.environment import Environment
from settings.names import Names, helm_stack
from settings.project import Project
from stacks.base import PlatformStack


class HelmStack(PlatformStack):
    """From a bare cluster to storage, certificates, ingress, Rancher, the database and the veterinary application."""

    def __init__(self, scope: Construct, *, project: Project, environment: Environment) -> None:
        names = Names(project, environment)
        super().__init__(
            scope, helm_stack(environment.name), project=project, region=environment.region, tags=names.tags
        )
        self._names, self._environment = names, environment
        self._upstream = Upstream(self, "upstream", project=project, environment=environment.name)
        Cluster(self, "cluster", names=names, upstream=self._upstream)
