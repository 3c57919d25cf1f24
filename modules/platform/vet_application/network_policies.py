"""Who may talk to whom in the application's namespace: nobody, except as listed here.

The node that a pod runs on always reaches it (Kubernetes: network policies), so probes need no rule. Rules are about
addresses and ports behind a Service: what goes to the API's Service arrives at a server's port 6443.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from cdktf_cdktf_provider_kubernetes.network_policy_v1 import NetworkPolicyV1, NetworkPolicyV1Spec
from constructs import Construct

from modules.blocks import block
from modules.platform.vet_application.configuration import METRICS_PORT
from modules.platform.vet_application.labels import PART_OF, SELECTOR, labels
from modules.platform.vet_application.placement import Placement
from settings.addresses import server_slots
from settings.environment import Environment
from settings.web_identity import databases

MONITORING = "cattle-monitoring-system"
"""Where Rancher installs Prometheus."""

OPERATOR = "cnpg-system"
"""Where CloudNativePG's operator is."""

POSTGRESQL, INSTANCE_MANAGER, DATABASE_METRICS = 5432, 8000, 9187
"""Ports of a CloudNativePG instance (CloudNativePG: networking, monitoring)."""

KUBERNETES_API, HTTPS, SMTP = 6443, 443, (465, 587)

LINK_LOCAL = "169.254.0.0/16"
"""The instance metadata service is there: no pod has any business with it."""

Peer = dict[str, Any]
Rule = tuple[Sequence[Peer], Sequence[dict[str, str]]]
"""Peers and ports."""


@dataclass(frozen=True)
class Policy:
    """What some pods may receive and send. Rules of several policies add up."""

    pods: dict[str, str]
    """Labels of the pods; none mean all pods of the namespace."""

    receive: Sequence[Rule] = ()
    """From whom, on which ports."""

    send: Sequence[Rule] = ()
    """To whom, on which ports."""


def policies(environment: Environment) -> dict[str, Policy]:
    """All policies by name."""
    internet = _internet(environment)
    application_sends: list[Rule] = [
        _dns(),
        ([_pods(_instances(database.name)) for database in databases(environment)], _tcp(POSTGRESQL)),
        *([([internet], _tcp(*SMTP))] if environment.application.email else []),
    ]
    return {
        "default-deny": Policy({}),
        "vet-app": Policy(PART_OF, send=application_sends),
        "vet-app-web": Policy(
            SELECTOR,
            receive=[
                ([_pods({"app.kubernetes.io/component": "controller"}, "ingress-nginx")], _tcp(environment.application.container_port)),
                ([_pods({"app.kubernetes.io/name": "prometheus"}, MONITORING)], _tcp(METRICS_PORT)),
            ],
        ),
        **{database.name: _database(database.name, environment, internet) for database in databases(environment)},
    }  # fmt: skip


def _instances(database: str) -> dict[str, str]:
    """Labels of a database's pods and of the jobs that create them (CloudNativePG: labels and annotations)."""
    return {"cnpg.io/cluster": database}


def _database(name: str, environment: Environment, internet: Peer) -> Policy:
    """PostgreSQL: clients, replicas and the operator come in; backups go out to S3."""
    servers = [_addresses(f"{slot.address}/32") for slot in server_slots(environment)]
    replicas = _pods(_instances(name))
    operator = _pods({"app.kubernetes.io/name": "cloudnative-pg"}, OPERATOR)
    return Policy(
        _instances(name),
        receive=[
            ([_pods(PART_OF)], _tcp(POSTGRESQL)),
            ([replicas, operator], _tcp(POSTGRESQL, INSTANCE_MANAGER)),
            ([_pods({"app.kubernetes.io/name": "prometheus"}, MONITORING)], _tcp(DATABASE_METRICS)),
        ],
        send=[
            _dns(),
            ([replicas], _tcp(POSTGRESQL, INSTANCE_MANAGER)),
            (servers, _tcp(KUBERNETES_API)),
            ([internet], _tcp(HTTPS)),
        ],
    )


def _dns() -> Rule:
    peer = _pods({"k8s-app": "kube-dns"}, "kube-system")
    return [peer], [{"protocol": protocol, "port": "53"} for protocol in ("UDP", "TCP")]


def _internet(environment: Environment) -> Peer:
    """Everything outside: neither the VPC nor other pods, Services or instance metadata."""
    cluster = environment.cluster
    inside = [str(network) for network in (environment.network.cidr, cluster.pod_cidr, cluster.service_cidr)]
    return {"ip_block": {"cidr": "0.0.0.0/0", "except_": [*inside, LINK_LOCAL]}}


def _pods(found: dict[str, str], namespace: str | None = None) -> Peer:
    """Pods with these labels, in this namespace or in the policy's own."""
    peer: Peer = {"pod_selector": {"match_labels": found}}
    if namespace:
        peer["namespace_selector"] = {"match_labels": {"kubernetes.io/metadata.name": namespace}}
    return peer


def _addresses(cidr: str) -> Peer:
    return {"ip_block": {"cidr": cidr}}


def _tcp(*ports: int) -> list[dict[str, str]]:
    return [{"protocol": "TCP", "port": str(port)} for port in ports]


class NetworkPolicies(Construct):
    """All policies of the application's namespace, which holds the database as well."""

    def __init__(self, scope: Construct, id_: str, *, place: Placement, environment: Environment) -> None:
        super().__init__(scope, id_)
        self.policies = [
            NetworkPolicyV1(
                self,
                name,
                depends_on=place.wait_for,
                metadata=place.metadata(name, labels("network")),
                spec=block(
                    NetworkPolicyV1Spec,
                    {
                        "pod_selector": {"match_labels": policy.pods} if policy.pods else {},
                        "policy_types": ["Ingress", "Egress"],
                        "ingress": [{"from_": peers, "ports": ports} for peers, ports in policy.receive],
                        "egress": [{"to": peers, "ports": ports} for peers, ports in policy.send],
                    },
                ),
            )
            for name, policy in policies(environment).items()
        ]
