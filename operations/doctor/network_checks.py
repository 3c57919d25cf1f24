"""What ``make doctor`` asks of the network: types of machines that the zones have, and what a VPC that somebody else looks after must have."""

from collections.abc import Iterator, Mapping
from typing import Any

from operations.doctor.finding import CheckContext, Finding
from settings.addresses import maximum_nodes_by_zone, server_slots
from settings.rules.network import SPARE_ADDRESSES

ANYWHERE = "0.0.0.0/0"

OWNERS = "the VPC's owner changes it"


def machine_types(context: CheckContext) -> Iterator[Finding]:
    """Whether every zone has the machines that the settings want there: not each zone of a region has each type."""
    environment = context.environment
    wanted = {letter: {environment.agents.instance_type} for letter in environment.network.availability_zones}
    for slot in server_slots(environment):
        wanted[slot.zone].add(environment.servers.instance_type)
    for pool in environment.pools.values():
        for letter in pool.availability_zones or list(environment.network.availability_zones):
            wanted[letter] |= {*pool.instance_types}
    every = sorted(set[str]().union(*wanted.values()))
    pages = (
        context.client("ec2")
        .get_paginator("describe_instance_type_offerings")
        .paginate(LocationType="availability-zone", Filters=[{"Name": "instance-type", "Values": every}])
    )
    offered = {(each["Location"], each["InstanceType"]) for page in pages for each in page["InstanceTypeOfferings"]}
    missing = [
        (f"{environment.region}{letter}", kind)
        for letter, kinds in wanted.items()
        for kind in sorted(kinds)
        if (f"{environment.region}{letter}", kind) not in offered
    ]
    for zone, kind in missing:
        yield Finding("machine types", "fails", f"{zone} has no {kind}", "choose another type, or another zone")
    if not missing:
        yield Finding("machine types", "ok", f"every zone has {', '.join(every)}")


def existing_network(context: CheckContext) -> Iterator[Finding]:
    """A VPC that is there already: what it is, its routes, room, addresses, tags and endpoints. Nothing of it is ours to change."""
    network = context.environment.network
    if network.existing is None:
        return
    ec2 = context.client("ec2")
    (vpc,) = ec2.describe_vpcs(VpcIds=[network.existing.id])["Vpcs"]
    yield from _vpc(context, ec2, vpc)
    ids = {
        id_: (letter, kind)
        for letter, subnets in network.existing.subnets.items()
        for kind, id_ in (("public", subnets.public), ("private", subnets.private))
        if id_ is not None
    }
    tables = _route_tables(ec2, network.existing.id)
    for subnet in ec2.describe_subnets(SubnetIds=list(ids))["Subnets"]:
        letter, kind = ids[subnet["SubnetId"]]
        what = f"{kind} subnet {letter}"
        yield from _place(context, what, subnet, letter, kind)
        yield _route(context, ec2, what, tables.get(subnet["SubnetId"], tables[""]), kind)
        yield _tags(context, what, subnet, kind)
        if kind == "private":
            yield from _room(context, ec2, what, subnet, letter)
    yield from _endpoints(context, ec2)


def _vpc(context: CheckContext, ec2: Any, vpc: Mapping[str, Any]) -> Iterator[Finding]:
    id_, cidr = vpc["VpcId"], str(context.environment.network.cidr)
    ranges = [each["CidrBlock"] for each in vpc.get("CidrBlockAssociationSet", [])] or [vpc["CidrBlock"]]
    if cidr in ranges:
        yield Finding("VPC", "ok", f"{id_} has {cidr}")
    else:
        yield Finding(
            "VPC", "fails", f"{id_} has {', '.join(ranges)}", f"network.cidr says {cidr}: write one of its own"
        )
    for attribute, name in (
        ("enableDnsSupport", "EnableDnsSupport"),
        ("enableDnsHostnames", "EnableDnsHostnames"),
    ):
        if not ec2.describe_vpc_attribute(VpcId=id_, Attribute=attribute)[name]["Value"]:
            command = f"aws ec2 modify-vpc-attribute --vpc-id {id_} --{_dashed(attribute)}"
            yield Finding("VPC", "fails", f"{attribute} is off", f"{OWNERS}: {command}")


def _dashed(attribute: str) -> str:
    return {"enableDnsSupport": "enable-dns-support", "enableDnsHostnames": "enable-dns-hostnames"}[attribute]


def _place(context: CheckContext, what: str, subnet: Mapping[str, Any], letter: str, kind: str) -> Iterator[Finding]:
    """VPC, zone and range, as the settings say."""
    environment = context.environment
    assert environment.network.existing is not None
    wanted = {
        "VpcId": environment.network.existing.id,
        "AvailabilityZone": f"{environment.region}{letter}",
        "CidrBlock": str(getattr(environment.network.availability_zones[letter], kind)),
    }
    differing = {name: value for name, value in wanted.items() if subnet[name] != value}
    for name, value in differing.items():
        text = f"{subnet['SubnetId']} has {name} {subnet[name]}, and the settings say {value}"
        yield Finding(what, "fails", text, f"correct environments/{environment.name}.yaml")
    if not differing:
        yield Finding(what, "ok", f"{subnet['SubnetId']}, {subnet['CidrBlock']} in {subnet['AvailabilityZone']}")


def _route_tables(ec2: Any, vpc: str) -> dict[str, Mapping[str, Any]]:
    """The route table of each subnet that names one; with an empty id that of all others, the VPC's main one."""
    pages = ec2.get_paginator("describe_route_tables").paginate(Filters=[{"Name": "vpc-id", "Values": [vpc]}])
    return {
        "" if association.get("Main") else association["SubnetId"]: table
        for page in pages
        for table in page["RouteTables"]
        for association in table["Associations"]
        if association.get("Main") or association.get("SubnetId")
    }


TARGETS = {
    "NatGatewayId": "NAT gateway",
    "TransitGatewayId": "transit gateway",
    "VpcPeeringConnectionId": "peering",
    "NetworkInterfaceId": "machine",
    "GatewayId": "gateway",
}
"""Where a route leads, by the field that names it (EC2 API: Route)."""


def _route(context: CheckContext, ec2: Any, what: str, table: Mapping[str, Any], kind: str) -> Finding:
    """The way out of a subnet."""
    what, where = f"way out of {what}", f"route table {table['RouteTableId']}"
    route = next((each for each in table["Routes"] if each.get("DestinationCidrBlock") == ANYWHERE), None)
    if route is None:
        if kind == "private" and context.environment.proxy:
            return Finding(what, "ok", "none but the proxy's")
        return Finding(
            what, "fails", f"{where} has no route to {ANYWHERE}", f"{OWNERS}; private nodes may also have a proxy"
        )
    target = next((str(route[field]) for field in TARGETS if route.get(field)), "something else")
    if route.get("State") == "blackhole":
        return Finding(what, "fails", f"leads to {target}, which is gone", OWNERS)
    to_internet = target.startswith("igw-")
    if kind == "public" and not to_internet:
        return Finding(what, "fails", f"leads to {target}: a public subnet needs the internet gateway", OWNERS)
    if kind == "private" and to_internet:
        text = f"leads to {target}: nodes have no public address, and nothing would answer them"
        return Finding(what, "fails", text, f"{OWNERS}: a NAT gateway, or another subnet")
    if target.startswith("nat-"):
        return _nat(ec2, what, target)
    return Finding(what, "ok", f"leads to {target}")


def _nat(ec2: Any, what: str, id_: str) -> Finding:
    gateways = ec2.describe_nat_gateways(NatGatewayIds=[id_])["NatGateways"]
    state = gateways[0]["State"] if gateways else "gone"
    if state != "available":
        return Finding(what, "fails", f"leads to {id_}, which is {state}", OWNERS)
    return Finding(what, "ok", f"leads to {id_}, which is available")


def _tags(context: CheckContext, what: str, subnet: Mapping[str, Any], kind: str) -> Finding:
    """By which the AWS cloud controller finds subnets for Services of the type LoadBalancer (cloud-provider-aws, prerequisites)."""
    role = "kubernetes.io/role/elb" if kind == "public" else "kubernetes.io/role/internal-elb"
    held = {each["Key"]: each["Value"] for each in subnet.get("Tags", [])}
    cluster = context.names.cluster_tag
    missing = [
        *([] if held.get(cluster) in ("shared", "owned") else [f"Key={cluster},Value=shared"]),
        *([] if role in held else [f"Key={role},Value=1"]),
    ]
    if not missing:
        return Finding(f"tags of {what}", "ok", "those of the cluster and of its load balancers")
    command = f"aws ec2 create-tags --resources {subnet['SubnetId']} --tags {' '.join(missing)}"
    text = f"lacks {len(missing)}: Services of the type LoadBalancer would not find it"
    return Finding(f"tags of {what}", "fails", text, f"{OWNERS}: {command}")


def _room(context: CheckContext, ec2: Any, what: str, subnet: Mapping[str, Any], letter: str) -> Iterator[Finding]:
    """Free addresses, and whether the servers' own are free or theirs."""
    filters = [{"Name": "subnet-id", "Values": [subnet["SubnetId"]]}]
    pages = ec2.get_paginator("describe_network_interfaces").paginate(Filters=filters)
    taken = [interface for page in pages for interface in page["NetworkInterfaces"]]
    ours = [each for each in taken if _is_ours(context, each)]
    fixed = {str(slot.address): slot.number for slot in server_slots(context.environment) if slot.zone == letter}
    for interface in taken:
        for address in (each["PrivateIpAddress"] for each in interface["PrivateIpAddresses"]):
            if address in fixed and interface not in ours:
                text = f"{address}, server {fixed[address]}'s, is {interface['NetworkInterfaceId']}'s"
                yield Finding(
                    f"addresses of {what}", "fails", text, "choose another network.existing.first_server_host"
                )
    most = len(fixed) + maximum_nodes_by_zone(context.environment)[letter] + SPARE_ADDRESSES
    need, free = max(0, most - len(ours)), subnet["AvailableIpAddressCount"]
    text = f"{free} addresses are free, {need} may be needed"
    if free < need:
        yield Finding(f"room of {what}", "fails", text, "a wider subnet, or fewer agents (agents.max_count, pools)")
    else:
        yield Finding(f"room of {what}", "ok", text)


def _is_ours(context: CheckContext, interface: Mapping[str, Any]) -> bool:
    tags = {each["Key"]: each["Value"] for each in interface.get("TagSet", [])}
    return (
        tags.get("Environment") == context.environment.name and tags.get("Project") == context.names.own_tags["Project"]
    )


def _endpoints(context: CheckContext, ec2: Any) -> Iterator[Finding]:
    """Endpoints of others for the same services, which would refuse ours; and S3's, which is the VPC owner's here."""
    environment = context.environment
    assert environment.network.existing is not None
    pages = ec2.get_paginator("describe_vpc_endpoints").paginate(
        Filters=[{"Name": "vpc-id", "Values": [environment.network.existing.id]}]
    )
    endpoints = [each for page in pages for each in page["VpcEndpoints"]]
    for name in environment.network.endpoints:
        service = f"com.amazonaws.{environment.region}.{name}"
        theirs = [
            each["VpcEndpointId"]
            for each in endpoints
            if each["ServiceName"] == service and each.get("PrivateDnsEnabled") and not _is_ours(context, _tagged(each))
        ]
        if theirs:
            text = f"{theirs[0]} has the name of {name} already, and AWS refuses a second one"
            yield Finding("endpoints", "fails", text, f"remove {name} from network.endpoints, and use theirs")
    if not any(each["ServiceName"].endswith(".s3") for each in endpoints):
        text = "none for S3: snapshots, backups and programs go the way of everything else, where a NAT gateway is paid by the GB"
        yield Finding("endpoints", "later", text, f"{OWNERS}: a gateway endpoint for S3 costs nothing")


def _tagged(endpoint: Mapping[str, Any]) -> Mapping[str, Any]:
    """An endpoint with its tags under the name that interfaces have for theirs."""
    return {"TagSet": endpoint.get("Tags", [])}
