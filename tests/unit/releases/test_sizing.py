"""What pods request fits the nodes: every server and the agents of each environment, to the last mebibyte.

Requests are read from the values, so that no cluster and no chart is needed; with charts at hand they are compared
with what Helm renders.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from settings import load
from settings.namespaces import DEFAULT_REQUESTS
from settings.release_sets import SETS
from tests.unit.releases.samples import Render, installed, merged, pods

ALLOCATABLE = {"t3.medium": (2000, 3790), "t3.large": (2000, 7680)}
"""mCPU and MiB that the scheduler may give away: 95 % of the memory (the kernel keeps some) less 100 for evictions."""

SHAPES = {"dev": ("t3.medium", 1, 2), "prod": ("t3.large", 3, 3)}
"""Instance type, servers and agents (architecture.txt: "Count: 1 (dev) / 3 (prod)", "Count: 2 (dev) / 3+ (prod)")."""

Request = tuple[int, int]
"""mCPU and MiB."""

CONTROL_PLANE: Request = (250 + 200 + 100 + 200, 1024 + 256 + 128 + 512)
"""API server, controller manager, scheduler, etcd (rancher/rke2@v1.26.15+rke2r1 pkg/rke2/rke2_linux.go, defaults)."""

KUBE_PROXY: Request = (250, 128)
"""On every node, from the same place."""

BUNDLED: Request = (100 + 100 + 20, 128 + 200 + 10)
"""CoreDNS, metrics server and CoreDNS's autoscaler, which RKE2 installs (rancher/rke2-charts, their values)."""


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
    Pods("cluster-autoscaler", "cluster-autoscaler", "controllers", ("resources",)),
    Pods("rancher", "rancher", "rancher", ("resources", None), "replicas"),
    Pods("database", "database", "agents", ("resources",), "instances"),
)  # fmt: skip


def application(environment: str) -> list[Request]:
    """The application's pods when there are most of them, and the one that a rollout adds."""
    found = load().environment(environment).application
    return [quantity({"cpu": found.requests.cpu, "memory": found.requests.memory})] * (found.most_replicas + 1)


RANCHERS_OWN: tuple[Request, ...] = ((10, 64),) * 4
"""What Rancher installs by itself (webhook, fleet controller, gitjob, fleet agent), with no requests but a default."""


def at(values: dict[str, Any], path: str) -> Any:
    """The value at a dotted path."""
    for key in path.split("."):
        values = values[key]
    return values


def quantity(resources: dict[str, Any]) -> Request:
    """mCPU and MiB of a container's requests."""
    cpu, memory = str(resources["cpu"]), str(resources["memory"])
    units = {"Mi": 1, "Gi": 1024}
    return int(cpu[:-1]) if cpu.endswith("m") else int(cpu) * 1000, int(memory[:-2]) * units[memory[-2:]]


def total(requests: Any) -> Request:
    """The sum of requests."""
    listed = list(requests)
    return sum(cpu for cpu, _ in listed), sum(memory for _, memory in listed)


def of_a_pod(pods_: Pods, set_name: str, environment: str) -> Request:
    """What one pod requests."""
    values = merged(pods_.release, set_name, environment)
    if pods_.release == "rancher" and "resources" in values["auditLog"]:  # from 2.15 on, the chart has a key for it
        found = total(
            [quantity(values["resources"]["requests"]), quantity(values["auditLog"]["resources"]["requests"])]
        )
    else:
        found = total(quantity(at(values, p)["requests"] if p else DEFAULT_REQUESTS) for p in pods_.resources)
    if pods_.release == "database" and values.get("backup", {}).get("plugin"):
        found = total([found, (10, 64)])
    return found


def present(set_name: str, where: str) -> Iterator[Pods]:
    """Pods of the set that run there."""
    there = {*installed(set_name), "database"} - {"traefik"}  # in place of ingress-nginx, with the same requests
    return (p for p in EVERY if p.where == where and p.release in there)


def replicas(pods_: Pods, set_name: str, environment: str) -> int:
    """How many pods of that kind there are."""
    values = merged(pods_.release, set_name, environment)
    try:
        return int(at(values, pods_.replicas)) if pods_.replicas else 1
    except KeyError:
        return 1


def on_each_server(set_name: str, environment: str) -> Request:
    """What every server carries, Rancher not counted."""
    daemons = (of_a_pod(p, set_name, environment) for where in ("server", "node") for p in present(set_name, where))
    return total([CONTROL_PLANE, KUBE_PROXY, *daemons])


def free_on_server(set_name: str, environment: str) -> Request:
    """What is left of a server."""
    have, used = ALLOCATABLE[SHAPES[environment][0]], on_each_server(set_name, environment)
    return have[0] - used[0], have[1] - used[1]


def fits(request: Request, free: Request) -> bool:
    """Whether a request has room."""
    return request[0] <= free[0] and request[1] <= free[1]


@pytest.mark.parametrize("set_name", SETS)
def test_rancher_has_no_room_on_devs_server_and_so_goes_to_an_agent(set_name: str) -> None:
    rancher = next(present(set_name, "rancher"))
    free = free_on_server(set_name, "dev")
    assert fits((0, 0), free), f"the server is over-committed: {free}"
    assert of_a_pod(rancher, set_name, "dev")[1] > free[1], f"Rancher might start on the 4 GiB server: {free} is free"


def place(wanted: list[Request], free: list[Request]) -> None:
    """Put each where there is room, the largest first."""
    for request in sorted(wanted, key=lambda r: r[1], reverse=True):
        node = next((n for n in range(len(free)) if fits(request, free[n])), None)
        assert node is not None, f"no node has room for {request}; free are {free}"
        free[node] = (free[node][0] - request[0], free[node][1] - request[1])


@pytest.mark.parametrize("set_name", SETS)
def test_rancher_and_the_controllers_have_room_on_prods_servers_while_one_is_rolled(set_name: str) -> None:
    """They are kept on the dedicated servers, and what Rancher installs beside itself is there too."""
    request = total([of_a_pod(next(present(set_name, "rancher")), set_name, "prod"), *RANCHERS_OWN])
    free = free_on_server(set_name, "prod")
    assert fits(request, free), f"Rancher requests {request}, {free} is free on a server"
    left = (free[0] - request[0], free[1] - request[1])
    place(controllers(set_name, "prod"), [left] * (SHAPES["prod"][1] - 1))


def controllers(set_name: str, environment: str) -> list[Request]:
    """All pods of the controllers: with the servers dedicated they are on them, otherwise on agents."""
    found: list[Request] = []
    for p in present(set_name, "controllers"):
        found += [of_a_pod(p, set_name, environment)] * replicas(p, set_name, environment)
    return found


@pytest.mark.parametrize("environment", SHAPES)
@pytest.mark.parametrize("set_name", SETS)
def test_everything_else_fits_the_agents(set_name: str, environment: str) -> None:
    instance_type, _, agents = SHAPES[environment]
    have = ALLOCATABLE[instance_type]
    each = total([KUBE_PROXY, *(of_a_pod(p, set_name, environment) for p in present(set_name, "node"))])
    free = [(have[0] - each[0], have[1] - each[1])] * agents
    wanted = [BUNDLED, *application(environment), *RANCHERS_OWN]
    places = ("agents", "rancher") if environment == "dev" else ("agents",)
    for where in places:
        for p in present(set_name, where):
            wanted += [of_a_pod(p, set_name, environment)] * replicas(p, set_name, environment)
    if environment == "dev":
        wanted += controllers(set_name, environment)
    place(wanted, free)


@pytest.mark.parametrize("environment", SHAPES)
@pytest.mark.parametrize("set_name", SETS)
def test_requests_are_what_helm_renders(render: Render, set_name: str, environment: str) -> None:
    for p in EVERY:
        if p.release not in installed(set_name):
            continue
        pod = pods(render(p.release, set_name, environment))[p.pod]
        rendered = total(
            quantity((c.get("resources") or {}).get("requests", DEFAULT_REQUESTS)) for c in pod["containers"]
        )
        assert rendered == of_a_pod(p, set_name, environment), f"{p.pod} in {set_name} for {environment}"


@pytest.mark.parametrize("set_name", SETS)
def test_no_pod_is_left_out_of_the_sum(render: Render, set_name: str) -> None:
    for release in installed(set_name):
        for manifest in render(release, set_name, "prod"):
            if manifest["kind"] in {"Deployment", "DaemonSet", "StatefulSet"}:
                assert manifest["metadata"]["name"] in {p.pod for p in EVERY}, (
                    f"{release} has another {manifest['kind']}"
                )


@pytest.mark.parametrize("environment", SHAPES)
@pytest.mark.parametrize("set_name", SETS)
def test_either_ingress_controller_has_the_same_room(set_name: str, environment: str) -> None:
    ours = {p.release: of_a_pod(p, set_name, environment) for p in EVERY if p.release in ("ingress-nginx", "traefik")}
    assert ours["ingress-nginx"] == ours["traefik"]
