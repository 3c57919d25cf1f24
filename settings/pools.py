"""Pools of agents: more groups of worker nodes, each of its own kind, beside ``agents``."""

import re
from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from settings.base import InstanceType, Section, ZoneLetter
from settings.instance_types import INSTANCE_TYPES, X86_64
from settings.nodes import VolumeGib

POOL_LABEL = "vet/pool"
"""Label of a pool's nodes: its name."""

PURCHASE_LABEL = "vet/purchase"
"""Label of nodes in an environment with pools: ``spot`` where AWS may take them back, ``on-demand`` elsewhere. Agents outside of pools have it
only if they are Spot."""

SPOT, ON_DEMAND = "spot", "on-demand"

OFF_SPOT = {"key": PURCHASE_LABEL, "operator": "NotIn", "values": [SPOT]}
"""A node selector's expression for nodes that AWS does not take back; it takes those without the label as well (kubernetes.io: operators)."""

AGENTS_PRIORITY = 10
"""The autoscaler's priority of ``agents``, and of a pool that says nothing."""

ARCHITECTURE_LABEL = "kubernetes.io/arch"
"""Label that the kubelet sets, and key of the taint that nodes of another architecture than x86-64 get: an image that was not built for them
would not start there."""

NAME = r"[A-Za-z0-9]([A-Za-z0-9._-]{0,61}[A-Za-z0-9])?"
"""A label's value, and the last part of its key (kubernetes.io: labels and selectors, syntax and character set)."""

KUBERNETES = re.compile(r"(^|\.)(kubernetes|k8s)\.io$")
"""Prefixes that belong to Kubernetes: a kubelet refuses to start with most of them (kubernetes.io: NodeRestriction)."""


def _free_key(key: str) -> str:
    """A key whose prefix is nobody's else: Kubernetes' own, and this platform's."""
    prefix = key.rpartition("/")[0]
    if KUBERNETES.search(prefix):
        raise ValueError("must not begin with a prefix of Kubernetes: a kubelet refuses to start with it")
    if prefix == POOL_LABEL.partition("/")[0]:
        raise ValueError(f"must not begin with {prefix}/, which the platform sets")
    return key


LabelKey = Annotated[
    str,
    Field(pattern=rf"^([a-z0-9]([a-z0-9.-]{{0,61}}[a-z0-9])?/)?{NAME}$", examples=["workload"]),
    AfterValidator(_free_key),
]
"""Key of a label or taint: a name, or a DNS name of yours, a slash and a name."""

LabelValue = Annotated[str, Field(pattern=rf"^({NAME})?$", examples=["reports"])]
"""Up to 63 letters, digits, dashes, dots and underscores."""


class Taint(Section):
    """Keeps pods away that do not tolerate it (kubernetes.io: taints and tolerations)."""

    key: LabelKey
    """Its key."""

    value: LabelValue = ""
    """Its value."""

    effect: Literal["NoSchedule", "PreferNoSchedule", "NoExecute"] = "NoSchedule"
    """What happens to pods that do not tolerate it."""

    def __str__(self) -> str:
        return f"{self.key}={self.value}:{self.effect}"


MOUNTS = ("/mnt/", "/srv/", "/var/lib/kubelet", "/var/lib/longhorn", "/var/lib/rancher")
"""Where a volume may be mounted: what begins with one of these. Elsewhere it would hide files of the operating system or of the platform."""


def _free_path(path: str) -> str:
    """A path that hides nothing that the node needs."""
    if not any(path.startswith(each) if each.endswith("/") else path == each for each in MOUNTS):
        raise ValueError(
            f"must be below /mnt or /srv, or one of {', '.join(each for each in MOUNTS if each[-1] != '/')}"
        )
    return path


class ExtraVolume(Section):
    """A further EBS volume of each node of a pool, gp3, encrypted with the environment's key. It is blank when the node starts, and is deleted with
    the node: what must last belongs into a PersistentVolume."""

    path: Annotated[
        str,
        Field(pattern=r"^(/[a-z0-9][a-z0-9._-]*){2,5}$", max_length=60, examples=["/mnt/reports"]),
        AfterValidator(_free_path),
    ]
    """Where it is mounted, before the node joins: below ``/mnt`` or ``/srv`` for pods that ask for it; ``/var/lib/kubelet`` or ``/var/lib/rancher``
    for more room for images and for what pods write."""

    gib: VolumeGib
    """Its size, GiB. ``make grow-volumes`` brings a larger one to nodes that run; it never becomes smaller."""


PoolName = Annotated[str, Field(pattern=r"^[a-z]([a-z0-9-]{0,10}[a-z0-9])?$", examples=["reports"])]
"""1 to 12 lower-case letters, digits and dashes; part of the names of its groups."""


class Pool(Section):
    """Worker nodes of one kind: a launch template, and an auto-scaling group in each of its zones."""

    instance_types: Annotated[list[InstanceType], Field(min_length=1, max_length=10)]
    """EC2 types that do equally well, all with the same CPUs, memory and architecture; the first is preferred. Spot wants several: AWS takes back
    where one type is short. An arm64 type (t4g, m7g, c7g, r7g) makes it a pool of arm64 nodes, which have the taint
    ``kubernetes.io/arch=arm64:NoSchedule``."""

    min_count: Annotated[int, Field(ge=0, le=300)]
    """Nodes that always run, spread over its zones (``min_size`` of its groups); with the autoscaler it may be 0."""

    max_count: Annotated[int, Field(ge=0, le=300)]
    """Highest number of nodes, all zones together."""

    availability_zones: list[ZoneLetter] = []
    """Zones of the pool's nodes; left out, all of the network's."""

    labels: Annotated[dict[LabelKey, LabelValue], Field(max_length=8)] = {}
    """Labels of its nodes, for the selectors of pods. ``vet/pool`` and ``vet/purchase`` are set besides."""

    taints: Annotated[list[Taint], Field(max_length=8)] = []
    """Taints of its nodes: they keep away pods that do not tolerate them."""

    root_volume_gib: VolumeGib = 50
    """Root volume, gp3, encrypted."""

    extra_volumes: Annotated[list[ExtraVolume], Field(max_length=10)] = []
    """Further volumes of each of its nodes."""

    spot: bool = False
    """Spot instances: cheaper, and AWS takes them back with two minutes' notice; the pool's nodes are emptied in that time, and neither the
    database nor the application runs on them."""

    on_demand_base: Annotated[int, Field(ge=0, le=300)] = 0
    """Of a Spot pool: how many of ``min_count`` are bought on demand and stay. They are in groups of their own, which the autoscaler leaves alone."""

    ami_id: Annotated[str, Field(pattern=r"^ami-[0-9a-f]{8,17}$", examples=["ami-0123456789abcdef0"])] | None = None
    """Exact id of an image (AMI) of the pool's architecture; left out, the environment's image, for arm64 under the same name with ``arm64`` in place of ``amd64``."""

    priority: Annotated[int, Field(ge=1, le=100)] = AGENTS_PRIORITY
    """The autoscaler adds nodes where the number is highest among what fits a pod; ``agents`` have 10."""

    @property
    def architecture(self) -> str:
        """Processor architecture of its types, as images name it; for types that are not known, x86-64."""
        machine = INSTANCE_TYPES.get(self.instance_types[0])
        return machine.architecture if machine else X86_64

    @property
    def is_arm(self) -> bool:
        """Whether its nodes are of another architecture than the rest."""
        return self.architecture != X86_64

    @property
    def open_to_all(self) -> bool:
        """Whether pods come here that say nothing about where they run."""
        return not self.is_arm and all(taint.effect == "PreferNoSchedule" for taint in self.taints)

    def node_labels(self, name: str, *, spot: bool) -> dict[str, str]:
        """Labels of its nodes; ``name`` is the pool's."""
        return {POOL_LABEL: name, PURCHASE_LABEL: SPOT if spot else ON_DEMAND, **self.labels}

    @property
    def node_taints(self) -> list[Taint]:
        """Taints of its nodes."""
        if not self.is_arm:
            return self.taints
        # Not validated: the key is Kubernetes' own, and a taint with it is no label.
        return [
            Taint.model_construct(key=ARCHITECTURE_LABEL, value=self.architecture, effect="NoSchedule"),
            *self.taints,
        ]
