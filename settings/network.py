"""The network of an environment: address ranges, zones, ways out, or the VPC that a company has already."""

from ipaddress import IPv4Network
from typing import Annotated, Literal

from pydantic import Field

from settings.base import Cidr, Section, ZoneLetter

VpcId = Annotated[str, Field(pattern=r"^vpc-[0-9a-f]{8,17}$", examples=["vpc-0123456789abcdef0"])]
"""Id of a VPC."""

SubnetId = Annotated[str, Field(pattern=r"^subnet-[0-9a-f]{8,17}$", examples=["subnet-0123456789abcdef0"])]
"""Id of a subnet."""

Endpoint = Literal[
    "autoscaling",
    "ec2",
    "ec2messages",
    "ecr.api",
    "ecr.dkr",
    "elasticloadbalancing",
    "kms",
    "logs",
    "monitoring",
    "secretsmanager",
    "sqs",
    "ssm",
    "ssmmessages",
    "sts",
]
"""Services of AWS that nodes and pods call, as the last part of their endpoint's service name (AWS PrivateLink: services that integrate)."""

FIRST_SERVER_HOST = 10
"""Host number of the first server in its private subnet; AWS keeps the first four addresses and the last."""


BEHIND_NAT = tuple(IPv4Network(each) for each in ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10"))
"""What the internet does not carry (RFC 1918, RFC 6598)."""


def endpoint_host(endpoint: str, region: str) -> str:
    """Name by which a service is called, and which its endpoint answers to; of a registry, what its names end with."""
    hosts = {"ecr.api": f"api.ecr.{region}.amazonaws.com", "ecr.dkr": f".dkr.ecr.{region}.amazonaws.com"}
    return hosts.get(endpoint, f"{endpoint}.{region}.amazonaws.com")


class ZoneSubnets(Section):
    """The two subnets of one availability zone."""

    public: Cidr | None = None
    """Public subnet (load balancers, NAT gateway, jump host), /16 to /28: instances get a public address. Left out where the network is
    ``private_only``."""

    private: Cidr
    """Private subnet (nodes), /16 to /28: the way out is a NAT gateway, there is no way in."""


class ExistingSubnets(Section):
    """The subnets of one zone that are there already."""

    public: SubnetId | None = None
    """Subnet with a route to the internet gateway; left out where the network is ``private_only``."""

    private: SubnetId
    """Subnet of the nodes; its routes lead out through whatever the VPC's owner has made: a NAT gateway, a transit gateway, a firewall."""


class ExistingVpc(Section):
    """A VPC that somebody else looks after. Nothing in it is changed: no route, no tag, no gateway. ``make doctor`` says what it lacks."""

    id: VpcId
    """The VPC, in the environment's region; ``network.cidr`` is its range, or the one of its ranges that has the subnets."""

    subnets: Annotated[dict[ZoneLetter, ExistingSubnets], Field(min_length=2)]
    """The subnets by zone, for each of ``network.availability_zones``, which has their ranges: the servers' addresses are calculated from them."""

    first_server_host: Annotated[int, Field(ge=4, le=65000)] = FIRST_SERVER_HOST
    """Host number of the first server's fixed address in its subnet: 10 is 10.0.10.10 of 10.0.10.0/24. Nobody else may have these addresses."""


class NetworkSettings(Section):
    """The VPC and its subnets (architecture: Network Layer)."""

    cidr: Cidr
    """Address range of the VPC, /16 to /28 (AWS's limits)."""

    availability_zones: Annotated[dict[ZoneLetter, ZoneSubnets], Field(min_length=2)]
    """Availability zones by letter, at least two (an ALB needs two). Servers are placed in this order."""

    nat_gateways: list[ZoneLetter] = []
    """Zones with a NAT gateway, at least one. Private subnets of the others go out through the first of them. None where the VPC exists
    already or is ``private_only``."""

    private_only: bool = False
    """No public subnet, no gateway, no public address: the load balancer is internal, and who uses the clinic comes through the company's network.
    Nodes reach the internet through ``proxy``, or through the routes of an existing VPC."""

    endpoints: list[Endpoint] = []
    """Services of AWS that are reached inside the VPC, each by an interface endpoint in every zone (about 7 USD a month and zone, ``make cost``)."""

    existing: ExistingVpc | None = None
    """A VPC and subnets that are there already, in place of new ones."""

    flow_logs: bool = False
    """Record rejected and accepted connections of the VPC in CloudWatch Logs (costs per GB)."""

    @property
    def balanced(self) -> list[Cidr]:
        """Ranges of the subnets that have the application load balancer, by zone."""
        return [subnets.public or subnets.private for subnets in self.availability_zones.values()]
