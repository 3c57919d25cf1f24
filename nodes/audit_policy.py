"""Who did what in the cluster: what the API server writes into its audit log, and how much of it is kept.

Metadata only, so that no Secret is in it; the body as well where it says who was given which right. Reads of events and leases, and what
Kubernetes' own parts read and renew all day, are left out: they would push the rest off the disk within hours. Fields:
kubernetes.io/docs, Auditing, and ``audit.k8s.io/v1``. The first rule that fits a request decides.
"""

from typing import Any

POLICY_FILE = "/etc/rancher/rke2/audit-policy.yaml"
"""RKE2 hands it to the API server's static pod (rancher/rke2: pkg/podexecutor/staticpod.go)."""

LOG_FILE = "/var/log/kube-audit/audit.log"
"""On the root volume. RKE2's own place is on the data volume, where a full disk stops etcd."""

MEGABYTES, FILES, DAYS = 100, 9, 30
"""Of one file, how many older ones are kept, and for how long: 1 GB at most of a root volume of 8 GiB or more."""

READS = ("get", "list", "watch")
RENEWALS = (*READS, "create", "patch", "update")
CHANGES = ("create", "delete", "deletecollection", "patch", "update")

MACHINES = ("system:nodes", "system:serviceaccounts")
"""Groups of what renews leases and writes events. People's accounts are among the second; what they delete is kept."""

CONTROL_PLANE = (
    "system:apiserver",
    "system:kube-controller-manager",
    "system:kube-proxy",
    "system:kube-scheduler",
    "system:rke2-controller",
)
"""Users that Kubernetes' and RKE2's own programs are."""


def arguments(*, files: int = FILES) -> list[str]:
    """Of the API server; given, they go over RKE2's own.

    :param files: how many older ones are kept.
    """
    return [
        f"audit-log-path={LOG_FILE}",
        f"audit-log-maxsize={MEGABYTES}",
        f"audit-log-maxbackup={files}",
        f"audit-log-maxage={DAYS}",
    ]


def policy() -> dict[str, Any]:
    """The policy, as the API server reads it."""
    return {
        "apiVersion": "audit.k8s.io/v1",
        "kind": "Policy",
        "omitStages": ["RequestReceived"],
        "rules": [
            {
                "level": "None",
                "nonResourceURLs": ["/healthz*", "/livez*", "/readyz*", "/version", "/metrics", "/openapi*"],
            },
            _rule("None", _noise(), verbs=READS),
            _rule("None", _noise(), verbs=RENEWALS, userGroups=MACHINES),
            _rule("None", _noise(), verbs=RENEWALS, users=CONTROL_PLANE),
            _rule("Request", _rights(), verbs=CHANGES),
            _rule("Metadata", [_of("", "secrets", "configmaps", "serviceaccounts/token")]),
            _rule("None", verbs=READS, users=CONTROL_PLANE),
            _rule("None", verbs=READS, userGroups=("system:nodes",)),
            _rule("Metadata"),
        ],
    }


def _noise() -> list[dict[str, Any]]:
    return [_of("", "events"), _of("events.k8s.io", "events"), _of("coordination.k8s.io", "leases")]


def _rights() -> list[dict[str, Any]]:
    """What says who may do what, and the ways into a pod."""
    groups = ("rbac.authorization.k8s.io", "certificates.k8s.io", "admissionregistration.k8s.io")
    into = ("pods/exec", "pods/attach", "pods/portforward", "pods/ephemeralcontainers", "nodes/proxy")
    return [*map(_of, groups), _of("", *into)]


def _of(group: str, *resources: str) -> dict[str, Any]:
    return {"group": group, **({"resources": list(resources)} if resources else {})}


def _rule(level: str, resources: list[dict[str, Any]] | None = None, **who: tuple[str, ...]) -> dict[str, Any]:
    return {
        "level": level,
        **({"resources": resources} if resources else {}),
        **{key: list(value) for key, value in who.items()},
    }
