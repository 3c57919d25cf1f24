"""The machines: servers (control plane), agents (workers), and the image that they start from."""

from typing import Annotated

from pydantic import Field

from settings.base import InstanceType, Section

VolumeGib = Annotated[int, Field(ge=8, le=16384)]
"""Size of a gp3 volume in GiB."""


class Image(Section):
    """The Amazon Machine Image of the nodes: the newest that matches, or the pinned one."""

    owner: Annotated[str, Field(pattern=r"^[0-9]{12}$", examples=['"099720109477", in quotes'])] = "099720109477"
    """Account that publishes the image; 099720109477 is Canonical."""

    name: Annotated[
        str,
        Field(
            pattern=r"^[A-Za-z0-9()\[\]./'@_ -]{3,}\*?[A-Za-z0-9()\[\]./'@_ *-]*$",
            max_length=128,
            examples=["ubuntu/images/hvm-ssd/ubuntu-jammy-22.04-amd64-server-*"],
        ),
    ] = "ubuntu/images/hvm-ssd/ubuntu-jammy-22.04-amd64-server-*"
    """Name pattern of the image: Ubuntu 22.04 LTS for x86-64."""

    ami_id: Annotated[str, Field(pattern=r"^ami-[0-9a-f]{8,17}$", examples=["ami-0123456789abcdef0"])] | None = None
    """Exact id of the image (AMI) instead of the newest. Plans stay unchanged until you change this."""


class ServersSettings(Section):
    """Control plane nodes: Kubernetes API, etcd, scheduler, controllers."""

    count: Annotated[int, Field(ge=1, le=7)]
    """How many, an odd number: etcd needs a majority, and an even number tolerates no more failures."""

    instance_type: InstanceType
    """EC2 type. RKE2 wants 2 vCPU and 4 GiB; with Rancher on it 8 GiB (docs.rke2.io, requirements)."""

    dedicated: bool
    """Taint the servers so that only the control plane, the ingress controller and Rancher run on them."""

    root_volume_gib: VolumeGib = 50
    """Root volume, gp3, encrypted."""

    data_volume_gib: VolumeGib = 20
    """Retained volume, gp3, encrypted, that holds etcd and the server's identity; it outlives the instance."""


class AgentsSettings(Section):
    """Worker nodes, one auto-scaling group per zone."""

    min_count: Annotated[int, Field(ge=0, le=300)]
    """Agents that always run, spread over the zones (``min_size`` of their groups); they are started with so many."""

    max_count: Annotated[int, Field(ge=0, le=300)]
    """Highest number of agents, all zones together."""

    instance_type: InstanceType
    """EC2 type."""

    root_volume_gib: VolumeGib = 50
    """Root volume, gp3, encrypted."""

    spot: bool = False
    """Spot instances: cheaper, and AWS takes them back with two minutes' notice."""

    autoscaler: bool = False
    """Let the Cluster Autoscaler add agents, up to ``max_count``, when pods find no room, and remove idle ones."""
