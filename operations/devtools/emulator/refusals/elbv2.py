"""Elastic Load Balancing refuses a name or a port twice, too few zones, and HTTPS without a certificate (ELB API: errors of the calls).

What is asked for again in the same words is answered with what there is, as ELB does (CreateLoadBalancer, CreateListener: idempotent).
"""

from typing import Any

from moto.core.exceptions import ServiceException
from moto.elbv2.exceptions import DuplicateListenerError
from moto.elbv2.models import ELBv2Backend

from operations.devtools.emulator.replacing import replace

SECURE = ("HTTPS", "TLS")

VALUES_OF_A_CONDITION, VALUES_OF_A_RULE = 3, 5
"""AWS: condition types for listener rules; quotas for your Application Load Balancers."""


class Refused(ServiceException):
    """An error of the API by its code."""


def install() -> None:
    """Wrap the calls that create, and those that change a listener or a rule."""
    _judge_load_balancers()
    _judge_listeners()
    _judge_rules()


def _judge_load_balancers() -> None:
    create = ELBv2Backend.create_load_balancer

    def create_load_balancer(self: Any, **wanted: Any) -> Any:
        wanted["scheme"] = wanted["scheme"] or "internet-facing"  # moto leaves it empty
        named = [*(wanted["subnet_ids"] or []), *(each["SubnetId"] for each in wanted["subnet_mappings"] or [])]
        kind = wanted["loadbalancer_type"] or "application"
        _judge_zones([self.ec2_backend.get_subnet(each) for each in named], kind)
        there = next((each for each in self.load_balancers.values() if each.name == wanted["name"]), None)
        if there is None:
            return create(self, **wanted)
        settings = (set(named), set(wanted["security_groups"]), wanted["scheme"], kind)
        if settings != ({each.id for each in there.subnets}, set(there.security_groups), there.scheme, there.type):
            message = f"A load balancer with the same name '{there.name}' exists, but with different settings"
            raise Refused("DuplicateLoadBalancerName", message)
        return there

    replace(ELBv2Backend, "create_load_balancer", create_load_balancer)


def _judge_zones(subnets: list[Any], kind: str) -> None:
    """ELB user guide, application load balancers: at least two zones, and one subnet a zone."""
    zones = {subnet.availability_zone for subnet in subnets}
    if len(zones) < len(subnets):
        message = "A load balancer cannot be attached to multiple subnets in the same Availability Zone"
        raise Refused("InvalidConfigurationRequest", message)
    if kind == "application" and subnets and len(zones) < 2:
        message = "At least two subnets in two different Availability Zones must be specified"
        raise Refused("ValidationError", message)


def _judge_listeners() -> None:
    create, modify = ELBv2Backend.create_listener, ELBv2Backend.modify_listener

    def create_listener(self: Any, **wanted: Any) -> Any:
        _judge_certificate(wanted["protocol"], wanted["certificate"])
        there = _on_port(self, wanted["load_balancer_arn"], wanted["port"])
        if not there:
            return create(self, **wanted)
        if (there.protocol, [each.data for each in there.default_actions]) != (wanted["protocol"], wanted["actions"]):
            raise DuplicateListenerError
        return there

    def modify_listener(self: Any, arn: str, port: Any, *more: Any) -> Any:
        (changed,) = self.describe_listeners(None, [arn])
        there = _on_port(self, changed.load_balancer_arn, port)
        if there and there is not changed:
            raise DuplicateListenerError
        return modify(self, arn, port, *more)

    replace(ELBv2Backend, "create_listener", create_listener)
    replace(ELBv2Backend, "modify_listener", modify_listener)


def _on_port(elb: Any, load_balancer: str, port: Any) -> Any:
    """The listener of a load balancer on a port; moto looks for it among ARNs and so finds none."""
    balancer = elb.load_balancers.get(load_balancer)
    listeners = balancer.listeners.values() if balancer else ()
    return next((each for each in listeners if str(each.port) == str(port)), None)


def _judge_certificate(protocol: Any, certificate: Any) -> None:
    if protocol in SECURE and not certificate:
        raise Refused("ValidationError", f"A certificate must be specified for {protocol} listeners")
    if protocol not in SECURE and certificate:
        raise Refused("ValidationError", f"A certificate cannot be specified for {protocol} listeners")


def _judge_rules() -> None:
    validate = ELBv2Backend._validate_conditions

    def _validate_conditions(self: Any, conditions: list[dict[str, Any]]) -> None:
        validate(self, conditions)
        counts = [sum(len(part["Values"]) for part in _parts(each)) for each in conditions]
        if max(counts, default=0) > VALUES_OF_A_CONDITION or sum(counts) > VALUES_OF_A_RULE:
            raise Refused("ValidationError", f"A rule can only have '{VALUES_OF_A_RULE}' condition values")

    replace(ELBv2Backend, "_validate_conditions", _validate_conditions)


def _parts(condition: dict[str, Any]) -> list[dict[str, Any]]:
    """Where a condition has its values: in itself in the older form, in its own block in the newer."""
    blocks = [each for each in condition.values() if isinstance(each, dict) and "Values" in each]
    return blocks or ([condition] if "Values" in condition else [])
