"""Which service accounts of the cluster take which AWS roles: the names that the roles trust and the charts use."""

from dataclasses import dataclass


@dataclass(frozen=True)
class ServiceAccount:
    """A Kubernetes service account."""

    namespace: str
    name: str

    @property
    def subject(self) -> str:
        """The ``sub`` claim of its tokens."""
        return f"system:serviceaccount:{self.namespace}:{self.name}"


STORAGE = ServiceAccount("kube-system", "ebs-csi-controller-sa")
"""The EBS CSI driver's controller creates, attaches and snapshots volumes."""

CERTIFICATES = ServiceAccount("cert-manager", "cert-manager")
"""cert-manager answers DNS-01 challenges in the environment's zone."""

AUTOSCALER = ServiceAccount("kube-system", "cluster-autoscaler")
"""The cluster autoscaler sets the agents' desired capacity."""


def database(application_namespace: str) -> ServiceAccount:
    """The database's own service account (CloudNativePG names it after the Cluster) writes backups."""
    return ServiceAccount(application_namespace, "database")
