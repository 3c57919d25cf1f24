"""Who may reach the nodes, the Kubernetes API and Rancher from outside the VPC."""

from base64 import b64decode
from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from settings.base import Cidr, InstanceType, Section


class Api(Section):
    """The network load balancer for the Kubernetes API (6443) and for joining nodes (9345)."""

    access: Literal["private", "public"] = "private"
    """``private``: reached through a Session Manager tunnel. ``public``: 6443 also from ``allowed_cidrs``."""

    allowed_cidrs: list[Cidr] = []
    """Networks that reach the API when it is public, such as an office's; at most a /16, or a /8 of private
    addresses."""


class RancherAccess(Section):
    """Who reaches Rancher's host through the application load balancer."""

    allowed_cidrs: list[Cidr] = []
    """Public networks that reach Rancher, at most a /16 each; left out, everybody does. Of a cluster that this Rancher manages it is the
    addresses of the NAT gateways."""


class JumpHostSettings(Section):
    """An optional small instance in a public subnet. Session Manager works without it."""

    enabled: bool = False
    """Whether there is a jump host."""

    instance_type: InstanceType = "t3.micro"
    """Its instance type."""


def _whole_key(text: str) -> str:
    """A public key in OpenSSH's form says its kind twice: in words, and inside of what follows (RFC 4253, 6.6)."""
    kind, encoded = text.split(" ")[:2]
    try:
        inside = b64decode(encoded, validate=True)
    except ValueError as problem:
        raise ValueError("must be a whole public key: what follows its kind is not base64") from problem
    length = int.from_bytes(inside[:4])
    if inside[4 : 4 + length] != kind.encode() or len(inside) < 4 + length + 32:
        raise ValueError(f"must be a whole public key: what follows {kind} is not one of that kind")
    return text


class Ssh(Section):
    """SSH on port 22. Closed by default: Session Manager needs neither a key nor an open port."""

    public_key: (
        Annotated[
            str,
            Field(
                pattern=r"^(ssh-ed25519|ssh-rsa) [A-Za-z0-9+/]+={0,3}( .*)?$",
                examples=["ssh-ed25519 AAAAC3NzaC1lZDI1... you@example.com"],
            ),
            AfterValidator(_whole_key),
        ]
        | None
    ) = None
    """Public key (the text of an ``id_ed25519.pub``) that all nodes accept for the user ``ubuntu``."""

    allowed_cidrs: list[Cidr] = []
    """Networks that may open port 22 of the nodes and the jump host; at most a /16, or a /8 of private addresses."""

    jump_host: JumpHostSettings = JumpHostSettings()
    """The optional jump host."""


Principal = Annotated[
    str,
    Field(
        pattern=r"^arn:aws:iam::[0-9]{12}:(role|user)/[A-Za-z0-9+=,.@_/-]{1,512}$",
        examples=["arn:aws:iam::123456789012:role/platform-team"],
    ),
]
"""ARN of an IAM role or user."""


class Principals(Section):
    """IAM principals (users or roles, ARNs) that may take a role in the cluster."""

    admin: list[Principal] = []
    """Who may read the administrator's credentials."""

    deploy: list[Principal] = []
    """Who may read credentials that deploy into the application's namespace."""

    read: list[Principal] = []
    """Who may read credentials that change nothing."""


class Identity(Section):
    """How those in ``principals`` reach the Kubernetes API (docs/runbooks/access.md)."""

    issuer: (
        Annotated[
            str,
            Field(
                pattern=r"^https://[a-z0-9-]+\.tokens\.sts\.[a-z0-9.-]+[a-z]$",
                examples=["https://0f1e2d3c-4b5a-6978-8796-a5b4c3d2e1f0.tokens.sts.global.api.aws"],
            ),
        ]
        | None
    ) = None
    """The account's issuer of tokens, as ``aws iam enable-outbound-web-identity-federation`` prints it: then people and pipelines reach the
    Kubernetes API as who they are in AWS, and its audit log says so. Left out, all of a role are one account."""

    shared: bool = True
    """Whether the people in ``principals`` may also read the credentials of the shared accounts, as kubeconfigs written before ``issuer`` do."""


class Access(Section):
    """Everything about reaching the environment as an operator."""

    api: Api = Api()
    """Kubernetes API."""

    rancher: RancherAccess = RancherAccess()
    """Rancher's host."""

    ssh: Ssh = Ssh()
    """SSH on port 22 of the nodes."""

    principals: Principals = Principals()
    """People and pipelines by role."""

    identity: Identity = Identity()
    """Whether they are one account for each role, or who they are in AWS."""

    operators: list[Principal] = []
    """May take the role ``<prefix>-operate-<env>``: deploy, roll, restore and look after this environment from their own
    machine, and nothing of another. ``vet-state`` makes the role (``make state``)."""
