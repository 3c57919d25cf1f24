"""Worker nodes: a launch template, and an auto-scaling group in each zone."""

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
from settings.addresses import agents_by_zone, maximum_agents_by_zone
from settings.saving import SERVERS_STAY

DRAIN_HOOK = "drain"
"""The lifecycle hook's name, which ``nodes/bin/drain-leaving-agents`` answers."""

DRAINING = SERVERS_STAY - timedelta(minutes=5)
"""How long a terminated agent may take to be emptied. In an environment that sleeps the servers, which empty it, stop after
``SERVERS_STAY``."""


class Agents(Construct):
    """Agents of all zones. A group for each zone, because EBS volumes cannot leave theirs.

    ``desired_capacity`` is left alone after creation: the autoscaler or a person decides.
    """

    def __init__(self, scope: Construct, id_: str, *, context: NodeContext, role: InstanceRole) -> None:
        super().__init__(scope, id_)
        self._context = context
        self._name = context.names.of("agent")
        self.template = self._launch_template(role)
        minimum = agents_by_zone(context.environment)
        maximum = maximum_agents_by_zone(context.environment)
        self.groups = {letter: self._group(letter, minimum[letter], maximum[letter]) for letter in minimum}
        for letter, group in self.groups.items():
            self._drain(letter, group)

    def _launch_template(self, role: InstanceRole) -> LaunchTemplate:
        context, agents = self._context, self._context.environment.agents
        tags = {"Name": self._name, **context.names.node_tags("agent"), **context.names.tags}
        market: dict[str, Any] | None = {"market_type": "spot"} if agents.spot else None
        user_data = TerraformLocal(self, "user_data", agent_user_data(context.inputs))
        return LaunchTemplate(
            self,
            "Resource",
            name=self._name,
            description=f"Agents of {context.names.base}",
            update_default_version=True,
            image_id=context.image_id,
            instance_type=agents.instance_type,
            key_name=context.key_name,
            iam_instance_profile={"arn": role.profile.arn},
            vpc_security_group_ids=[context.security_group.id],
            ebs_optimized="true",
            monitoring={"enabled": True},
            metadata_options=IMDS,
            credit_specification=unlimited_credits(agents.instance_type),
            instance_market_options=market,
            block_device_mappings=[
                LaunchTemplateBlockDeviceMappings(
                    device_name="/dev/sda1",
                    ebs={
                        "volume_type": "gp3",
                        "volume_size": agents.root_volume_gib,
                        "encrypted": "true",
                        "kms_key_id": context.volume_key.arn,
                        "delete_on_termination": "true",
                    },
                )
            ],
            tag_specifications=[
                LaunchTemplateTagSpecifications(resource_type=kind, tags=tags)
                for kind in ("instance", "volume", "network-interface")
            ],
            user_data=Fn.base64encode(user_data.as_string),
            tags={"Name": self._name},
        )

    def _drain(self, letter: str, group: AutoscalingGroup) -> None:
        """Whatever terminates an agent, a refresh or a smaller group: its machine waits until a server has emptied it
        (``nodes/bin/drain-leaving-agents``), and goes by itself when nobody answers."""
        AutoscalingLifecycleHook(
            self,
            f"drain_{letter}",
            name=DRAIN_HOOK,
            autoscaling_group_name=group.name,
            lifecycle_transition="autoscaling:EC2_INSTANCE_TERMINATING",
            heartbeat_timeout=int(DRAINING.total_seconds()),
            default_result="CONTINUE",
        )

    def _decided_elsewhere(self) -> list[str]:
        """Sizes that Terraform leaves alone: a schedule sets the limits as well, so at night a plan shows no change."""
        scheduled = self._context.environment.schedule.enabled
        return ["desired_capacity", *(["max_size", "min_size"] if scheduled else [])]

    def _group(self, letter: str, minimum: int, maximum: int) -> AutoscalingGroup:
        context = self._context
        name = context.names.of("agent", letter)
        tags = {
            "Name": self._name,
            **context.names.node_tags("agent"),
            **context.names.tags,
            "k8s.io/cluster-autoscaler/enabled": "true",
            f"k8s.io/cluster-autoscaler/{context.names.base}": "owned",
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
            force_delete=not context.environment.protect,
            tag=[AutoscalingGroupTag(key=key, value=value, propagate_at_launch=True) for key, value in tags.items()],
            lifecycle=lifecycle(ignore=self._decided_elsewhere()),
            depends_on=list(context.wait_for),
        )
