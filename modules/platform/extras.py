"""What a team adds to the cluster: releases in namespaces of their own, and objects (docs/extending.md)."""

import json
from collections.abc import Sequence
from typing import Any

from cdktf import ITerraformDependable
from cdktf_cdktf_provider_helm.release import Release as HelmRelease
from cdktf_cdktf_provider_kubernetes.network_policy_v1 import NetworkPolicyV1, NetworkPolicyV1Spec
from constructs import Construct

from modules.platform import ingress
from modules.platform.namespaces import NAME_LABEL, Namespaces
from modules.platform.release import DEFAULT_TIMEOUT, Release
from modules.terraform_blocks import typed_block
from settings.base import literal_tree
from settings.environment import Environment
from settings.extras import ExtraRelease


class Extras(Construct):
    """All of it. It comes last and goes first.

    :param depends_on: storage, certificates and ingress, which it may use.
    """

    def __init__(
        self,
        scope: Construct,
        id_: str,
        *,
        environment: Environment,
        namespaces: Namespaces,
        depends_on: Sequence[ITerraformDependable],
    ) -> None:
        super().__init__(scope, id_)
        self._environment, self._namespaces = environment, namespaces
        policies = self._policies()
        releases = [
            self._release(name, extra, [*depends_on, *policies]) for name, extra in environment.extra_releases.items()
        ]
        for name, objects in environment.extra_manifests.items():
            Release(
                self,
                f"objects_{name}",
                environment=environment,
                release=f"objects-{name}",
                like="objects",
                namespace="default",
                derived={"objects": literal_tree(objects)},
                depends_on=[*depends_on, *releases],
            )

    def _release(self, name: str, extra: ExtraRelease, depends_on: Sequence[ITerraformDependable]) -> HelmRelease:
        return HelmRelease(
            self,
            f"release_{name}",
            name=name,
            namespace=extra.namespace,
            repository=extra.repository,
            chart=extra.chart,
            version=extra.version,
            values=[json.dumps(literal_tree(extra.values), indent=2, sort_keys=True)],
            timeout=DEFAULT_TIMEOUT,
            atomic=True,
            wait=True,
            wait_for_jobs=True,
            max_history=10,
            depends_on=[*self._namespaces.ready(extra.namespace), *depends_on],
        )

    def _policies(self) -> list[ITerraformDependable]:
        """One for each namespace that not everybody may reach."""
        closed = {extra.namespace: extra for extra in self._environment.extra_releases.values()}
        return [self._policy(extra) for extra in closed.values() if extra.reached_by != "everybody"]

    def _policy(self, extra: ExtraRelease) -> NetworkPolicyV1:
        """Pods there are reached by each other, and by the ingress controller if it is said."""
        peers: list[dict[str, Any]] = [{"pod_selector": {}}]
        if extra.reached_by == "ingress":
            peers.append({"namespace_selector": {"match_labels": {NAME_LABEL: ingress.NAMESPACE}}})
        return NetworkPolicyV1(
            self,
            f"policy_{extra.namespace}",
            metadata={"name": "reached-by", "namespace": extra.namespace},
            spec=typed_block(
                NetworkPolicyV1Spec, {"pod_selector": {}, "policy_types": ["Ingress"], "ingress": [{"from_": peers}]}
            ),
            depends_on=self._namespaces.ready(extra.namespace),
        )
