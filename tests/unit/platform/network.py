"""What NetworkPolicies allow, by the rules of the Kubernetes API (networking.k8s.io/v1): a small model to ask.

A pod that no policy of a direction selects is open in that direction; otherwise some rule of some policy must allow the
connection. It needs the sender's egress and the receiver's ingress. Nodes reach the pods that run on them, whatever
policies say, so probes are outside of this.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from ipaddress import ip_address, ip_network
from typing import Any

Manifest = dict[str, Any]


@dataclass(frozen=True)
class Endpoint:
    """One end of a connection: a pod, or an address outside of the cluster (no namespace)."""

    name: str
    address: str
    namespace: str | None = None
    labels: tuple[tuple[str, str], ...] = ()
    ports: tuple[tuple[str, int], ...] = ()
    """What its containers call their ports."""


def allowed(
    policies: Iterable[Manifest], sender: Endpoint, receiver: Endpoint, port: int, protocol: str = "TCP"
) -> bool:
    """Whether the connection may be opened."""
    listed = list(policies)
    names = dict(receiver.ports)
    return _direction(listed, "egress", sender, receiver, names, port, protocol) and _direction(
        listed, "ingress", receiver, sender, names, port, protocol
    )


def _direction(
    policies: list[Manifest],
    way: str,
    own: Endpoint,
    peer: Endpoint,
    names: Mapping[str, int],
    port: int,
    protocol: str,
) -> bool:
    if own.namespace is None:
        return True
    selecting = [
        policy
        for policy in policies
        if policy["metadata"]["namespace"] == own.namespace
        and way.capitalize() in policy["spec"]["policyTypes"]
        and _selects(policy["spec"]["podSelector"], own)
    ]
    return not selecting or any(
        _peer(rule.get("to" if way == "egress" else "from", []), peer, own.namespace)
        and _port(rule, names, port, protocol)
        for policy in selecting
        for rule in policy["spec"].get(way, [])
    )


def _peer(peers: list[Manifest], peer: Endpoint, namespace: str) -> bool:
    return not peers or any(_matches(one, peer, namespace) for one in peers)


def _matches(one: Manifest, peer: Endpoint, namespace: str) -> bool:
    if block := one.get("ipBlock"):
        address = ip_address(peer.address)
        return address in ip_network(block["cidr"]) and not any(
            address in ip_network(hole) for hole in block.get("except", [])
        )
    if peer.namespace is None:
        return False
    if "namespaceSelector" in one:
        wanted = one["namespaceSelector"].get("matchLabels", {})
        if not wanted.items() <= {"kubernetes.io/metadata.name": peer.namespace}.items():
            return False
    elif peer.namespace != namespace:
        return False
    return _selects(one.get("podSelector", {}), peer)


def _selects(selector: Manifest, endpoint: Endpoint) -> bool:
    assert set(selector) <= {"matchLabels"}, f"the model does not know {selector}"
    return set(selector.get("matchLabels", {}).items()) <= set(endpoint.labels)


def _port(rule: Manifest, names: Mapping[str, int], port: int, protocol: str) -> bool:
    """By number, or by what the receiving pod calls it."""
    ports = rule.get("ports", [])
    return not ports or any(
        (one.get("protocol", "TCP"), names.get(one["port"], one["port"])) == (protocol, port) for one in ports
    )
