"""The cluster's namespaces: what their pods may do, where they may run, and what a container gets that does not say.

Pod security levels are Kubernetes' own (kubernetes.io/docs/concepts/security/pod-security-standards). Where Rancher's
pods may run is said on its namespace, because the chart of 2.7 has no key for tolerations: the API server's admission
plugins PodTolerationRestriction and PodNodeSelector read them (kubernetes.io/docs, admission controllers).
"""

import json
from dataclasses import dataclass
from typing import Any, Literal

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
        **free_of_agents(),
    }


def free_of_agents(*parts: str) -> dict[str, Any]:
    """Values of a chart, and of parts of it, that take away what an environment with a small server says: that pods stay on agents."""
    return {"affinity": None, **{part: {"affinity": None} for part in parts}}


DEFAULT_REQUESTS = {"cpu": "10m", "memory": "64Mi", "ephemeral-storage": "64Mi"}
"""Requests of a container, each for what it does not say: jobs of charts, and what Rancher installs by itself."""

DEFAULT_LIMITS = {"cpu": "500m", "memory": "512Mi"}
"""Limits of a container, each for what it does not say. How much of the node's disk it may fill is :attr:`Namespace.disk`."""

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


def namespaces(application: str) -> dict[str, Namespace]:
    """All namespaces that the platform makes, by name; ``application`` is the veterinary application's."""
    every = (
        Namespace("cert-manager", "restricted", "its chart runs without rights", on_dedicated_servers=True),
        Namespace("ingress-nginx", "privileged", "hostPort 80 and 443 on the servers"),
        Namespace(
            "cattle-system",
            "privileged",
            "Rancher runs as root and installs its own parts",
            on_dedicated_servers=True,
            disk="10Gi",  # clones of its catalogues, beside those in the image
        ),
        Namespace("cnpg-system", "restricted", "its chart runs without rights", on_dedicated_servers=True),
        Namespace(application, "restricted", "application and database run without rights"),
    )
    return {namespace.name: namespace for namespace in every}
