"""The namespaces of the platform: pod security, and what a container gets that does not say what it needs."""

from typing import Any, cast

from cdktf import ITerraformDependable
from cdktf_cdktf_provider_kubernetes import namespace_v1
from cdktf_cdktf_provider_kubernetes.limit_range_v1 import LimitRangeV1, LimitRangeV1Spec
from cdktf_cdktf_provider_kubernetes.namespace_v1 import NamespaceV1, NamespaceV1Metadata
from constructs import Construct

from modules.blocks import block
from settings.environment import Environment
from settings.namespaces import Namespace, namespaces

DELETION = "15m"
"""A namespace goes once everything in it is gone; Rancher's controllers take minutes to let go of theirs."""

IS_LIST = hasattr(namespace_v1, "NamespaceV1MetadataList")
"""Whether the bindings have a Namespace's metadata as a list with one block: those of the kubernetes provider 3.3 and newer do."""


class Namespaces(Construct):
    """Every namespace of ``settings/namespaces.py``, with its LimitRange."""

    def __init__(self, scope: Construct, id_: str, *, environment: Environment) -> None:
        super().__init__(scope, id_)
        self._dedicated = environment.servers.dedicated
        self._made = {
            name: self._namespace(namespace)
            for name, namespace in namespaces(environment.application.namespace).items()
        }

    def ready(self, name: str) -> list[ITerraformDependable]:
        """What must be there before a pod is put into the namespace of that name."""
        return self._made[name]

    def _namespace(self, namespace: Namespace) -> list[ITerraformDependable]:
        scope = Construct(self, namespace.name)
        metadata = block(
            NamespaceV1Metadata,
            {
                "name": namespace.name,
                "labels": namespace.labels,
                "annotations": namespace.annotations(dedicated=self._dedicated) or None,
            },
        )
        made = NamespaceV1(
            scope,
            "Resource",
            metadata=cast("NamespaceV1Metadata", [metadata] if IS_LIST else metadata),
            timeouts={"delete": DELETION},
        )
        return [made, self._limits(scope, made, namespace)]

    @staticmethod
    def _limits(scope: Construct, made: NamespaceV1, namespace: Namespace) -> LimitRangeV1:
        metadata: Any = made.metadata
        defaults = {"default": namespace.default_limits, "default_request": namespace.default_requests}
        return LimitRangeV1(
            scope,
            "limits",
            metadata={"name": "defaults", "namespace": (metadata.get(0) if IS_LIST else metadata).name},
            spec=block(LimitRangeV1Spec, {"limit": [{"type": "Container", **defaults}]}),
        )
