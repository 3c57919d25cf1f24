"""PostgreSQL for the application: the operator, and a cluster with backups in S3."""

from collections.abc import Sequence

from cdktf import ITerraformDependable
from constructs import Construct

from modules.platform.infrastructure_outputs import InfrastructureOutputs
from modules.platform.namespaces import Namespaces
from modules.platform.release import Release
from settings.environment import Environment
from settings.helm_values import Values, values
from settings.namespaces import controllers, on_agents
from settings.pools import OFF_SPOT
from settings.web_identity import DATABASE, DATABASE_CLONE

OPERATOR_NAMESPACE = "cnpg-system"
BACKUP_PLUGIN = "plugin-barman-cloud"
REQUIRED = "requiredDuringSchedulingIgnoredDuringExecution"


class Database(Construct):
    """CloudNativePG, its backup plugin where the release set has one, and the application's database.

    The database is never ``atomic``: a failed change must not uninstall what holds data. In a protected environment it
    even outlives its release. Beside it there may be a second one, filled from its backup.

    :param storage: what the database's volumes wait for.
    :param certificates: cert-manager, which makes the plugin's certificates.
    """

    def __init__(
        self,
        scope: Construct,
        id_: str,
        *,
        environment: Environment,
        infrastructure: InfrastructureOutputs,
        namespaces: Namespaces,
        storage: Sequence[ITerraformDependable],
        certificates: Sequence[ITerraformDependable],
    ) -> None:
        super().__init__(scope, id_)
        self._environment = environment
        operator = [self._release("operator", "cloudnative-pg", namespaces.ready(OPERATOR_NAMESPACE))]
        if BACKUP_PLUGIN in environment.cluster.releases:
            operator = [self._release("backup_plugin", BACKUP_PLUGIN, [*operator, *certificates])]
        namespace = environment.application.namespace
        cluster = Release(
            self,
            "cluster",
            environment=environment,
            release="database",
            namespace=namespace,
            derived=_cluster(environment, infrastructure),
            atomic=False,
            depends_on=[*namespaces.ready(namespace), *operator, *storage],
        ).release
        self.ready: Sequence[ITerraformDependable] = [cluster]
        if moment := environment.backups.database_clone_at:
            Release(
                self,
                "beside",
                environment=environment,
                release=DATABASE_CLONE,
                like="database",
                namespace=namespace,
                derived=_cluster(environment, infrastructure),
                different=_beside(environment, moment),
                atomic=False,
                depends_on=self.ready,
            )

    def _release(self, id_: str, release: str, depends_on: Sequence[ITerraformDependable]) -> ITerraformDependable:
        resource: ITerraformDependable = Release(
            self,
            id_,
            environment=self._environment,
            release=release,
            namespace=OPERATOR_NAMESPACE,
            derived=controllers(dedicated=self._environment.servers.dedicated),
            depends_on=depends_on,
        ).release
        return resource


def _cluster(environment: Environment, infrastructure: InfrastructureOutputs) -> Values:
    application = environment.application
    return {
        "image": environment.cluster.releases["postgresql"].image,
        "instances": application.database_instances,
        "keep": environment.deletion_protection,
        "storage": {"size": application.volume},
        "backup": {
            "bucket": infrastructure.get("database_bucket"),
            "region": environment.region,
            "roleArn": infrastructure.get("pod_role_arns.database"),
            "retentionDays": environment.backups.database_days,
        },
        **_placed(environment),
    }


def _placed(environment: Environment) -> Values:
    """The database's node affinity: off servers, which may be small, unless a taint does that; and off nodes that AWS may take back."""
    own = {} if environment.servers.dedicated else on_agents()
    if not environment.interruptible:
        return {"nodeAffinity": own} if own else {}
    terms = own.get(REQUIRED, {}).get("nodeSelectorTerms") or [{}]
    narrowed = [{**term, "matchExpressions": [*term.get("matchExpressions", []), OFF_SPOT]} for term in terms]
    return {"nodeAffinity": {REQUIRED: {"nodeSelectorTerms": narrowed}}}


def archive(environment: Environment) -> str:
    """Folder of the archive that the clinic's database writes. A database that is made again gets a new one, so it tells them apart."""
    chart_values = values(DATABASE, environment.cluster.release_set, environment.values.get(DATABASE, {}))
    return str(chart_values.get("backup", {}).get("archive", DATABASE))


def _beside(environment: Environment, moment: str) -> Values:
    """What is different in a database that is filled from the clinic's backup, and that clients take for the clinic's own."""
    return {
        "name": DATABASE_CLONE,
        "instances": 1,
        "keep": False,
        "serverCASecret": f"{DATABASE}-ca",
        "backup": {"enabled": False},
        "recovery": {
            "from": archive(environment),
            "at": "" if moment == "newest" else moment,
        },
    }
