"""Worker nodes: a launch template, and an auto-scaling group in each zone."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from cdktf import Fn, TerraformLocal
from cdktf_cdktf_provider_aws.autoscaling_group import AutoscalingGroup, AutoscalingGroupTag
from cdktf_cdktf_provider_aws.autoscaling_lifecycle_hook import AutoscalingLifecycleHook
from cdktf_cdktf_provider_aws.launch_template import (
    LaunchTemplate,
    LaunchTemplateBlockDeviceMappings,
    LaunchTemplateTagSpecifications,
)
from constructs import Construct

from modules.aws.instance_role import InstanceRole
from modules.aws.lifecycle import lifecycle
from modules.aws.servers import IMDS, NodeContext, unlimited_credits
from nodes.boot import agent_user_data
from nodes.extra_volumes import device
from settings.addresses import agents_by_zone, maximum_agents_by_zone
from settings.pools import PURCHASE_LABEL, SPOT, ExtraVolume
from settings.schedule import SERVER_STOP_DELAY

ROOT_DEVICE = "/dev/sda1"
"""Attachment name of the root volume in Ubuntu's images."""

DRAIN_HOOK = "drain"
"""The lifecycle hook's name, which ``nodes/bin/drain-leaving-agents`` answers."""

DRAINING = SERVER_STOP_DELAY - timedelta(minutes=5)
"""How long a terminated agent may take to be emptied. In an environment that sleeps the servers, which empty it, stop after
``SERVER_STOP_DELAY``."""

HOOK: Mapping[str, Any] = {
    "name": DRAIN_HOOK,
    "lifecycle_transition": "autoscaling:EC2_INSTANCE_TERMINATING",
    "heartbeat_timeout": int(DRAINING.total_seconds()),
    "default_result": "CONTINUE",
}
"""Whatever terminates an agent, a refresh or a smaller group: its machine waits until a server has emptied it
(``nodes/bin/drain-leaving-agents``), and goes by itself when nobody answers."""


@dataclass(frozen=True)
class SizedGroup:
    """A group and what it is meant to have."""

    key: str
    """What tells it from the environment's other groups: the zone's letter, for a pool's with its name before it."""

    what: str
    """Whose and where, in words."""

    group: AutoscalingGroup
    minimum: int
    maximum: int


class Agents(Construct):
    """Agents of all zones. A group for each zone, because EBS volumes cannot leave theirs.

    ``desired_capacity`` is left alone after creation: the autoscaler or a person decides.
    """

    def __init__(self, scope: Construct, id_: str, *, context: NodeContext, role: InstanceRole) -> None:
        super().__init__(scope, id_)
        self._context = context
        self._name = context.names.resource("agent")
        self.template = self._launch_template(role)
        minimum = agents_by_zone(context.environment)
        maximum = maximum_agents_by_zone(context.environment)
        self.groups = [
            SizedGroup(letter, f"zone {letter}", self._group(letter, least, maximum[letter]), least, maximum[letter])
            for letter, least in minimum.items()
        ]
        for sized in self.groups:
            AutoscalingLifecycleHook(self, f"drain_{sized.key}", autoscaling_group_name=sized.group.name, **HOOK)

    def _launch_template(self, role: InstanceRole) -> LaunchTemplate:
        environment = self._context.environment
        agents = environment.agents
        labels = {PURCHASE_LABEL: SPOT} if agents.spot and environment.pools else {}
        return launch_template(
            self,
            context=self._context,
            role=role,
            name=self._name,
            description=f"Agents of {self._context.names.base}",
            instance_type=agents.instance_type,
            image_id=self._context.image_id,
            root_volume_gib=agents.root_volume_gib,
            tags={"Name": self._name, **self._context.names.node_tags("agent"), **self._context.names.tags},
            user_data=agent_user_data(self._context.inputs, labels=labels),
            instance_market_options={"market_type": "spot"} if agents.spot else None,
        )

    def _group(self, letter: str, minimum: int, maximum: int) -> AutoscalingGroup:
        context = self._context
        name = context.names.resource("agent", letter)
        tags = {
            "Name": self._name,
            **context.names.node_tags("agent"),
            **context.names.tags,
            **autoscaled(context),
            **(handled(context) if context.environment.agents.spot and context.environment.interruptible else {}),
        }
        return AutoscalingGroup(
            self,
            f"group_{letter}",
            name=name,
            min_size=minimum,
            max_size=maximum,
            desired_capacity=minimum,
            vpc_zone_identifier=[context.network.private[letter].id],
            launch_template={"id": self.template.id, "version": "$Latest"},
            health_check_type="EC2",
            force_delete=not context.environment.deletion_protection,
            tag=group_tags(tags),
            lifecycle=lifecycle(ignore=decided_elsewhere(context)),
            depends_on=list(context.depends_on),
        )


def launch_template(
    scope: Construct,
    *,
    context: NodeContext,
    role: InstanceRole,
    name: str,
    description: str,
    instance_type: str,
    image_id: str,
    root_volume_gib: int,
    tags: Mapping[str, str],
    user_data: str,
    extra_volumes: Sequence[ExtraVolume] = (),
    **more: Any,
) -> LaunchTemplate:
    """How agents of one kind start. It is the main resource of ``scope``.

    :param extra_volumes: further disks, in the order of their attachment names.
    :param more: further arguments of the resource.
    """
    local = TerraformLocal(scope, "user_data", user_data)
    return LaunchTemplate(
        scope,
        "Resource",
        name=name,
        description=description,
        update_default_version=True,
        image_id=image_id,
        instance_type=instance_type,
        key_name=context.key_name,
        iam_instance_profile={"arn": role.profile.arn},
        vpc_security_group_ids=[context.security_group.id],
        ebs_optimized="true",
        monitoring={"enabled": True},
        metadata_options=IMDS,
        credit_specification=unlimited_credits(instance_type),
        block_device_mappings=[
            _disk(context, ROOT_DEVICE, root_volume_gib),
            *(_disk(context, f"/dev/{device(index)}", each.gib) for index, each in enumerate(extra_volumes)),
        ],
        tag_specifications=[
            LaunchTemplateTagSpecifications(resource_type=kind, tags=dict(tags))
            for kind in ("instance", "volume", "network-interface")
        ],
        user_data=Fn.base64encode(local.as_string),
        tags={"Name": name},
        **more,
    )


def _disk(context: NodeContext, name: str, gib: int) -> LaunchTemplateBlockDeviceMappings:
    """A disk that is made with a node and goes with it."""
    return LaunchTemplateBlockDeviceMappings(
        device_name=name,
        ebs={
            "volume_type": "gp3",
            "volume_size": gib,
            "encrypted": "true",
            "kms_key_id": context.volume_key.arn,
            "delete_on_termination": "true",
        },
    )


def group_tags(tags: Mapping[str, str]) -> list[AutoscalingGroupTag]:
    """Tags of a group and of the machines that it starts."""
    return [AutoscalingGroupTag(key=key, value=value, propagate_at_launch=True) for key, value in tags.items()]


def autoscaled(context: NodeContext) -> dict[str, str]:
    """Tags by which the autoscaler finds the groups of this cluster (its AWS docs: auto-discovery)."""
    return {
        "k8s.io/cluster-autoscaler/enabled": "true",
        f"k8s.io/cluster-autoscaler/{context.names.base}": "owned",
    }


def handled(context: NodeContext) -> dict[str, str]:
    """Tag of machines that the interruption handler empties when EC2 says that it takes them."""
    return {context.names.interruption_tag: "owned"}


def decided_elsewhere(context: NodeContext) -> list[str]:
    """Sizes that Terraform leaves alone: a schedule sets the limits as well, so at night a plan shows no change."""
    scheduled = context.environment.schedule.enabled
    return ["desired_capacity", *(["max_size", "min_size"] if scheduled else [])]
