"""Rules about services: they have room, go somewhere, and their parts fit each other."""

from collections.abc import Iterator
from typing import Any

from settings.cluster import ClusterSettings
from settings.nodes import AgentsSettings, ServersSettings
from settings.patches import Patches
from settings.problems import Finding
from settings.quantities import TI, size
from settings.release_sets import UnknownReleaseError
from settings.rules.registry import error, warning
from settings.services import Services
from settings.sizing import MOST_AGENTS, Sections, agents_needed
from settings.workloads import Application, RancherSettings

SMALLEST = "5Gi"
"""Prometheus keeps two hours in its write-ahead log whatever the limit is (Prometheus: storage)."""


@error
def services_have_room(
    services: Services,
    agents: AgentsSettings,
    servers: ServersSettings,
    cluster: ClusterSettings,
    application: Application,
    rancher: RancherSettings,
    patches: Patches | None,
    values: dict[str, dict[str, Any]],
) -> Iterator[Finding]:
    """What the services request fits the agents, beside everything else there."""
    on = [name for name, service in services if service.enabled]
    if not on:
        return
    try:
        needed = agents_needed(Sections(services, agents, servers, cluster, application, rancher, patches, values))
    except (UnknownReleaseError, KeyError, ValueError):
        return  # a version, an instance type or a value that nobody knows, which has a rule of its own
    if needed > agents.min_count:
        other = "agents.instance_type with more memory"
        way = other if needed >= MOST_AGENTS else f"write agents.min_count {needed}, or {other}"
        rule = f"must have room: with what else runs it takes more than agents.min_count = {agents.min_count} x {agents.instance_type}"
        yield Finding(("services", on[-1], "enabled"), rule, way)


@error
def measurements_have_a_volume(services: Services) -> Iterator[Finding]:
    """A gp3 volume has at most 16 TiB (Amazon EBS: general purpose SSD volumes)."""
    volume = services.monitoring.volume
    if not size(SMALLEST) <= size(volume) <= 16 * TI:
        key = ("services", "monitoring", "volume")
        yield Finding(key, f"must be {SMALLEST} to 16Ti", "set a size in that range, such as 20Gi")


@error
def kinds_of_monitoring_fit(services: Services, cluster: ClusterSettings) -> Iterator[Finding]:
    """An operator works with the kinds that it was made with."""
    try:
        operator, kinds = (cluster.releases[key] for key in ("monitoring", "monitoring-crds"))
    except UnknownReleaseError:
        return
    if services.monitoring.enabled and operator.program != kinds.program:
        rule = f"must be that of {operator.label}, whose kinds they are"
        yield Finding(("cluster", "versions", "monitoring-crds"), rule, "pin both, or neither", value=kinds.version)


@warning
def alerts_go_nowhere(services: Services) -> Iterator[Finding]:
    """An alert that nobody gets is a line in a page that nobody looks at."""
    alerts = services.monitoring.alerts
    if services.monitoring.enabled and not alerts.smtp and not alerts.webhook:
        rule = "should name where alerts go: nobody is told"
        remedy = "set smtp, or webhook: true (docs/runbooks/monitoring.md)"
        yield Finding(("services", "monitoring", "alerts"), rule, remedy, value="nobody")
