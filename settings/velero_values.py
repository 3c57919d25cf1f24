"""What Velero saves of a cluster, and when: the values of its schedule (docs/decisions/0201-velero.md)."""

from typing import Any

from settings.environment import Environment
from settings.namespaces import EXEMPT, namespaces, service_namespaces

SCHEDULE = "objects"
"""Of the one schedule; the chart puts Velero's own name before it."""

DATABASES = {"matchExpressions": [{"key": "cnpg.io/cluster", "operator": "DoesNotExist"}]}
"""Everything but what CloudNativePG makes of a database: a copy of its volume beside its own archive would be a second truth."""

LEFT_OUT = (
    "clusters.postgresql.cnpg.io",
    "backups.postgresql.cnpg.io",
    "scheduledbackups.postgresql.cnpg.io",
    "objectstores.barmancloud.cnpg.io",
    "events",
    "events.events.k8s.io",
)
"""Kinds that are left out: a Cluster that came back by itself would begin an empty database, and events are of their hour."""

SNAPSHOT_CLASS = {"velero.io/csi-volumesnapshot-class_ebs.csi.aws.com": "standard"}
"""Which of the CSI driver's classes its snapshots are of (velero.io/docs/v1.18/csi)."""


def left_out(environment: Environment) -> list[str]:
    """Namespaces whose objects come by RKE2, by Rancher or by a deploy, and those that the settings leave out."""
    application = environment.application.namespace
    names = {*namespaces(application), *service_namespaces(environment.services)} - {application}
    return sorted({*names, *EXEMPT, "kube-node-lease", "kube-public", *environment.services.velero.left_out})


def schedule(environment: Environment) -> dict[str, Any]:
    """The chart's value of the schedule."""
    velero = environment.services.velero
    return {
        "schedule": velero.schedule,
        "annotations": SNAPSHOT_CLASS,
        "template": {
            "ttl": f"{velero.days * 24}h0m0s",
            "storageLocation": "default",
            "includedNamespaces": ["*"],
            "excludedNamespaces": left_out(environment),
            "excludedResources": list(LEFT_OUT),
            "labelSelector": DATABASES,
        },
    }
