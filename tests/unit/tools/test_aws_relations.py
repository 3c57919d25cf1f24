"""What AWS refuses between attributes, between resources and inside of policies is found in the JSON."""

import copy
import json
from collections.abc import Callable
from typing import Any

import pytest

from settings.aws_policies import INLINE_POLICIES, SIZES, TRUST_POLICY
from tests.policy import aws, statements
from tests.policy.blocks import resources
from tests.unit.tools.conftest import LONGEST, Documents

Resources = dict[str, dict[str, dict[str, Any]]]
Change = Callable[[Resources], None]


def _judged(documents: Documents, change: Change) -> list[str]:
    changed: Any = copy.deepcopy(documents)
    change(changed[f"vet-{LONGEST}"]["resource"])
    return aws.judge(changed)


def _first(resources: Resources, type_: str, **wanted: Any) -> dict[str, Any]:
    """The first resource of a type with these values."""
    blocks = (
        block for block in resources[type_].values() if all(block.get(key) == value for key, value in wanted.items())
    )
    return next(blocks)


def _set(type_: str, wanted: dict[str, Any] | None = None, **values: Any) -> Change:
    return lambda resources: _first(resources, type_, **(wanted or {})).update(values)


def _without(type_: str, key: str, **wanted: Any) -> Change:
    def change(resources: Resources) -> None:
        del _first(resources, type_, **wanted)[key]

    return change


def _again(type_: str, **values: Any) -> Change:
    """The first resource of a type a second time, with some values changed."""

    def change(resources: Resources) -> None:
        resources[type_]["again"] = {**next(iter(resources[type_].values())), **values}

    return change


def _same(type_: str, key: str) -> Change:
    """The second resource of a type takes a value of the first."""

    def change(resources: Resources) -> None:
        first, second, *_ = resources[type_].values()
        second[key] = first[key]

    return change


def _many_rules(resources: Resources) -> None:
    rules = resources["aws_vpc_security_group_ingress_rule"]
    first = next(iter(rules.values()))
    for number in range(61):
        rules[f"more_{number}"] = {**first, "cidr_ipv4": f"203.0.{number}.0/24", "from_port": 22, "to_port": 22}
        rules[f"more_{number}"].pop("referenced_security_group_id", None)


def _many_policies(resources: Resources) -> None:
    role = f"${{aws_iam_role.{next(iter(resources['aws_iam_role']))}.name}}"
    attachments = resources.setdefault("aws_iam_role_policy_attachment", {})
    for number in range(11):
        attachments[f"more_{number}"] = {"role": role, "policy_arn": f"arn:aws:iam::aws:policy/More{number}"}


def _one_zone(resources: Resources) -> None:
    balancer = _first(resources, "aws_lb", load_balancer_type="application")
    balancer["subnets"] = balancer["subnets"][:1]


def _subnets_of_one_zone(resources: Resources) -> None:
    for subnet in resources["aws_subnet"].values():
        subnet["availability_zone"] = "us-east-1a"


def _alias_beside_cname(resources: Resources) -> None:
    record = _first(resources, "aws_route53_record", type="A")
    cname = {key: value for key, value in record.items() if key != "alias"}
    resources["aws_route53_record"]["cname"] = {**cname, "type": "CNAME", "records": ["a.example.com"], "ttl": 60}


def _wrong_hop(resources: Resources) -> None:
    _first(resources, "aws_vpc_security_group_ingress_rule", from_port=22).update(from_port=443, to_port=80)


INTERFACE, RULE, ALARM = "aws_network_interface", "aws_vpc_security_group_ingress_rule", "aws_cloudwatch_metric_alarm"
SCHEDULE, GROUP, LISTENER = "aws_scheduler_schedule", "aws_lb_target_group", "aws_lb_listener"

WRONG: dict[str, tuple[Change, str]] = {
    "two target groups of one name": (_same(GROUP, "name"), f"are one {GROUP}"),
    "two rules of one priority": (_same("aws_lb_listener_rule", "priority"), "are one aws_lb_listener_rule"),
    "four networks in a rule": (
        _set("aws_lb_listener_rule", condition=[{"source_ip": {"values": [f"192.0.2.{n}/32" for n in range(4)]}}]),
        "3 values at most",
    ),
    "two listeners on a port": (_again(LISTENER), f"are one {LISTENER}"),
    "two volumes as one device": (_again("aws_volume_attachment", volume_id="vol-1"), "instance_id, device_name"),
    "a volume at two servers": (_again("aws_volume_attachment", device_name="/dev/sdz"), "volume_id are the same"),
    "an address at two NAT gateways": (_again("aws_nat_gateway", subnet_id="subnet-1"), "are one aws_nat_gateway"),
    "two inline policies of one name": (_again("aws_iam_role_policy"), "are one aws_iam_role_policy"),
    "a rule with two sources": (
        _set(RULE, cidr_ipv4="203.0.113.0/24", referenced_security_group_id="${aws_security_group.nodes.id}"),
        "exactly one of",
    ),
    "sixty-one rules": (_many_rules, "at most 60"),
    "ports that run backwards": (_wrong_hop, "from the lower to the higher one"),
    "ports of all protocols": (_set("aws_vpc_security_group_egress_rule", from_port=0, to_port=0), "has no ports"),
    "a subnet outside of its VPC": (_set("aws_subnet", cidr_block="192.168.0.0/24"), "is not in the VPC's"),
    "a subnet twice": (_same("aws_subnet", "cidr_block"), "overlaps"),
    "an address outside of its subnet": (_set(INTERFACE, private_ips=["10.0.99.10"]), "is not in its subnet's"),
    "the address of the router": (_set(INTERFACE, private_ips=["10.0.10.1"]), "is one that AWS keeps"),
    "the last address": (_set(INTERFACE, private_ips=["10.0.10.255"]), "is one that AWS keeps"),
    "an address twice": (_again(INTERFACE), "'s already"),
    "eleven managed policies": (_many_policies, "at most 10 are allowed"),
    "a CNAME beside an alias": (_alias_beside_cname, "is a CNAME"),
    "an ALB in one subnet": (_one_zone, "subnets in two zones"),
    "two subnets of a zone": (_subnets_of_one_zone, "takes one subnet"),
    "HTTP at a network load balancer": (_set(LISTENER, {"protocol": "TCP"}, protocol="HTTP"), "speak TCP"),
    "HTTPS without certificate": (_without(LISTENER, "certificate_arn", protocol="HTTPS"), "needs certificate_arn"),
    "HTTPS without policy": (_without(LISTENER, "ssl_policy", protocol="HTTPS"), "needs ssl_policy"),
    "HTTP with a certificate": (_set(LISTENER, {"protocol": "HTTP"}, certificate_arn="${a.b.arn}"), "takes no cert"),
    "a check that outlasts its interval": (
        _set(GROUP, {"protocol": "HTTPS"}, health_check={"interval": 10, "timeout": 10}),
        "must be below the interval",
    ),
    "an alarm over more than a day": (_set(ALARM, period=600, evaluation_periods=200), "looks back 86400 s"),
    "more points than periods": (_set(ALARM, datapoints_to_alarm=9), "more than evaluation_periods"),
    "a group with more at least than at most": (_set("aws_autoscaling_group", min_size=5), "in that order"),
    "a schedule that wants more than the most": (
        _set("aws_autoscaling_schedule", min_size=1, desired_capacity=3, max_size=2),
        "in that order",
    ),
    "fifty-one tags": (_set("aws_vpc", tags={f"Tag{number}": "a" for number in range(51)}), "at most 50"),
    "five fields for the scheduler": (_set(SCHEDULE, schedule_expression="cron(0 7 ? * MON-FRI)"), "have six fields"),
    "two days for the scheduler": (_set(SCHEDULE, schedule_expression="cron(0 7 1 * MON *)"), "have a ?"),
    "hour 25 for the scheduler": (_set(SCHEDULE, schedule_expression="cron(0 25 ? * MON *)"), "hours that exists"),
    "Sunday as 0 for the scheduler": (_set(SCHEDULE, schedule_expression="cron(0 7 ? * 0 *)"), "week that exists"),
    "a rate of no hours": (_set(SCHEDULE, schedule_expression="rate(0 hours)"), "be a number and minutes"),
    "plain cron for the scheduler": (_set(SCHEDULE, schedule_expression="0 7 * * 1-5"), "be cron(...)"),
    "six fields for a group": (_set("aws_autoscaling_schedule", recurrence="0 7 ? * 1-5 *"), "have five fields"),
}


@pytest.mark.parametrize(("change", "words"), WRONG.values(), ids=WRONG.keys())
def test_what_aws_refuses_between_values_is_found(change: Change, words: str, changeable: Documents) -> None:
    lines = _judged(changeable, change)
    assert any(words in line for line in lines), f"no line says {words!r}:\n" + "\n".join(lines)


def _statement(change: Callable[[dict[str, Any]], None], type_: str = "aws_iam_role_policy") -> Change:
    """The first statement of a role's policy, or of the policy in its place, changed."""

    def changed(resources: Resources) -> None:
        key = "assume_role_policy" if type_ == "aws_iam_role" else "policy"
        block = next(iter(resources[type_].values()))
        document = json.loads(block[key])
        change(document["Statement"][0])
        block[key] = json.dumps(document)

    return changed


def _principal(**principal: Any) -> Change:
    return _statement(lambda statement: statement.update(Principal=principal), "aws_iam_role")


def _version(resources: Resources) -> None:
    block = next(iter(resources["aws_iam_role_policy"].values()))
    block["policy"] = block["policy"].replace(statements.VERSION, "2012-10-18")


WRONG_POLICIES: dict[str, tuple[Change, str]] = {
    "no JSON": (_set("aws_iam_role_policy", policy="{'Statement': []}"), "must be JSON"),
    "no statement": (_set("aws_iam_role_policy", policy="{}"), "list of statements"),
    "a version that is none": (_version, "must have the version 2012-10-17"),
    "a name with a blank": (_statement(lambda each: each.update(Sid="Read all")), "in letters and digits"),
    "an effect that is none": (_statement(lambda each: each.update(Effect="Permit")), "must allow or deny"),
    "nothing to do": (_statement(lambda each: each.pop("Action")), "Action or NotAction"),
    "nothing to do it to": (_statement(lambda each: each.pop("Resource")), "Resource or NotResource"),
    "a role that names who may have it": (
        _statement(lambda each: each.update(Principal="*")),
        "must have no Principal or NotPrincipal",
    ),
    "a bucket that names nobody": (
        _statement(lambda each: each.pop("Principal"), "aws_s3_bucket_policy"),
        "one of Principal or NotPrincipal",
    ),
    "trust with a resource": (
        _statement(lambda each: each.update(Resource="*"), "aws_iam_role"),
        "must have no Resource",
    ),
    "trust that does something else": (
        _statement(lambda each: each.update(Action="s3:GetObject"), "aws_iam_role"),
        "s3:GetObject does not",
    ),
    "a service that there is not": (_principal(Service="ec3.amazonaws.com"), "the service ec3.amazonaws.com"),
    "an account of eleven digits": (_principal(AWS="arn:aws:iam::12345678901:root"), "neither an account"),
    "a role of any name": (_principal(AWS="arn:aws:iam::123456789012:role/*"), "neither an account"),
    "a kind of principal that there is not": (_principal(Person="me"), "of the kind Person"),
    "a resource in an account of eleven digits": (
        _statement(lambda each: each.update(Resource="arn:aws:ssm:us-east-1:12345678901:parameter/a")),
        "accounts by 12 digits",
    ),
    "a resource in a region that there is not": (
        _statement(lambda each: each.update(Resource="arn:aws:ssm:us-east:123456789012:parameter/a")),
        "regions by their names",
    ),
}


@pytest.mark.parametrize(("change", "words"), WRONG_POLICIES.values(), ids=WRONG_POLICIES.keys())
def test_what_iam_refuses_of_a_document_is_found(change: Change, words: str, changeable: Documents) -> None:
    lines = _judged(changeable, change)
    assert any(words in line for line in lines), f"no line says {words!r}:\n" + "\n".join(lines)


def _large(type_: str, key: str, characters: int) -> Change:
    def change(resources: Resources) -> None:
        next(iter(resources[type_].values()))[key] = '{"Statement": "' + "x" * characters + '"}'

    return change


@pytest.mark.parametrize(
    ("type_", "key", "limit"),
    [
        ("aws_iam_role_policy", "policy", INLINE_POLICIES),
        ("aws_s3_bucket_policy", "policy", SIZES["aws_s3_bucket_policy.policy"]),
        ("aws_kms_key", "policy", SIZES["aws_kms_key.policy"]),
        ("aws_iam_role", "assume_role_policy", TRUST_POLICY),
    ],
)
def test_policies_have_room(type_: str, key: str, limit: int, changeable: Documents) -> None:
    sizes = {
        str(block): statements.policy_size(block.body[key]) for block in resources(changeable) if block.type == type_
    }
    largest = max(sizes, key=lambda name: sizes[name])
    assert sizes[largest] <= limit, f"{largest} has {sizes[largest]} characters of {limit}"
    too_large = _judged(changeable, _large(type_, key, limit))
    assert any(str(limit) in line for line in too_large), f"{type_}.{key} of more than {limit} characters was taken"
