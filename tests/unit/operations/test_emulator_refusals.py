"""The emulator refuses what AWS refuses for what there is already: something in use, a name or a port twice, records that conflict."""

from collections.abc import Iterator
from itertools import count
from typing import Any

import pytest
from botocore.exceptions import ClientError

from operations.devtools.emulator import Emulator
from operations.devtools.emulator.local_cluster import client

NUMBERS = count()


@pytest.fixture(scope="module")
def emulator(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Emulator]:
    """An account that all tests of this file share; each makes what it needs for itself."""
    with Emulator(tmp_path_factory.mktemp("emulator") / "log") as started:
        yield started


@pytest.fixture
def ec2(emulator: Emulator) -> Any:
    return client(emulator, "ec2", "us-east-1")


@pytest.fixture
def elb(emulator: Emulator) -> Any:
    return client(emulator, "elbv2", "us-east-1")


@pytest.fixture
def vpc(ec2: Any) -> str:
    """A VPC of this test's own."""
    identifier: str = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    return identifier


@pytest.fixture
def subnets(ec2: Any, vpc: str) -> list[str]:
    """One in each of two zones."""
    responses = [
        ec2.create_subnet(VpcId=vpc, CidrBlock=f"10.0.{place}.0/24", AvailabilityZone=f"us-east-1{letter}")
        for place, letter in enumerate("ab")
    ]
    return [each["Subnet"]["SubnetId"] for each in responses]


def refused(code: str, call: Any, match: str | None = None, **parameters: Any) -> None:
    """Make a call that must end with AWS's error code."""
    with pytest.raises(ClientError, match=match) as error:
        call(**parameters)
    assert error.value.response["Error"]["Code"] == code, error.value


def group(ec2: Any, vpc: str) -> str:
    response = ec2.create_security_group(GroupName=f"clinic-{next(NUMBERS)}", Description="clinic", VpcId=vpc)
    identifier: str = response["GroupId"]
    return identifier


def test_a_group_of_an_interface_stays(ec2: Any, vpc: str, subnets: list[str]) -> None:
    used = group(ec2, vpc)
    eni = ec2.create_network_interface(SubnetId=subnets[0], Groups=[used])["NetworkInterface"]["NetworkInterfaceId"]
    refused("DependencyViolation", ec2.delete_security_group, GroupId=used)
    ec2.delete_network_interface(NetworkInterfaceId=eni)
    ec2.delete_security_group(GroupId=used)


@pytest.mark.parametrize("direction", ["ingress", "egress"])
def test_a_group_that_anothers_rule_names_stays(ec2: Any, vpc: str, direction: str) -> None:
    named, naming = group(ec2, vpc), group(ec2, vpc)
    rule = {"IpProtocol": "tcp", "FromPort": 443, "ToPort": 443, "UserIdGroupPairs": [{"GroupId": named}]}
    getattr(ec2, f"authorize_security_group_{direction}")(GroupId=naming, IpPermissions=[rule])
    refused("DependencyViolation", ec2.delete_security_group, GroupId=named)
    getattr(ec2, f"revoke_security_group_{direction}")(GroupId=naming, IpPermissions=[rule])
    ec2.delete_security_group(GroupId=named)


def test_a_group_whose_own_rule_names_it_goes(ec2: Any, vpc: str) -> None:
    own = group(ec2, vpc)
    rule = {"IpProtocol": "-1", "UserIdGroupPairs": [{"GroupId": own}]}
    ec2.authorize_security_group_ingress(GroupId=own, IpPermissions=[rule])
    ec2.delete_security_group(GroupId=own)


def test_a_subnet_with_an_interface_stays(ec2: Any, vpc: str, subnets: list[str]) -> None:
    eni = ec2.create_network_interface(SubnetId=subnets[0])["NetworkInterface"]["NetworkInterfaceId"]
    refused("DependencyViolation", ec2.delete_subnet, SubnetId=subnets[0])
    ec2.delete_network_interface(NetworkInterfaceId=eni)
    ec2.delete_subnet(SubnetId=subnets[0])


def test_an_interface_of_an_instance_stays_until_it_has_ended(ec2: Any, vpc: str, subnets: list[str]) -> None:
    interface_id = ec2.create_network_interface(SubnetId=subnets[0])["NetworkInterface"]["NetworkInterfaceId"]
    image = ec2.describe_images()["Images"][0]["ImageId"]
    launch = {"ImageId": image, "MinCount": 1, "MaxCount": 1, "InstanceType": "t3.small"}
    interface = {"DeviceIndex": 0, "NetworkInterfaceId": interface_id}
    with_kept = ec2.run_instances(**launch, NetworkInterfaces=[interface])["Instances"][0]["InstanceId"]
    alone = ec2.run_instances(**launch, SubnetId=subnets[1])["Instances"][0]["InstanceId"]
    refused("InvalidParameterValue", ec2.delete_network_interface, match="in use", NetworkInterfaceId=interface_id)
    refused("DependencyViolation", ec2.delete_subnet, SubnetId=subnets[1])
    ec2.terminate_instances(InstanceIds=[with_kept, alone])
    refused("DependencyViolation", ec2.delete_subnet, SubnetId=subnets[0])
    ec2.delete_network_interface(NetworkInterfaceId=interface_id)
    for subnet in subnets:
        ec2.delete_subnet(SubnetId=subnet)


def test_a_gateway_with_mapped_addresses_stays(ec2: Any, vpc: str, subnets: list[str]) -> None:
    gateway = ec2.create_internet_gateway()["InternetGateway"]["InternetGatewayId"]
    ec2.attach_internet_gateway(InternetGatewayId=gateway, VpcId=vpc)
    address = ec2.allocate_address(Domain="vpc")["AllocationId"]
    nat = ec2.create_nat_gateway(SubnetId=subnets[0], AllocationId=address)["NatGateway"]["NatGatewayId"]
    refused("DependencyViolation", ec2.delete_internet_gateway, InternetGatewayId=gateway)
    here = {"InternetGatewayId": gateway, "VpcId": vpc}
    refused("DependencyViolation", ec2.detach_internet_gateway, match="mapped public address", **here)
    (eni,) = ec2.describe_network_interfaces(Filters=[{"Name": "subnet-id", "Values": subnets}])["NetworkInterfaces"]
    interface_id = eni["NetworkInterfaceId"]
    refused("InvalidParameterValue", ec2.delete_network_interface, match="in use", NetworkInterfaceId=interface_id)
    ec2.delete_nat_gateway(NatGatewayId=nat)
    ec2.detach_internet_gateway(**here)
    ec2.release_address(AllocationId=address)
    ec2.delete_subnet(SubnetId=subnets[0])


def test_a_vpc_with_anything_in_it_stays(ec2: Any, vpc: str, subnets: list[str]) -> None:
    gateway, inside = ec2.create_internet_gateway()["InternetGateway"]["InternetGatewayId"], group(ec2, vpc)
    ec2.attach_internet_gateway(InternetGatewayId=gateway, VpcId=vpc)
    s3 = {"ServiceName": "com.amazonaws.us-east-1.s3", "VpcEndpointType": "Gateway"}
    endpoint = ec2.create_vpc_endpoint(VpcId=vpc, **s3)["VpcEndpoint"]
    removals = [
        *((ec2.delete_subnet, {"SubnetId": each}) for each in subnets),
        (ec2.detach_internet_gateway, {"InternetGatewayId": gateway, "VpcId": vpc}),
        (ec2.delete_vpc_endpoints, {"VpcEndpointIds": [endpoint["VpcEndpointId"]]}),
        (ec2.delete_security_group, {"GroupId": inside}),
    ]
    for remove, parameters in removals:
        refused("DependencyViolation", ec2.delete_vpc, VpcId=vpc)
        remove(**parameters)
    ec2.delete_vpc(VpcId=vpc)


def balancer(elb: Any, subnets: list[str], **more: Any) -> dict[str, Any]:
    name = more.pop("Name", f"clinic-{next(NUMBERS)}")
    load_balancer: dict[str, Any] = elb.create_load_balancer(Name=name, Subnets=subnets, **more)["LoadBalancers"][0]
    return load_balancer


def test_a_load_balancer_holds_its_network(ec2: Any, elb: Any, vpc: str, subnets: list[str]) -> None:
    gateway, used = ec2.create_internet_gateway()["InternetGateway"]["InternetGatewayId"], group(ec2, vpc)
    here = {"InternetGatewayId": gateway, "VpcId": vpc}
    ec2.attach_internet_gateway(**here)
    arn = balancer(elb, subnets, SecurityGroups=[used])["LoadBalancerArn"]
    refused("DependencyViolation", ec2.detach_internet_gateway, **here)
    refused("DependencyViolation", ec2.delete_subnet, SubnetId=subnets[0])
    refused("DependencyViolation", ec2.delete_security_group, GroupId=used)
    elb.delete_load_balancer(LoadBalancerArn=arn)
    ec2.delete_security_group(GroupId=used)
    ec2.detach_internet_gateway(**here)


def test_a_load_balancers_name_is_taken_once(ec2: Any, elb: Any, vpc: str, subnets: list[str]) -> None:
    first = balancer(elb, subnets, Name="twice")
    assert balancer(elb, subnets, Name="twice")["LoadBalancerArn"] == first["LoadBalancerArn"], (
        "ELB answers with the first"
    )
    other: dict[str, Any] = {"Name": "twice", "Subnets": subnets, "Scheme": "internal"}
    refused("DuplicateLoadBalancerName", elb.create_load_balancer, **other)


def test_an_application_load_balancer_is_in_two_zones(ec2: Any, elb: Any, vpc: str, subnets: list[str]) -> None:
    beside = ec2.create_subnet(VpcId=vpc, CidrBlock="10.0.9.0/24", AvailabilityZone="us-east-1a")["Subnet"]["SubnetId"]
    refused("ValidationError", elb.create_load_balancer, match="two different", Name="one", Subnets=subnets[:1])
    same: dict[str, Any] = {"Name": "same", "Subnets": [subnets[0], beside]}
    refused("InvalidConfigurationRequest", elb.create_load_balancer, match="same Availability Zone", **same)
    balancer(elb, subnets[:1], Type="network")


def test_a_target_groups_name_is_taken_once(elb: Any, vpc: str) -> None:
    elb.create_target_group(Name="twice", Protocol="HTTP", Port=80, VpcId=vpc)
    other: dict[str, Any] = {"Name": "twice", "Protocol": "HTTP", "Port": 8080, "VpcId": vpc}
    refused("DuplicateTargetGroupName", elb.create_target_group, **other)


def test_a_listeners_port_is_taken_once(elb: Any, subnets: list[str]) -> None:
    arn = balancer(elb, subnets)["LoadBalancerArn"]

    def answer(text: str) -> list[dict[str, Any]]:
        return [{"Type": "fixed-response", "FixedResponseConfig": {"StatusCode": text}}]

    listener = {"LoadBalancerArn": arn, "Protocol": "HTTP"}
    first = elb.create_listener(**listener, Port=80, DefaultActions=answer("404"))["Listeners"][0]["ListenerArn"]
    again = elb.create_listener(**listener, Port=80, DefaultActions=answer("404"))["Listeners"][0]["ListenerArn"]
    assert again == first, "ELB answers with the first"
    refused("DuplicateListener", elb.create_listener, **listener, Port=80, DefaultActions=answer("503"))
    second = elb.create_listener(**listener, Port=81, DefaultActions=answer("404"))["Listeners"][0]["ListenerArn"]
    refused("DuplicateListener", elb.modify_listener, ListenerArn=second, Port=80)
    elb.modify_listener(ListenerArn=second, Port=81, DefaultActions=answer("503"))


def test_a_rule_has_three_values_a_condition_and_five_in_all(elb: Any, subnets: list[str]) -> None:
    actions = [{"Type": "fixed-response", "FixedResponseConfig": {"StatusCode": "403"}}]
    arn = balancer(elb, subnets)["LoadBalancerArn"]
    listener = elb.create_listener(LoadBalancerArn=arn, Protocol="HTTP", Port=80, DefaultActions=actions)
    (created,) = listener["Listeners"]
    rule = {"ListenerArn": created["ListenerArn"], "Actions": actions}

    def conditions(hosts: int, networks: int) -> list[dict[str, Any]]:
        names = {"Values": [f"h{n}.example.com" for n in range(hosts)]}
        addresses = {"Values": [f"192.0.2.{n}/32" for n in range(networks)]}
        return [
            {"Field": "host-header", "HostHeaderConfig": names},
            {"Field": "source-ip", "SourceIpConfig": addresses},
        ]

    elb.create_rule(**rule, Priority=1, Conditions=conditions(1, 3))
    refused(
        "ValidationError", elb.create_rule, match="condition values", **rule, Priority=2, Conditions=conditions(1, 4)
    )
    refused(
        "ValidationError", elb.create_rule, match="condition values", **rule, Priority=2, Conditions=conditions(3, 3)
    )


def test_https_wants_a_certificate_and_http_none(elb: Any, subnets: list[str]) -> None:
    actions = [{"Type": "fixed-response", "FixedResponseConfig": {"StatusCode": "404"}}]
    listener = {"LoadBalancerArn": balancer(elb, subnets)["LoadBalancerArn"], "Port": 443, "DefaultActions": actions}
    refused("ValidationError", elb.create_listener, match="certificate must", **listener, Protocol="HTTPS")
    certificate = [
        {"CertificateArn": "arn:aws:acm:us-east-1:123456789012:certificate/11111111-2222-3333-4444-555555555555"}
    ]
    with_one = {**listener, "Protocol": "HTTP", "Certificates": certificate}
    refused("ValidationError", elb.create_listener, match="certificate cannot", **with_one)


@pytest.fixture
def zone(emulator: Emulator) -> Any:
    """Changes records of a zone of this test's own."""
    route53 = client(emulator, "route53", "us-east-1")
    reference = str(next(NUMBERS))
    identifier = route53.create_hosted_zone(Name="clinic.example.com", CallerReference=reference)["HostedZone"]["Id"]

    def change(*changes: tuple[str, str, str]) -> None:
        values = {"A": "192.0.2.1", "TXT": '"clinic"', "CNAME": "elsewhere.example.com"}
        batch = [
            {
                "Action": action,
                "ResourceRecordSet": {
                    "Name": name,
                    "Type": type_,
                    "TTL": 60,
                    "ResourceRecords": [{"Value": values[type_]}],
                },
            }
            for action, name, type_ in changes
        ]
        route53.change_resource_record_sets(HostedZoneId=identifier, ChangeBatch={"Changes": batch})

    return change


CONFLICTS = {
    "a CNAME beside another record": ((("CREATE", "www", "A"),), ("CREATE", "www", "CNAME")),
    "another record beside a CNAME": ((("CREATE", "www", "CNAME"),), ("UPSERT", "www.", "TXT")),
    "a CNAME at the top": ((), ("CREATE", "", "CNAME")),
    "a record twice": ((("UPSERT", "www", "A"),), ("CREATE", "WWW", "A")),
}


@pytest.mark.parametrize(("before", "change"), CONFLICTS.values(), ids=CONFLICTS.keys())
def test_records_that_conflict_are_refused(
    zone: Any, before: tuple[tuple[str, str, str], ...], change: tuple[str, str, str]
) -> None:
    def named(action: str, name: str, type_: str) -> tuple[str, str, str]:
        return action, f"{name.rstrip('.')}.clinic.example.com{'.' * name.endswith('.')}".lstrip("."), type_

    for each in before:
        zone(named(*each))
    with pytest.raises(ClientError) as error:
        zone(named(*change))
    assert error.value.response["Error"]["Code"] == "InvalidChangeBatch", error.value


def test_a_record_may_take_anothers_place_in_one_batch(zone: Any) -> None:
    name = "www.clinic.example.com"
    zone(("CREATE", name, "A"))
    zone(("DELETE", name, "A"), ("CREATE", name, "CNAME"))
    zone(("UPSERT", name, "CNAME"))


def test_a_record_that_was_deleted_is_made_again(zone: Any) -> None:
    for name in ("rancher.clinic.example.com", "zebra.clinic.example.com"):
        zone(("CREATE", name, "A"))
    zone(("DELETE", "rancher.clinic.example.com", "A"))
    zone(("CREATE", "rancher.clinic.example.com", "A"))


def test_a_volume_grows_and_does_not_shrink(ec2: Any) -> None:
    volume = ec2.create_volume(AvailabilityZone="us-east-1a", Size=20)["VolumeId"]
    ec2.modify_volume(VolumeId=volume, Size=30)
    refused("InvalidParameterValue", ec2.modify_volume, match="smaller than existing size 30", VolumeId=volume, Size=20)
    assert ec2.describe_volumes(VolumeIds=[volume])["Volumes"][0]["Size"] == 30


def test_a_call_that_the_sdk_compresses_is_read_as_it_was_written(emulator: Emulator) -> None:
    cloudwatch = client(emulator, "cloudwatch", "us-east-1")
    data = [{"MetricName": f"measured-{number}", "Value": 1.0} for number in range(500)]
    cloudwatch.put_metric_data(Namespace="clinic", MetricData=data)
    metrics = cloudwatch.get_paginator("list_metrics").paginate(Namespace="clinic").build_full_result()["Metrics"]
    assert len(metrics) == len(data), "the SDK compresses a call of this length (CloudWatch: PutMetricData)"
