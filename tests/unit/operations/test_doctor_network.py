"""What ``make doctor`` sees of a VPC that is there already: each thing that can be wrong has its line and what to do."""

import os
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import boto3
import pytest

os.environ.setdefault(
    "MOTO_AMIS_PATH", "operations/devtools/emulator/images.json"
)  # read by moto's import; its own list takes seconds

from moto import mock_aws

from operations.doctor.finding import CheckContext, Finding
from operations.doctor.network_checks import existing_network, machine_types
from settings import load
from tests.changes import one_environment

Look = Callable[..., Mapping[str, list[Finding]]]


class Company:
    """A company's VPC, whole: public subnets at an internet gateway, private ones at a NAT gateway, all tagged."""

    def __init__(self) -> None:
        self.ec2 = boto3.client("ec2", region_name="us-east-1")
        self.vpc = self.ec2.create_vpc(CidrBlock="10.20.0.0/16")["Vpc"]["VpcId"]
        self.ec2.modify_vpc_attribute(VpcId=self.vpc, EnableDnsHostnames={"Value": True})
        self.public = {letter: self._subnet(letter, f"10.20.{number}.0/24") for number, letter in enumerate("ab", 1)}
        self.private = {letter: self._subnet(letter, f"10.20.{number}.0/24") for number, letter in enumerate("ab", 10)}
        gateway = self.ec2.create_internet_gateway()["InternetGateway"]["InternetGatewayId"]
        self.ec2.attach_internet_gateway(InternetGatewayId=gateway, VpcId=self.vpc)
        address = self.ec2.allocate_address(Domain="vpc")["AllocationId"]
        created = self.ec2.create_nat_gateway(SubnetId=self.public["a"], AllocationId=address)
        self.nat = created["NatGateway"]["NatGatewayId"]
        self.tables = {
            "public": self._table([*self.public.values()], GatewayId=gateway),
            "private": self._table([*self.private.values()], NatGatewayId=self.nat),
        }
        self.gateway = gateway
        self.tag("vet-dev", self.public, "elb")
        self.tag("vet-dev", self.private, "internal-elb")

    def _subnet(self, letter: str, cidr: str) -> str:
        response = self.ec2.create_subnet(VpcId=self.vpc, CidrBlock=cidr, AvailabilityZone=f"us-east-1{letter}")
        return str(response["Subnet"]["SubnetId"])

    def _table(self, subnets: list[str], **target: str) -> str:
        table = self.ec2.create_route_table(VpcId=self.vpc)["RouteTable"]["RouteTableId"]
        self.ec2.create_route(RouteTableId=table, DestinationCidrBlock="0.0.0.0/0", **target)
        for subnet in subnets:
            self.ec2.associate_route_table(RouteTableId=table, SubnetId=subnet)
        return str(table)

    def tag(self, cluster: str, subnets: Mapping[str, str], role: str) -> None:
        tags = [
            {"Key": f"kubernetes.io/cluster/{cluster}", "Value": "shared"},
            {"Key": f"kubernetes.io/role/{role}", "Value": "1"},
        ]
        self.ec2.create_tags(Resources=[*subnets.values()], Tags=tags)

    def settings(self, **more: Any) -> dict[str, Any]:
        """The environment's ``network`` that names it."""
        subnets = {letter: {"public": self.public[letter], "private": self.private[letter]} for letter in "ab"}
        zones = {
            letter: {"public": f"10.20.{number}.0/24", "private": f"10.20.{number + 9}.0/24"}
            for number, letter in enumerate("ab", start=1)
        }
        existing = {"id": self.vpc, "subnets": subnets}
        return {"cidr": "10.20.0.0/16", "nat_gateways": [], "availability_zones": zones, "existing": existing, **more}


@pytest.fixture
def company(monkeypatch: pytest.MonkeyPatch) -> Iterator[Company]:
    """An account with the company's VPC."""
    for name in ("AWS_PROFILE", "AWS_ENDPOINT_URL", "AWS_SESSION_TOKEN"):
        monkeypatch.delenv(name, raising=False)
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "test")
    with mock_aws():
        yield Company()


@pytest.fixture
def look(company: Company, tmp_path: Path) -> Look:
    """What is found of dev in the company's VPC, by what it is about."""

    def run(network: Mapping[str, Any] | None = None, **sections: Any) -> Mapping[str, list[Finding]]:
        settings = load(one_environment(tmp_path, {"network": {**company.settings(), **(network or {})}, **sections}))
        findings: dict[str, list[Finding]] = {}
        for finding in existing_network(CheckContext(settings, settings.environment("dev"))):
            assert (finding.verdict == "ok") == (finding.remedy == ""), f"{finding}: not ok needs a remedy, and ok none"
            findings.setdefault(finding.what, []).append(finding)
        return findings

    return run


def failing(by_subject: Mapping[str, list[Finding]]) -> dict[str, str]:
    return {what: each.text for what, findings in by_subject.items() for each in findings if each.verdict == "fails"}


def test_a_whole_vpc_is_well(look: Look) -> None:
    findings = look()
    assert failing(findings) == {}
    assert len(findings) == 1 + 4 * 3 + 2 + 1, sorted(findings)
    assert findings["endpoints"][0].verdict == "later", "without S3's endpoint a NAT gateway is paid for snapshots"


def test_an_environment_with_a_vpc_of_its_own_is_not_asked(aws_settings: CheckContext) -> None:
    assert list(existing_network(aws_settings)) == []


@pytest.fixture
def aws_settings() -> CheckContext:
    settings = load()
    return CheckContext(settings, settings.environment("dev"))


def test_names_that_do_not_resolve_are_seen(look: Look, company: Company) -> None:
    company.ec2.modify_vpc_attribute(VpcId=company.vpc, EnableDnsHostnames={"Value": False})
    (finding,) = [each for each in look()["VPC"] if each.verdict == "fails"]
    assert f"modify-vpc-attribute --vpc-id {company.vpc} --enable-dns-hostnames" in finding.remedy


def test_another_range_or_zone_is_seen(look: Look, company: Company) -> None:
    subnets = company.settings()["existing"]["subnets"]
    swapped = {
        "a": {**subnets["a"], "private": company.private["b"]},
        "b": {**subnets["b"], "private": company.private["a"]},
    }
    failures = failing(look({"existing": {"id": company.vpc, "subnets": swapped}}))
    assert (
        "us-east-1b, and the settings say us-east-1a" in failures["private subnet a"]
        or "10.20.11.0/24" in failures["private subnet a"]
    )
    assert {"private subnet a", "private subnet b"} <= failures.keys()


def test_a_private_subnet_at_the_internet_gateway_is_seen(look: Look, company: Company) -> None:
    company.ec2.replace_route(
        RouteTableId=company.tables["private"], DestinationCidrBlock="0.0.0.0/0", GatewayId=company.gateway
    )
    failures = failing(look())
    assert "nothing would answer them" in failures["way out of private subnet a"]


def test_a_subnet_without_a_way_out_is_seen_unless_there_is_a_proxy(look: Look, company: Company) -> None:
    company.ec2.delete_route(RouteTableId=company.tables["private"], DestinationCidrBlock="0.0.0.0/0")
    assert "has no route" in failing(look())["way out of private subnet b"]
    assert failing(look(proxy={"url": "http://10.20.0.9:3128"})) == {}


def test_a_public_subnet_without_the_internet_gateway_is_seen(look: Look, company: Company) -> None:
    company.ec2.replace_route(
        RouteTableId=company.tables["public"], DestinationCidrBlock="0.0.0.0/0", NatGatewayId=company.nat
    )
    assert "needs the internet gateway" in failing(look())["way out of public subnet a"]


def test_a_nat_gateway_that_goes_is_seen(look: Look, company: Company) -> None:
    company.ec2.delete_nat_gateway(NatGatewayId=company.nat)
    failures = failing(look())
    assert set(failures) == {"way out of private subnet a", "way out of private subnet b"}, failures


def test_missing_tags_are_said_as_the_command_that_sets_them(look: Look, company: Company) -> None:
    company.ec2.delete_tags(Resources=[company.private["b"]], Tags=[{"Key": "kubernetes.io/role/internal-elb"}])
    findings = look()
    assert set(failing(findings)) == {"tags of private subnet b"}
    (finding,) = findings["tags of private subnet b"]
    wanted = f"create-tags --resources {company.private['b']} --tags Key=kubernetes.io/role/internal-elb,Value=1"
    assert finding.remedy.endswith(wanted), finding.remedy


def test_an_address_that_somebody_has_is_seen(look: Look, company: Company) -> None:
    company.ec2.create_network_interface(SubnetId=company.private["a"], PrivateIpAddress="10.20.10.10")
    assert "10.20.10.10, server 0's, is eni-" in failing(look())["addresses of private subnet a"]
    existing = {**company.settings()["existing"], "first_server_host": 20}
    assert failing(look({"existing": existing})) == {}


def test_an_address_that_is_the_servers_own_is_no_fault(look: Look, company: Company) -> None:
    tags = [{"Key": "Environment", "Value": "dev"}, {"Key": "Project", "Value": "vet"}]
    company.ec2.create_network_interface(
        SubnetId=company.private["a"],
        PrivateIpAddress="10.20.10.10",
        TagSpecifications=[{"ResourceType": "network-interface", "Tags": tags}],
    )
    assert failing(look()) == {}


def test_too_few_free_addresses_are_seen(look: Look, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("operations.doctor.network_checks.SPARE_ADDRESSES", 1000)
    failures = failing(look())
    assert {what for what in failures if what.startswith("room")} == {
        "room of private subnet a",
        "room of private subnet b",
    }


def test_an_endpoint_of_the_owners_for_the_same_service_is_seen(look: Look, company: Company) -> None:
    company.ec2.create_vpc_endpoint(
        VpcId=company.vpc,
        ServiceName="com.amazonaws.us-east-1.sts",
        VpcEndpointType="Interface",
        PrivateDnsEnabled=True,
        SubnetIds=[company.private["a"]],
    )
    assert "has the name of sts already" in failing(look({"endpoints": ["sts", "ec2"]}))["endpoints"]
    assert failing(look({"endpoints": ["ec2"]})) == {}


def test_a_zone_that_lacks_a_type_is_seen(company: Company, tmp_path: Path) -> None:
    settings = load(one_environment(tmp_path, {}))
    (well,) = machine_types(CheckContext(settings, settings.environment("dev")))
    assert well.verdict == "ok", well
    zones = {letter: {"public": f"10.0.{n}.0/24", "private": f"10.0.{n + 20}.0/24"} for n, letter in enumerate("ae", 1)}
    network = {"availability_zones": {"b": {"public": "10.0.3.0/24"}, **zones}, "nat_gateways": ["a"]}
    pools = {"new": {"instance_types": ["m7i.large"], "min_count": 0, "max_count": 1, "availability_zones": ["e"]}}
    settings = load(one_environment(tmp_path, {"network": network, "pools": pools}))
    findings = list(machine_types(CheckContext(settings, settings.environment("dev"))))
    assert any(each.verdict == "fails" and each.text.startswith("us-east-1e has no ") for each in findings), findings
