"""Who reaches whom: every pair of pods and ports is open or closed as the policies on the cluster say, on a network that enforces them.

That the policies themselves say what they should is asserted without a cluster (``tests/unit/platform/vet_application``).
"""

import json
from collections.abc import Iterator, Mapping
from contextlib import ExitStack

import pytest

from modules.platform.network_policies import KUBERNETES_API
from modules.platform.vet_application.configuration import METRICS_PORT
from modules.platform.vet_application.labels import task_labels
from modules.platform.vet_application.network_policies import (
    DATABASE_METRICS,
    INSTANCE_MANAGER,
    POSTGRESQL,
)
from settings import load
from settings.web_identity import DATABASE
from tests.pods.conftest import NAMESPACE, Platform
from tests.pods.probe import Source, probe, running
from tests.unit.platform.network import Endpoint, allowed

OTHER = "default"
"""A namespace that no policy is about."""

PROBES = {
    "task": (NAMESPACE, task_labels("probe")),
    "stranger": (NAMESPACE, {"app": "stranger"}),
    "elsewhere": (OTHER, {"app": "stranger"}),
}
"""Pods that the test makes: one of a task's labels, strangers here and elsewhere."""


@pytest.fixture(scope="module")
def sources(platform: Platform) -> Iterator[Mapping[str, Source]]:
    """One of each kind of pod."""
    with ExitStack() as probes:
        yield {
            "web": Source(running(platform, NAMESPACE, "app=vet-app"), "vet-app", "python"),
            "database": Source(running(platform, NAMESPACE, f"cnpg.io/cluster={DATABASE}"), "postgres", "python3"),
            **{name: probes.enter_context(probe(platform, name, *where)) for name, where in PROBES.items()},
        }


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
        (running(platform, "kube-system", "k8s-app=kube-dns"), 53),
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
