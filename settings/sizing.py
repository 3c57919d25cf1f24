"""What pods request, and whether the nodes have room for it: the rules for services, and the tests of the release sets, by the same numbers.

Requests are read from the values that Helm is given, so that no cluster and no chart is needed.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from settings.cluster import ClusterSettings
from settings.environment import Environment
from settings.helm_values import Values, values
from settings.instance_types import INSTANCE_TYPES
from settings.namespaces import DEFAULT_REQUESTS
from settings.nodes import AgentsSettings, ServersSettings
from settings.patches import Patches
from settings.quantities import MI, millicores, size
from settings.services import Services
from settings.workloads import Application, RancherSettings

Request = tuple[int, int]
"""mCPU and MiB."""

CONTROL_PLANE: Request = (250 + 200 + 100 + 200, 1024 + 256 + 128 + 512)
"""API server, controller manager, scheduler, etcd (rancher/rke2@v1.26.15+rke2r1 pkg/rke2/rke2_linux.go, defaults)."""

KUBE_PROXY: Request = (250, 128)
"""On every node, from the same place."""

BUNDLED: Request = (100 + 100 + 20, 128 + 200 + 10)
"""CoreDNS, metrics server and CoreDNS's autoscaler, which RKE2 installs (rancher/rke2-charts, their values)."""

RANCHERS_OWN: tuple[Request, ...] = ((10, 64),) * 4
"""What Rancher installs by itself (webhook, fleet controller, gitjob, fleet agent), with no requests but a default."""

MOST_AGENTS = 100
"""Where the search for a number ends."""


@dataclass(frozen=True)
class Sections:
    """The sections of an environment that decide what its nodes carry: rules have these, and may not have a whole environment."""

    services: Services
    agents: AgentsSettings
    servers: ServersSettings
    cluster: ClusterSettings
    application: Application
    rancher: RancherSettings
    patches: Patches | None
    values: Mapping[str, Values]


@dataclass(frozen=True)
class Pods:
    """Pods of one kind: where they run, and the paths to their containers' resources (None: the default)."""

    pod: str
    release: str
    where: str
    resources: tuple[str | None, ...]
    replicas: str | None = None


CONTROLLER = (
    "controller.resources",
    "sidecars.provisioner.resources",
    "sidecars.attacher.resources",
    "sidecars.snapshotter.resources",
    "sidecars.resizer.resources",
    "sidecars.livenessProbe.resources",
)
NODE_PLUGIN = ("node.resources", "sidecars.nodeDriverRegistrar.resources", "sidecars.livenessProbe.resources")
RELOADER = "prometheusOperator.prometheusConfigReloader.resources"
SIDECAR = "grafana.sidecar.resources"

EVERY = (
    Pods("aws-cloud-controller-manager", "aws-cloud-controller-manager", "server", ("resources",)),
    Pods("ingress-nginx-controller", "ingress-nginx", "server", ("controller.resources",)),
    Pods("traefik", "traefik", "server", ("resources",)),
    Pods("ebs-csi-node", "aws-ebs-csi-driver", "node", NODE_PLUGIN),
    Pods("ebs-csi-controller", "aws-ebs-csi-driver", "controllers", CONTROLLER, "controller.replicaCount"),
    Pods("cert-manager", "cert-manager", "controllers", ("resources",), "replicaCount"),
    Pods("cert-manager-webhook", "cert-manager", "controllers", ("webhook.resources",), "webhook.replicaCount"),
    Pods("cert-manager-cainjector", "cert-manager", "controllers", ("cainjector.resources",), "cainjector.replicaCount"),
    Pods("cloudnative-pg", "cloudnative-pg", "controllers", ("resources",), "replicaCount"),
    Pods("plugin-barman-cloud", "plugin-barman-cloud", "controllers", ("resources",)),
    Pods("kured", "kured", "node", ("resources",)),
    Pods("cluster-autoscaler", "cluster-autoscaler", "controllers", ("resources",)),
    Pods("rancher", "rancher", "rancher", ("resources", None), "replicas"),
    Pods("database", "database", "agents", ("resources",), "instances"),
    # The proxies that one of the charts puts before Prometheus and Grafana get the namespace's default.
    Pods("prometheus", "monitoring", "agents", ("prometheus.prometheusSpec.resources", RELOADER, None)),
    Pods("alertmanager", "monitoring", "agents", ("alertmanager.alertmanagerSpec.resources", RELOADER)),
    Pods("grafana", "monitoring", "agents", ("grafana.resources", SIDECAR, SIDECAR, None)),
    Pods("kube-state-metrics", "monitoring", "agents", ("kube-state-metrics.resources",)),
    Pods("operator", "monitoring", "controllers", ("prometheusOperator.resources",)),
    Pods("prometheus-node-exporter", "monitoring", "node", ("prometheus-node-exporter.resources",)),
    Pods("fluent-bit", "fluent-bit", "node", ("resources",)),
    Pods("velero", "velero", "controllers", ("resources",)),
)  # fmt: skip

SERVICES = {"monitoring": "monitoring", "logs": "fluent-bit", "velero": "velero"}
"""Releases of :data:`EVERY` that are there while a service is on, by its name."""

ALTERNATIVES = {"ingress-nginx": "nginx", "traefik": "traefik"}
"""Releases of which ``cluster.ingress`` chooses one."""


def capacity(instance_type: str) -> Request:
    """mCPU and MiB that the scheduler may give away: 95 % of the memory (the kernel keeps some) less 100 for evictions."""
    machine = INSTANCE_TYPES[instance_type]
    return machine.vcpus * 1000, int(machine.memory_gib * 1024 * 0.95) - 100


def at(tree: Values, path: str) -> Any:
    """The value at a dotted path."""
    for key in path.split("."):
        tree = tree[key]
    return tree


def quantity(resources: dict[str, Any]) -> Request:
    """mCPU and MiB of a container's requests."""
    cpu, memory = str(resources["cpu"]), str(resources["memory"])
    return millicores(cpu), size(memory) // MI


def total(requests: Iterable[Request]) -> Request:
    """The sum of requests."""
    listed = list(requests)
    return sum(cpu for cpu, _ in listed), sum(memory for _, memory in listed)


def of_a_pod(pods: Pods, values: Values) -> Request:
    """What one pod requests, by the values of its release."""
    if pods.release == "rancher" and "resources" in values["auditLog"]:  # from 2.15 on, the chart has a key for it
        return total([quantity(values["resources"]["requests"]), quantity(values["auditLog"]["resources"]["requests"])])
    requests = total(quantity(at(values, path)["requests"] if path else DEFAULT_REQUESTS) for path in pods.resources)
    plugin = pods.release == "database" and values.get("backup", {}).get("plugin")
    return total([requests, (10, 64)]) if plugin else requests


def present(environment: Environment | Sections) -> Iterator[Pods]:
    """What an environment has: of its release set, with the services that are on."""
    pins = environment.cluster.releases.pins
    off = {release for name, release in SERVICES.items() if not getattr(environment.services, name).enabled}
    off |= {release for release, name in ALTERNATIVES.items() if name != environment.cluster.ingress}
    if not environment.agents.autoscaler:
        off.add("cluster-autoscaler")
    if environment.patches is None:
        off.add("kured")
    for pods in EVERY:
        if pods.release not in off and (pods.release in pins or pods.release == "database"):
            yield pods


def agents_needed(environment: Environment | Sections) -> int:
    """How many agents everything that runs on them takes, the largest pod first; ``MOST_AGENTS`` if one has no room on any.

    A rollout of the application adds a pod, and its autoscaler brings as many as it may.
    """
    have, dedicated = capacity(environment.agents.instance_type), environment.servers.dedicated
    wanted, each = [BUNDLED, *_application(environment)], [KUBE_PROXY]
    if not dedicated:
        wanted += RANCHERS_OWN
    for pods in present(environment):
        chart_values = values(
            pods.release, environment.cluster.release_set, _counts(environment), environment.values.get(pods.release, {}),
            version=environment.cluster.releases.pins.get(pods.release),
        )  # fmt: skip
        request = of_a_pod(pods, chart_values)
        if pods.where == "node":
            each.append(request)
        elif pods.where == "agents" or (pods.where in ("rancher", "controllers") and not dedicated):
            wanted += [request] * _replicas(pods, chart_values)
    free = (have[0] - total(each)[0], have[1] - total(each)[1])
    return next((count for count in range(1, MOST_AGENTS) if _fit(wanted, [free] * count)), MOST_AGENTS)


def _application(environment: Environment | Sections) -> list[Request]:
    application = environment.application
    return [quantity(application.requests.model_dump())] * (application.most_replicas + 1)


def _counts(environment: Environment | Sections) -> Values:
    """What settings say of how many there are."""
    return {"instances": environment.application.database_instances, "replicas": environment.rancher.replicas}


def _replicas(pods: Pods, values: Values) -> int:
    try:
        return int(at(values, pods.replicas)) if pods.replicas else 1
    except KeyError:
        return 1


def _fit(wanted: list[Request], free: list[Request]) -> bool:
    """Whether each finds a node with room, the largest first."""
    for request in sorted(wanted, key=lambda each: each[1], reverse=True):
        node = next((n for n, left in enumerate(free) if request[0] <= left[0] and request[1] <= left[1]), None)
        if node is None:
            return False
        free[node] = (free[node][0] - request[0], free[node][1] - request[1])
    return True
