"""The network of an environment: address ranges, zones, NAT gateways."""

from typing import Annotated

from pydantic import Field

from settings.base import Cidr, Section, ZoneLetter


class ZoneSubnets(Section):
    """The two subnets of one availability zone."""

    public: Cidr
    """Public subnet (load balancers, NAT gateway, jump host), /16 to /28: instances get a public address."""

    private: Cidr
    """Private subnet (nodes), /16 to /28: the way out is a NAT gateway, there is no way in."""


class Network(Section):
    """The VPC and its subnets (architecture: Network Layer)."""

    cidr: Cidr
    """Address range of the VPC, /16 to /28 (AWS's limits)."""

    zones: Annotated[dict[ZoneLetter, ZoneSubnets], Field(min_length=2)]
    """Availability zones by letter, at least two (an ALB needs two). Servers are placed in this order."""

    nat_gateways: Annotated[list[ZoneLetter], Field(min_length=1)]
    """Zones with a NAT gateway. Private subnets of the others go out through the first of them."""

    flow_logs: bool = False
    """Record rejected and accepted connections of the VPC in CloudWatch Logs (costs per GB)."""
