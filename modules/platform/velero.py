"""Backups of Kubernetes objects, and of volumes by snapshots: Velero (``services.velero``)."""

from collections.abc import Sequence

from cdktf import ITerraformDependable
from constructs import Construct

from modules.platform.infrastructure_outputs import InfrastructureOutputs
from modules.platform.namespaces import Namespaces
from modules.platform.network_policies import (
    HTTPS,
    KUBERNETES_API,
    Policy,
    addresses,
    dns,
    network_policies,
    pods,
    servers,
    tcp,
)
from modules.platform.release import Release
from modules.platform.vet_application.object_context import ObjectContext
from settings.environment import Environment
from settings.helm_values import web_identity
from settings.namespaces import MONITORING, VELERO, controllers
from settings.velero_values import SCHEDULE, schedule

MEASUREMENTS = 8085
"""Port of its measurements."""


class Velero(Construct):
    """Velero, what it may reach, and its schedule.

    :param depends_on: storage: without it no volume has a snapshot.
    """

    def __init__(
        self,
        scope: Construct,
        id_: str,
        *,
        environment: Environment,
        infrastructure: InfrastructureOutputs,
        namespaces: Namespaces,
        depends_on: Sequence[ITerraformDependable],
    ) -> None:
        super().__init__(scope, id_)
        context = ObjectContext(VELERO, namespaces.ready(VELERO))
        closed = network_policies(self, policies(environment), context, {"app.kubernetes.io/part-of": "velero"})
        location = {
            "name": "default",
            "provider": "aws",
            "bucket": infrastructure.get("velero_bucket"),
            "default": True,
            "config": {"region": environment.region},
        }
        Release(
            self,
            "release",
            environment=environment,
            release="velero",
            namespace=VELERO,
            derived={
                "configuration": {
                    "backupStorageLocation": [location],
                    "extraEnvVars": web_identity(infrastructure.get("pod_role_arns.velero"), environment.region),
                },
                "schedules": {SCHEDULE: schedule(environment)},
                "kubectl": {"image": {"tag": environment.cluster.releases["kubectl"].tag}},
                **controllers(dedicated=environment.servers.dedicated),
            },
            depends_on=[*depends_on, *context.depends_on, *closed],
        )


def policies(environment: Environment) -> dict[str, Policy]:
    """It asks the Kubernetes API, and S3 and STS, whose addresses are AWS's to change; who measures asks it."""
    measured = [([pods({}, MONITORING)], tcp(MEASUREMENTS))] if environment.services.monitoring.enabled else []
    to_aws = ([addresses("0.0.0.0/0")], tcp(HTTPS))
    api = (servers(environment), tcp(KUBERNETES_API))
    return {"velero": Policy({}, receive=measured, send=[dns(), api, to_aws])}
