"""The Deployment: replicas that a rollout replaces one by one, never with fewer than there should be."""

from cdktf_cdktf_provider_kubernetes.deployment_v1 import DeploymentV1, DeploymentV1Spec
from constructs import Construct

from modules.aws.lifecycle import lifecycle
from modules.blocks import block
from modules.platform.vet_application.labels import NAME, SELECTOR, labels
from modules.platform.vet_application.placement import Placement
from modules.platform.vet_application.pod import ApplicationPod

PROGRESS_SECONDS = 300
"""A new pod that is not ready by then fails the rollout, and the apply; the old pods go on."""

RESTARTED = 'spec[0].template[0].metadata[0].annotations["kubectl.kubernetes.io/restartedAt"]'
"""What ``kubectl rollout restart`` writes, after a secret was rotated: taken away again, all pods would restart."""


class ApplicationDeployment(Construct):
    """The pods that answer requests. Terraform waits until a rollout is done."""

    def __init__(self, scope: Construct, id_: str, *, place: Placement, pod: ApplicationPod) -> None:
        super().__init__(scope, id_)
        application, configuration = pod.application, pod.configuration
        scaled = application.autoscaling is not None
        self.deployment = DeploymentV1(
            self,
            "Resource",
            depends_on=place.wait_for,
            metadata=place.metadata(NAME, labels("web")),
            spec=block(
                DeploymentV1Spec,
                {
                    "replicas": str(application.replicas),
                    "selector": {"match_labels": SELECTOR},
                    "strategy": {"type": "RollingUpdate", "rolling_update": {"max_surge": "1", "max_unavailable": "0"}},
                    "min_ready_seconds": 5,
                    "progress_deadline_seconds": PROGRESS_SECONDS,
                    "revision_history_limit": 5,
                    "template": {
                        "metadata": {
                            "labels": {**labels("web"), "release": configuration.release},
                            "annotations": {"checksum/config": configuration.checksum},
                        },
                        "spec": pod.web(),
                    },
                },
            ),
            wait_for_rollout=True,
            timeouts={"create": "15m", "update": "15m"},
            lifecycle=lifecycle(ignore=[RESTARTED, *(["spec[0].replicas"] if scaled else [])]),
        )
