"""Of the versions that a cluster may have, those that an environment installs."""

from collections.abc import Mapping

from settings.cluster import ClusterSettings
from settings.nodes import AgentsSettings
from settings.patches import Patches
from settings.pools import Pool
from settings.release_sets import ReleaseSet
from settings.services import Services


def left_off(
    *, agents: AgentsSettings, pools: Mapping[str, Pool], patches: Patches | None, services: Services
) -> tuple[str, ...]:
    """The catalogue's names of what these settings do not install."""
    installed = {
        "cluster-autoscaler": agents.autoscaler,
        "cluster-autoscaler-image": agents.autoscaler,
        "aws-node-termination-handler": interruptible(agents, pools),
        "kured": patches is not None,
        "monitoring": services.monitoring.enabled,
        "monitoring-crds": services.monitoring.enabled,
        "fluent-bit": services.logs.enabled,
        "velero": services.velero.enabled,
    }
    return tuple(key for key, is_installed in installed.items() if not is_installed)


def installed(
    cluster: ClusterSettings,
    *,
    agents: AgentsSettings,
    pools: Mapping[str, Pool],
    patches: Patches | None,
    services: Services,
) -> ReleaseSet:
    """What is on the cluster and its nodes. Raises ``UnknownReleaseError`` as ``cluster.releases`` does."""
    return cluster.releases.without(*left_off(agents=agents, pools=pools, patches=patches, services=services))


def interruptible(agents: AgentsSettings, pools: Mapping[str, Pool]) -> bool:
    """Whether there are Spot nodes that the platform's own rules of placement know of: those of an environment with pools."""
    return bool(pools) and (agents.spot or any(pool.spot for pool in pools.values()))
