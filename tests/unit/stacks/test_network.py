"""Network Layer: VPC, subnets, gateways and routes."""

from cdktf import Testing
from cdktf_cdktf_provider_aws.subnet import Subnet
from cdktf_cdktf_provider_aws.vpc import Vpc

from tests.template import Template


def test_vpc_has_the_documented_range_and_dns(infrastructure: Template) -> None:
    assert Testing.to_have_resource_with_properties(
        infrastructure.text,
        Vpc.TF_RESOURCE_TYPE,
        {"cidr_block": "10.0.0.0/16", "enable_dns_support": True, "enable_dns_hostnames": True},
    )


def test_each_zone_has_a_public_and_a_private_subnet(dev: Template, prod: Template) -> None:
    def plan(template: Template) -> dict[str, tuple[str, str, bool]]:
        return {
            path: (block["availability_zone"], block["cidr_block"], block["map_public_ip_on_launch"])
            for path, block in template.resources(Subnet.TF_RESOURCE_TYPE).items()
        }

    expected = {
        "network/public_a": ("us-east-1a", "10.0.1.0/24", True),
        "network/public_b": ("us-east-1b", "10.0.2.0/24", True),
        "network/private_a": ("us-east-1a", "10.0.10.0/24", False),
        "network/private_b": ("us-east-1b", "10.0.11.0/24", False),
    }
    third = {
        "network/public_c": ("us-east-1c", "10.0.3.0/24", True),
        "network/private_c": ("us-east-1c", "10.0.12.0/24", False),
    }
    assert plan(dev) == expected
    assert plan(prod) == expected | third


def test_public_subnets_leave_by_the_internet_gateway(infrastructure: Template) -> None:
    gateway = infrastructure.reference_to("aws_internet_gateway", "network/internet_gateway")
    table = infrastructure.reference_to("aws_route_table", "network/public_routes")
    route = infrastructure.one("aws_route", "network/public_default_route")
    assert route["gateway_id"] == f"${{{gateway}.id}}"
    assert (route["route_table_id"], route["destination_cidr_block"]) == (f"${{{table}.id}}", "0.0.0.0/0")
    for letter in _letters(infrastructure):
        subnet = infrastructure.reference_to("aws_subnet", f"network/public_{letter}")
        assert _tables_of(infrastructure, subnet) == [f"${{{table}.id}}"], f"public subnet {letter} has other routes"


def test_private_subnets_leave_only_by_a_nat_gateway(infrastructure: Template) -> None:
    for letter in _letters(infrastructure):
        table = infrastructure.reference_to("aws_route_table", f"network/private_routes_{letter}")
        subnet = infrastructure.reference_to("aws_subnet", f"network/private_{letter}")
        routes = [
            route
            for route in infrastructure.resources("aws_route").values()
            if route["route_table_id"] == f"${{{table}.id}}"
        ]
        assert _tables_of(infrastructure, subnet) == [f"${{{table}.id}}"], f"private subnet {letter} has other routes"
        assert len(routes) == 1, f"zone {letter} has {len(routes)} routes: {routes}"
        assert "gateway_id" not in routes[0]
        assert "aws_nat_gateway" in routes[0]["nat_gateway_id"]


def test_prod_has_a_nat_gateway_in_every_zone_and_each_private_subnet_uses_its_own(prod: Template) -> None:
    for letter in "abc":
        nat = prod.reference_to("aws_nat_gateway", f"network/nat_gateway_{letter}")
        subnet = prod.reference_to("aws_subnet", f"network/public_{letter}")
        assert prod.one("aws_nat_gateway", f"network/nat_gateway_{letter}")["subnet_id"] == f"${{{subnet}.id}}"
        route = prod.one("aws_route", f"network/private_default_route_{letter}")
        assert route["nat_gateway_id"] == f"${{{nat}.id}}"


def test_dev_has_one_nat_gateway_where_the_picture_draws_it(dev: Template) -> None:
    subnet = dev.reference_to("aws_subnet", "network/public_b")
    assert dev.one("aws_nat_gateway")["subnet_id"] == f"${{{subnet}.id}}"
    assert dev.count("aws_eip") == 1


def test_default_security_group_lets_nothing_through(infrastructure: Template) -> None:
    group = infrastructure.one("aws_default_security_group")
    assert "ingress" not in group
    assert "egress" not in group


def test_s3_is_reached_without_the_nat_gateway(infrastructure: Template) -> None:
    endpoint = infrastructure.one("aws_vpc_endpoint", service_name="com.amazonaws.us-east-1.s3")
    assert endpoint["vpc_endpoint_type"] == "Gateway"
    assert len(endpoint["route_table_ids"]) == 1 + len(_letters(infrastructure))


def test_nothing_is_counted(infrastructure: Template) -> None:
    """Resources are keyed by zone or slot: an index would re-create the others when one leaves the list."""
    counted = [path for _, path, block in infrastructure.every_resource() if "count" in block]
    assert not counted


def _tables_of(template: Template, subnet: str) -> list[str]:
    """Route tables that a subnet is associated with."""
    associations = template.resources("aws_route_table_association").values()
    return [each["route_table_id"] for each in associations if each["subnet_id"] == f"${{{subnet}.id}}"]


def _letters(template: Template) -> list[str]:
    return sorted(path[-1] for path in template.resources("aws_subnet") if "private" in path)
