"""How many pods there are at least while nodes are emptied, and at most under load."""

from typing import Any

from cdktf_cdktf_provider_kubernetes.horizontal_pod_autoscaler_v2 import (
    HorizontalPodAutoscalerV2,
    HorizontalPodAutoscalerV2Spec,
)
from cdktf_cdktf_provider_kubernetes.pod_disruption_budget_v1 import PodDisruptionBudgetV1, PodDisruptionBudgetV1Spec
from constructs import Construct

from modules.platform.vet_application.labels import NAME, SELECTOR, labels
from modules.platform.vet_application.object_context import ObjectContext
from modules.terraform_blocks import typed_block
from settings.workloads import Application

CALM_SECONDS = 120
"""Load must last this long before pods are added: one that starts is busy for half a minute without anybody's doing."""


class DisruptionBudget(Construct):
    """One pod at a time may be taken away on purpose. Said so, a single replica does not block the draining of its
    node."""

    def __init__(self, scope: Construct, id_: str, *, context: ObjectContext) -> None:
        super().__init__(scope, id_)
        PodDisruptionBudgetV1(
            self,
            "Resource",
            depends_on=context.depends_on,
            metadata=context.metadata(NAME, labels("web")),
            spec=typed_block(
                PodDisruptionBudgetV1Spec, {"max_unavailable": "1", "selector": {"match_labels": SELECTOR}}
            ),
        )


class Autoscaler(Construct):
    """More pods while those that there are have much to do."""

    def __init__(self, scope: Construct, id_: str, *, context: ObjectContext, application: Application) -> None:
        super().__init__(scope, id_)
        if application.autoscaling is None:
            raise ValueError("application.autoscaling is not set: there is nothing to scale by")
        target = {"type": "Utilization", "average_utilization": application.autoscaling.target_cpu_percent}
        HorizontalPodAutoscalerV2(
            self,
            "Resource",
            depends_on=context.depends_on,
            metadata=context.metadata(NAME, labels("web")),
            spec=typed_block(
                HorizontalPodAutoscalerV2Spec,
                {
                    "min_replicas": application.replicas,
                    "max_replicas": application.autoscaling.max_replicas,
                    "scale_target_ref": {"api_version": "apps/v1", "kind": "Deployment", "name": NAME},
                    "metric": [{"type": "Resource", "resource": {"name": "cpu", "target": target}}],
                    "behavior": {
                        "scale_up": [_behaviour(calm=CALM_SECONDS, pods_a_minute=2)],
                        "scale_down": [_behaviour(calm=5 * CALM_SECONDS, pods_a_minute=1)],
                    },
                },
            ),
        )


def _behaviour(*, calm: int, pods_a_minute: int) -> dict[str, Any]:
    return {
        "stabilization_window_seconds": calm,
        "select_policy": "Max",
        "policy": [{"type": "Pods", "value": pods_a_minute, "period_seconds": 60}],
    }
