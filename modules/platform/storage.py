"""EBS volumes for pods: the CSI driver, the StorageClass ``standard``, and their end."""

from collections.abc import Sequence

from cdktf import ITerraformDependable
from constructs import Construct

from modules.platform.infrastructure_outputs import InfrastructureOutputs
from modules.platform.release import Release
from settings.helm_values import Values, values, web_identity
from settings.names import SNAPSHOT_TAG, Names
from settings.namespaces import on_agents, on_servers
from settings.web_identity import STORAGE

DRIVER = "aws-ebs-csi-driver"
RELEASING = 1200
"""Seconds that destroying waits for the last volume: pods stop, EC2 detaches, the driver deletes."""


class Storage(Construct):
    """The driver, and a guard: the driver is removed only after the last volume is deleted.

    Resources with volumes depend on ``ready``, so they are destroyed first; the guard then waits until all volumes are deleted.
    """

    def __init__(self, scope: Construct, id_: str, *, names: Names, infrastructure: InfrastructureOutputs) -> None:
        super().__init__(scope, id_)
        environment = names.environment
        driver = Release(
            self,
            "driver",
            environment=environment,
            release=DRIVER,
            namespace=STORAGE.namespace,
            derived=_driver(names, infrastructure),
        ).release
        guard = Release(
            self,
            "guard",
            environment=environment,
            release="volume-guard",
            namespace=STORAGE.namespace,
            derived={"image": environment.cluster.releases["kubectl"].image},
            timeout=RELEASING,
            depends_on=[driver],
        ).release
        self.ready: Sequence[ITerraformDependable] = [guard]


def _driver(names: Names, infrastructure: InfrastructureOutputs) -> Values:
    environment = names.environment
    classes = values(DRIVER, environment.cluster.release_set)["storageClasses"]
    key = {"kmsKeyId": infrastructure.get("volumes_key_arn")}
    return {
        "controller": {
            "region": environment.region,
            "env": web_identity(infrastructure.get("pod_role_arns.storage"), environment.region),
            "k8sTagClusterId": names.base,  # the driver's role may change only volumes that carry the cluster's tag
            "extraVolumeTags": {**names.tags, **_snapshots(names)},
            **(on_servers() if environment.servers.dedicated else _off_servers()),
        },
        "storageClasses": [
            {**storage_class, "parameters": {**storage_class["parameters"], **key}} for storage_class in classes
        ],
    }


def _off_servers() -> Values:
    """On agents, and there on any: the chart would rather spread its two pods than start the second."""
    return {"affinity": {"nodeAffinity": on_agents(), "podAntiAffinity": None}}


def _snapshots(names: Names) -> dict[str, str]:
    """The tag by which Data Lifecycle Manager finds a volume (``modules/aws/volume_snapshots.py``): only volumes made from then on have it."""
    return {SNAPSHOT_TAG: names.base} if names.environment.backups.volume_snapshots.enabled else {}
