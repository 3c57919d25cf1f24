"""``vet-<env>-helm``: what runs on the cluster of one environment."""

from cdktf import ITerraformDependable
from constructs import Construct

from modules.fixed import Fixed
from modules.platform.autoscaler import ClusterAutoscaler
from modules.platform.certificates import Certificates
from modules.platform.cluster import Cluster
from modules.platform.database import Database, archive
from modules.platform.extras import Extras
from modules.platform.infrastructure_outputs import InfrastructureOutputs
from modules.platform.ingress import IngressController
from modules.platform.interruption_handler import InterruptionHandler
from modules.platform.logs import Logs
from modules.platform.monitoring import Monitoring
from modules.platform.namespaces import Namespaces
from modules.platform.node_restarts import NodeRestarts
from modules.platform.rancher import Rancher
from modules.platform.release import Release, render_again_on
from modules.platform.storage import Storage
from modules.platform.velero import Velero
from modules.platform.vet_application.application import VetApplication
from settings.effects import HELM
from settings.environment import Environment
from settings.names import Names, helm_stack, infrastructure_stack
from settings.principals import by_role
from settings.project import Project
from settings.remembered import remembered
from settings.web_identity import DATABASE
from stacks.base import PlatformStack
from stacks.overrides import override


class HelmStack(PlatformStack):
    """From a bare cluster to storage, certificates, ingress, Rancher, the database and the veterinary application."""

    def __init__(self, scope: Construct, *, project: Project, environment: Environment) -> None:
        names = Names(project, environment)
        super().__init__(
            scope, helm_stack(environment.name), project=project, region=environment.region, tags=names.tags
        )
        self._names, self._environment = names, environment
        self._infrastructure = InfrastructureOutputs(
            self, "upstream", project=project, stack=infrastructure_stack(environment.name)
        )
        Fixed(
            self,
            "fixed",
            values={"application.namespace": environment.application.namespace},
            why="The application's database is in the namespace and would go with it.",
        )
        self._fixed_major()
        cluster = Cluster(self, "cluster", names=names, infrastructure=self._infrastructure)
        self._namespaces = Namespaces(self, "namespaces", environment=environment)
        self._base()
        self._rancher()
        self._application()
        self._services()
        if environment.extra_releases or environment.extra_manifests:
            self._extras()
        override(self, HELM, environment)
        render_again_on(cluster.kubernetes, self)
        self.output(
            "settings",
            remembered(project, environment, HELM),
            "settings of the last apply, with which the next plan compares",
        )

    def _fixed_major(self) -> None:
        """The major of PostgreSQL is one database's, and a database that is made again writes another archive."""
        database, environment = archive(self._environment), self._environment
        Fixed(
            self,
            "postgresql_major" if database == DATABASE else f"postgresql_major_{database}",
            values={
                "cluster.versions.postgresql (major)": str(environment.cluster.releases["postgresql"].program.major)
            },
            why="A server of another major cannot start on this one's data, and cannot restore its backups.",
            remedy="Keep the deployed one over the set (cluster.versions.postgresql); docs/runbooks/upgrading.md tells how it is raised.",
        )

    def _base(self) -> None:
        """What everything else stands on."""
        names, environment = self._names, self._environment
        infrastructure, namespaces = self._infrastructure, self._namespaces
        self._storage = Storage(self, "storage", names=names, infrastructure=infrastructure)
        self._certificates = Certificates(
            self, "certificates", names=names, infrastructure=infrastructure, namespaces=namespaces
        )
        self._ingress = IngressController(
            self, "ingress", environment=environment, infrastructure=infrastructure, namespaces=namespaces
        )
        if environment.agents.autoscaler:
            ClusterAutoscaler(self, "autoscaler", names=names, infrastructure=infrastructure)
        if environment.interruptible:
            InterruptionHandler(self, "interruptions", names=names, infrastructure=infrastructure)
        if environment.patches:
            NodeRestarts(self, "restarts", environment=environment, patches=environment.patches)

    def _rancher(self) -> None:
        Rancher(
            self,
            "rancher",
            environment=self._environment,
            namespaces=self._namespaces,
            depends_on=[*self._certificates.manager, *self._ingress.ready],
        )

    def _services(self) -> None:
        """What is off unless the environment's file says otherwise."""
        if self._environment.services.monitoring.enabled:
            Monitoring(
                self, "monitoring", names=self._names, namespaces=self._namespaces, depends_on=self._ready_for_services
            )
        if self._environment.services.logs.enabled:
            Logs(self, "logs", names=self._names, infrastructure=self._infrastructure, namespaces=self._namespaces)
        if self._environment.services.velero.enabled:
            Velero(
                self,
                "velero",
                environment=self._environment,
                infrastructure=self._infrastructure,
                namespaces=self._namespaces,
                depends_on=self._storage.ready,
            )

    @property
    def _ready_for_services(self) -> list[ITerraformDependable]:
        """Storage, certificates and ingress."""
        return [*self._storage.ready, *self._certificates.ready, *self._ingress.ready]

    def _extras(self) -> None:
        Extras(
            self,
            "extra",
            environment=self._environment,
            namespaces=self._namespaces,
            depends_on=self._ready_for_services,
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
            derived={
                "applicationNamespace": namespace,
                **({"groups": by_role(environment.access)} if environment.access.identity.issuer else {}),
            },
            depends_on=ready,
        )
        secret = Release(
            self,
            "application_secret",
            environment=environment,
            release="vet-app-secret",
            namespace=namespace,
            depends_on=ready,
        )
        database = Database(
            self,
            "database",
            environment=environment,
            infrastructure=self._infrastructure,
            namespaces=self._namespaces,
            storage=self._storage.ready,
            certificates=self._certificates.manager,
        )
        VetApplication(
            self,
            "vet_app",
            names=self._names,
            repository=self._infrastructure.get("image_repository_name"),
            namespace=namespace,
            infrastructure=self._infrastructure,
            depends_on=[*ready, secret.release, *database.ready, *self._certificates.ready, *self._ingress.ready],
        )
