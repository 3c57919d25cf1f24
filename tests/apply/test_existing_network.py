"""An environment with three pools in a VPC that is there already, without public addresses: applied, looked at by the doctor, planned again
without a change, refused where the settings say something else, and gone without taking anything of the VPC's owner."""

import json
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from operations.cluster.grow_volumes import Growing
from operations.devtools.emulator.account import Account, account
from operations.devtools.emulator.known_gaps import Clients, clients
from operations.doctor import network_checks
from operations.doctor.finding import CheckContext
from operations.report import rightsize
from operations.shared.errors import Failure
from operations.shared.servers import Cluster
from settings import Settings, load
from tests.apply.conftest import skip_or_fail
from tests.changes import one_environment
from tests.unit.stacks.test_pools import POOLS, WITH_POOLS

ENDPOINTS = ["ec2", "sts"]


@dataclass(frozen=True)
class Placed:
    """An account with the company's VPC, and dev in it."""

    account: Account
    aws: Clients
    folder: Path
    network: dict[str, Any]
    """The settings that name the VPC."""

    gib: int = 20
    """Size of the further volume of the pool ``reports``."""

    def settings(self, **network: Any) -> Settings:
        """Dev's settings, with the network changed."""
        reports = {**POOLS["reports"], "extra_volumes": [{"path": "/mnt/reports", "gib": self.gib}]}
        pools = {**POOLS, "reports": reports, "graviton": {**POOLS["graviton"], "min_count": 1}}
        return load(
            one_environment(self.folder, {**WITH_POOLS, "pools": pools, "network": {**self.network, **network}})
        )

    @property
    def subnets(self) -> set[str]:
        """Ids of the company's private subnets."""
        return {each["private"] for each in self.network["existing"]["subnets"].values()}


def _company(aws: Clients) -> dict[str, Any]:
    """A VPC with private subnets alone, whose default route leads to the company's transit gateway."""
    ec2 = aws("ec2")
    vpc = ec2.create_vpc(CidrBlock="10.20.0.0/16")["Vpc"]["VpcId"]
    ec2.modify_vpc_attribute(VpcId=vpc, EnableDnsHostnames={"Value": True})
    gateway = ec2.create_transit_gateway()["TransitGateway"]["TransitGatewayId"]
    table = ec2.create_route_table(VpcId=vpc)["RouteTable"]["RouteTableId"]
    ec2.create_route(RouteTableId=table, DestinationCidrBlock="0.0.0.0/0", TransitGatewayId=gateway)
    subnets = {}
    for letter, cidr in (("a", "10.20.10.0/24"), ("b", "10.20.11.0/24")):
        subnet = ec2.create_subnet(VpcId=vpc, CidrBlock=cidr, AvailabilityZone=f"us-east-1{letter}")["Subnet"]
        ec2.associate_route_table(RouteTableId=table, SubnetId=subnet["SubnetId"])
        subnets[letter] = {"private": subnet["SubnetId"]}
    tags = [
        {"Key": "kubernetes.io/cluster/vet-dev", "Value": "shared"},
        {"Key": "kubernetes.io/role/internal-elb", "Value": "1"},
    ]
    ec2.create_tags(Resources=[each["private"] for each in subnets.values()], Tags=tags)
    return {
        "cidr": "10.20.0.0/16",
        "private_only": True,
        "nat_gateways": [],
        "endpoints": ENDPOINTS,
        "availability_zones": {
            "a": {"public": None, "private": "10.20.10.0/24"},
            "b": {"public": None, "private": "10.20.11.0/24"},
        },
        "existing": {"id": vpc, "subnets": subnets, "first_server_host": 100},
    }


@pytest.fixture(scope="module")
def placed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Placed]:
    """Applied by the real Terraform."""
    folder = tmp_path_factory.mktemp("existing")
    with ExitStack() as keep:
        try:
            emulation = keep.enter_context(account(folder, load(one_environment(folder, {}))))
        except Failure as failure:
            skip_or_fail(str(failure))
        emulation.make_state()
        aws = clients(emulation.emulator.environment)
        placement = Placed(emulation, aws, folder, _company(aws))
        emulation.synthesise(placement.settings())
        for stack in ("vet-state", "vet-dev"):
            emulation.stack(stack).apply()
        yield placement


def test_everything_stands_in_the_companys_subnets(placed: Placed) -> None:
    pages = placed.aws("ec2").get_paginator("describe_instances").paginate()
    machines = [each for page in pages for group in page["Reservations"] for each in group["Instances"]]
    assert len(machines) == 1 + 2 + 1 + 3 + 1, "a server, two agents, and the pools' nodes"
    assert {each["SubnetId"] for each in machines} == placed.subnets
    assert not [each["InstanceId"] for each in machines if each.get("PublicIpAddress")]
    (server,) = [each for each in machines if each["PrivateIpAddress"] == "10.20.10.100"]
    assert {"Key": "vet:slot", "Value": "0"} in server["Tags"]


def test_no_load_balancer_is_public(placed: Placed) -> None:
    balancers = placed.aws("elbv2").describe_load_balancers()["LoadBalancers"]
    assert {each["Scheme"] for each in balancers} == {"internal"}
    assert {zone["SubnetId"] for each in balancers for zone in each["AvailabilityZones"]} == placed.subnets


def test_the_vpc_got_endpoints_and_nothing_else(placed: Placed) -> None:
    ec2, vpc = placed.aws("ec2"), placed.network["existing"]["id"]
    filters = [{"Name": "vpc-id", "Values": [vpc]}]
    endpoints = ec2.describe_vpc_endpoints(Filters=filters)["VpcEndpoints"]
    assert {each["ServiceName"].rpartition(".")[2] for each in endpoints} == {*ENDPOINTS}
    assert {subnet for each in endpoints for subnet in each["SubnetIds"]} == placed.subnets
    assert ec2.describe_nat_gateways(Filters=filters)["NatGateways"] == []
    assert (
        ec2.describe_internet_gateways(Filters=[{"Name": "attachment.vpc-id", "Values": [vpc]}])["InternetGateways"]
        == []
    )


def test_the_doctor_finds_it_well(placed: Placed, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in placed.account.emulator.environment.items():
        monkeypatch.setenv(name, value)
    settings = placed.settings()
    context = CheckContext(settings, settings.environment("dev"))
    findings = [*network_checks.existing_network(context), *network_checks.machine_types(context)]
    assert [each for each in findings if each.verdict == "fails"] == []
    assert len(findings) > 8, findings


def test_a_second_plan_has_no_changes(placed: Placed) -> None:
    unexpected_changes = placed.account.stack("vet-dev").unexpected_changes()
    assert not unexpected_changes, "vet-dev would change:\n" + "\n".join(unexpected_changes)


def test_a_further_volume_is_encrypted_and_grows_while_it_is_used(
    placed: Placed, monkeypatch: pytest.MonkeyPatch
) -> None:
    ec2 = placed.aws("ec2")
    pool = [{"Name": "tag:vet:pool", "Values": ["reports"]}, {"Name": "instance-state-name", "Values": ["running"]}]
    (held,) = ec2.describe_instances(Filters=pool)["Reservations"]
    (machine,) = held["Instances"]
    attached = {each["DeviceName"]: each["Ebs"]["VolumeId"] for each in machine["BlockDeviceMappings"]}
    assert "/dev/sdf" in attached, attached
    (volume,) = ec2.describe_volumes(VolumeIds=[attached["/dev/sdf"]])["Volumes"]
    assert (volume["Size"], volume["Encrypted"]) == (20, True)
    for name, value in placed.account.emulator.environment.items():
        monkeypatch.setenv(name, value)
    larger = replace(placed, gib=30).settings()
    monkeypatch.setattr("operations.shared.servers.load", lambda: larger)
    Growing(Cluster("dev"), auto_approve=True).grow()
    (grown,) = ec2.describe_volumes(VolumeIds=[attached["/dev/sdf"]])["Volumes"]
    assert grown["Size"] == 30
    assert list(Growing(Cluster("dev")).growths()) == [], "a second time nothing is left to do"


def test_machines_are_judged_by_what_cloudwatch_has_of_them(
    placed: Placed, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    now = datetime.now(UTC)
    for letter in ("a", "b"):
        named = [{"Name": "AutoScalingGroupName", "Value": f"vet-dev-agent-{letter}"}]
        data = [
            {
                "MetricName": "CPUUtilization",
                "Dimensions": named,
                "Timestamp": now - timedelta(hours=hour),
                "Value": 4.0,
            }
            for hour in range(1, 121)
        ]
        placed.aws("cloudwatch").put_metric_data(Namespace="AWS/EC2", MetricData=data)
    for name, value in placed.account.emulator.environment.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr("operations.shared.servers.load", placed.settings)
    monkeypatch.setattr(rightsize, "load", placed.settings)
    monkeypatch.setenv("PATH", "")  # nobody asks a cluster
    rightsize.run("dev", 14, as_json=True)
    machines = {each["kind"]["key"]: each for each in json.loads(capsys.readouterr().out)["machines"]}
    assert set(machines) == {"servers", "agents", "pools.graviton"}, "the other pools may be of several types"
    assert (machines["agents"]["load"]["hours"], machines["agents"]["proposal"]["instance_type"]) == (120, "t3a.medium")
    assert machines["servers"]["proposal"] is None, "nothing was measured of them"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            {
                "availability_zones": {
                    "a": {"public": None, "private": "10.20.12.0/24"},
                    "b": {"public": None, "private": "10.20.11.0/24"},
                }
            },
            "10.20.10.0/24: write that",
        ),
        ({"cidr": "10.20.0.0/17"}, "network.cidr must be a range of"),
    ],
    ids=["another range", "another VPC range"],
)
def test_settings_that_differ_from_what_is_there_are_refused_at_plan(
    placed: Placed, change: dict[str, Any], message: str
) -> None:
    placed.account.synthesise(placed.settings(**change))
    with pytest.raises(Failure) as refused:
        placed.account.stack("vet-dev").run("plan", "-input=false")
    assert message in " ".join(str(refused.value).replace("│", " ").split()), str(refused.value)[-3000:]
    placed.account.synthesise(placed.settings())


def test_it_goes_and_leaves_the_owners_vpc_as_it_was(placed: Placed) -> None:
    stack = placed.account.stack("vet-dev")
    stack.run("destroy", "-auto-approve", "-input=false")
    assert stack.state() == []
    ec2, vpc = placed.aws("ec2"), placed.network["existing"]["id"]
    filters = [{"Name": "vpc-id", "Values": [vpc]}]
    subnets = ec2.describe_subnets(Filters=filters)["Subnets"]
    assert {each["SubnetId"] for each in subnets} == placed.subnets
    held = [{tag["Key"] for tag in each["Tags"]} for each in subnets]
    assert held == [{"kubernetes.io/cluster/vet-dev", "kubernetes.io/role/internal-elb"}] * 2, json.dumps(
        held, default=str
    )
    left = list(ec2.describe_network_interfaces(Filters=filters)["NetworkInterfaces"])
    assert left == [], [each.get("Description") for each in left]
