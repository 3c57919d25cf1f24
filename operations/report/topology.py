"""What stands where, and who may talk to whom: facts read from one environment's synthesised JSON."""

from dataclasses import dataclass
from functools import cached_property

from operations.report.instances import instance_type, is_spot
from operations.shared.stack_json import Document, Resource
from settings.environment import Environment

ANYWHERE = {"0.0.0.0/0": "Internet", "::/0": "Internet"}
"""Names of address ranges that mean everybody."""

SERVICES = {22: "SSH", 80: "HTTP", 443: "HTTPS", 6443: "Kubernetes API", 9345: "RKE2 join"}
"""What the platform's ports are for."""


@dataclass(frozen=True)
class Item:
    """Something that stands in a subnet."""

    kind: str
    """``alb``, ``nlb``, ``nat``, ``server``, ``agent`` or ``jump host``."""

    title: str
    detail: str


@dataclass(frozen=True)
class Subnet:
    """A subnet, its route out, and what stands in it."""

    id: str
    zone: str
    cidr: str
    public: bool
    gateway: str
    """Path of the gateway that its default route leads to; empty where there is none, or where the routes are the VPC owner's."""

    items: tuple[Item, ...]


@dataclass(frozen=True)
class Flow:
    """Connections that a security group accepts."""

    source: str
    target: str
    ports: str
    """``443``, ``30000-32767`` or ``all``."""

    @property
    def label(self) -> str:
        """The port and what it is for."""
        service = SERVICES.get(int(self.ports)) if self.ports.isdigit() else None
        return f"{self.ports} {service}" if service else {"all": "everything"}.get(self.ports, self.ports)


@dataclass(frozen=True)
class Topology:
    """One environment's network."""

    document: Document
    environment: Environment
    """Its settings, which know the ranges of a VPC that is there already."""

    @cached_property
    def vpc_cidr(self) -> str:
        """Range of the VPC."""
        return str(self.environment.network.cidr)

    @property
    def is_existing(self) -> bool:
        """Whether the VPC is there already."""
        return self.environment.network.existing is not None

    @property
    def is_private(self) -> bool:
        """Whether nothing in it has a public address."""
        return self.environment.network.private_only

    @cached_property
    def subnets(self) -> list[Subnet]:
        """By zone, the public one first."""
        subnets = [self._subnet(resource) for resource in self.document.all("aws_subnet")]
        subnets += [self._existing(resource) for resource in self.document.all_looked_up("aws_subnet")]
        return sorted(subnets, key=lambda subnet: (subnet.zone, not subnet.public))

    @cached_property
    def zones(self) -> list[str]:
        """Availability zones."""
        return sorted({subnet.zone for subnet in self.subnets})

    @cached_property
    def groups(self) -> dict[str, str]:
        """What each security group is for, by its short name."""
        return {_short(each): each.get("description") for each in self.document.all("aws_security_group")}

    @cached_property
    def flows(self) -> list[Flow]:
        """What the groups accept, by source and target."""
        rules = self.document.all("aws_vpc_security_group_ingress_rule")
        flows = {Flow(self._source(each), self._group(each, "security_group_id"), _ports(each)) for each in rules}
        return sorted(flows, key=lambda flow: (flow.source, flow.target, len(flow.ports), flow.ports))

    @cached_property
    def outbound(self) -> list[Flow]:
        """Where the groups may connect to."""
        rules = self.document.all("aws_vpc_security_group_egress_rule")
        flows = {Flow(self._group(each, "security_group_id"), self._source(each), _ports(each)) for each in rules}
        return sorted(flows, key=lambda flow: (flow.source, flow.target))

    def items(self, kind: str) -> list[Item]:
        """Everything of one kind, wherever it stands."""
        return [item for subnet in self.subnets for item in subnet.items if item.kind == kind]

    def _subnet(self, resource: Resource) -> Subnet:
        gateway = self._gateway(resource)
        return Subnet(
            id=resource.path.rsplit("/", 1)[-1],
            zone=resource.get("availability_zone"),
            cidr=resource.get("cidr_block"),
            public=bool(resource.get("map_public_ip_on_launch")),
            gateway=gateway,
            items=tuple(self._items(resource)),
        )

    def _existing(self, resource: Resource) -> Subnet:
        id_ = resource.path.rsplit("/", 1)[-1]
        kind, _, letter = id_.partition("_")
        return Subnet(
            id=id_,
            zone=f"{self.environment.region}{letter}",
            cidr=str(getattr(self.environment.network.availability_zones[letter], kind)),
            public=kind == "public",
            gateway="",
            items=tuple(self._items(resource)),
        )

    def _gateway(self, subnet: Resource) -> str:
        tables = [
            self.document.follow(each.get("route_table_id"))
            for each in self.document.all("aws_route_table_association")
            if self._is(each.get("subnet_id"), subnet)
        ]
        for route in self.document.all("aws_route"):
            if any(self._is(route.get("route_table_id"), table) for table in tables):
                return self.document.follow(route.get("nat_gateway_id") or route.get("gateway_id")).path
        return ""

    def _items(self, subnet: Resource) -> list[Item]:
        items = []
        for balancer in self.document.all("aws_lb"):
            if any(self._is(each, subnet) for each in balancer.get("subnets")):
                items.append(self._balancer(balancer))
        for nat in self.document.all("aws_nat_gateway"):
            if self._is(nat.get("subnet_id"), subnet):
                items.append(Item("nat", "NAT gateway", "the way out of private subnets"))
        return [*items, *self._nodes(subnet)]

    def _balancer(self, balancer: Resource) -> Item:
        ports = sorted(
            listener.get("port")
            for listener in self.document.all("aws_lb_listener")
            if self._is(listener.get("load_balancer_arn"), balancer)
        )
        kind = "alb" if balancer.get("load_balancer_type") == "application" else "nlb"
        side = "internal" if balancer.get("internal") else "public"
        title = {"alb": "Application load balancer", "nlb": "Network load balancer"}[kind]
        return Item(kind, title, f"{side}, {', '.join(map(str, ports))}")

    def _nodes(self, subnet: Resource) -> list[Item]:
        items = []
        for instance in self.document.all("aws_instance"):
            interfaces = [
                self.document.follow(each["network_interface_id"]) for each in instance.get("network_interface", [])
            ]
            for interface in interfaces:
                if self._is(interface.get("subnet_id"), subnet):
                    number = instance.path.rsplit("_", 1)[-1]
                    address = interface.get("private_ips")[0]
                    items.append(Item("server", f"RKE2 server {number}", f"{instance.get('instance_type')}, {address}"))
            if not interfaces and self._is(instance.get("subnet_id", ""), subnet):
                items.append(Item("jump host", "Jump host", instance.get("instance_type")))
        for group in self.document.all("aws_autoscaling_group"):
            if any(self._is(each, subnet) for each in group.get("vpc_zone_identifier")):
                items.append(self._agents(group))
        return items

    def _agents(self, group: Resource) -> Item:
        count = group.get("desired_capacity") or group.get("min_size")
        kind = instance_type(self.document, group)
        tags = {tag["key"]: tag["value"] for tag in group.get("tag", [])}
        bought = ", Spot" if is_spot(self.document, group) else ""
        title = f"Pool {tags['vet:pool']}{bought}: {count}" if "vet:pool" in tags else f"RKE2 agents: {count}"
        return Item("agent", title, f"{kind}, {group.get('min_size')} to {group.get('max_size')}")

    def _source(self, rule: Resource) -> str:
        if cidr := rule.get("cidr_ipv4") or rule.get("cidr_ipv6"):
            return ANYWHERE.get(cidr, str(cidr))
        if "referenced_security_group_id" in rule.block:
            return self._group(rule, "referenced_security_group_id")
        return "AWS prefix list"

    def _group(self, rule: Resource, argument: str) -> str:
        return _short(self.document.follow(rule.get(argument)))

    def _is(self, expression: str, resource: Resource) -> bool:
        return expression.startswith(f"${{{resource.reference}.")


def _short(group: Resource) -> str:
    return group.path.rsplit("/", 1)[-1]


def _ports(rule: Resource) -> str:
    low, high = rule.get("from_port"), rule.get("to_port")
    if rule.get("ip_protocol") == "-1" or low is None:
        return "all"
    return str(low) if low == high else f"{low}-{high}"
