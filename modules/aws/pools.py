"""Pools of agents: groups of worker nodes of further kinds, each with launch templates of its own."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from cdktf_cdktf_provider_aws.autoscaling_group import (
    AutoscalingGroup,
    AutoscalingGroupInitialLifecycleHook,
    AutoscalingGroupMixedInstancesPolicyLaunchTemplateOverride,
)
from constructs import Construct

from modules.aws.agents import HOOK, SizedGroup, autoscaled, decided_elsewhere, group_tags, handled, launch_template
from modules.aws.instance_role import InstanceRole
from modules.aws.lifecycle import lifecycle
from modules.aws.servers import NodeContext, Servers
from nodes.boot import agent_user_data
from nodes.inputs import ClusterInputs
from nodes.release import node_release
from settings.addresses import Fleet, fleets
from settings.pools import Pool

NODE_TEMPLATE = "k8s.io/cluster-autoscaler/node-template"
"""What the tags of a group begin with by which the autoscaler knows the nodes of an empty one (cluster-autoscaler, its AWS docs)."""

EBS_ZONE = "topology.ebs.csi.aws.com/zone"
"""Label by which volumes know their zone; the EBS CSI driver sets it on nodes that are there."""

SPOT_STRATEGY, ON_DEMAND_STRATEGY = "price-capacity-optimized", "prioritized"
"""From the deepest of the cheap types, and in the order of the list (EC2 Auto Scaling: allocation strategies)."""

DELETE = "90m"
"""How long Terraform waits for a group that goes: its nodes are drained first, each in a quarter of an hour at most, and those of a large
group one after the other."""


class AgentPool(Construct):
    """Nodes of one pool.

    A group whose pool is taken out is set to zero before it is deleted, so that the hook, which is part of the group, keeps each machine
    until a server has emptied it. Servers outlive the groups: they are what empties them.

    :param name: the pool's.
    :param image_id: of the pool's architecture.
    """

    def __init__(
        self,
        scope: Construct,
        id_: str,
        *,
        context: NodeContext,
        role: InstanceRole,
        servers: Servers,
        name: str,
        pool: Pool,
        image_id: str,
    ) -> None:
        super().__init__(scope, id_)
        self._context, self._role, self._servers = context, role, servers
        self._name, self._pool, self._image_id = name, pool, image_id
        self.groups = [sized for fleet in fleets(context.environment, pool) for sized in self._fleet(fleet)]

    @property
    def _inputs(self) -> ClusterInputs:
        """What its nodes are told: the programs of their own architecture."""
        inputs, architecture = self._context.inputs, self._pool.architecture
        if inputs.release.architecture == architecture:
            return inputs
        environment = self._context.environment
        release = node_release(environment.cluster.releases, environment.charts.mirror, architecture)
        return replace(inputs, release=release)

    def _fleet(self, fleet: Fleet) -> list[SizedGroup]:
        """Launch template and groups of the nodes that are bought in one way."""
        names, pool = self._context.names, self._pool
        part = "base" if fleet.fixed else ("spot" if fleet.spot else "on_demand")
        scope = Construct(self, part)
        suffix = [part] if fleet.fixed else []
        name = names.resource("agent", self._name, *suffix)
        labels = pool.node_labels(self._name, spot=fleet.spot)
        taints = [str(taint) for taint in pool.node_taints]
        node_tags = {"Name": name, **names.node_tags("agent"), "vet:pool": self._name, **names.tags}
        template = launch_template(
            scope,
            context=self._context,
            role=self._role,
            name=names.resource("agent", self._name, *fleet.name_end),
            description=f"Agents of {names.base}, pool {self._name}",
            instance_type=pool.instance_types[0],
            image_id=self._image_id,
            root_volume_gib=pool.root_volume_gib,
            tags=node_tags,
            user_data=agent_user_data(self._inputs, labels=labels, taints=taints, volumes=pool.extra_volumes),
            extra_volumes=pool.extra_volumes,
        )
        tags = {**node_tags, **handled(self._context)}
        if not fleet.fixed:
            tags |= {**autoscaled(self._context), **self._node_template(labels)}
        groups = []
        for letter in fleet.minimum:
            least, most = fleet.minimum[letter], fleet.maximum[letter]
            if fleet.fixed and not most:
                continue
            zone_tags = (
                tags
                if fleet.fixed
                else {**tags, f"{NODE_TEMPLATE}/label/{EBS_ZONE}": self._context.network.zone(letter)}
            )
            group = AutoscalingGroup(
                scope,
                f"group_{letter}",
                name=names.resource("agent", self._name, letter, *fleet.name_end),
                min_size=least,
                max_size=most,
                desired_capacity=least,
                vpc_zone_identifier=[self._context.network.private[letter].id],
                mixed_instances_policy=self._purchase(template.id, fleet),
                capacity_rebalance=fleet.spot,
                health_check_type="EC2",
                force_delete=False,
                initial_lifecycle_hook=[AutoscalingGroupInitialLifecycleHook(**HOOK)],
                tag=group_tags(zone_tags),
                timeouts={"delete": DELETE},
                lifecycle=lifecycle(ignore=decided_elsewhere(self._context)),
                depends_on=[*self._context.depends_on, *(server.instance for server in self._servers.servers)],
            )
            what = f"zone {letter}, pool {self._name}{', on-demand base' if fleet.fixed else ''}"
            groups.append(SizedGroup("-".join([self._name, letter, *suffix]), what, group, least, most))
        return groups

    def _purchase(self, template_id: str, fleet: Fleet) -> dict[str, Any]:
        """What is bought: all of it Spot, or all of it on demand, of any of the pool's types."""
        distribution = (
            {"on_demand_percentage_above_base_capacity": 0, "spot_allocation_strategy": SPOT_STRATEGY}
            if fleet.spot
            else {"on_demand_percentage_above_base_capacity": 100, "on_demand_allocation_strategy": ON_DEMAND_STRATEGY}
        )
        return {
            "instances_distribution": {"on_demand_base_capacity": 0, **distribution},
            "launch_template": {
                "launch_template_specification": {"launch_template_id": template_id, "version": "$Latest"},
                "override": [
                    AutoscalingGroupMixedInstancesPolicyLaunchTemplateOverride(instance_type=kind)
                    for kind in self._pool.instance_types
                ],
            },
        }

    def _node_template(self, labels: Mapping[str, str]) -> dict[str, str]:
        """What a node of the pool is, for the autoscaler, while there is none to look at."""
        pool = self._pool
        return {
            **{f"{NODE_TEMPLATE}/label/{key}": value for key, value in labels.items()},
            **{f"{NODE_TEMPLATE}/taint/{taint.key}": f"{taint.value}:{taint.effect}" for taint in pool.node_taints},
            f"{NODE_TEMPLATE}/resources/ephemeral-storage": f"{pool.root_volume_gib}Gi",
        }
