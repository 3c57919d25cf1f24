"""Who reaches whom: every pair of pods and ports is open or closed as the policies on the cluster say, on a network that enforces them.

That the policies themselves say what they should is asserted without a cluster (``tests/unit/platform/vet_application``).
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import pytest

from modules.platform.vet_application.configuration import METRICS_PORT
from modules.platform.vet_application.labels import task_labels
from modules.platform.vet_application.network_policies import (
    DATABASE_METRICS,
    INSTANCE_MANAGER,
    KUBERNETES_API,
    POSTGRESQL,
)
from settings import load
from settings.web_identity import DATABASE
from tests.pods.conftest import NAMESPACE, Platform
from tests.unit.platform.network import Endpoint, allowed

OTHER = "default"
"""A namespace that no policy is about."""

CONNECT = "import socket,sys; socket.create_connection((sys.argv[1], int(sys.argv[2])), 3).close()"

PROBES = {
    "task": (NAMESPACE, task_labels("probe")),
    "stranger": (NAMESPACE, {"app": "stranger"}),
    "elsewhere": (OTHER, {"app": "stranger"}),
}
"""Pods that the test makes: one of a task's labels, strangers here and elsewhere."""


@dataclass(frozen=True)
class Source:
    """A pod from which connections are tried."""

    end: Endpoint
    container: str
    python: str

    def reaches(self, platform: Platform, target: Endpoint, port: int) -> bool:
        """Whether a connection opens."""
        words = ("-n", str(self.end.namespace), "exec", self.end.name, "-c", self.container, "--", self.python)
        return platform.ends_well(*words, "-c", CONNECT, target.address, str(port))


@pytest.fixture(scope="module")
def sources(platform: Platform) -> Iterator[Mapping[str, Source]]:
    """One of each kind of pod."""
    try:
        for name, (namespace, labels) in PROBES.items():
            _run(platform, name, namespace, labels)
        yield {
            "web": Source(_pod(platform, NAMESPACE, "app=vet-app"), "vet-app", "python"),
            "database": Source(_pod(platform, NAMESPACE, f"cnpg.io/cluster={DATABASE}"), "postgres", "python3"),
            **{
                name: Source(_pod(platform, namespace, f"probe={name}"), "probe", "python")
                for name, (namespace, _) in PROBES.items()
            },
        }
    finally:
        for name, (namespace, _) in PROBES.items():
            gone = ("--ignore-not-found", "--grace-period=1")
            platform.kubernetes.run("delete", "pod", f"probe-{name}", "-n", namespace, *gone)


def _run(platform: Platform, name: str, namespace: str, labels: Mapping[str, str]) -> None:
    """Start a pod of the application's image that does nothing."""
    template = json.loads(platform.kubectl("get", "deployment/vet-app", "--output=json"))["spec"]["template"]["spec"]
    (container,) = template["containers"]
    sleeping = {
        "name": "probe",
        "command": ["python", "-c", "import time; time.sleep(3600)"],
        "resources": {"requests": {"cpu": "5m", "memory": "32Mi"}, "limits": {"cpu": "100m", "memory": "64Mi"}},
        **{key: container[key] for key in ("image", "imagePullPolicy", "securityContext")},
    }
    spec = {
        "automountServiceAccountToken": False,
        "containers": [sleeping],
        **{key: template[key] for key in ("affinity", "securityContext")},
    }
    overrides = json.dumps({"apiVersion": "v1", "spec": spec})
    given = ",".join(f"{key}={value}" for key, value in {**labels, "probe": name}.items())
    run = ("run", f"probe-{name}", "--image", container["image"], "--labels", given, "--overrides", overrides)
    platform.kubernetes.run(*run, "--restart=Never", "-n", namespace)
    platform.kubernetes.run("wait", f"pod/probe-{name}", "-n", namespace, "--for=condition=Ready", "--timeout=120s")


def _pod(platform: Platform, namespace: str, selector: str) -> Endpoint:
    running = ("--selector", selector, "--field-selector=status.phase=Running", "--output=json")
    pod = json.loads(platform.kubernetes.run("get", "pods", "-n", namespace, *running))["items"][0]
    labels = tuple(pod["metadata"]["labels"].items())
    return Endpoint(pod["metadata"]["name"], pod["status"]["podIP"], namespace, labels)


def test_every_pair_is_as_the_policies_say(platform: Platform, sources: Mapping[str, Source]) -> None:
    container_port = load().environment("dev").application.container_port
    policies = json.loads(platform.kubernetes.run("get", "networkpolicies", "-A", "--output=json"))["items"]
    where = "jsonpath={.subsets[0].addresses[0].ip}"
    api = Endpoint("api", platform.kubernetes.run("get", "endpoints", "kubernetes", "-n", "default", "-o", where))
    web, database = sources["web"].end, sources["database"].end
    targets = [
        *((web, port) for port in (container_port, METRICS_PORT)),
        *((database, port) for port in (POSTGRESQL, INSTANCE_MANAGER, DATABASE_METRICS)),
        (api, KUBERNETES_API),
        (_pod(platform, "kube-system", "k8s-app=kube-dns"), 53),
    ]
    pairs = [
        (name, source, *target) for name, source in sources.items() for target in targets if source.end != target[0]
    ]
    wanted = [allowed(policies, source.end, target, port) for _, source, target, port in pairs]
    assert {True, False} == set(wanted), "the policies allow all or nothing: nothing is told apart"
    wrong = [
        f"{name} -> {target.name}:{port} is {'closed' if open_ else 'open'}"
        for (name, source, target, port), open_ in zip(pairs, wanted, strict=True)
        if source.reaches(platform, target, port) != open_
    ]
    assert not wrong, f"{len(wrong)} of {len(pairs)} pairs are not as the policies say: {wrong}"
