"""What a stack costs a month, reckoned from its synthesised JSON.

Quantities are read from what Terraform gets; prices are in ``settings/prices.yaml``; use (traffic, hours) is what the environment's ``cost``
settings assume. A type of resource is either priced in ``PRICED`` or named in ``FREE``; any other is reported, never left out in silence.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from operations.document import Document, Resource
from settings.cost import CostAssumptions
from settings.environment import Environment
from settings.prices import Prices

FREE = {
    "aws_acm_certificate", "aws_acm_certificate_validation", "aws_autoscaling_lifecycle_hook", "aws_autoscaling_schedule", "aws_cloudwatch_event_rule",
    "aws_cloudwatch_event_target", "aws_default_security_group", "aws_dlm_lifecycle_policy", "aws_ecr_lifecycle_policy",
    "aws_flow_log", "aws_iam_instance_profile", "aws_iam_openid_connect_provider", "aws_iam_policy", "aws_iam_role",
    "aws_iam_role_policy", "aws_iam_role_policy_attachment", "aws_internet_gateway", "aws_key_pair", "aws_kms_alias",
    "aws_launch_template", "aws_lb_listener", "aws_lb_listener_certificate", "aws_lb_listener_rule", "aws_lb_target_group",
    "aws_lb_target_group_attachment", "aws_network_interface", "aws_route", "aws_route53_record", "aws_route_table",
    "aws_route_table_association", "aws_s3_bucket_lifecycle_configuration", "aws_s3_bucket_ownership_controls",
    "aws_s3_bucket_policy", "aws_s3_bucket_public_access_block", "aws_s3_bucket_replication_configuration",
    "aws_s3_bucket_server_side_encryption_configuration", "aws_s3_bucket_versioning", "aws_s3_object",
    "aws_s3_bucket_logging", "aws_scheduler_schedule", "aws_scheduler_schedule_group", "aws_secretsmanager_secret_policy",
    "aws_security_group", "aws_sns_topic", "aws_sns_topic_policy", "aws_sns_topic_subscription", "aws_ssm_association",
    "aws_ssm_document", "aws_ssm_parameter", "aws_subnet", "aws_volume_attachment", "aws_vpc", "aws_vpc_endpoint",
    "aws_vpc_security_group_egress_rule", "aws_vpc_security_group_ingress_rule",
}  # fmt: skip
"""Types that AWS does not charge for by themselves. The VPC endpoint is S3's gateway; parameters are of the standard tier; schedules,
notifications and snapshot policies stay below a cent at this size. What they cause (snapshots, copies) is priced where it is kept."""

GIB = {"Ki": 2**-20, "Mi": 2**-10, "Gi": 1, "Ti": 2**10}
"""GiB in Kubernetes' units of storage."""

WEEKS = 52 / 12
"""Weeks in a month."""


@dataclass(frozen=True)
class Line:
    """One charge."""

    group: str
    """Heading of the table, such as ``servers``."""

    what: str
    """The resource by its path, or what the charge is for."""

    quantity: float
    unit: str
    price: float
    """USD per unit."""

    @property
    def monthly(self) -> float:
        """USD a month."""
        return self.quantity * self.price


@dataclass(frozen=True)
class Fleet:
    """Instances of one kind, for the savings: what they are charged by the hour."""

    group: str
    line: Line
    spot: bool


@dataclass
class Estimate:
    """What a stack costs."""

    stack: str
    lines: list[Line] = field(default_factory=list)
    fleets: list[Fleet] = field(default_factory=list)
    unknown: list[str] = field(default_factory=list)
    """Types of resources that have no price here."""

    @property
    def total(self) -> float:
        """USD a month."""
        return sum(line.monthly for line in self.lines)

    def by_group(self) -> dict[str, float]:
        """USD a month under each heading, dearest first."""
        sums: dict[str, float] = {}
        for line in self.lines:
            sums[line.group] = sums.get(line.group, 0) + line.monthly
        return dict(sorted(sums.items(), key=lambda item: -item[1]))


@dataclass(frozen=True)
class Reckoning:
    """One run over a document."""

    document: Document
    prices: Prices
    use: CostAssumptions

    def instance(self, resource: Resource) -> Iterator[Line]:
        group = "servers" if resource.path.startswith("servers/") else "jump host"
        yield from self._machines(group, resource, resource.get("instance_type"), 1, resource.get("monitoring"))
        if root := resource.get("root_block_device"):
            yield self._volume(f"{resource.path}, root", root["volume_size"], root["volume_type"])
        if resource.get("associate_public_ip_address"):
            yield Line("public addresses", resource.path, self.use.hours, "h", self.prices.public_ipv4_hour)

    def agents(self, resource: Resource) -> Iterator[Line]:
        template, count = (
            launch_template(self.document, resource),
            resource.get("desired_capacity") or resource.get("min_size"),
        )
        if count:
            monitored = template.get("monitoring", {}).get("enabled")
            yield from self._machines("agents", resource, instance_type(self.document, resource), count, monitored)
            for mapping in template.get("block_device_mappings", []):
                disk = mapping["ebs"]
                yield self._volume(f"{resource.path}, root", disk["volume_size"] * count, disk["volume_type"])

    def volume(self, resource: Resource) -> Iterator[Line]:
        yield self._volume(resource.path, resource.get("size"), resource.get("type"))

    def nat_gateway(self, resource: Resource) -> Iterator[Line]:
        yield Line("NAT", resource.path, self.use.hours, "h", self.prices.nat_gateway_hour)
        yield Line("NAT", f"{resource.path}, traffic", self.use.nat_gb, "GB", self.prices.nat_gateway_gb)

    def address(self, resource: Resource) -> Iterator[Line]:
        yield Line("public addresses", resource.path, self.use.hours, "h", self.prices.public_ipv4_hour)

    def load_balancer(self, resource: Resource) -> Iterator[Line]:
        kind, path, hours = resource.get("load_balancer_type"), resource.path, self.use.hours
        units = self.use.alb_units if kind == "application" else self.use.nlb_units
        yield Line("load balancers", path, hours, "h", self.prices.load_balancer_hour[kind])
        yield Line(
            "load balancers", f"{path}, capacity units", units * hours, "unit h", self.prices.capacity_unit_hour[kind]
        )
        if not resource.get("internal"):
            zones = len(resource.get("subnets"))
            yield Line("public addresses", f"{path}, {zones} zones", zones * hours, "h", self.prices.public_ipv4_hour)

    def key(self, resource: Resource) -> Iterator[Line]:
        yield Line("keys and secrets", resource.path, 1, "key", self.prices.key_month)

    def secret(self, resource: Resource) -> Iterator[Line]:
        yield Line("keys and secrets", resource.path, 1, "secret", self.prices.secret_month)

    def bucket(self, resource: Resource) -> Iterator[Line]:
        yield Line("storage", resource.path, self.use.bucket_gb, "GB", self.prices.bucket_gb_month)

    def registry(self, resource: Resource) -> Iterator[Line]:
        yield Line("storage", resource.path, self.use.image_gb, "GB", self.prices.image_gb_month)

    def zone(self, resource: Resource) -> Iterator[Line]:
        yield Line("DNS", resource.path, 1, "zone", self.prices.zone_month)

    def logs(self, resource: Resource) -> Iterator[Line]:
        yield Line("monitoring", resource.path, self.use.log_gb, "GB", self.prices.log_gb)

    def alarm(self, resource: Resource) -> Iterator[Line]:
        yield Line("monitoring", resource.path, 1, "alarm", self.prices.alarm_month)

    def budget_action(self, resource: Resource) -> Iterator[Line]:
        yield Line("monitoring", resource.path, 30, "day", self.prices.budget_action_day)

    def nothing(self, resource: Resource) -> Iterator[Line]:
        yield Line("monitoring", resource.path, 1, "budget that notifies", 0)

    def traffic(self) -> Iterator[Line]:
        """What no single resource is charged for."""
        if zones := len({each.get("availability_zone") for each in self.document.all("aws_subnet")}):
            yield Line("traffic", "out to the internet", self.use.internet_gb, "GB", self.prices.internet_gb)
            yield Line("traffic", "between zones", self.use.cross_zone_gb * zones, "GB", self.prices.cross_zone_gb)
        yield from self._snapshots()

    def _snapshots(self) -> Iterator[Line]:
        if self.document.all("aws_dlm_lifecycle_policy"):
            size = sum(each.get("size") for each in self.document.all("aws_ebs_volume"))
            held = size * self.use.snapshot_share / 100
            yield Line("storage", "snapshots of volumes", held, "GiB", self.prices.snapshot_gib_month)

    def _machines(
        self, group: str, resource: Resource, instance_type: str, count: int, monitored: bool | None
    ) -> Iterator[Line]:
        spot, what = self.is_spot(resource), f"{resource.path}, {count} × {instance_type}"
        price = self.prices.instance_hour(instance_type) * (1 - self.use.spot_discount / 100 if spot else 1)
        yield Line(group, f"{what}{' Spot' if spot else ''}", self._hours() * count, "h", price)
        if instance_type.startswith("t3"):
            surplus = self.use.surplus_vcpu_hours * count
            yield Line(group, f"{resource.path}, above baseline", surplus, "vCPU h", self.prices.surplus_vcpu_hour)
        if monitored:
            price = self.prices.detailed_monitoring_instance
            yield Line("monitoring", f"{resource.path}, metrics each minute", count, "node", price)

    def _volume(self, what: str, size: float, kind: str) -> Line:
        return Line("volumes", f"{what}, {kind}", size, "GiB", self.prices.volume_gib_month[kind])

    def is_spot(self, resource: Resource) -> bool:
        """Whether the instances may be taken back by AWS."""
        if resource.type != "aws_autoscaling_group":
            return bool(resource.get("instance_market_options"))
        policy = resource.get("mixed_instances_policy")
        if policy:
            share = policy.get("instances_distribution", {}).get("on_demand_percentage_above_base_capacity", 100)
            return int(share) == 0
        return bool(launch_template(self.document, resource).get("instance_market_options"))

    def _hours(self) -> float:
        """Hours that the nodes run: fewer where the stack itself stops them on a schedule."""
        stops = any("stop" in each.path for each in self.document.all("aws_scheduler_schedule"))
        return min(self.use.hours, self.use.working_hours * WEEKS) if stops else self.use.hours


def launch_template(document: Document, group: Resource) -> Resource:
    """The template from which an auto-scaling group starts its instances."""
    policy = group.get("mixed_instances_policy")
    if policy is None:
        return document.follow(group.get("launch_template")["id"])
    specification = policy["launch_template"]["launch_template_specification"]
    return document.follow(specification["launch_template_id"])


def instance_type(document: Document, group: Resource) -> str:
    """The type of a group's instances; the first one where the group may choose."""
    policy = group.get("mixed_instances_policy") or {}
    overrides = policy.get("launch_template", {}).get("override") or [{}]
    kind: str = launch_template(document, group).get("instance_type") or overrides[0]["instance_type"]
    return kind


PRICED: dict[str, Callable[[Reckoning, Resource], Iterator[Line]]] = {
    "aws_autoscaling_group": Reckoning.agents,
    "aws_budgets_budget": Reckoning.nothing,
    "aws_budgets_budget_action": Reckoning.budget_action,
    "aws_cloudwatch_log_group": Reckoning.logs,
    "aws_cloudwatch_metric_alarm": Reckoning.alarm,
    "aws_ebs_volume": Reckoning.volume,
    "aws_ecr_repository": Reckoning.registry,
    "aws_eip": Reckoning.address,
    "aws_instance": Reckoning.instance,
    "aws_kms_key": Reckoning.key,
    "aws_lb": Reckoning.load_balancer,
    "aws_nat_gateway": Reckoning.nat_gateway,
    "aws_route53_zone": Reckoning.zone,
    "aws_s3_bucket": Reckoning.bucket,
    "aws_secretsmanager_secret": Reckoning.secret,
}
"""What is charged for each type."""


def estimate(document: Document, prices: Prices, use: CostAssumptions) -> Estimate:
    """What a stack costs a month.

    Raises:
        KeyError: an instance type has no price; the text says where to add it.
    """
    run, found = Reckoning(document, prices, use), Estimate(document.stack)
    for resource in document.everything():
        if price := PRICED.get(resource.type):
            _add(found, run, resource, list(price(run, resource)))
        elif resource.type not in FREE and resource.type not in found.unknown:
            found.unknown.append(resource.type)
    found.lines.extend(run.traffic())
    return found


def environment_estimate(
    environment: Environment, prices: Prices, use: CostAssumptions, document: Document
) -> Estimate:
    """What an environment costs a month: its infrastructure, and the database's volumes, which the cluster makes in AWS.

    :param document: the environment's infrastructure stack.

    Raises:
        KeyError: an instance type has no price; the text says where to add it.
    """
    if environment.schedule.enabled:
        use = use.model_copy(update={"working_hours": environment.schedule.weekly_hours})
    found = estimate(document, prices, use)
    application = environment.application
    size = float(application.volume[:-2]) * GIB[application.volume[-2:]] * application.database_instances
    what = f"database, {application.database_instances} × {application.volume}, gp3 (made by the cluster)"
    found.lines.append(Line("volumes", what, size, "GiB", prices.volume_gib_month["gp3"]))
    return found


def _add(found: Estimate, run: Reckoning, resource: Resource, lines: list[Line]) -> None:
    found.lines.extend(lines)
    if resource.type in ("aws_instance", "aws_autoscaling_group") and lines:
        found.fleets.append(Fleet(lines[0].group, lines[0], run.is_spot(resource)))


def can_stop(environment: Environment) -> bool:
    """Whether an environment may be stopped at night, and is not yet."""
    return not environment.protect and not environment.schedule.enabled


@dataclass(frozen=True)
class Saving:
    """A way to pay less, and what it brings for one stack."""

    way: str
    monthly: float
    """USD saved a month."""

    note: str


def savings(found: Estimate, use: CostAssumptions, *, can_stop: bool) -> list[Saving]:
    """What Spot agents, a schedule and a reservation would each save, by themselves.

    :param can_stop: the environment may be stopped at night, and is not yet.
    """
    agents = sum(fleet.line.monthly for fleet in found.fleets if fleet.group == "agents" and not fleet.spot)
    nodes = sum(fleet.line.monthly for fleet in found.fleets if not fleet.spot)
    ways = [
        Saving("Spot agents", agents * use.spot_discount / 100, f"{use.spot_discount:g} % off; AWS may take them back"),
        Saving(
            "reserve the nodes",
            nodes * use.reserved_discount / 100,
            f"{use.reserved_discount:g} % off for a commitment of one year",
        ),
    ]
    if can_stop:
        off = 1 - use.working_hours * WEEKS / use.hours
        every = sum(fleet.line.monthly for fleet in found.fleets)
        ways.append(Saving("stop at night", every * max(0, off), f"nodes run {use.working_hours:g} hours a week"))
    return ways
