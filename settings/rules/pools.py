"""Rules about pools of agents."""

from collections.abc import Iterator, Mapping

from settings.cluster import ClusterSettings
from settings.instance_types import INSTANCE_TYPES
from settings.network import NetworkSettings
from settings.nodes import AgentsSettings
from settings.pools import Pool
from settings.problems import Finding, Key
from settings.release_sets import catalogue, parse, release_set
from settings.rules.registry import error, warning
from settings.validation import suggestion

Pools = Mapping[str, Pool]

ARM_SINCE = "1.27.0"
"""The first line of RKE2 that is published for arm64 (rancher/rke2@v1.27.16+rke2r1 .github/workflows/release.yml; the 1.26 one, .drone.yml,
builds none)."""


@error
def pool_types_known(pools: Pools) -> Iterator[Finding]:
    """A known type (``settings/instance_types.py``)."""
    for name, pool in pools.items():
        for index, kind in enumerate(pool.instance_types):
            key: Key = ("pools", name, "instance_types", index)
            if kind not in INSTANCE_TYPES:
                near = suggestion(kind, list(INSTANCE_TYPES)) if "." in kind else ""
                rule = "must be an instance type that settings/instance_types.py knows"
                yield Finding(key, rule, f"{near} (another family is added in that file)")
            elif kind in pool.instance_types[:index]:
                yield Finding(key, "must name each type once", "remove the second one")


@error
def pool_types_alike(pools: Pools) -> Iterator[Finding]:
    """The autoscaler calculates with the first type of a group, and an image has one architecture (cluster-autoscaler, AWS: using mixed instances
    policies); credits are a matter of all types of a launch template or of none (EC2: CreditSpecification)."""
    for name, pool in pools.items():
        first, *others = pool.instance_types
        if first not in INSTANCE_TYPES:
            continue
        machine = INSTANCE_TYPES[first]
        for index, kind in enumerate(others, start=1):
            other = INSTANCE_TYPES.get(kind, machine)
            key: Key = ("pools", name, "instance_types", index)
            if other != machine:
                rule = (
                    f"must have what {first} has: {machine.vcpus} vCPUs, {machine.memory_gib:g} GiB, {machine.architecture}; it has "
                    f"{other.vcpus}, {other.memory_gib:g} GiB, {other.architecture}"
                )
                yield Finding(key, rule, "choose a type of that size, or put it into a pool of its own")
            elif kind.startswith("t") != first.startswith("t"):
                rule = (
                    f"must be burstable like {first}"
                    if first.startswith("t")
                    else f"must not be burstable, as {first} is not"
                )
                yield Finding(key, rule, "put it into a pool of its own")


@error
def pool_within_maximum(pools: Pools) -> Iterator[Finding]:
    """A group that starts above its maximum is refused (Amazon EC2 Auto Scaling: capacity limits)."""
    for name, pool in pools.items():
        if pool.max_count < pool.min_count:
            rule = f"must be pools.{name}.min_count = {pool.min_count} or more"
            yield Finding(("pools", name, "max_count"), rule, f"set {pool.min_count} or more")


@error
def pool_base_of_spot(pools: Pools) -> Iterator[Finding]:
    """A base is what a Spot pool has beside its Spot nodes."""
    for name, pool in pools.items():
        key: Key = ("pools", name, "on_demand_base")
        if pool.on_demand_base and not pool.spot:
            yield Finding(key, "must be left out where spot is false: all of its nodes are on demand", "remove it")
        elif pool.on_demand_base > pool.min_count:
            yield Finding(
                key, f"must be pools.{name}.min_count = {pool.min_count} or less", f"set {pool.min_count} or less"
            )


@error
def pool_zones_exist(pools: Pools, network: NetworkSettings) -> Iterator[Finding]:
    """A pool's groups stand in the network's private subnets."""
    for name, pool in pools.items():
        for index, letter in enumerate(pool.availability_zones):
            key: Key = ("pools", name, "availability_zones", index)
            if letter not in network.availability_zones:
                rule = (
                    f"must be one of the zones in network.availability_zones: {', '.join(network.availability_zones)}"
                )
                yield Finding(key, rule, f"remove it, or add the zone {letter}")
            elif letter in pool.availability_zones[:index]:
                yield Finding(key, "must name each zone once", "remove the second one")


@error
def pool_taints_once(pools: Pools) -> Iterator[Finding]:
    """A node has a taint of a key and an effect once (Kubernetes API: core/v1 NodeSpec), and a tag of its group stands for a key."""
    for name, pool in pools.items():
        keys = [taint.key for taint in pool.taints]
        for index, key in enumerate(keys):
            if key in keys[:index]:
                yield Finding(("pools", name, "taints", index, "key"), "must be given once", "remove the second one")


@error
def arm_needs_its_rke2(pools: Pools, cluster: ClusterSettings) -> Iterator[Finding]:
    """RKE2 is published for arm64 from 1.27 on."""
    rke2 = cluster.versions.get("rke2", release_set(cluster.release_set).rke2)
    if rke2 not in catalogue()["rke2"].releases or parse(rke2).compare(ARM_SINCE) >= 0:
        return
    for name, pool in pools.items():
        if pool.is_arm:
            rule = f"must be an x86-64 type with RKE2 {rke2}: it is published for arm64 from 1.27 on"
            yield Finding(
                ("pools", name, "instance_types", 0),
                rule,
                "set cluster.release_set: current, or choose a t3, m7i, c6i or r6i type",
            )


@error
def work_has_a_place_off_spot(agents: AgentsSettings, pools: Pools) -> Iterator[Finding]:
    """The database and the application never run on a Spot node of an environment with pools."""
    lasting = agents.min_count if not agents.spot else 0
    lasting += sum(pool.on_demand_base if pool.spot else pool.min_count for pool in pools.values() if pool.open_to_all)
    spot = agents.spot or any(pool.spot for pool in pools.values())
    if pools and spot and lasting == 0:
        rule = "must have an on-demand node without taints: neither the database nor the application runs on Spot where there are pools"
        yield Finding(("pools",), rule, "set agents.min_count to 1 or more with agents.spot: false, or add such a pool")


@warning
def single_spot_type(pools: Pools) -> Iterator[Finding]:
    """AWS takes Spot nodes back where a type is short in a zone; with several types the others stay (EC2 Auto Scaling: Spot best practices)."""
    for name, pool in pools.items():
        if pool.spot and len(pool.instance_types) < 2:
            rule = "should name two types or more where spot is true: AWS takes back all of one type at once"
            yield Finding(("pools", name, "instance_types"), rule, "add types with the same CPUs and memory")


@warning
def small_pool(pools: Pools) -> Iterator[Finding]:
    """An agent wants 4 GiB (docs.rke2.io: resource profiling)."""
    for name, pool in pools.items():
        machine = INSTANCE_TYPES.get(pool.instance_types[0])
        if machine and machine.memory_gib < 4:
            rule = f"should have 4 GiB: RKE2 and Calico take most of less; it has {machine.memory_gib:g} GiB"
            yield Finding(("pools", name, "instance_types", 0), rule, "choose t3.medium or more")
