"""Namespaces: pod security, defaults for containers, and where Rancher's pods run."""

import json

from settings.namespaces import ADMISSION_PLUGINS, DEFAULT_LIMITS, DEFAULT_REQUESTS, namespaces
from tests.unit.releases.samples import LOCAL, NAMESPACES

ALL = namespaces("vet-app")


def test_every_release_has_its_namespace() -> None:
    """kube-system is Kubernetes' own."""
    assert {*NAMESPACES.values(), *LOCAL.values()} - {"kube-system"} == set(ALL)


def test_every_namespace_enforces_a_level_with_a_reason() -> None:
    for namespace in ALL.values():
        assert namespace.labels["pod-security.kubernetes.io/enforce"] == namespace.pod_security
        assert namespace.why
    privileged = {name for name, namespace in ALL.items() if namespace.pod_security == "privileged"}
    assert privileged == {"ingress-nginx", "cattle-system"}


def test_ranchers_pods_are_on_dedicated_servers_and_free_otherwise() -> None:
    """architecture.txt: servers "Run K8s control plane components and Rancher"; its chart has no tolerations key."""
    rancher = ALL["cattle-system"].annotations(dedicated=True)
    tolerations = json.loads(rancher["scheduler.alpha.kubernetes.io/defaultTolerations"])
    assert tolerations == [{"key": "CriticalAddonsOnly", "operator": "Exists"}]
    assert rancher["scheduler.alpha.kubernetes.io/node-selector"] == "node-role.kubernetes.io/control-plane=true"
    assert ALL["cattle-system"].annotations(dedicated=False) == {}
    assert ALL["vet-app"].annotations(dedicated=True) == {}
    assert {"PodNodeSelector", "PodTolerationRestriction"} <= set(ADMISSION_PLUGINS)


def test_defaults_are_complete() -> None:
    assert set(DEFAULT_REQUESTS) == set(DEFAULT_LIMITS) == {"cpu", "memory"}
    assert all(namespace.limits for namespace in ALL.values())
