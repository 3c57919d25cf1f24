"""A VPC that is there already, one without public addresses, endpoints, and more than three zones."""

import json
from pathlib import Path
from typing import Any

import pytest

import main
from operations.report.cost_estimate import environment_estimate
from operations.report.diagrams import network as picture
from operations.report.topology import Topology
from operations.shared.stack_json import Document
from settings import Settings, load
from settings.cost import CostAssumptions
from settings.prices import prices
from tests.changes import EXISTING, one_environment
from tests.template import Template
from tests.unit.stacks.test_pools import POOLS, WITH_POOLS

PROXY = {"url": "http://proxy.example.com:3128"}
PRIVATE = {
    "private_only": True,
    "nat_gateways": [],
    "availability_zones": {letter: {"public": None} for letter in ("a", "b")},
}
"""What dev's network becomes without public addresses."""

OURS_NOWHERE = (
    "aws_vpc",
    "aws_subnet",
    "aws_nat_gateway",
    "aws_eip",
    "aws_internet_gateway",
    "aws_route",
    "aws_route_table",
)
"""What nobody else's VPC gets from us."""


class Made:
    """Dev with sections changed, synthesised."""

    def __init__(self, folder: Path, **sections: Any) -> None:
        self.settings: Settings = load(one_environment(folder, sections))
        main.build_app(self.settings, outdir=str(folder / "cdktf.out")).synth()
        self._folder = folder / "cdktf.out/stacks"
        self.template = Template.read(self._folder / "vet-dev/cdk.tf.json")
        self.helm = Template.read(self._folder / "vet-dev-helm/cdk.tf.json")
        self.environment = self.settings.environment("dev")
        self.document = Document.read("vet-dev", self._folder)

    def cost(self, group: str) -> float:
        """USD a month under a heading."""
        estimate = environment_estimate(self.environment, prices(), CostAssumptions(), self.document)
        assert not estimate.unknown, estimate.unknown
        return estimate.by_group().get(group, 0.0)

    @property
    def picture(self) -> str:
        """The network as it is drawn."""
        return picture(Topology(self.document, self.environment))


@pytest.fixture(scope="module")
def existing(tmp_path_factory: pytest.TempPathFactory) -> Made:
    """In a VPC that is there already, with three pools."""
    return Made(tmp_path_factory.mktemp("existing"), network=EXISTING, **WITH_POOLS)


@pytest.fixture(scope="module")
def private(tmp_path_factory: pytest.TempPathFactory) -> Made:
    """Without public addresses, with endpoints."""
    network = {**PRIVATE, "endpoints": ["ecr.dkr", "sts"]}
    return Made(tmp_path_factory.mktemp("private"), network=network, proxy=PROXY)


def test_an_existing_vpc_gets_no_network_of_ours(existing: Made) -> None:
    counts = {type_: existing.template.count(type_) for type_ in (*OURS_NOWHERE, "aws_vpc_endpoint", "aws_ec2_tag")}
    assert counts == dict.fromkeys(counts, 0)


def test_machines_and_load_balancers_stand_in_the_named_subnets(existing: Made) -> None:
    data = existing.template.document["data"]["aws_subnet"]
    ids = {f"${{data.aws_subnet.{name}.id}}": block["id"] for name, block in data.items()}
    subnets = EXISTING["existing"]["subnets"]
    for path, group in existing.template.resources("aws_autoscaling_group").items():
        (subnet,) = group["vpc_zone_identifier"]
        (letter,) = [part for part in path.split("_")[-1:] if part in subnets]
        assert ids[subnet] == subnets[letter]["private"], path
    assert len(existing.template.resources("aws_autoscaling_group")) == 2 + 1 + 3 + 2
    interface = existing.template.one("aws_network_interface", "servers/slot_0/interface")
    assert (ids[interface["subnet_id"]], interface["private_ips"]) == (subnets["a"]["private"], ["10.20.10.10"])
    public = existing.template.one("aws_lb", load_balancer_type="application")
    assert {ids[each] for each in public["subnets"]} == {each["public"] for each in subnets.values()}
    internal = existing.template.one("aws_lb", load_balancer_type="network")
    assert {ids[each] for each in internal["subnets"]} == {each["private"] for each in subnets.values()}


def test_a_plan_compares_what_is_there_with_the_settings(existing: Made) -> None:
    data = existing.template.document["data"]
    conditions = [
        condition["condition"]
        for type_ in ("aws_vpc", "aws_subnet")
        for block in data[type_].values()
        for condition in block["lifecycle"]["postcondition"]
    ]
    for wanted in ("10.20.0.0/16", "10.20.11.0/24", "us-east-1b", "vpc-0123456789abcdef0", "enable_dns_hostnames"):
        assert any(wanted in each for each in conditions), f"nothing is said of {wanted}: {conditions}"


def test_the_step_into_or_between_vpcs_is_refused(existing: Made, private: Made) -> None:
    for network, key in ((existing, "network.existing.id"), (private, "network.private_only")):
        kept = network.template.one("terraform_data", "fixed")
        conditions = [each["condition"] for each in kept["lifecycle"]["postcondition"]]
        (condition,) = [each for each in conditions if key in each]
        assert f'try(self.input["{key}"], "none") ==' in condition, "an environment from before would move unnoticed"
        assert key in kept["input"]


def test_the_servers_begin_where_the_owner_left_room(tmp_path: Path) -> None:
    network = {**EXISTING, "existing": {**EXISTING["existing"], "first_server_host": 200}}
    stack = Made(tmp_path, network=network)
    assert stack.template.one("aws_network_interface")["private_ips"] == ["10.20.10.200"]


def test_an_existing_vpc_is_drawn_and_priced_without_gateways_of_ours(existing: Made, private: Made) -> None:
    for text in (
        "VPC 10.20.0.0/16, there already",
        "10.20.1.0/24",
        "10.20.11.0/24",
        "RKE2 server 0",
        "Pool batch, Spot",
    ):
        assert text in existing.picture, text
    assert existing.cost("NAT") == 0
    assert "network" in private.picture, "the company's network is where people come from"
    assert "Internet" not in private.picture


def test_nothing_private_has_a_public_address(private: Made) -> None:
    template = private.template
    assert {type_: template.count(type_) for type_ in ("aws_nat_gateway", "aws_eip", "aws_internet_gateway", "aws_route")} == {
        "aws_nat_gateway": 0, "aws_eip": 0, "aws_internet_gateway": 0, "aws_route": 0,
    }  # fmt: skip
    assert template.count("aws_subnet", map_public_ip_on_launch=True) == 0
    balancers = template.resources("aws_lb")
    assert {path for path, each in balancers.items() if not each["internal"]} == set(), sorted(balancers)
    assert private.cost("public addresses") == 0
    rules = template.resources("aws_vpc_security_group_ingress_rule").values()
    assert "0.0.0.0/0" not in {rule.get("cidr_ipv4") for rule in rules}


def test_the_ingress_controller_believes_the_load_balancer_where_it_is(private: Made) -> None:
    controller = private.helm.one("helm_release", "ingress/controller")["values"]
    trusted = [json.loads(each)["controller"]["config"].get("proxy-real-ip-cidr") for each in controller]
    assert "10.0.10.0/24,10.0.11.0/24" in trusted, trusted


def test_endpoints_are_in_every_zone_for_the_nodes_alone_and_cost_what_aws_says(private: Made) -> None:
    template = private.template
    endpoint = template.one("aws_vpc_endpoint", service_name="com.amazonaws.us-east-1.sts")
    assert (endpoint["vpc_endpoint_type"], endpoint["private_dns_enabled"]) == ("Interface", True)
    assert len(endpoint["subnet_ids"]) == 2
    group = template.reference_to("aws_security_group", "security_groups/endpoints")
    assert endpoint["security_group_ids"] == [f"${{{group}.id}}"]
    nodes = template.reference_to("aws_security_group", "security_groups/nodes")
    rule = template.one("aws_vpc_security_group_ingress_rule", security_group_id=f"${{{group}.id}}")
    assert (rule["from_port"], rule["referenced_security_group_id"]) == (443, f"${{{nodes}.id}}")
    hours, each = CostAssumptions().hours, 2 * 2
    expected = each * hours * 0.01 + 2 * CostAssumptions().endpoint_gb * 0.01
    assert private.cost("endpoints") == pytest.approx(expected)


def test_what_has_an_endpoint_does_not_go_through_the_proxy(private: Made) -> None:
    text = json.dumps([each["user_data"] for each in private.template.resources("aws_instance").values()])
    assert "sts.us-east-1.amazonaws.com,.dkr.ecr.us-east-1.amazonaws.com" in text or (
        ".dkr.ecr.us-east-1.amazonaws.com,sts.us-east-1.amazonaws.com" in text
    ), "no_proxy lacks the endpoints' names"


FIVE = {
    letter: {"public": f"10.0.{number}.0/24", "private": f"10.0.{number + 20}.0/24"}
    for number, letter in enumerate("abcdf", start=1)
}


def test_more_than_three_zones_are_filled_evenly(tmp_path: Path) -> None:
    stack = Made(
        tmp_path,
        network={"availability_zones": FIVE, "nat_gateways": ["a", "d"]},
        servers={"count": 5, "instance_type": "t3.large"},
        agents={"min_count": 7, "max_count": 10},
    )
    template = stack.template
    interfaces = template.resources("aws_network_interface").values()
    assert {each["private_ips"][0] for each in interfaces} == {f"10.0.{number}.10" for number in range(21, 26)}
    sizes = [group["min_size"] for group in template.resources("aws_autoscaling_group").values()]
    assert sorted(sizes) == [1, 1, 1, 2, 2], sizes
    assert len(template.one("aws_lb", load_balancer_type="application")["subnets"]) == 5
    routes = {
        path: each["nat_gateway_id"] for path, each in template.resources("aws_route").items() if "private" in path
    }
    assert len(routes) == 5
    assert len(set(routes.values())) == 2, routes
    assert all(f"10.0.{number}.0/24" in stack.picture for number in range(1, 6))


def test_pools_are_there_whole(existing: Made) -> None:
    assert {*POOLS} == {*existing.environment.pools}
    templates = existing.template.resources("aws_launch_template")
    assert any("graviton" in path for path in templates), sorted(templates)
