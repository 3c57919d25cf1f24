"""The ingress controller of the platform, and Ingresses of the tests' own that lead to a backend in this process."""

import json
import os
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

import pytest

from modules.platform.ingress import NAMESPACE as CONTROLLERS
from modules.platform.rancher import ALLOWED_NETWORKS
from modules.platform.rancher import NAMESPACE as RANCHERS_NAMESPACE
from modules.platform.vet_application.labels import NAME
from operations.devtools.emulator.kubernetes import Kubernetes
from settings import load
from settings.environment import Environment
from tests.cluster import kubernetes
from tests.pods.ingress.backend import Backend, backend
from tests.pods.ingress.entrance import HOW, MADE_BY, NAMESPACE, VARIABLE, Entrance, ingress, service, tls_secret

__all__ = ["kubernetes"]

CONFIG = "ingress-nginx-controller"
"""The ConfigMap that nginx's controller reads."""

OFFICE = "203.0.113.0/24"
"""The networks that reach the operators' host here."""

RANCHERS = {
    f"nginx.ingress.kubernetes.io/proxy-{which}-timeout": seconds
    for which, seconds in (("connect", "30"), ("read", "1800"), ("send", "1800"))
}
"""Annotations that Rancher's chart gives its Ingress (``ingress.includeDefaultExtraAnnotations``), for a cluster without Rancher."""

Saw = Callable[[str, object, object], None]


@dataclass(frozen=True)
class Hosts:
    """Hosts of the tests' own: with the annotations of the application's Ingress and with those of Rancher's, and one of no Ingress."""

    application: str
    operators: str
    unknown: str


@pytest.fixture(scope="session")
def saw() -> Iterator[Saw]:
    """Note what a visitor sees of a setting; printed as a table at the end."""
    rows: list[tuple[str, str, str]] = []
    yield lambda setting, value, seen: rows.append((setting, str(value), str(seen)))
    SEEN.extend(rows)


SEEN: list[tuple[str, str, str]] = []
"""Rows of the table, for the end of the run."""


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print the table."""
    if not SEEN:
        return
    terminalreporter.section("what a visitor sees of each setting")
    wide = [max(len(row[column]) for row in SEEN) for column in range(2)]
    for setting, value, seen in SEEN:
        terminalreporter.line(f"{setting:{wide[0]}}  {value:{wide[1]}}  {seen}")


@pytest.fixture(scope="session")
def entrance(kubernetes: Kubernetes) -> Entrance:
    """The controller's ports; skips where there is none, or something else in its place."""
    environment = _environment(kubernetes)
    if environment is None:
        pytest.skip("the cluster has no Ingress of the application: apply the Helm stack first (make deploy ENV=dev)")
    address = os.environ.get(VARIABLE) or _server(kubernetes)
    if not address:
        pytest.skip(HOW)
    entrance = Entrance(address, environment, kubernetes)
    try:
        name = entrance.certificate_for("nobody.invalid")
    except OSError as error:
        pytest.skip(f"nothing answers at {address}:443 ({error}); {HOW}")
    if name not in MADE_BY:
        pytest.skip(
            f"what answers at {address}:443 has a certificate of {name!r} for an unknown host, so it is a stand-in for the ingress controller "
            f"and has none of its headers; {HOW}"
        )
    return entrance


@pytest.fixture(scope="session")
def controller(entrance: Entrance) -> str:
    """Which controller answers, as ``cluster.ingress`` names it."""
    return MADE_BY[entrance.certificate_for("nobody.invalid")]


@pytest.fixture(scope="session")
def hosts(entrance: Entrance) -> Hosts:
    """Names of the tests' own."""
    of = entrance.environment.hosts.application
    return Hosts(*(f"{each}.vet-ingress-test.{of}" for each in ("application", "operators", "unknown")))


@pytest.fixture(scope="session")
def application(entrance: Entrance, hosts: Hosts) -> Iterator[Backend]:
    """A backend behind the controller, by Ingresses with the annotations of the stack's."""
    kubernetes = entrance.kubernetes
    own = _annotations(kubernetes, NAME, NAME) or {}
    ranchers = _annotations(kubernetes, RANCHERS_NAMESPACE, "rancher") or RANCHERS
    with backend(entrance.here) as application:
        try:
            entrance.apply({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE}})
            entrance.apply(
                tls_secret(hosts.application),
                *service("application", (application.address, application.port)),
                ingress("application", hosts.application, "application", own, tls=True),
                ingress("operators", hosts.operators, "application", {**ranchers, ALLOWED_NETWORKS: OFFICE}, tls=False),
            )
            _until_reached(entrance, hosts)
            yield application
        finally:
            kubernetes.run("delete", "namespace", NAMESPACE, "--ignore-not-found", "--timeout=120s")


@pytest.fixture
def config(entrance: Entrance, controller: str) -> Iterator[Callable[[Mapping[str, str]], None]]:
    """Change the controller's ConfigMap, as another value in settings would; what was there comes back."""
    if controller != "nginx":
        pytest.skip(
            "Traefik takes these settings as arguments, so another value replaces its pods: deploy cluster.ingress: nginx to try one"
        )
    kubernetes = entrance.kubernetes
    names = ("--namespace", CONTROLLERS, "configmap", CONFIG)
    before = json.loads(kubernetes.run("get", *names, "--output=json"))["data"]

    changed: dict[str, str | None] = {}

    def change(values: Mapping[str, str | None]) -> None:
        changed.update(values)
        kubernetes.run("patch", *names, "--type=merge", "--patch", json.dumps({"data": values}))

    yield change
    change({key: before.get(key) for key in changed})
    time.sleep(SETTLED)


SETTLED = 3
"""Seconds after which the controller has taken a change: it collects them for one or two."""


def until(what: Callable[[], bool], seconds: float = 60) -> bool:
    """Whether something becomes true in time."""
    end = time.monotonic() + seconds
    while not (value := what()) and time.monotonic() < end:
        time.sleep(0.5)
    return value


def _environment(kubernetes: Kubernetes) -> Environment | None:
    """Whose Ingress for the application the cluster has."""
    hosts = kubernetes.run(
        "get", "ingresses", "--all-namespaces", "--output=jsonpath={.items[*].spec.rules[*].host}"
    ).split()
    return next((each for each in load().environments if each.hosts.application in hosts), None)


def _server(kubernetes: Kubernetes) -> str:
    """Address of a server of the cluster; empty where its nodes have none."""
    path = '{.items[0].status.addresses[?(@.type=="InternalIP")].address}'
    label = "node-role.kubernetes.io/control-plane"
    return kubernetes.run("get", "nodes", f"--selector={label}", f"--output=jsonpath={path}").strip()


def _annotations(kubernetes: Kubernetes, namespace: str, name: str) -> dict[str, str] | None:
    """Annotations for the ingress controller that an Ingress of the stack has; None if there is no such Ingress."""
    words = ("get", "ingress", "--namespace", namespace, name, "--ignore-not-found", "--output=json")
    text = kubernetes.run(*words)
    if not text:
        return None
    annotations = json.loads(text)["metadata"].get("annotations", {})
    return {key: value for key, value in annotations.items() if key.startswith("nginx.ingress.kubernetes.io/")}


def _until_reached(entrance: Entrance, hosts: Hosts) -> None:
    """Wait until the controller leads to the backend; skip if it cannot reach this machine."""
    status = 0

    def reached() -> bool:
        nonlocal status
        status = entrance.ask(hosts.application).status
        return (
            status == 200 and entrance.ask(hosts.operators).status == 403
        )  # Traefik takes one Ingress after the other

    if not until(reached):
        assert status != 200, f"the controller does not keep {hosts.operators} from somebody without its networks"
        assert status != 404, (
            f"the controller does not know {hosts.application} after a minute, though its Ingress is in the cluster"
        )
        pytest.skip(
            f"the controller does not reach {entrance.here}, this machine: run the tests where its pods can ({status})"
        )
