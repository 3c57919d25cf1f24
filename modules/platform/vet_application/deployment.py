"""The Deployment: replicas that a rollout replaces one by one, never with fewer than there should be."""

from cdktf_cdktf_provider_kubernetes.data_kubernetes_resources import DataKubernetesResources
from cdktf_cdktf_provider_kubernetes.deployment_v1 import DeploymentV1, DeploymentV1Spec
from constructs import Construct

from modules.aws.lifecycle import lifecycle
from modules.platform.vet_application.labels import NAME, REPLICAS, SELECTOR, labels
from modules.platform.vet_application.object_context import ObjectContext
from modules.platform.vet_application.pod import ApplicationPod
from modules.terraform_blocks import typed_block

PROGRESS_SECONDS = 300
"""A new pod that is not ready by then fails the rollout, and the apply; the old pods go on."""

RESTARTED = [
    f'spec[0].template[0].metadata[0].annotations["{mark}"]'
    for mark in ("kubectl.kubernetes.io/restartedAt", "cattle.io/timestamp")
]
"""What ``kubectl rollout restart`` and "Redeploy" in Rancher's pages write, after a secret was rotated: taken away again, all pods would
restart. The provider leaves foreign annotations alone on objects, and not in the template of their pods."""


class ApplicationDeployment(Construct):
    """The pods that answer requests. Terraform waits until a rollout is done.

    How many there are is the autoscaler's matter where there is one. Elsewhere a number that somebody has given the Deployment
    (``kubectl scale``, Rancher) stays until ``application.replicas`` changes.
    """

    def __init__(self, scope: Construct, id_: str, *, context: ObjectContext, pod: ApplicationPod) -> None:
        super().__init__(scope, id_)
        application, configuration = pod.application, pod.configuration
        scaled, replicas = application.autoscaling is not None, str(application.replicas)
        text = f"at least {replicas}" if scaled else replicas
        self.deployment = DeploymentV1(
            self,
            "Resource",
            depends_on=context.depends_on,
            metadata=context.metadata(NAME, labels("web"), annotations={REPLICAS: text}),
            spec=typed_block(
                DeploymentV1Spec,
                {
                    "replicas": replicas if scaled else self._scaled_by_hand(context, text),
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
            lifecycle=lifecycle(ignore=[*RESTARTED, *(["spec[0].replicas"] if scaled else [])]),
        )

    def _scaled_by_hand(self, context: ObjectContext, replicas: str) -> str:
        """The number that the Deployment has, if the last deploy knew the same setting; else the setting's."""
        found = DataKubernetesResources(
            self,
            "found",
            api_version="apps/v1",
            kind="Deployment",
            namespace=context.namespace,
            field_selector=f"metadata.name={NAME}",
        )
        first = f"{found.fqn}.objects[0]"  # there is none before the first deploy, nor an annotation before the first of this version
        same = f'{first}.metadata.annotations["{REPLICAS}"] == "{replicas}"'
        return f'${{try({same} ? tostring({first}.spec.replicas) : "{replicas}", "{replicas}")}}'
