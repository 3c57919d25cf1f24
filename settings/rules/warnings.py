"""Warnings: what works, but not as well or as safely as a team may think. A file acknowledges one by its code, with a
reason.

The code of a warning is its function's name with dashes.
"""

from collections.abc import Iterator

from settings.access import Access
from settings.backups import Backups
from settings.budget import BudgetSettings
from settings.cluster import ClusterSettings
from settings.end_of_life import ended
from settings.instance_types import INSTANCE_TYPES
from settings.network import NetworkSettings
from settings.nodes import AgentsSettings, ServersSettings
from settings.observability import AlarmsSettings
from settings.problems import Finding
from settings.rules.registry import warning
from settings.workloads import Application, RancherSettings

SERVER_GIB = 8
"""RKE2 with Calico, Rancher, ingress and controllers has no room in 4 GiB (docs.rke2.io: requirements;
rancher/docs#3153)."""

AGENT_GIB = 4
"""An agent's own programs take up to 3.6 GiB with their page cache (docs.rke2.io: resource profiling)."""

RANCHER_GIB = 8
"""All agents together, where Rancher runs on them."""


@warning
def small_servers(servers: ServersSettings) -> Iterator[Finding]:
    """RKE2 wants 2 vCPUs and 4 GiB, with Rancher 8 GiB (docs.rke2.io: requirements; rancher/docs#3153)."""
    machine = INSTANCE_TYPES.get(servers.instance_type)
    if machine and machine.memory_gib < SERVER_GIB:
        rule = f"should have {SERVER_GIB} GiB: RKE2 with Rancher has no room in less; it has {machine.memory_gib:g} GiB"
        yield Finding(("servers", "instance_type"), rule, "choose t3.large or more")


@warning
def small_agents(agents: AgentsSettings, servers: ServersSettings) -> Iterator[Finding]:
    """An agent wants 4 GiB; where the servers are too small for Rancher, the agents together want 8 (docs.rke2.io:
    resource profiling)."""
    machine, server = INSTANCE_TYPES.get(agents.instance_type), INSTANCE_TYPES.get(servers.instance_type)
    if not machine or not agents.min_count:
        return
    key = ("agents", "instance_type")
    if machine.memory_gib < AGENT_GIB:
        rule = f"should have {AGENT_GIB} GiB: RKE2 and Calico take most of less; it has {machine.memory_gib:g} GiB"
        yield Finding(key, rule, "choose t3.medium or more")
    elif server and server.memory_gib < SERVER_GIB and machine.memory_gib * agents.min_count < RANCHER_GIB:
        rule = f"should have {RANCHER_GIB} GiB over all agents, since small servers leave Rancher to them"
        yield Finding(key, rule, "choose a larger type, or more agents")


@warning
def single_server(deletion_protection: bool, servers: ServersSettings) -> Iterator[Finding]:
    """One server is one etcd member: its loss stops the API until it is restored (etcd: FAQ)."""
    if deletion_protection and servers.count == 1:
        yield Finding(
            ("servers", "count"),
            "should be 3 where deletion_protection is true: the loss of the only server stops the API",
            "set 3",
        )


@warning
def servers_share_zones(
    deletion_protection: bool, servers: ServersSettings, network: NetworkSettings
) -> Iterator[Finding]:
    """With fewer than three zones, one of them holds a majority of the servers, and its loss stops the API."""
    if deletion_protection and servers.count >= 3 > len(network.availability_zones):
        rule = f"should be 3 zones where deletion_protection is true: one of {len(network.availability_zones)} holds most of the servers"
        yield Finding(("network", "availability_zones"), rule, "add a zone")


@warning
def shared_nat_gateways(deletion_protection: bool, network: NetworkSettings) -> Iterator[Finding]:
    """A private subnet goes out through its own zone's NAT gateway, or loses its way out with another zone (AWS: NAT
    gateways)."""
    missing = [letter for letter in network.availability_zones if letter not in network.nat_gateways]
    if deletion_protection and missing and network.nat_gateways:
        rule = f"should have one in each zone where deletion_protection is true; {', '.join(missing)} has none"
        yield Finding(("network", "nat_gateways"), rule, f"write [{', '.join(network.availability_zones)}]")


@warning
def few_agents(deletion_protection: bool, agents: AgentsSettings) -> Iterator[Finding]:
    """Replicas on one node fail together."""
    if deletion_protection and agents.min_count < 2:
        yield Finding(
            ("agents", "min_count"),
            "should be 2 or more where deletion_protection is true: replicas on one node fail together",
            "set 2 or more",
        )


@warning
def spot_agents(deletion_protection: bool, agents: AgentsSettings) -> Iterator[Finding]:
    """AWS takes spot instances back with two minutes' notice, many at once (Amazon EC2: spot interruptions)."""
    if deletion_protection and agents.spot:
        rule = (
            "should be false where deletion_protection is true: AWS takes spot instances back with two minutes' notice, many "
            "at once"
        )
        yield Finding(("agents", "spot"), rule, "set false")


@warning
def single_replica(deletion_protection: bool, application: Application, rancher: RancherSettings) -> Iterator[Finding]:
    """One pod is unavailable whenever its node is."""
    for key, count in (("application", application.replicas), ("rancher", rancher.replicas)):
        if deletion_protection and count == 1:
            yield Finding(
                (key, "replicas"),
                "should be 2 or more where deletion_protection is true: one pod is unavailable whenever its node is",
                "set 2",
            )


@warning
def single_database(deletion_protection: bool, application: Application) -> Iterator[Finding]:
    """One PostgreSQL instance has nobody to take over (CloudNativePG: failover)."""
    if deletion_protection and application.database_instances == 1:
        rule = "should be 2 or more where deletion_protection is true: nobody takes over when the only instance fails"
        yield Finding(("application", "database_instances"), rule, "set 3")


@warning
def unmaintained_python(deletion_protection: bool, application: Application) -> Iterator[Finding]:
    """Python 3.9 and the Django that runs on it get no security fixes any more (devguide.python.org: versions;
    djangoproject.com: supported versions)."""
    if deletion_protection and application.python_version == "3.9":
        rule = (
            "should be 3.12 where deletion_protection is true: Python 3.9 and its Django get no security fixes any more"
        )
        yield Finding(("application", "python_version"), rule, 'set "3.12" and make push')


@warning
def unmaintained_releases(deletion_protection: bool, cluster: ClusterSettings) -> Iterator[Finding]:
    """What is found in a line that has ended is fixed in later ones alone (``settings/end_of_life.yaml``)."""
    if deletion_protection and (over := [f"{use.component} {use.line.line}" for use in ended(cluster) if use.line]):
        rule = (
            f"should be maintained where deletion_protection is true; {', '.join(over)} get no security fixes any more"
        )
        yield Finding(("cluster", "release_set"), rule, "docs/runbooks/upgrading.md leads to the set current")


@warning
def open_rancher(access: Access, cluster: ClusterSettings) -> Iterator[Finding]:
    """Rancher rules the cluster: what is found in a version without fixes, the internet tries at once."""
    over = [use.version for use in ended(cluster) if use.component == "Rancher"]
    if over and not access.rancher.allowed_cidrs:
        rule = f"should name the networks that reach Rancher: Rancher {over[0]} gets no security fixes any more, and all of the internet reaches it"
        remedy = "write your office's or VPN's network, such as [198.51.100.7/32], and the NAT addresses of clusters that it manages"
        yield Finding(("access", "rancher", "allowed_cidrs"), rule, remedy)


@warning
def short_backups(deletion_protection: bool, backups: Backups) -> Iterator[Finding]:
    """Damage is often seen only after a week or more."""
    if deletion_protection and backups.database_days < 14:
        rule = "should be 14 or more where deletion_protection is true: damage is often seen only after a week"
        yield Finding(("backups", "database_days"), rule, "set 30")


@warning
def alarms_off(deletion_protection: bool, alarms: AlarmsSettings) -> Iterator[Finding]:
    """Nobody is told that an environment is down."""
    if deletion_protection and not alarms.enabled:
        rule = "should be true where deletion_protection is true: nobody is told when it is down, a disk is full or a backup is missing"
        yield Finding(("alarms", "enabled"), rule, "set true, and confirm the e-mail that follows")


@warning
def budget_off(deletion_protection: bool, budget: BudgetSettings) -> Iterator[Finding]:
    """Else the invoice tells first."""
    if deletion_protection and not budget.enabled:
        rule = "should be true where deletion_protection is true: otherwise the invoice tells first"
        yield Finding(("budget", "enabled"), rule, "set true, with monthly_usd above what make cost says")


@warning
def volume_snapshots_off(deletion_protection: bool, backups: Backups) -> Iterator[Finding]:
    """etcd's snapshots and the database's backups are in buckets; this is the way back without those."""
    if deletion_protection and not backups.volume_snapshots.enabled:
        rule = "should be true where deletion_protection is true: without the buckets there is no other way back"
        yield Finding(("backups", "volume_snapshots", "enabled"), rule, "set true")


@warning
def short_logs(deletion_protection: bool, backups: Backups) -> Iterator[Finding]:
    """What happened is often asked weeks later."""
    if deletion_protection and backups.logs_days < 30:
        rule = "should be 30 or more where deletion_protection is true: what happened is often asked weeks later"
        yield Finding(("backups", "logs_days"), rule, "set 90")


@warning
def unused_networks(access: Access) -> Iterator[Finding]:
    """Networks of a private API have no effect."""
    if access.api.access == "private" and access.api.allowed_cidrs:
        rule = "should be empty while access.api.access is private: they have no effect"
        yield Finding(("access", "api", "allowed_cidrs"), rule, "remove them, or set access.api.access to public")
