"""The Cluster Autoscaler: more agents when pods find no room, fewer when they do."""

from typing import Any

from constructs import Construct

from modules.platform.infrastructure_outputs import InfrastructureOutputs
from modules.platform.release import Release
from settings.addresses import fleets
from settings.helm_values import web_identity
from settings.names import Names
from settings.namespaces import controllers, on_servers
from settings.pools import AGENTS_PRIORITY
from settings.web_identity import AUTOSCALER


class ClusterAutoscaler(Construct):
    """Finds the agents' groups by their tags, and changes only those of this cluster."""

    def __init__(self, scope: Construct, id_: str, *, names: Names, infrastructure: InfrastructureOutputs) -> None:
        super().__init__(scope, id_)
        environment = names.environment
        identity = web_identity(infrastructure.get("pod_role_arns.autoscaler"), environment.region)
        Release(
            self,
            "autoscaler",
            environment=environment,
            release="cluster-autoscaler",
            namespace=AUTOSCALER.namespace,
            derived={
                "awsRegion": environment.region,
                "autoDiscovery": {"clusterName": names.base},
                "image": {"tag": environment.cluster.releases["cluster-autoscaler-image"].tag},
                "extraEnv": {variable["name"]: variable["value"] for variable in identity},
                **(on_servers() if environment.servers.dedicated else controllers(dedicated=False)),
                **(priorities(names) if environment.pools else {}),
            },
        )


def priorities(names: Names) -> dict[str, Any]:
    """Values by which the groups of the pool with the highest number grow first, and of several such ones those that waste least
    (cluster-autoscaler: expander/priority). A group is known by its name, which ends with its zone and, of a Spot pool, its kind."""
    groups: dict[int, list[str]] = {AGENTS_PRIORITY: [f"^{names.resource('agent')}-[a-z]$"]}
    for name, pool in names.environment.pools.items():
        (fleet,) = (each for each in fleets(names.environment, pool) if not each.fixed)
        end = "-".join(["[a-z]", *fleet.name_end])
        groups.setdefault(pool.priority, []).append(f"^{names.resource('agent', name)}-{end}$")
    ordered = {str(priority): groups[priority] for priority in sorted(groups)}
    return {"extraArgs": {"expander": "priority,least-waste"}, "expanderPriorities": ordered}
