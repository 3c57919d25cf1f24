"""The cluster's namespaces: what their pods may do, where they may run, and what a container gets that does not say.

Pod security levels are Kubernetes' own (kubernetes.io/docs/concepts/security/pod-security-standards). Where Rancher's
pods may run is said on its namespace, because the chart of 2.7 has no key for tolerations: the API server's admission
plugins PodTolerationRestriction and PodNodeSelector read them (kubernetes.io/docs, admission controllers).
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from settings.extras import ExtraRelease
from settings.services import Services

ADMISSION_PLUGINS = ("NodeRestriction", "PodNodeSelector", "PodTolerationRestriction")
"""What the API server must have enabled for the annotations to work; the first is RKE2's default."""

DEDICATED_TAINT = "CriticalAddonsOnly"
"""Key of the taint on dedicated servers."""

SERVER_SELECTOR = "node-role.kubernetes.io/control-plane=true"
"""Label that RKE2 gives servers."""


def on_servers() -> dict[str, Any]:
    """Values of a chart that put its pods on dedicated servers and nowhere else, for namespaces that are not ours to annotate."""
    label, _, value = SERVER_SELECTOR.partition("=")
    return {
        "nodeSelector": {"kubernetes.io/os": "linux", label: value},
        "tolerations": [{"key": DEDICATED_TAINT, "operator": "Exists"}],
        "affinity": None,
    }


def on_agents() -> dict[str, Any]:
    """Node affinity of pods that keep off servers."""
    expression = {"key": SERVER_SELECTOR.partition("=")[0], "operator": "DoesNotExist"}
    required = {"nodeSelectorTerms": [{"matchExpressions": [expression]}]}
    return {"requiredDuringSchedulingIgnoredDuringExecution": required}


def controllers(*parts: str, dedicated: bool) -> dict[str, Any]:
    """Values of a chart, and of parts of it, for controllers: where servers are dedicated, their namespace or :func:`on_servers` puts them
    there; elsewhere they keep off the servers, which may be small.

    :param parts: keys of the chart below which further pods have an affinity of their own.
    """
    affinity = None if dedicated else {"nodeAffinity": on_agents()}
    return {"affinity": affinity, **{part: {"affinity": affinity} for part in parts}}


DEFAULT_REQUESTS = {"cpu": "10m", "memory": "64Mi", "ephemeral-storage": "64Mi"}
"""Requests of a container, each for what it does not say: jobs of charts, and what Rancher installs by itself."""

DEFAULT_LIMITS = {"cpu": "500m", "memory": "512Mi"}
"""Limits of a container, each for what it does not say. How much of the node's disk it may fill is :attr:`Namespace.disk`."""

MONITORING = "cattle-monitoring-system"
"""Where Prometheus is: Rancher looks for it there, and installs it there where the platform does not (``services.monitoring``)."""

LOGGING = "logging"
"""Where Fluent Bit is (``services.logs``)."""

VELERO = "velero"
"""Where Velero is, with the list of its backups (``services.velero``)."""

EXEMPT = {
    "kube-system": "RKE2's own parts, and the cloud, disk and autoscaling controllers; RKE2 exempts it",
    "tigera-operator": "Calico's operator, on the host's network; RKE2 exempts it",
    "calico-system": "Calico on every node; its operator labels the namespace so, and this holds from the first pod on",
    "calico-apiserver": "the same",
    "cattle-fleet-system": "Fleet, which Rancher installs; Rancher exempts it",
    "cattle-fleet-local-system": "Fleet's agent for this cluster; Rancher exempts it",
    "cattle-provisioning-capi-system": "cluster controllers of Rancher until 2.12; Rancher exempts it",
    "cattle-capi-system": "the same from 2.13 on; Rancher exempts it",
    "cattle-turtles-system": "what installs them; Rancher exempts it",
    "cattle-ui-plugin-system": "extensions of Rancher's pages; Rancher exempts it",
    MONITORING: "monitoring that Rancher installs reads the nodes; Rancher exempts it",
    "fleet-default": "jobs that make machines of other clusters; Rancher exempts it",
    "cis-operator-system": "Rancher's scanner for the benchmark reads the nodes' files; RKE2 exempts it until 1.33",
    "compliance-operator-system": "the same under its newer name; RKE2 exempts it",
}
"""Namespaces without a level of their own where the cluster's is ``restricted`` (``cluster.hardening: cis``): the platform makes none of them, but the one for monitoring where it is on. Why,
and whose list has it: rancher/rke2 pkg/rke2/psa.go at the catalogue's tags, and Rancher's "psa-restricted-exemptions"
(ranchermanager.docs.rancher.com, 2.7 to 2.15)."""

Level = Literal["privileged", "baseline", "restricted"]
"""A pod security level."""


@dataclass(frozen=True)
class Namespace:
    """One namespace and the rules of its pods."""

    name: str
    """Its name."""

    pod_security: Level
    """What its pods may do."""

    why: str
    """Why that level."""

    on_dedicated_servers: bool = False
    """Where servers are dedicated, its pods run on them and nowhere else: their accounts reach all Secrets, and so would anybody who holds an
    agent on which they run (docs/decisions/0092-what-an-agent-holds.md)."""

    ports: tuple[int, ...] = ()
    """TCP ports of its pods that others than its own may reach, where namespaces have network policies (``cluster.hardening: cis``): webhooks,
    which the API server calls from a server's own network, and what visitors come to."""

    disk: str = "1Gi"
    """How much of the node's disk a container may fill that does not say: its own files, ``emptyDir`` and logs. One that fills more is evicted,
    before the node's disk is full and everybody is."""

    @property
    def default_requests(self) -> dict[str, str]:
        """Requests of a container, each for what it does not say."""
        return DEFAULT_REQUESTS

    @property
    def default_limits(self) -> dict[str, str]:
        """Limits of a container, each for what it does not say."""
        return {**DEFAULT_LIMITS, "ephemeral-storage": self.disk}

    @property
    def labels(self) -> dict[str, str]:
        """Pod security labels; what a level refuses is refused, what the next would refuse is warned about and is in the audit log."""
        prefix = "pod-security.kubernetes.io"
        following = "baseline" if self.pod_security == "privileged" else "restricted"
        return {
            f"{prefix}/enforce": self.pod_security,
            f"{prefix}/warn": following,
            f"{prefix}/audit": following,
        }

    def annotations(self, *, dedicated: bool) -> dict[str, str]:
        """Annotations for the scheduler, in a cluster whose servers are ``dedicated`` or not."""
        if not (dedicated and self.on_dedicated_servers):
            return {}
        tolerations = [{"key": DEDICATED_TAINT, "operator": "Exists"}]
        return {
            "scheduler.alpha.kubernetes.io/defaultTolerations": json.dumps(tolerations),
            "scheduler.alpha.kubernetes.io/node-selector": SERVER_SELECTOR,
        }


def extra_namespaces(releases: Mapping[str, ExtraRelease]) -> dict[str, Namespace]:
    """The namespaces of a team's own releases, by name."""
    return {
        release.namespace: Namespace(release.namespace, release.pod_security, f"extra_releases.{name} says so")
        for name, release in releases.items()
    }


def service_namespaces(services: Services) -> dict[str, Namespace]:
    """The namespaces of the services that are on, by name."""
    every = (
        (services.monitoring, Namespace(MONITORING, "privileged", "measuring nodes takes their file systems")),
        (services.logs, Namespace(LOGGING, "privileged", "pods' logs are files of the node")),
        (
            services.velero,
            Namespace(VELERO, "restricted", "its chart runs without rights on the node", on_dedicated_servers=True),
        ),
    )
    return {namespace.name: namespace for service, namespace in every if service.enabled}


def namespaces(application: str) -> dict[str, Namespace]:
    """All namespaces that the platform makes for itself, by name; ``application`` is the veterinary application's."""
    every = (
        Namespace(
            "cert-manager", "restricted", "its chart runs without rights", on_dedicated_servers=True, ports=(10250,)
        ),
        # 80, 443 and the webhook of ingress-nginx, 8000 and 8443 of Traefik
        Namespace("ingress-nginx", "privileged", "hostPort 80 and 443 on the servers", ports=(80, 443, 8000, 8443)),
        Namespace(
            "cattle-system",
            "privileged",
            "Rancher runs as root and installs its own parts",
            on_dedicated_servers=True,
            ports=(80, 443, 444, 6666, 9443),  # pages and agents, its part of the API (2.11 and newer), its webhook
            disk="10Gi",  # clones of its catalogues, beside those in the image
        ),
        Namespace(
            "cnpg-system", "restricted", "its chart runs without rights", on_dedicated_servers=True, ports=(9443,)
        ),
        Namespace(application, "restricted", "application and database run without rights"),
    )
    return {namespace.name: namespace for namespace in every}
