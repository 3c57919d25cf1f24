"""The Cluster Autoscaler: more agents when pods find no room, fewer when they do."""

from constructs import Construct

from modules.platform.release import Release
from modules.platform.upstream import Upstream
from settings.helm_values import web_identity
from settings.names import Names
from settings.namespaces import on_servers
from settings.web_identity import AUTOSCALER


class ClusterAutoscaler(Construct):
    """Finds the agents' groups by their tags, and changes only those of this cluster."""

    def __init__(self, scope: Construct, id_: str, *, names: Names, upstream: Upstream) -> None:
        super().__init__(scope, id_)
        environment = names.environment
        identity = web_identity(upstream.text("pod_role_arns.autoscaler"), environment.region)
        Release(
            self,
            "autoscaler",
            environment=environment,
            release="cluster-autoscaler",
            namespace=AUTOSCALER.namespace,
            derived={
                "awsRegion": environment.region,
                "autoDiscovery": {"clusterName": names.base},
                "image": {"tag": environment.cluster.releases["cluster-autoscaler-image"].version},
                "extraEnv": {variable["name"]: variable["value"] for variable in identity},
                **(on_servers() if environment.servers.dedicated else {}),
            },
        )
