"""``vet-<env>-helm``: what runs on the cluster of one environment."""

from constructs import Construct

from modules.fixed import Fixed
from modules.platform.autoscaler import ClusterAutoscaler
from modules.platform.certificates import Certificates
from modules.platform.cluster import Cluster
from modules.platform.database import Database
from modules.platform.ingress import IngressController
from modules.platform.namespaces import Namespaces
from modules.platform.rancher import Rancher
from modules.platform.release import Release, render_again_on
from modules.platform.storage import Storage
from modules.platform.upstream import Upstream
from modules.platform.vet_application.application import VetApplication
from settings.effects import HELM, remembered
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
        Fixed(
            self,
            "fixed",
            values={"application.namespace": environment.application.namespace},
            why="The application's database is in the namespace and would go with it.",
        )
        Fixed(
            self,
            "postgresql_major",
            values={
                "cluster.versions.postgresql (major)": str(environment.cluster.releases["postgresql"].program.major)
            },
            why="A server of another major cannot start on this one's data, and cannot restore its backups.",
            remedy="Keep the deployed one over the set (cluster.versions.postgresql); docs/runbooks/upgrading.md tells how it is raised.",
        )
        cluster = Cluster(self, "cluster", names=names, upstream=self._upstream)
        self._namespaces = Namespaces(self, "namespaces", environment=environment)
        self._base()
        self._rancher()
        self._application()
        render_again_on(cluster.kubernetes, self)
        self.output(
            "settings", remembered(environment, HELM), "settings of the last apply, with which the next plan compares"
        )

    def _base(self) -> None:
        """What everything else stands on."""
        names, environment = self._names, self._environment
        upstream, namespaces = self._upstream, self._namespaces
        self._storage = Storage(self, "storage", names=names, upstream=upstream)
        self._certificates = Certificates(self, "certificates", names=names, upstream=upstream, namespaces=namespaces)
        self._ingress = IngressController(
            self, "ingress", environment=environment, upstream=upstream, namespaces=namespaces
        )
        if environment.agents.autoscaler:
            ClusterAutoscaler(self, "autoscaler", names=names, upstream=upstream)

    def _rancher(self) -> None:
        Rancher(
            self,
            "rancher",
            environment=self._environment,
            namespaces=self._namespaces,
            wait_for=[*self._certificates.manager, *self._ingress.ready],
        )

    def _application(self) -> None:
        environment = self._environment
        namespace = environment.application.namespace
        ready = self._namespaces.ready(namespace)
        Release(
            self,
            "access",
            environment=environment,
            release="access",
            namespace="kube-system",
            derived={"applicationNamespace": namespace},
            wait_for=ready,
        )
        secret = Release(
            self,
            "application_secret",
            environment=environment,
            release="vet-app-secret",
            namespace=namespace,
            wait_for=ready,
        )
        database = Database(
            self,
            "database",
            environment=environment,
            upstream=self._upstream,
            namespaces=self._namespaces,
            storage=self._storage.ready,
            certificates=self._certificates.manager,
        )
        VetApplication(
            self,
            "vet_app",
            names=self._names,
            repository=self._upstream.text("image_repository_name"),
            namespace=namespace,
            wait_for=[*ready, secret.release, *database.ready, *self._certificates.ready, *self._ingress.ready],
        )
