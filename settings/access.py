"""Who may reach the nodes and the Kubernetes API from outside the VPC."""

from typing import Annotated, Literal

from pydantic import Field

from settings.base import Cidr, InstanceType, Section


class Api(Section):
    """The network load balancer for the Kubernetes API (6443) and for joining nodes (9345)."""

    access: Literal["private", "public"] = "private"
    """``private``: reached through a Session Manager tunnel. ``public``: 6443 also from ``allowed_cidrs``."""

    allowed_cidrs: list[Cidr] = []
    """Networks that reach the API when it is public, such as an office's. 0.0.0.0/0 is refused."""


class JumpHost(Section):
    """An optional small instance in a public subnet. Session Manager works without it."""

    enabled: bool = False
    """Create it."""

    instance_type: InstanceType = "t3.micro"
    """Its instance type."""


class Ssh(Section):
    """SSH on port 22. Closed by default: Session Manager needs neither a key nor an open port."""

    public_key: Annotated[str, Field(pattern=r"^(ssh-ed25519|ssh-rsa|ecdsa-sha2-nistp\d+) \S+")] | None = None
    """Public key (the text of an ``id_ed25519.pub``) that all nodes accept for the user ``ubuntu``."""

    allowed_cidrs: list[Cidr] = []
    """Networks that may open port 22 of the nodes and the jump host. 0.0.0.0/0 is refused."""

    jump_host: JumpHost = JumpHost()
    """The optional jump host."""


class Principals(Section):
    """IAM principals (users or roles, ARNs) that may take a role in the cluster."""

    admin: list[str] = []
    """May read the administrator's credentials."""

    deploy: list[str] = []
    """May read credentials that deploy into the application's namespace."""

    read: list[str] = []
    """May read credentials that only look."""


class Access(Section):
    """Everything about reaching the environment as an operator."""

    api: Api = Api()
    """Kubernetes API."""

    ssh: Ssh = Ssh()
    """SSH."""

    principals: Principals = Principals()
    """People and pipelines by role."""
