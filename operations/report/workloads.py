"""What runs on the cluster and on which nodes: facts read from an environment's synthesised Helm stack."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from modules.platform.vet_application.labels import REPLICAS
from operations.shared.stack_json import Document, Resource

CONTROL_PLANE = "node-role.kubernetes.io/control-plane"
"""The label by which charts say "servers"."""

PURPOSES = {
    "access": "who may do what in the cluster",
    "aws-ebs-csi-driver": "disks for pods",
    "cert-manager": "TLS certificates, renewed by themselves",
    "clinic-monitoring": "what is watched, alerts, and the clinic's dashboard",
    "cloudnative-pg": "runs PostgreSQL and fails over",
    "cluster-autoscaler": "more agents when pods wait, fewer when they idle",
    "cluster-issuers": "Let's Encrypt accounts",
    "database": "PostgreSQL of the clinic, backed up to S3",
    "fluent-bit": "sends what pods write to CloudWatch Logs",
    "velero": "backs up objects and volumes",
    "grafana-password": "Grafana's first password, made in the cluster",
    "ingress-nginx": "takes requests from the load balancer to the pods",
    "interruption-handler": "empties nodes that EC2 is about to take back",
    "kube-prometheus-stack": "Prometheus, Alertmanager and Grafana",
    "kured": "restarts nodes for updates, one at a time",
    "plugin-barman-cloud": "writes database backups to S3",
    "prometheus-operator-crds": "kinds of objects for monitoring",
    "rancher": "the cluster's web console",
    "rancher-monitoring": "Prometheus, Alertmanager and Grafana",
    "rancher-monitoring-crd": "kinds of objects for monitoring",
    "rancher-password": "Rancher's first password, made in the cluster",
    "rke2-ingress-nginx": "takes requests from the load balancer to the pods",
    "traefik": "takes requests from the load balancer to the pods",
    "vet-app": "the clinic's application",
    "vet-app-secret": "the application's keys, made in the cluster",
    "volume-guard": "waits until no disk is left when the stack is destroyed",
}
"""What each one is for, in a few words."""


ADDED = "added by the environment's own file"
"""What is said of a team's own."""


@dataclass(frozen=True)
class Workload:
    """A Helm release or the application's Deployment."""

    name: str
    namespace: str
    version: str
    copies: str
    """How many pods; ``-`` where a release holds objects and no lasting pods."""

    where: str
    """``servers``, ``agents``, ``any node``, or ``-`` without pods."""

    added: bool = False
    """Whether the environment's file adds it (``extra_releases``, ``extra_manifests``)."""

    @property
    def purpose(self) -> str:
        """What it is for."""
        return ADDED if self.added else PURPOSES.get(self.name, "")


def workloads(document: Document, *, dedicated: bool) -> list[Workload]:
    """Everything that the stack runs, by name.

    :param dedicated: servers are reserved for the control plane, so that what does not ask for them runs on agents.
    """
    namespaces = {each.get("metadata")["name"]: each for each in document.all("kubernetes_namespace_v1")}
    workloads = [_release(each, namespaces, dedicated=dedicated) for each in document.all("helm_release")]
    for each in document.all("kubernetes_deployment_v1"):
        data, spec = each.get("metadata"), each.get("spec")
        where = _where([spec], dedicated=dedicated)
        copies = data["annotations"][REPLICAS]
        workloads.append(Workload(data["name"], data["namespace"], "this project's image", copies, where))
    return sorted(workloads, key=lambda workload: workload.name)


def _release(release: Resource, namespaces: dict[str, Resource], *, dedicated: bool) -> Workload:
    values: list[Any] = [json.loads(text) for text in release.get("values", [])]
    namespace = release.get("namespace")
    selector = str(namespaces[namespace].get("metadata").get("annotations", {})) if namespace in namespaces else ""
    where = "servers" if f"{CONTROL_PLANE}=true" in selector else _where(values, dedicated=dedicated)
    copies = {str(value) for key, value in _leaves(values) if key in ("replicas", "replicaCount", "instances")}
    daemon = any(key == "kind" and value == "DaemonSet" for key, value in _leaves(values))
    return Workload(
        release.get("name"),
        namespace,
        release.get("version") or "this project's chart",
        "one a node" if daemon else " or ".join(sorted(copies)) or "-",
        where if daemon or copies else "-",
        added=release.path.startswith("extra/"),
    )


def _where(values: list[Any], *, dedicated: bool) -> str:
    keys = [(key, value) for key, value in _leaves(values) if CONTROL_PLANE in (key, value)]
    if any(key == CONTROL_PLANE for key, _ in keys):
        return "servers"
    operators = {value for key, value in _leaves(values) if key == "operator"}
    if keys and "DoesNotExist" in operators:
        return "agents"
    return "agents" if dedicated else "any node"


def _leaves(value: Any, key: str = "") -> Iterator[tuple[str, Any]]:
    if isinstance(value, dict):
        for name, part in value.items():
            yield from _leaves(part, name)
    elif isinstance(value, list):
        for part in value:
            yield from _leaves(part, key)
    else:
        yield key, value
