"""Rules about address ranges and zones."""

from collections.abc import Iterator, Mapping
from ipaddress import IPv4Network
from itertools import combinations

from settings.addresses import Machines, maximum_nodes_by_zone, server_slots
from settings.cluster import ClusterSettings
from settings.network import NetworkSettings
from settings.nodes import AgentsSettings, ServersSettings
from settings.pools import Pool
from settings.problems import Finding, Key, dotted
from settings.project import Project
from settings.regions import ZONES
from settings.rules.registry import error, project_error
from settings.validation import suggestion

AWS_RESERVES = 5
"""Addresses of every subnet that AWS keeps: the first four and the last (Amazon VPC: subnet sizing)."""

SPARE_ADDRESSES = 8
"""What stays free in a private subnet for the network load balancer, and for nodes that come before others have
gone."""

POD_NODE_PREFIX = 24
"""Kubernetes cuts a /24 of the pod range for each node (kube-controller-manager: --node-cidr-mask-size-ipv4)."""


def _subnets(network: NetworkSettings) -> list[tuple[Key, IPv4Network]]:
    return [
        (("network", "availability_zones", letter, kind), cidr)
        for kind in ("public", "private")
        for letter, subnets in network.availability_zones.items()
        if (cidr := getattr(subnets, kind)) is not None
    ]


def _size(key: Key, cidr: IPv4Network, widest: int, narrowest: int, source: str) -> Iterator[Finding]:
    if not widest <= cidr.prefixlen <= narrowest:
        nearest = min(max(cidr.prefixlen, widest), narrowest)
        yield Finding(
            key, f"must be a /{widest} to /{narrowest}; this is a /{cidr.prefixlen} ({source})", f"choose a /{nearest}"
        )


@error
def vpc_size(network: NetworkSettings) -> Iterator[Finding]:
    """A VPC is a /16 to /28 (Amazon VPC: VPC CIDR blocks)."""
    yield from _size(("network", "cidr"), network.cidr, 16, 28, "Amazon VPC: VPC CIDR blocks")


@error
def subnet_sizes(network: NetworkSettings) -> Iterator[Finding]:
    """A subnet is a /16 to /28 (Amazon VPC: subnet sizing); a load balancer wants a /27 (Elastic Load Balancing:
    subnets for your ALB)."""
    for key, cidr in _subnets(network):
        if key[-1] == "public":
            yield from _size(key, cidr, 16, 27, "Amazon VPC, and the load balancer's own need of a /27")
        else:
            yield from _size(key, cidr, 16, 28, "Amazon VPC: subnet sizing")


@error
def subnets_inside_vpc(network: NetworkSettings) -> Iterator[Finding]:
    """Subnets lie inside their VPC (Amazon VPC: subnet CIDR blocks)."""
    for key, cidr in _subnets(network):
        if not cidr.subnet_of(network.cidr):
            yield Finding(
                key, f"must lie inside the VPC, network.cidr = {network.cidr}", f"choose a part of {network.cidr}"
            )


@error
def subnets_disjoint(network: NetworkSettings) -> Iterator[Finding]:
    """Subnets of a VPC do not overlap (Amazon VPC: subnet CIDR blocks)."""
    for (first_key, first), (key, cidr) in combinations(_subnets(network), 2):
        if cidr.overlaps(first):
            rule = f"must not overlap {dotted(first_key)} = {first}"
            yield Finding(key, rule, f"choose a range of {network.cidr} that no other subnet has")


@error
def cluster_ranges_disjoint(network: NetworkSettings, cluster: ClusterSettings) -> Iterator[Finding]:
    """Nodes, pods and services have addresses of their own: routing tells them apart by range (Kubernetes: cluster
    networking)."""
    ranges: list[tuple[Key, IPv4Network]] = [
        (("network", "cidr"), network.cidr),
        (("cluster", "pod_cidr"), cluster.pod_cidr),
        (("cluster", "service_cidr"), cluster.service_cidr),
    ]
    for (first_key, first), (key, cidr) in combinations(ranges, 2):
        if cidr.overlaps(first):
            yield Finding(
                key,
                f"must not overlap {dotted(first_key)} = {first}",
                "choose another private range, such as 10.42.0.0/16",
            )


SPECIAL = {
    IPv4Network("0.0.0.0/8"): "this network",
    IPv4Network("127.0.0.0/8"): "loopback",
    IPv4Network("169.254.0.0/16"): "link-local, where EC2 keeps its metadata service, its DNS and its clock",
    IPv4Network("224.0.0.0/4"): "multicast",
    IPv4Network("240.0.0.0/4"): "reserved",
}
"""Ranges that no VPC, pod or service may have, with what they are for (IANA IPv4 special-purpose address registry; Amazon VPC)."""


@error
def ranges_ordinary(network: NetworkSettings, cluster: ClusterSettings) -> Iterator[Finding]:
    """Machines, pods and services have addresses that routers carry."""
    ranges: list[tuple[Key, IPv4Network]] = [
        (("network", "cidr"), network.cidr),
        (("cluster", "pod_cidr"), cluster.pod_cidr),
        (("cluster", "service_cidr"), cluster.service_cidr),
    ]
    for key, cidr in ranges:
        for special, what in SPECIAL.items():
            if cidr.overlaps(special):
                rule = f"must not reach into {special}: that is {what}"
                yield Finding(key, rule, "choose a private range, such as 10.0.0.0/16")


@error
def service_range_size(cluster: ClusterSettings) -> Iterator[Finding]:
    """kube-apiserver takes at most 20 bits of services (its --service-cluster-ip-range); below a /24 the charts'
    services would not fit."""
    yield from _size(
        ("cluster", "service_cidr"), cluster.service_cidr, 12, 24, "kube-apiserver: --service-cluster-ip-range"
    )


@error
def pod_range_holds_nodes(
    cluster: ClusterSettings, servers: ServersSettings, agents: AgentsSettings, pools: Mapping[str, Pool]
) -> Iterator[Finding]:
    """Every node takes a /24 of the pod range (kube-controller-manager: --node-cidr-mask-size-ipv4)."""
    most = agents.max_count + sum(pool.max_count for pool in pools.values())
    nodes = servers.count + most
    room = (
        2 ** max(POD_NODE_PREFIX - cluster.pod_cidr.prefixlen, 0)
        if cluster.pod_cidr.prefixlen <= POD_NODE_PREFIX
        else 0
    )
    if nodes > room:
        prefix = POD_NODE_PREFIX - (nodes - 1).bit_length()
        rule = f"must hold a /24 for each of {nodes} nodes (servers and at most {most} agents); it holds {room}"
        yield Finding(("cluster", "pod_cidr"), rule, f"choose a /{prefix} or wider, or lower agents.max_count")


@error
def nat_zones_exist(network: NetworkSettings) -> Iterator[Finding]:
    """A NAT gateway stands in the public subnet of its zone, so that zone must be one of the network's."""
    for index, letter in enumerate(network.nat_gateways):
        if letter not in network.availability_zones:
            rule = f"must be one of the zones in network.availability_zones: {', '.join(network.availability_zones)}"
            yield Finding(("network", "nat_gateways", index), rule, f"remove it, or add the zone {letter}")


@error
def nat_zones_once(network: NetworkSettings) -> Iterator[Finding]:
    """One NAT gateway a zone: gateways are known by their zone."""
    for index, letter in enumerate(network.nat_gateways):
        if letter in network.nat_gateways[:index]:
            yield Finding(("network", "nat_gateways", index), "must name each zone once", "remove the second one")


@project_error
def project_region_known(project: Project) -> Iterator[Finding]:
    """The region is one of AWS's commercial ones (``settings/regions.py``)."""
    yield from _region(project.region)


@error
def region_known(region: str, project: Project) -> Iterator[Finding]:
    """The region is one of AWS's commercial ones (``settings/regions.py``)."""
    if region != project.region:
        yield from _region(region)


def _region(region: str) -> Iterator[Finding]:
    if region not in ZONES:
        rule = "must be a commercial AWS region that settings/regions.py knows"
        yield Finding(("region",), rule, f"{suggestion(region, list(ZONES))} (a newer region is added in that file)")


@error
def zones_of_region(region: str, network: NetworkSettings) -> Iterator[Finding]:
    """The region has the zones (``settings/regions.py``)."""
    for letter in network.availability_zones:
        if region in ZONES and letter not in ZONES[region]:
            rule = f"must be a zone of {region}, which has {', '.join(ZONES[region])}"
            yield Finding(("network", "availability_zones", letter), rule, "choose one of those letters", value=letter)


@error
def private_subnets_hold_nodes(
    network: NetworkSettings, servers: ServersSettings, agents: AgentsSettings, pools: Mapping[str, Pool]
) -> Iterator[Finding]:
    """The servers' fixed addresses, all agents and some spare fit a private subnet, less what AWS keeps of it (Amazon
    VPC: subnet sizing)."""
    known = {
        name: pool for name, pool in pools.items() if set(pool.availability_zones) <= set(network.availability_zones)
    }
    machines = Machines(network, servers, agents, known)
    for letter, subnets in network.availability_zones.items():
        fixed = [slot.address for slot in server_slots(machines) if slot.zone == letter]
        outside = [
            address
            for address in fixed
            if address not in subnets.private or address == subnets.private.broadcast_address
        ]
        need = len(fixed) + maximum_nodes_by_zone(machines)[letter] + SPARE_ADDRESSES
        free = subnets.private.num_addresses - AWS_RESERVES
        key = ("network", "availability_zones", letter, "private")
        if outside:
            yield Finding(
                key,
                f"must hold the fixed addresses of servers; {outside[0]} is outside",
                "choose a wider range, such as a /24",
            )
        elif need > free:
            parts = (
                f"servers ({len(fixed)}), agents ({need - len(fixed) - SPARE_ADDRESSES}) and spare ({SPARE_ADDRESSES})"
            )
            rule = f"must have {need} addresses for {parts}; it has {free}"
            yield Finding(key, rule, "choose a wider range, such as a /24, or lower agents.max_count")
