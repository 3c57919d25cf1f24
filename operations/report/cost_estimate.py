"""What a stack costs a month, calculated from its synthesised JSON.

Quantities are read from what Terraform gets; prices are in ``settings/prices.yaml``; use (traffic, hours) is what the environment's ``cost``
settings assume. A type of resource is either priced in ``PRICED`` or named in ``FREE``; any other is reported, never left out in silence.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from operations.report.instances import instance_type, is_spot, launch_template
from operations.shared.stack_json import Document, Resource
from settings.cost import CostAssumptions
from settings.environment import Environment
from settings.prices import Prices
from settings.quantities import GI, size

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
    "aws_security_group", "aws_sqs_queue", "aws_sqs_queue_policy", "aws_sns_topic", "aws_sns_topic_policy", "aws_sns_topic_subscription", "aws_ssm_association",
    "aws_ssm_document", "aws_ssm_parameter", "aws_subnet", "aws_volume_attachment", "aws_vpc",
    "aws_vpc_security_group_egress_rule", "aws_vpc_security_group_ingress_rule",
}  # fmt: skip
"""Types that AWS does not charge for by themselves. Parameters are of the standard tier; schedules,
notifications and snapshot policies stay below a cent at this size. What they cause (snapshots, copies) is priced where it is kept."""

IMAGE_GIB = 8
"""Size of a root volume that says none: that of Ubuntu's image (the jump host)."""

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
class InstanceGroup:
    """Instances of one kind, for the savings: what they are charged by the hour."""

    group: str
    line: Line
    spot: bool


@dataclass
class Estimate:
    """What a stack costs."""

    stack: str
    lines: list[Line] = field(default_factory=list)
    instance_groups: list[InstanceGroup] = field(default_factory=list)
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
class CostCalculator:
    """One run over a document."""

    document: Document
    prices: Prices
    use: CostAssumptions

    def instance(self, resource: Resource) -> Iterator[Line]:
        group = "servers" if resource.path.startswith("servers/") else "jump host"
        yield from self._machines(group, resource, resource.get("instance_type"), 1, resource.get("monitoring"))
        if root := resource.get("root_block_device"):
            yield self._volume(f"{resource.path}, root", root.get("volume_size", IMAGE_GIB), root["volume_type"])
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
            for number, mapping in enumerate(template.get("block_device_mappings", [])):
                disk, what = mapping["ebs"], mapping["device_name"] if number else "root"
                yield self._volume(f"{resource.path}, {what}", disk["volume_size"] * count, disk["volume_type"])

    def volume(self, resource: Resource) -> Iterator[Line]:
        yield self._volume(resource.path, resource.get("size"), resource.get("type"))

    def nat_gateway(self, resource: Resource) -> Iterator[Line]:
        yield Line("NAT", resource.path, self.use.hours, "h", self.prices.nat_gateway_hour)
        yield Line("NAT", f"{resource.path}, traffic", self.use.nat_gb, "GB", self.prices.nat_gateway_gb)

    def endpoint(self, resource: Resource) -> Iterator[Line]:
        if resource.get("vpc_endpoint_type") == "Gateway":
            yield Line("endpoints", f"{resource.path}, gateway", 1, "endpoint", 0)
            return
        zones = len(resource.get("subnet_ids"))
        yield Line(
            "endpoints", f"{resource.path}, {zones} zones", zones * self.use.hours, "h", self.prices.endpoint_zone_hour
        )
        yield Line("endpoints", f"{resource.path}, traffic", self.use.endpoint_gb, "GB", self.prices.endpoint_gb)

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

    def dashboard(self, resource: Resource) -> Iterator[Line]:
        yield Line("monitoring", resource.path, 1, "dashboard", self.prices.dashboard_month)

    def budget_action(self, resource: Resource) -> Iterator[Line]:
        yield Line("monitoring", resource.path, 30, "day", self.prices.budget_action_day)

    def free(self, resource: Resource) -> Iterator[Line]:
        yield Line("monitoring", resource.path, 1, "budget that notifies", 0)

    def traffic(self) -> Iterator[Line]:
        """What no single resource is charged for."""
        groups = self.document.all("aws_autoscaling_group")
        if zones := len({subnet for each in groups for subnet in each.get("vpc_zone_identifier")}):
            yield Line("traffic", "out to the internet", self.use.internet_gb, "GB", self.prices.internet_gb)
            yield Line("traffic", "between zones", self.use.cross_zone_gb * zones, "GB", self.prices.cross_zone_gb)
        yield from self._snapshots()

    def _snapshots(self) -> Iterator[Line]:
        if self.document.all("aws_dlm_lifecycle_policy"):
            size = sum(each.get("size") for each in self.document.all("aws_ebs_volume"))
            held = size * self.use.snapshot_share / 100
            yield Line("storage", "snapshots of the servers' volumes", held, "GiB", self.prices.snapshot_gib_month)

    def _machines(
        self, group: str, resource: Resource, instance_type: str, count: int, monitored: bool | None
    ) -> Iterator[Line]:
        spot, what = is_spot(self.document, resource), f"{resource.path}, {count} × {instance_type}"
        price = self.prices.instance_hour(instance_type) * (1 - self.use.spot_discount / 100 if spot else 1)
        yield Line(group, f"{what}{' Spot' if spot else ''}", self._hours() * count, "h", price)
        if above := self.prices.surplus_vcpu_hour.get(instance_type.partition(".")[0]):
            surplus = self.use.surplus_vcpu_hours * count
            yield Line(group, f"{resource.path}, above baseline", surplus, "vCPU h", above)
        if monitored:
            price = self.prices.detailed_monitoring_instance
            yield Line("monitoring", f"{resource.path}, metrics each minute", count, "node", price)

    def _volume(self, what: str, size: float, kind: str) -> Line:
        return Line("volumes", f"{what}, {kind}", size, "GiB", self.prices.volume_gib_month[kind])

    def _hours(self) -> float:
        """Hours that the nodes run: fewer where the stack itself stops them on a schedule."""
        stops = any("stop" in each.path for each in self.document.all("aws_scheduler_schedule"))
        return min(self.use.hours, self.use.working_hours * WEEKS) if stops else self.use.hours


PRICED: dict[str, Callable[[CostCalculator, Resource], Iterator[Line]]] = {
    "aws_autoscaling_group": CostCalculator.agents,
    "aws_budgets_budget": CostCalculator.free,
    "aws_budgets_budget_action": CostCalculator.budget_action,
    "aws_cloudwatch_dashboard": CostCalculator.dashboard,
    "aws_cloudwatch_log_group": CostCalculator.logs,
    "aws_cloudwatch_metric_alarm": CostCalculator.alarm,
    "aws_ebs_volume": CostCalculator.volume,
    "aws_ecr_repository": CostCalculator.registry,
    "aws_eip": CostCalculator.address,
    "aws_instance": CostCalculator.instance,
    "aws_kms_key": CostCalculator.key,
    "aws_lb": CostCalculator.load_balancer,
    "aws_nat_gateway": CostCalculator.nat_gateway,
    "aws_route53_zone": CostCalculator.zone,
    "aws_s3_bucket": CostCalculator.bucket,
    "aws_secretsmanager_secret": CostCalculator.secret,
    "aws_vpc_endpoint": CostCalculator.endpoint,
}
"""What is charged for each type."""


def estimate(document: Document, prices: Prices, use: CostAssumptions) -> Estimate:
    """What a stack costs a month.

    Raises:
        KeyError: an instance type has no price; the text says where to add it.
    """
    run, result = CostCalculator(document, prices, use), Estimate(document.stack)
    for resource in document.everything():
        if price := PRICED.get(resource.type):
            _add(result, run, resource, list(price(run, resource)))
        elif resource.type.startswith("aws_") and resource.type not in FREE and resource.type not in result.unknown:
            result.unknown.append(resource.type)
    result.lines.extend(run.traffic())
    return result


def environment_estimate(
    environment: Environment, prices: Prices, use: CostAssumptions, document: Document
) -> Estimate:
    """What an environment costs a month: its infrastructure, and the volumes of the database and of services, which the cluster makes in AWS.

    :param document: the environment's infrastructure stack.

    Raises:
        KeyError: an instance type has no price; the text says where to add it.
    """
    if environment.schedule.enabled:
        use = use.model_copy(update={"working_hours": environment.schedule.weekly_hours})
    result = estimate(document, prices, use)
    application = environment.application
    stored = gib(application.volume) * application.database_instances
    what = f"database, {application.database_instances} × {application.volume}, gp3 (made by the cluster)"
    result.lines.append(Line("volumes", what, stored, "GiB", prices.volume_gib_month["gp3"]))
    for service, each in service_volumes(environment).items():
        what = f"{service}, gp3 (made by the cluster)"
        result.lines.append(Line("volumes", what, each, "GiB", prices.volume_gib_month["gp3"]))
    if environment.backups.volume_snapshots.enabled:
        held = stored * use.snapshot_share / 100
        result.lines.append(
            Line("storage", "snapshots of the database's volumes", held, "GiB", prices.snapshot_gib_month)
        )
    return result


def gib(amount: str) -> float:
    """GiB of an amount as Kubernetes writes it."""
    return size(amount) / GI


def service_volumes(environment: Environment) -> dict[str, float]:
    """GiB that each service that is on keeps on volumes; Alertmanager and Grafana have one each (``helm-values/monitoring.yaml``)."""
    monitoring = environment.services.monitoring
    return {"monitoring": gib(monitoring.volume) + 2} if monitoring.enabled else {}


def _add(costs: Estimate, run: CostCalculator, resource: Resource, lines: list[Line]) -> None:
    costs.lines.extend(lines)
    if resource.type in ("aws_instance", "aws_autoscaling_group") and lines:
        costs.instance_groups.append(InstanceGroup(lines[0].group, lines[0], is_spot(run.document, resource)))
