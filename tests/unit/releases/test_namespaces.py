"""Namespaces: pod security, defaults for containers, and where Rancher's pods run."""

import json

from settings.namespaces import namespaces
from tests.unit.releases.samples import LOCAL, NAMESPACES

ALL = namespaces("vet-app")


def test_every_release_has_its_namespace() -> None:
    """kube-system and default are Kubernetes' own."""
    assert {*NAMESPACES.values(), *LOCAL.values()} - {"kube-system", "default"} == set(ALL)


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


def test_what_reaches_all_secrets_is_on_dedicated_servers() -> None:
    """An agent's kubelet mints tokens of the accounts whose pods it runs."""
    on_servers = {name for name, namespace in ALL.items() if namespace.annotations(dedicated=True)}
    assert on_servers == {"cattle-system", "cert-manager", "cnpg-system"}


def test_defaults_are_complete() -> None:
    for namespace in ALL.values():
        assert (
            set(namespace.default_requests) == set(namespace.default_limits) == {"cpu", "memory", "ephemeral-storage"}
        )
    assert ALL["cattle-system"].default_limits["ephemeral-storage"] == "10Gi", "Rancher keeps clones of its catalogues"


def test_what_the_next_level_refuses_is_in_the_audit_log() -> None:
    for namespace in ALL.values():
        labels = namespace.labels
        assert labels["pod-security.kubernetes.io/audit"] == labels["pod-security.kubernetes.io/warn"]
