"""Control plane nodes: one instance for each slot, with an address and a disk that outlive it."""

from collections.abc import Sequence
from dataclasses import dataclass

from cdktf import ITerraformDependable
from cdktf_cdktf_provider_aws.ebs_volume import EbsVolume
from cdktf_cdktf_provider_aws.instance import Instance, InstanceNetworkInterface
from cdktf_cdktf_provider_aws.network_interface import NetworkInterface
from cdktf_cdktf_provider_aws.volume_attachment import VolumeAttachment
from constructs import Construct

from modules.aws.encryption_key import EncryptionKey
from modules.aws.instance_role import InstanceRole
from modules.aws.lifecycle import lifecycle
from modules.aws.network import Network
from modules.aws.security_groups import SecurityGroup
from modules.fixed import Fixed
from nodes.boot import server_user_data
from nodes.inputs import ClusterInputs
from settings.addresses import Slot, server_slots
from settings.environment import Environment
from settings.names import SNAPSHOT_TAG, Names

DATA_DEVICE = "/dev/sdf"
"""Attachment name of the data volume; the node finds it by the volume's id, since NVMe device names differ."""

IMDS = {"http_endpoint": "enabled", "http_tokens": "required", "http_put_response_hop_limit": 1}
"""Instance metadata: version 2 only, and one hop, so that no pod can take the node's role."""

BROUGHT_BY_THE_ROLL = ["ami", "user_data", "instance_type", "key_name", "credit_specification"]
"""What an apply leaves alone on a server. ``ami`` and ``key_name`` would replace it (``ForceNew`` in the provider's
``ec2_instance.go``); type and user data would stop it; and credits that fit the new type are refused by the one that still runs
(EC2: ModifyInstanceCreditSpecification)."""


@dataclass(frozen=True)
class NodeContext:
    """What servers and agents share: where they stand, how they boot and what they must wait for."""

    names: Names
    environment: Environment
    network: Network
    security_group: SecurityGroup
    volume_key: EncryptionKey
    image_id: str
    key_name: str | None
    inputs: ClusterInputs
    depends_on: Sequence[ITerraformDependable]
    """Resources that must exist before the first instance boots: routes, rights, secrets, the bundle."""


class Server(Construct):
    """One server in its slot.

    An apply never stops or replaces a running server: what would is left alone after creation (``BROUGHT_BY_THE_ROLL``), and
    ``make roll-servers`` brings it slot by slot. The network interface keeps the address that other servers and etcd know;
    the data volume keeps etcd and the server's identity. Zone and address of a slot are fixed: a change would replace both.
    """

    def __init__(self, scope: Construct, id_: str, *, context: NodeContext, role: InstanceRole, slot: Slot) -> None:
        super().__init__(scope, id_)
        self.slot = slot
        self._context = context
        self._name = context.names.resource("server", str(slot.number))
        place = f"{slot.zone} {slot.address}"  # without the region: one that is lost is built again in another
        Fixed(
            self,
            "place",
            values={f"network.availability_zones (server {slot.number})": place},
            why="A server in another place is another server, with an empty disk.",
        )
        self.interface = NetworkInterface(
            self,
            "interface",
            subnet_id=context.network.private[slot.zone].id,
            private_ips=[str(slot.address)],
            security_groups=[context.security_group.id],
            description=f"{self._name}: fixed address",
            tags={"Name": self._name},
        )
        self.data_volume = EbsVolume(
            self,
            "data_volume",
            availability_zone=context.network.zone(slot.zone),
            type="gp3",
            size=context.environment.servers.data_volume_gib,
            encrypted=True,
            kms_key_id=context.volume_key.arn,
            tags={"Name": f"{self._name}-data", SNAPSHOT_TAG: context.names.base},
            lifecycle=lifecycle(protect=context.environment.deletion_protection),
        )
        self.instance = self._instance(role)
        VolumeAttachment(
            self,
            "data_attachment",
            device_name=DATA_DEVICE,
            volume_id=self.data_volume.id,
            instance_id=self.instance.id,
            stop_instance_before_detaching=True,
        )

    def _instance(self, role: InstanceRole) -> Instance:
        context, servers = self._context, self._context.environment.servers
        tags = {"Name": self._name, **context.names.node_tags("server"), "vet:slot": str(self.slot.number)}
        return Instance(
            self,
            "Resource",
            ami=context.image_id,
            instance_type=servers.instance_type,
            iam_instance_profile=role.profile.name,
            key_name=context.key_name,
            network_interface=[
                InstanceNetworkInterface(
                    device_index=0, network_interface_id=self.interface.id, delete_on_termination=False
                )
            ],
            root_block_device={
                "volume_type": "gp3",
                "volume_size": servers.root_volume_gib,
                "encrypted": True,
                "kms_key_id": context.volume_key.arn,
                "tags": {"Name": self._name, **context.names.tags},
            },
            metadata_options=IMDS,
            credit_specification=unlimited_credits(servers.instance_type),
            monitoring=True,
            ebs_optimized=True,
            disable_api_termination=context.environment.deletion_protection,
            user_data=server_user_data(context.inputs, slot=self.slot.number, data_volume_id=self.data_volume.id),
            tags=tags,
            lifecycle=lifecycle(ignore=BROUGHT_BY_THE_ROLL),
            depends_on=list(context.depends_on),
        )


class Servers(Construct):
    """All servers of the environment."""

    def __init__(self, scope: Construct, id_: str, *, context: NodeContext, role: InstanceRole) -> None:
        super().__init__(scope, id_)
        self.servers = [
            Server(self, f"slot_{slot.number}", context=context, role=role, slot=slot)
            for slot in server_slots(context.environment)
        ]

    @property
    def first(self) -> Server:
        """Server 0, which alone may initialise the cluster."""
        return self.servers[0]


def unlimited_credits(instance_type: str) -> dict[str, str] | None:
    """Burstable types run unlimited: a control plane that is throttled loses its etcd leader."""
    return {"cpu_credits": "unlimited"} if instance_type.startswith("t") else None
