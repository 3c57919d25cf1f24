"""Which service accounts of the cluster take which AWS roles: the names that the roles trust and the charts use."""

from dataclasses import dataclass

from settings.environment import Environment
from settings.namespaces import LOGGING
from settings.namespaces import VELERO as VELEROS_NAMESPACE


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

INTERRUPTIONS = ServiceAccount("kube-system", "interruption-handler")
"""The interruption handler reads what EC2 says of its machines."""

LOGS = ServiceAccount(LOGGING, "fluent-bit")
"""Fluent Bit adds to the group with the pods' logs."""

VELERO = ServiceAccount(VELEROS_NAMESPACE, "velero")
"""Velero writes and reads backups of objects."""


APPLICATION_ACCOUNT = "vet-app"
"""Name of the service account of the application's pods, which have one where they need an AWS role."""


def application(environment: Environment) -> ServiceAccount:
    """The application's pods read and write files of patients."""
    return ServiceAccount(environment.application.namespace, APPLICATION_ACCOUNT)


DATABASE = "database"
"""Name of the clinic's database: CloudNativePG's Cluster, its service account, and what its Services and Secrets begin with."""

DATABASE_CLONE = "database-beside"
"""Name of the one that is filled from a backup beside it (``backups.database_clone_at``)."""


def databases(environment: Environment) -> list[ServiceAccount]:
    """The databases' own service accounts (CloudNativePG names them after the Cluster) write and read backups."""
    names = [DATABASE, *([DATABASE_CLONE] if environment.backups.database_clone_at else [])]
    return [ServiceAccount(environment.application.namespace, name) for name in names]
