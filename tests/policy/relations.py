"""What AWS demands between attributes and between resources: no model of a single value says it."""

import json
import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from ipaddress import IPv4Address, IPv4Network
from typing import Any

from settings import cron
from tests.policy.blocks import Block, known

RULES_IN_A_GROUP = 60
"""Inbound or outbound rules of one security group (Amazon VPC quotas)."""

POLICIES_OF_A_ROLE = 10
"""Managed policies attached to one role, before a quota is raised (IAM and STS quotas)."""

TAGS_OF_A_RESOURCE = 50
"""Those that a user sets (Amazon EC2 user guide: tag restrictions)."""

RESERVED_AT_THE_START, RESERVED_AT_THE_END = 4, 1
"""Addresses of a subnet that AWS keeps: network, router, DNS, future use; broadcast (Amazon VPC user guide: subnet sizing)."""

RULE = ("security_group_id", "ip_protocol", "from_port", "to_port", "cidr_ipv4", "referenced_security_group_id")

UNIQUE: dict[str, tuple[tuple[str, ...], ...]] = {
    "aws_autoscaling_group": (("name",),),
    "aws_autoscaling_lifecycle_hook": (("autoscaling_group_name", "name"),),
    "aws_autoscaling_schedule": (("autoscaling_group_name", "scheduled_action_name"),),
    "aws_budgets_budget": (("name",),),
    "aws_cloudwatch_log_group": (("name",),),
    "aws_cloudwatch_metric_alarm": (("alarm_name",),),
    "aws_ecr_repository": (("name",),),
    "aws_iam_instance_profile": (("name",),),
    "aws_iam_openid_connect_provider": (("url",),),
    "aws_iam_policy": (("name",),),
    "aws_iam_role": (("name",),),
    "aws_iam_role_policy": (("role", "name"),),
    "aws_cloudwatch_event_rule": (("name",),),
    "aws_cloudwatch_event_target": (("rule", "target_id"),),
    "aws_iam_role_policy_attachment": (("role", "policy_arn"),),
    "aws_key_pair": (("key_name",),),
    "aws_kms_alias": (("name",),),
    "aws_launch_template": (("name",),),
    "aws_lb": (("name",),),
    "aws_lb_listener": (("load_balancer_arn", "port"),),
    "aws_lb_listener_rule": (("listener_arn", "priority"),),
    "aws_lb_target_group": (("name",),),
    "aws_lb_target_group_attachment": (("target_group_arn", "target_id", "port"),),
    "aws_nat_gateway": (("allocation_id",),),
    "aws_route": (("route_table_id", "destination_cidr_block"),),
    "aws_route53_record": (("zone_id", "name", "type"),),
    "aws_route_table_association": (("subnet_id",),),
    "aws_s3_bucket": (("bucket",),),
    "aws_s3_bucket_policy": (("bucket",),),
    "aws_scheduler_schedule": (("name",),),
    "aws_secretsmanager_secret": (("name",),),
    "aws_security_group": (("name", "vpc_id"),),
    "aws_sns_topic": (("name",),),
    "aws_sqs_queue": (("name",),),
    "aws_sqs_queue_policy": (("queue_url",),),
    "aws_ssm_document": (("name",),),
    "aws_ssm_parameter": (("name",),),
    "aws_subnet": (("vpc_id", "cidr_block"),),
    "aws_volume_attachment": (("instance_id", "device_name"), ("volume_id",)),
    "aws_vpc_security_group_egress_rule": (RULE,),
    "aws_vpc_security_group_ingress_rule": (RULE,),
}
"""What identifies a resource in AWS: a second one with the same values is refused."""

SOURCES = ("cidr_ipv4", "cidr_ipv6", "prefix_list_id", "referenced_security_group_id")

EXCLUSIVE: dict[str, tuple[str, ...]] = {
    "aws_vpc_security_group_ingress_rule": SOURCES,
    "aws_vpc_security_group_egress_rule": SOURCES,
    "aws_route": ("gateway_id", "nat_gateway_id", "vpc_endpoint_id", "transit_gateway_id"),
    "aws_route53_record": ("records", "alias"),
    "aws_launch_template": ("user_data", "user_data_base64"),
}
"""Attributes of which exactly one is given (``user_data`` may be left out as well)."""

PROTOCOLS = {"application": ("HTTP", "HTTPS"), "network": ("TCP", "TLS", "UDP", "TCP_UDP")}
"""What listeners of each kind of load balancer speak (Elastic Load Balancing API: CreateListener)."""

ENCRYPTED = ("HTTPS", "TLS")

Blocks = Sequence[Block]


def wrong(blocks: Blocks) -> Iterator[str]:
    """What AWS would refuse, a line each."""
    for rule in (_doubles, _rules_in_groups, _subnets, _addresses, _attached_policies, _records, _balancers):
        yield from rule(blocks)
    for block in blocks:
        for each in JUDGES:
            yield from (f"{block}: {line}" for line in each(block))


def _of(blocks: Blocks, type_: str) -> list[Block]:
    return [block for block in blocks if block.type == type_]


def _doubles(blocks: Blocks) -> Iterator[str]:
    seen: dict[tuple[Any, ...], Block] = {}
    for block in blocks:
        for keys in () if block.repeated else UNIQUE.get(block.type, ()):
            values = [json.dumps(block.body.get(key)) for key in keys]
            if values == ["null"]:
                continue
            scope = block.stack if any("${" in value for value in values) else ""
            identity = (scope, block.type, keys, block.body.get("provider"), *values)
            if identity in seen:
                yield f"{block} and {seen[identity]} are one {block.type} to AWS: {', '.join(keys)} are the same"
            seen.setdefault(identity, block)


def _exclusive(block: Block) -> Iterator[str]:
    keys = EXCLUSIVE.get(block.type, ())
    given = [key for key in keys if block.body.get(key) is not None]
    if keys and len(given) != 1 and not (block.type == "aws_launch_template" and not given):
        yield f"exactly one of {', '.join(keys)} must be given; there are {given}"


def _rules_in_groups(blocks: Blocks) -> Iterator[str]:
    counts: dict[tuple[str, str, str], int] = defaultdict(int)
    for block in blocks:
        if block.type.startswith("aws_vpc_security_group_"):
            counts[block.stack, block.type, str(block.body["security_group_id"])] += 1
    for (stack, type_, group), count in counts.items():
        if count > RULES_IN_A_GROUP:
            yield f"{stack}: {group} has {count} of {type_}; a security group has at most {RULES_IN_A_GROUP} (Amazon VPC quotas)"


def _ports(block: Block) -> Iterator[str]:
    """A rule's ports run upwards, and a rule for all protocols has none (EC2 API: IpPermission)."""
    if not block.type.startswith("aws_vpc_security_group_"):
        return
    first, last, protocol = (block.body.get(key) for key in ("from_port", "to_port", "ip_protocol"))
    if protocol == "-1":
        if (first, last) != (None, None):
            yield f"a rule for all protocols has no ports; this one has {first} to {last}"
    elif first is None or last is None or first > last:
        yield f"ports must run from the lower to the higher one; they are {first} to {last}"


def _subnets(blocks: Blocks) -> Iterator[str]:
    """Subnets lie in their VPC and apart from each other (EC2 API: CreateSubnet)."""
    ranges = {(vpc.stack, vpc.reference): IPv4Network(vpc.body["cidr_block"]) for vpc in _of(blocks, "aws_vpc")}
    taken: dict[tuple[str, str], list[tuple[Block, IPv4Network]]] = defaultdict(list)
    for subnet in _of(blocks, "aws_subnet"):
        network, vpc = IPv4Network(subnet.body["cidr_block"]), (subnet.stack, subnet.body["vpc_id"])
        if vpc in ranges and not network.subnet_of(ranges[vpc]):
            yield f"{subnet}: {network} is not in the VPC's {ranges[vpc]}"
        for other, theirs in taken[vpc]:
            if network.overlaps(theirs):
                yield f"{subnet}: {network} overlaps {other}'s {theirs}"
        taken[vpc].append((subnet, network))


def _addresses(blocks: Blocks) -> Iterator[str]:
    """Fixed addresses lie in their subnet, are not AWS's own, and are given once (EC2 API: CreateNetworkInterface)."""
    subnets = {(each.stack, each.reference): IPv4Network(each.body["cidr_block"]) for each in _of(blocks, "aws_subnet")}
    taken: dict[tuple[str, str, str], Block] = {}
    for block in _of(blocks, "aws_network_interface"):
        network = subnets.get((block.stack, block.body.get("subnet_id", "")))
        for text in filter(known, block.body.get("private_ips", ())):
            yield from _address(block, text, network)
            place = (block.stack, str(block.body.get("subnet_id")), text)
            if place in taken:
                yield f"{block}: {text} is {taken[place]}'s already"
            taken.setdefault(place, block)


def _address(block: Block, text: str, network: IPv4Network | None) -> Iterator[str]:
    if network is None:
        return
    address = IPv4Address(text)
    place = int(address) - int(network.network_address)
    if address not in network:
        yield f"{block}: {address} is not in its subnet's {network}"
    elif place < RESERVED_AT_THE_START or place >= network.num_addresses - RESERVED_AT_THE_END:
        yield f"{block}: {address} is one that AWS keeps in {network}: the first {RESERVED_AT_THE_START} and the last"


def _attached_policies(blocks: Blocks) -> Iterator[str]:
    counts: dict[tuple[str, str], int] = defaultdict(int)
    for block in _of(blocks, "aws_iam_role_policy_attachment"):
        counts[block.stack, str(block.body["role"])] += 1
    for (stack, role), count in counts.items():
        if count > POLICIES_OF_A_ROLE:
            yield f"{stack}: {role} has {count} managed policies; at most {POLICIES_OF_A_ROLE} are allowed (IAM and STS quotas)"


def _records(blocks: Blocks) -> Iterator[str]:
    """A CNAME has its name for itself (RFC 1034, 3.6.2; Route 53 API: ChangeResourceRecordSets)."""
    types: dict[str, dict[str, Block]] = defaultdict(dict)
    for block in _of(blocks, "aws_route53_record"):
        name, type_ = block.body.get("name"), block.body.get("type")
        if known(name) and known(type_):
            types[str(name).rstrip(".")].setdefault(str(type_), block)
    for name, records in types.items():
        if "CNAME" in records and len(records) > 1:
            yield f"{records['CNAME']}: {name} is a CNAME, beside which it may be nothing else; it is also {sorted(set(records) - {'CNAME'})}"


def _balancers(blocks: Blocks) -> Iterator[str]:
    """An application load balancer has subnets in two zones, and listeners of its kind (Elastic Load Balancing API)."""
    zones = {
        (subnet.stack, subnet.reference): subnet.body.get("availability_zone") for subnet in _of(blocks, "aws_subnet")
    }
    kinds: dict[tuple[str, str], str] = {}
    for block in _of(blocks, "aws_lb"):
        kind = block.body.get("load_balancer_type", "application")
        kinds[block.stack, f"${{aws_lb.{block.name}.arn}}"] = kind
        reached = [zones.get((block.stack, subnet), subnet) for subnet in block.body.get("subnets", ())]
        if len(reached) != len(set(reached)):
            yield f"{block}: a zone takes one subnet of a load balancer; its subnets are in {reached}"
        if kind == "application" and len(set(reached)) < 2:
            yield f"{block}: an application load balancer must have subnets in two zones; it has {len(set(reached))}"
    for block in _of(blocks, "aws_lb_listener"):
        kind = kinds.get((block.stack, block.body["load_balancer_arn"]), "")
        if kind in PROTOCOLS and block.body["protocol"] not in PROTOCOLS[kind]:
            yield f"{block}: listeners of {kind} load balancers speak {', '.join(PROTOCOLS[kind])}, not {block.body['protocol']}"


def _listener(block: Block) -> Iterator[str]:
    """A listener that encrypts has a certificate and a policy, and no other has (Elastic Load Balancing API: CreateListener)."""
    if block.type != "aws_lb_listener":
        return
    encrypts = block.body["protocol"] in ENCRYPTED
    for key in ("certificate_arn", "ssl_policy"):
        if encrypts != (block.body.get(key) is not None):
            yield f"{block.body['protocol']} {'needs' if encrypts else 'takes no'} {key}"


VALUES_OF_A_CONDITION, VALUES_OF_A_RULE = 3, 5
"""AWS: condition types for listener rules; quotas for your Application Load Balancers."""


def _conditions(block: Block) -> Iterator[str]:
    if block.type != "aws_lb_listener_rule":
        return
    counts = [len(inner["values"]) for condition in block.body["condition"] for inner in condition.values()]
    if max(counts) > VALUES_OF_A_CONDITION or sum(counts) > VALUES_OF_A_RULE:
        yield f"a condition has {VALUES_OF_A_CONDITION} values at most and a rule {VALUES_OF_A_RULE}; its conditions have {counts}"


def _health_check(block: Block) -> Iterator[str]:
    """The answer is due before the next question (Elastic Load Balancing API: CreateTargetGroup)."""
    if block.type != "aws_lb_target_group":
        return
    check: Mapping[str, Any] = block.body.get("health_check", {})
    interval, timeout = check.get("interval", 30), check.get("timeout")
    strictly = block.body["protocol"] in ("HTTP", "HTTPS")
    late = timeout is not None and (timeout > interval or (strictly and timeout == interval))
    if late:
        yield f"health_check.timeout of {timeout} s must be below the interval of {interval} s"


def _window(block: Block) -> Iterator[str]:
    """Periods of an alarm cover a day, or a week where one is an hour or more (CloudWatch API: PutMetricAlarm)."""
    if block.type != "aws_cloudwatch_metric_alarm":
        return
    period, times = block.body.get("period", 60), block.body["evaluation_periods"]
    most = 604_800 if period >= 3600 else 86_400
    if period * times > most:
        yield f"{times} periods of {period} s are {period * times} s; an alarm looks back {most} s at most"
    if block.body.get("datapoints_to_alarm", 1) > times:
        yield f"datapoints_to_alarm of {block.body['datapoints_to_alarm']} is more than evaluation_periods, {times}"


def _sizes_of_a_group(block: Block) -> Iterator[str]:
    """Least, wanted and most machines are in that order (EC2 Auto Scaling API: CreateAutoScalingGroup); -1 leaves one as it is."""
    if block.type not in ("aws_autoscaling_group", "aws_autoscaling_schedule"):
        return
    given = {key: block.body.get(key) for key in ("min_size", "desired_capacity", "max_size")}
    numbers = [value for value in given.values() if isinstance(value, int) and value >= 0]
    if numbers != sorted(numbers):
        yield f"min_size, desired_capacity and max_size must be in that order; they are {list(given.values())}"


def _tags(block: Block) -> Iterator[str]:
    tags = block.body.get("tags") or {}
    count = len(tags) if isinstance(tags, Mapping) else 0
    if max(count, len(block.body.get("tag", ()))) > TAGS_OF_A_RESOURCE:
        yield f"has {max(count, len(block.body.get('tag', ())))} tags; at most {TAGS_OF_A_RESOURCE} are allowed"


def _schedule(block: Block) -> Iterator[str]:
    """Six fields for EventBridge Scheduler, five for Auto Scaling, each as the service reads them."""
    expression = block.body.get("schedule_expression")
    if block.type == "aws_scheduler_schedule" and known(expression):
        yield from (f"schedule_expression {expression!r} must {rule}" for rule in _scheduler(str(expression)))
    recurrence = block.body.get("recurrence")
    if block.type == "aws_autoscaling_schedule" and known(recurrence):
        try:
            cron.parse(str(recurrence)).longest_gap()
        except cron.CronError as error:
            yield f"recurrence {recurrence!r} must {error}"


JUDGES = (
    *(_exclusive, _ports, _health_check, _window, _sizes_of_a_group),
    *(_tags, _schedule, _listener, _conditions),
)
"""What is looked at in each block by itself."""

DAYS = "|".join(("SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"))
MONTHS = "JAN|FEB|MAR|APR|MAY|JUN|JUL|AUG|SEP|OCT|NOV|DEC"


def _field(low: int, high: int, names: str = "", special: str = "") -> re.Pattern[str]:
    value = "|".join(filter(None, ["|".join(str(number) for number in range(high, low - 1, -1)), names]))
    one = rf"(?:(?:\*|0?(?:{value}))(?:-0?(?:{value}))?(?:/[1-9]\d*)?)"
    return re.compile(rf"{one}(?:,{one})*{special}")


SCHEDULER_FIELDS = (
    ("minutes", _field(0, 59)),
    ("hours", _field(0, 23)),
    ("day of the month", _field(1, 31, special=r"|\?|L|[1-9]\d?W")),
    ("month", _field(1, 12, MONTHS)),
    ("day of the week", _field(1, 7, DAYS, rf"|\?|(?:[1-7]|{DAYS})?L|(?:[1-7]|{DAYS})#[1-5]")),
    ("year", _field(1970, 2199)),
)
"""EventBridge Scheduler user guide: cron-based schedules."""


def _scheduler(expression: str) -> Iterator[str]:
    """Rules that an expression breaks, in words that follow "must"."""
    form = re.fullmatch(r"(cron|rate|at)\((.*)\)", expression)
    if not form:
        yield "be cron(...), rate(...) or at(...)"
    elif form[1] == "rate" and not re.fullmatch(r"[1-9]\d* (minute|hour|day)s?", form[2]):
        yield "be a number and minutes, hours or days"
    elif form[1] == "cron":
        fields = form[2].split()
        if len(fields) != len(SCHEDULER_FIELDS):
            yield f"have six fields, the last is the year; it has {len(fields)}"
            return
        for text, (name, pattern) in zip(fields, SCHEDULER_FIELDS, strict=True):
            if not pattern.fullmatch(text):
                yield f"have a {name} that exists: {text}"
        if (fields[2] == "?") == (fields[4] == "?"):
            yield "have a ? for the day of the month or of the week, and only there"
