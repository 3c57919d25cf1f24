"""PostgreSQL for the application: the operator, and a cluster with backups in S3."""

from collections.abc import Sequence

from cdktf import ITerraformDependable
from constructs import Construct

from modules.platform.namespaces import Namespaces
from modules.platform.release import Release
from modules.platform.upstream import Upstream
from settings.environment import Environment
from settings.helm_values import Values

OPERATOR_NAMESPACE = "cnpg-system"
BACKUP_PLUGIN = "plugin-barman-cloud"


class Database(Construct):
    """CloudNativePG, its backup plugin where the release set has one, and the application's database.

    The database is never ``atomic``: a failed change must not uninstall what holds data. In a protected environment it
    even outlives its release.

    :param storage: what the database's volumes wait for.
    :param certificates: cert-manager, which makes the plugin's certificates.
    """

    def __init__(
        self,
        scope: Construct,
        id_: str,
        *,
        environment: Environment,
        upstream: Upstream,
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
            derived=_cluster(environment, upstream),
            atomic=False,
            wait_for=[*namespaces.ready(namespace), *operator, *storage],
        ).release
        self.ready: Sequence[ITerraformDependable] = [cluster]

    def _release(self, id_: str, release: str, wait_for: Sequence[ITerraformDependable]) -> ITerraformDependable:
        made: ITerraformDependable = Release(
            self,
            id_,
            environment=self._environment,
            release=release,
            namespace=OPERATOR_NAMESPACE,
            wait_for=wait_for,
        ).release
        return made


def _cluster(environment: Environment, upstream: Upstream) -> Values:
    application = environment.application
    return {
        "image": environment.cluster.releases["postgresql"].image,
        "instances": application.database_instances,
        "keep": environment.protect,
        "storage": {"size": application.volume},
        "backup": {
            "bucket": upstream.text("database_bucket"),
            "region": environment.region,
            "roleArn": upstream.text("pod_role_arns.database"),
            "retentionDays": environment.backups.database_days,
        },
    }
