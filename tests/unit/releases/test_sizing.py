"""What pods request fits the nodes: every server and the agents of each environment, to the last mebibyte.

Requests are read from the values, so that no cluster and no chart is needed; with charts available they are compared
with what Helm renders.
"""

from collections.abc import Iterator

import pytest

from settings import load, sizing
from settings.namespaces import DEFAULT_REQUESTS
from settings.release_sets import SETS
from settings.sizing import (
    BUNDLED,
    CONTROL_PLANE,
    EVERY,
    KUBE_PROXY,
    RANCHERS_OWN,
    SERVICES,
    Pods,
    Request,
    at,
    capacity,
    quantity,
    total,
)
from tests.unit.releases.samples import Render, installed, merged, pods

SHAPES = {"dev": ("t3.medium", 1, 2), "prod": ("t3.large", 3, 3)}
"""Instance type, servers and agents (architecture.txt: "Count: 1 (dev) / 3 (prod)", "Count: 2 (dev) / 3+ (prod)")."""


def application(environment: str) -> list[Request]:
    """The application's pods when there are most of them, and the one that a rollout adds."""
    application = load().environment(environment).application
    return [quantity({"cpu": application.requests.cpu, "memory": application.requests.memory})] * (
        application.most_replicas + 1
    )


def of_a_pod(pods_: Pods, set_name: str, environment: str) -> Request:
    """What one pod requests."""
    return sizing.of_a_pod(pods_, merged(pods_.release, set_name, environment))


def present(set_name: str, where: str) -> Iterator[Pods]:
    """Pods of the set that run there."""
    # Traefik is in place of ingress-nginx, with the same requests; services are off.
    there = {*installed(set_name), "database"} - {"traefik", *SERVICES.values()}
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
    have, used = capacity(SHAPES[environment][0]), on_each_server(set_name, environment)
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
    requests: list[Request] = []
    for p in present(set_name, "controllers"):
        requests += [of_a_pod(p, set_name, environment)] * replicas(p, set_name, environment)
    return requests


@pytest.mark.parametrize("environment", SHAPES)
@pytest.mark.parametrize("set_name", SETS)
def test_everything_else_fits_the_agents(set_name: str, environment: str) -> None:
    instance_type, _, agents = SHAPES[environment]
    have = capacity(instance_type)
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
