"""Network policies: who may talk to whom, in any namespace.

The node that a pod runs on always reaches it (Kubernetes: network policies), so probes need no rule. Rules are about
addresses and ports behind a Service: what goes to the API's Service arrives at a server's port 6443.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from cdktf_cdktf_provider_kubernetes.network_policy_v1 import NetworkPolicyV1, NetworkPolicyV1Spec
from constructs import Construct

from modules.platform.namespaces import NAME_LABEL
from modules.platform.vet_application.object_context import ObjectContext
from modules.terraform_blocks import typed_block
from settings.addresses import server_slots
from settings.environment import Environment

KUBERNETES_API, HTTPS = 6443, 443

INGRESS, EGRESS = "Ingress", "Egress"

Peer = dict[str, Any]
Rule = tuple[Sequence[Peer], Sequence[dict[str, str]]]
"""Peers and ports; no ports are all ports."""


@dataclass(frozen=True)
class Policy:
    """What some pods may receive and send. Rules of several policies add up."""

    pods: dict[str, str]
    """Labels of the pods; none mean all pods of the namespace."""

    receive: Sequence[Rule] = ()
    """From whom, on which ports."""

    send: Sequence[Rule] = ()
    """To whom, on which ports."""

    directions: tuple[str, ...] = (INGRESS, EGRESS)
    """What it closes but for its rules."""


def dns() -> Rule:
    """Names."""
    peer = pods({"k8s-app": "kube-dns"}, "kube-system")
    return [peer], [{"protocol": protocol, "port": "53"} for protocol in ("UDP", "TCP")]


def servers(environment: Environment) -> list[Peer]:
    """The servers' own addresses: the Kubernetes API, and what it asks of pods."""
    return [addresses(f"{slot.address}/32") for slot in server_slots(environment)]


def ingress_controller() -> Peer:
    """The ingress controller's pods, whichever controller it is."""
    return pods({"app.kubernetes.io/component": "controller"}, "ingress-nginx")


def pods(labels: dict[str, str], namespace: str | None = None) -> Peer:
    """Pods with these labels, in this namespace or in the policy's own."""
    peer: Peer = {"pod_selector": {"match_labels": labels} if labels else {}}
    if namespace:
        peer["namespace_selector"] = {"match_labels": {NAME_LABEL: namespace}}
    return peer


def addresses(cidr: str) -> Peer:
    """A network."""
    return {"ip_block": {"cidr": cidr}}


def tcp(*ports: int | str) -> list[dict[str, str]]:
    """Ports, by number or by the name that each pod has for its own."""
    return [{"protocol": "TCP", "port": str(port)} for port in ports]


def network_policies(
    scope: Construct, policies: Mapping[str, Policy], context: ObjectContext, labels: dict[str, str]
) -> list[NetworkPolicyV1]:
    """An object for each policy, by its name, below ``scope``."""
    return [
        NetworkPolicyV1(
            scope,
            name,
            depends_on=context.depends_on,
            metadata=context.metadata(name, labels),
            spec=typed_block(
                NetworkPolicyV1Spec,
                {
                    "pod_selector": {"match_labels": policy.pods} if policy.pods else {},
                    "policy_types": list(policy.directions),
                    "ingress": [_rule("from_", *rule) for rule in policy.receive],
                    "egress": [_rule("to", *rule) for rule in policy.send],
                },
            ),
        )
        for name, policy in policies.items()
    ]


def _rule(direction: str, peers: Sequence[Peer], ports: Sequence[dict[str, str]]) -> dict[str, Any]:
    return {direction: peers, **({"ports": ports} if ports else {})}
