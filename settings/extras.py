"""What a team adds to the platform, or has otherwise than the platform: the ways out of the frame (docs/extending.md).

What would break something that the platform promises is refused (``settings/rules/extras.py``); the tables with the reasons are in
``settings/protected.py``.
"""

from typing import Annotated, Any, Literal

from pydantic import Field

from settings.base import LABEL, Cidr, Host, Section

Values = dict[str, Any]
"""Values of a chart, as in its ``values.yaml``."""

Name = Annotated[str, Field(pattern=rf"^{LABEL}$", max_length=40, examples=["kured"])]
"""A name of something in Kubernetes (RFC 1123), short enough for what Helm puts after it."""

Script = Annotated[
    str, Field(pattern=r"^#!/", min_length=4, max_length=65_536, examples=["#!/bin/bash, and its lines below"])
]
"""A program for a node: its first line names its interpreter."""

ScriptName = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]*$", max_length=40, examples=["10-harden"])]
"""A script's name; they run in the order of their names."""


class ExtraRelease(Section):
    """A Helm release of the team's own, in a namespace of its own."""

    DOCUMENTS = frozenset({"values"})

    chart: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$", examples=["kured"])]
    """Name of the chart in its repository."""

    repository: Annotated[
        str, Field(pattern=r"^(https|oci)://[^\s/@]+(/\S*)?$", examples=["https://kubereboot.github.io/charts"])
    ]
    """Address of the chart repository, or of the folder in an OCI registry that holds the chart: ``oci://ghcr.io/org/charts``."""

    version: Annotated[str, Field(pattern=r"^v?[0-9]+\.[0-9]+\.[0-9]+([-+][0-9A-Za-z.+-]+)?$", examples=["5.5.1"])]
    """Exact version of the chart."""

    digest: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$", examples=["64 hexadecimal digits"])] | None = None
    """SHA-256 of the chart's archive. ``make charts`` compares it; Terraform cannot (docs/decisions/0073-charts-by-digest.md)."""

    namespace: Name
    """Namespace, which the platform makes; none that it has already."""

    pod_security: Literal["privileged", "baseline", "restricted"] = "restricted"
    """What pods there may do (Kubernetes: pod security standards)."""

    reached_by: Literal["namespace", "ingress", "everybody"] = "namespace"
    """Who in the cluster reaches the pods there: each other, the ingress controller as well, or every pod."""

    values: Values = {}
    """Values of the chart."""


class Rke2Config(Section):
    """Keys of RKE2's ``config.yaml`` beside those that the platform writes. A list is put after the platform's own."""

    servers: dict[str, bool | int | str | list[str]] = {}
    """For servers, such as ``kube-controller-manager-arg: ["terminated-pod-gc-threshold=500"]``."""

    agents: dict[str, bool | int | str | list[str]] = {}
    """For agents, such as ``node-label: ["clinic=main"]``."""


class Mirror(Section):
    """Where images of one registry are pulled from first."""

    endpoints: Annotated[
        list[Annotated[str, Field(pattern=r"^https://[^\s/@]+(/\S*)?$", examples=["https://mirror.example.com"])]],
        Field(min_length=1),
    ]
    """Addresses, tried in this order; the registry itself is the last."""

    rewrite: dict[str, str] = {}
    """Another path of an image there, by a regular expression: ``"^rancher/(.*)": "mirror/$1"``."""


class Registries(Section):
    """RKE2's ``registries.yaml``: mirrors, and registries that ask for a password."""

    mirrors: dict[Annotated[str, Field(pattern=r"^(\*|[a-z0-9.-]+(:[0-9]+)?)$")], Mirror] = {}
    """By the registry that is in an image's name, such as ``docker.io``; ``"*"`` is every registry."""

    credentials: dict[
        Annotated[str, Field(pattern=r"^[a-z0-9.-]+(:[0-9]+)?$")],
        Annotated[str, Field(pattern=r"^[A-Za-z0-9_+=.@-]{1,100}$", examples=["mirror"])],
    ] = {}
    """By the registry's host, the last part of a secret's name in Secrets Manager, which you make: ``mirror`` is
    ``vet-prod/registries/mirror``. It holds ``{"username": ..., "password": ...}``, encrypted with AWS's own key. Nodes read it when they
    boot; it is in no user data and in no state."""


class Proxy(Section):
    """The way out of a network without a way out of its own."""

    url: Annotated[str, Field(pattern=r"^http://[^\s/@]+(:[0-9]+)?/?$", examples=["http://proxy.example.com:3128"])]
    """Address of the proxy, without a password: user data would show it. Session Manager takes no proxy by https (AWS Systems Manager
    user guide: configure SSM Agent to use a proxy)."""

    direct: list[Host | Cidr] = []
    """Further names and networks that are reached without it. The VPC, pods, services, the API and S3 are anyway."""


class NodeScripts(Section):
    """Scripts for nodes of one kind. They run at every boot, so each must bear to run again."""

    DOCUMENTS = frozenset({"before_join", "after_join"})

    before_join: dict[ScriptName, Script] = {}
    """Before RKE2 starts, in the order of their names."""

    after_join: dict[ScriptName, Script] = {}
    """Once the node is in the cluster."""


class ExtraUserData(Section):
    """Scripts of the team's own on the nodes. One that fails stops the boot, and the log says its name."""

    servers: NodeScripts = NodeScripts()
    """On servers."""

    agents: NodeScripts = NodeScripts()
    """On agents."""


Manifest = dict[str, Any]
"""A Kubernetes object."""

Overrides = dict[str, Any]
"""By an attribute's path, such as ``root_block_device.iops``, what Terraform's JSON has there."""
