"""EC2 deletes nothing that something else depends on (Amazon EC2 API reference: error codes, DependencyViolation).

Refused is what a request asks for, not what moto calls inside of itself; so the responses are wrapped, and not the models. The messages
are EC2's own.
"""

from collections.abc import Callable, Iterator
from functools import wraps
from typing import Any

from moto.core.exceptions import ServiceException
from moto.ec2.exceptions import DependencyViolationError
from moto.ec2.models.elastic_network_interfaces import NetworkInterfaceBackend
from moto.ec2.models.nat_gateways import NatGatewayBackend
from moto.ec2.responses.elastic_network_interfaces import ElasticNetworkInterfaces
from moto.ec2.responses.internet_gateways import InternetGateways
from moto.ec2.responses.security_groups import SecurityGroups
from moto.ec2.responses.subnets import Subnets
from moto.ec2.responses.vpcs import VPCs
from moto.elbv2.models import elbv2_backends

from operations.devtools.emulator.replacing import replace


class InUse(ServiceException):
    """DeleteNetworkInterface answers with this general code, not with InvalidNetworkInterface.InUse, which is for attaching.

    Source: https://github.com/aws/amazon-vpc-cni-k8s/issues/1399.
    """

    code = "InvalidParameterValue"


def install() -> None:
    """Wrap the requests that delete or detach."""
    _first(SecurityGroups, "delete_security_group", _group_is_free)
    _first(Subnets, "delete_subnet", _subnet_is_empty)
    _first(ElasticNetworkInterfaces, "delete_network_interface", _interface_is_free)
    _first(InternetGateways, "detach_internet_gateway", _no_public_address_is_mapped)
    _first(VPCs, "delete_vpc", _vpc_is_empty)
    _let_interfaces_end_with_what_made_them()


def _first(responses: Any, operation: str, check: Callable[[Any], None]) -> None:
    """Let ``check`` look at a request before the operation is done."""
    done = getattr(responses, operation)

    @wraps(done)
    def checked(self: Any) -> Any:
        check(self)
        return done(self)

    setattr(responses, operation, checked)


def _group_is_free(request: Any) -> None:
    """No interface or load balancer is in the group, and no other group's rule names it."""
    ec2, identifier = request.ec2_backend, request._get_param("GroupId")
    members = [eni.id for eni in ec2.enis.values() if identifier in {group.id for group in eni.group_set}]
    members += [each.arn for each in _load_balancers(request) if identifier in (each.security_groups or [])]
    others = [group for groups in ec2.groups.values() for group in groups.values() if group.id != identifier]
    naming = [group.id for group in others if identifier in _named(group)]
    if members or naming:
        raise DependencyViolationError(f"resource {identifier} has a dependent object")


def _named(group: Any) -> set[str]:
    """Groups that a group's rules name."""
    rules = [*group.ingress_rules, *group.egress_rules]
    return {rule.source_group["GroupId"] for rule in rules if rule.source_group.get("GroupId")}


def _subnet_is_empty(request: Any) -> None:
    """No interface and no load balancer is in the subnet."""
    identifier = request._get_param("SubnetId")
    inside: list[Any] = [eni for eni in request.ec2_backend.enis.values() if eni.subnet.id == identifier]
    inside += [each for each in _load_balancers(request) if identifier in {subnet.id for subnet in each.subnets}]
    if inside:
        raise DependencyViolationError(f"The subnet '{identifier}' has dependencies and cannot be deleted.")


def _interface_is_free(request: Any) -> None:
    """The interface is attached to no instance, and no NAT gateway or endpoint works through it."""
    ec2, identifier = request.ec2_backend, request._get_param("NetworkInterfaceId")
    eni = ec2.enis.get(identifier)
    if eni is not None and (eni.instance or identifier in _interfaces_of_services(ec2)):
        raise InUse(f"Network interface '{identifier}' is currently in use.")


def _interfaces_of_services(ec2: Any) -> Iterator[str]:
    for gateway in ec2.nat_gateways.values():
        if gateway.state != "deleted":
            yield gateway._eni.id
    for endpoint in ec2.vpc_end_points.values():
        if endpoint.state != "deleted":
            yield from endpoint.network_interface_ids or []


def _no_public_address_is_mapped(request: Any) -> None:
    """No interface and no load balancer of the network has a public address."""
    vpc = request._get_param("VpcId")
    mapped: list[Any] = [eni for eni in request.ec2_backend.enis.values() if eni.public_ip and eni.vpc_id == vpc]
    mapped += [each for each in _load_balancers(request) if each.vpc_id == vpc and each.scheme == "internet-facing"]
    if mapped:
        raise DependencyViolationError(
            f"Network {vpc} has some mapped public address(es). "
            "Please unmap those public address(es) before detaching the gateway."
        )


def _vpc_is_empty(request: Any) -> None:
    """The VPC has no internet gateway, no endpoint and no group but the default one; moto looks for subnets and route tables."""
    ec2, vpc = request.ec2_backend, request._get_param("VpcId")
    left: list[Any] = [each for each in ec2.internet_gateways.values() if each.vpc and each.vpc.id == vpc]
    left += [each for each in ec2.vpc_end_points.values() if each.vpc_id == vpc and each.state != "deleted"]
    left += [group for group in ec2.groups.get(vpc, {}).values() if group.name != "default"]
    if left:
        raise DependencyViolationError(f"The vpc '{vpc}' has dependencies and cannot be deleted.")


def _load_balancers(request: Any) -> list[Any]:
    """Load balancers hold interfaces in EC2, which moto does not make for them."""
    return list(elbv2_backends[request.current_account][request.region].load_balancers.values())


def _let_interfaces_end_with_what_made_them() -> None:
    """Delete the interfaces of ended instances and NAT gateways, which moto keeps: nothing could be deleted beneath them.

    EC2 API reference, InstanceNetworkInterfaceSpecification: what a launch makes is deleted with the instance unless it says otherwise.
    No launch here says otherwise; what has to outlive an instance is made before it.
    """
    make, end_gateway = NetworkInterfaceBackend.create_network_interface, NatGatewayBackend.delete_nat_gateway

    def create_network_interface(self: Any, *arguments: Any, **named: Any) -> Any:
        if "device_index" in named:  # moto gives it at a launch alone
            named["delete_on_termination"] = True
        return make(self, *arguments, **named)

    def delete_nat_gateway(self: Any, nat_gateway_id: str) -> Any:
        gateway = end_gateway(self, nat_gateway_id)
        self.enis.pop(gateway._eni.id, None)
        for address in self.addresses:
            if address.eni is gateway._eni:
                address.eni = address.association_id = None
        return gateway

    replace(NetworkInterfaceBackend, "create_network_interface", create_network_interface)
    replace(NatGatewayBackend, "delete_nat_gateway", delete_nat_gateway)
