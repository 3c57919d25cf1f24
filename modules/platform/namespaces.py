"""The namespaces of the platform: pod security, default requests and limits for containers without their own and, where the cluster is
hardened, network policies."""

from collections.abc import Sequence
from typing import Any, cast

from cdktf import ITerraformDependable
from cdktf_cdktf_provider_kubernetes import namespace_v1
from cdktf_cdktf_provider_kubernetes.default_service_account_v1 import DefaultServiceAccountV1
from cdktf_cdktf_provider_kubernetes.limit_range_v1 import LimitRangeV1, LimitRangeV1Spec
from cdktf_cdktf_provider_kubernetes.namespace_v1 import NamespaceV1, NamespaceV1Metadata
from cdktf_cdktf_provider_kubernetes.network_policy_v1 import NetworkPolicyV1, NetworkPolicyV1Spec
from constructs import Construct

from modules.terraform_blocks import typed_block
from settings.environment import Environment
from settings.namespaces import MONITORING, Namespace, extra_namespaces, namespaces, service_namespaces

NAME_LABEL = "kubernetes.io/metadata.name"
"""Label by which Kubernetes names each namespace."""

DELETION = "15m"
"""A namespace goes once everything in it is gone; Rancher's controllers take minutes to let go of theirs."""

IS_LIST = hasattr(namespace_v1, "NamespaceV1MetadataList")
"""Whether the bindings have a Namespace's metadata as a list with one block: those of the kubernetes provider 3.3 and newer do."""


class Namespaces(Construct):
    """Every namespace of ``settings/namespaces.py``, those of a team's own releases included, with its LimitRange; hardened, also with a
    network policy and an account ``default`` that gives pods no token."""

    def __init__(self, scope: Construct, id_: str, *, environment: Environment) -> None:
        super().__init__(scope, id_)
        self._dedicated = environment.servers.dedicated
        self._hardened = environment.cluster.hardening is not None
        every = (
            namespaces(environment.application.namespace)
            | service_namespaces(environment.services)
            | extra_namespaces(environment.extra_releases)
        )
        self._made = {name: self._namespace(namespace) for name, namespace in every.items()}

    def ready(self, name: str) -> list[ITerraformDependable]:
        """What must be there before a pod is put into the namespace of that name."""
        return self._made[name]

    def _namespace(self, namespace: Namespace) -> list[ITerraformDependable]:
        scope = Construct(self, namespace.name)
        metadata = typed_block(
            NamespaceV1Metadata,
            {
                "name": namespace.name,
                "labels": namespace.labels,
                "annotations": namespace.annotations(dedicated=self._dedicated) or None,
            },
        )
        resource = NamespaceV1(
            scope,
            "Resource",
            metadata=cast("NamespaceV1Metadata", [metadata] if IS_LIST else metadata),
            timeouts={"delete": DELETION},
        )
        named: Any = resource.metadata
        name = (named.get(0) if IS_LIST else named).name
        parts: list[ITerraformDependable] = [self._limits(scope, name, namespace)]
        if self._hardened:
            parts.append(self._default_account(scope, name))
            if namespace.ports:
                parts.append(self._network_policy(scope, name, namespace.ports))
        return [resource, *parts]

    @staticmethod
    def _limits(scope: Construct, name: str, namespace: Namespace) -> LimitRangeV1:
        defaults = {"default": namespace.default_limits, "default_request": namespace.default_requests}
        return LimitRangeV1(
            scope,
            "limits",
            metadata={"name": "defaults", "namespace": name},
            spec=typed_block(LimitRangeV1Spec, {"limit": [{"type": "Container", **defaults}]}),
        )

    @staticmethod
    def _network_policy(scope: Construct, name: str, ports: Sequence[int]) -> NetworkPolicyV1:
        """Its own pods among each other, monitoring, and from elsewhere the open ports. The application's namespace has policies of its own."""
        monitoring = {"namespace_selector": {"match_labels": {NAME_LABEL: MONITORING}}}
        own = {"from_": [{"pod_selector": {}}, monitoring]}
        opened = {"ports": [{"protocol": "TCP", "port": str(port)} for port in ports]}
        return NetworkPolicyV1(
            scope,
            "network_policy",
            metadata={"name": "default", "namespace": name},
            spec=typed_block(
                NetworkPolicyV1Spec, {"pod_selector": {}, "policy_types": ["Ingress"], "ingress": [own, opened]}
            ),
        )

    @staticmethod
    def _default_account(scope: Construct, name: str) -> DefaultServiceAccountV1:
        return DefaultServiceAccountV1(
            scope, "default_account", metadata={"namespace": name}, automount_service_account_token=False
        )
