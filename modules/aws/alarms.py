"""Alarms that mean that somebody has to look, and the topic that tells them."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from cdktf_cdktf_provider_aws.cloudwatch_metric_alarm import CloudwatchMetricAlarm
from cdktf_cdktf_provider_aws.sns_topic import SnsTopic
from cdktf_cdktf_provider_aws.sns_topic_policy import SnsTopicPolicy
from cdktf_cdktf_provider_aws.sns_topic_subscription import SnsTopicSubscription
from constructs import Construct

from modules.aws import pod_logs
from modules.aws.agents import SizedGroup
from modules.aws.encryption_key import EncryptionKey
from modules.aws.load_balancer import ApiLoadBalancer, IngressLoadBalancer
from modules.aws.policy import Statement, policy
from modules.aws.servers import Servers
from settings.environment import Environment
from settings.names import Names

CLOUDWATCH = {"Service": "cloudwatch.amazonaws.com"}
ABOVE, BELOW = "GreaterThanOrEqualToThreshold", "LessThanThreshold"
MINUTE, QUARTER, DAY = 60, 900, 86400


@dataclass(frozen=True)
class MonitoredResources:
    """What there is to watch in an environment."""

    ingress: IngressLoadBalancer
    api: ApiLoadBalancer
    certificate_arn: str
    servers: Servers
    agents: Sequence[SizedGroup]


@dataclass(frozen=True)
class Alarm:
    """One alarm: a metric's worst value on the wrong side of a threshold for some periods in a row."""

    id_: str
    description: str
    """What is wrong, for the e-mail."""

    namespace: str
    metric: str
    dimensions: Mapping[str, str]
    threshold: int
    comparison: str = ABOVE
    seconds: int = MINUTE
    periods: int = 3
    missing: str = "notBreaching"
    """What silence means (Amazon CloudWatch: missing data)."""


class Alarms(Construct):
    """The topic, its receivers, and every alarm of an environment."""

    def __init__(
        self, scope: Construct, id_: str, *, names: Names, environment: Environment, monitored: MonitoredResources
    ) -> None:
        super().__init__(scope, id_)
        self._names, self._settings = names, environment.alarms
        # Missing data means failure, except where a schedule stops the nodes.
        self._silence = "notBreaching" if environment.schedule.enabled else "breaching"
        topic = self._topic()
        every = [
            *self._load_balancers(monitored),
            *self._machines(monitored),
            *self._cluster(),
            self._public(monitored),
        ]
        if environment.services.logs.enabled:
            every.append(self._pods_are_silent())
        self.arns: Sequence[str] = [self._create(alarm, topic.arn).arn for alarm in every]
        """Of every alarm."""

    def _create(self, alarm: Alarm, topic_arn: str) -> CloudwatchMetricAlarm:
        return CloudwatchMetricAlarm(
            self,
            alarm.id_,
            alarm_name=self._names.resource(alarm.id_.replace("_", "-")),
            alarm_description=f"{self._names.base}: {alarm.description}",
            namespace=alarm.namespace,
            metric_name=alarm.metric,
            dimensions=dict(alarm.dimensions),
            statistic="Maximum" if alarm.comparison == ABOVE else "Minimum",
            comparison_operator=alarm.comparison,
            threshold=alarm.threshold,
            period=alarm.seconds,
            evaluation_periods=alarm.periods,
            treat_missing_data=alarm.missing,
            alarm_actions=[topic_arn],
            ok_actions=[topic_arn],
        )

    def _load_balancers(self, monitored: MonitoredResources) -> Iterator[Alarm]:
        for id_, what, namespace, dimensions in (
            ("ingress_targets", "the ingress controller", "AWS/ApplicationELB", monitored.ingress.dimensions),
            ("api_targets", "the Kubernetes API", "AWS/NetworkELB", monitored.api.dimensions),
        ):
            description = f"a server does not answer the load balancer for {what}"
            yield Alarm(id_, description, namespace, "UnHealthyHostCount", dimensions, threshold=1, periods=5)

    def _machines(self, monitored: MonitoredResources) -> Iterator[Alarm]:
        for server in monitored.servers.servers:
            number = server.slot.number
            description = f"server {number} fails EC2's status checks (docs/runbooks/lost-server.md)"
            dimensions = {"InstanceId": server.instance.id}
            yield Alarm(f"server_{number}_status", description, "AWS/EC2", "StatusCheckFailed", dimensions, threshold=1)
        for sized in monitored.agents:
            description = f"an agent in {sized.what} fails EC2's status checks; its group replaces it"
            dimensions = {"AutoScalingGroupName": sized.group.name}
            yield Alarm(
                f"agents_{sized.key}_status", description, "AWS/EC2", "StatusCheckFailed", dimensions, threshold=1
            )

    def _cluster(self) -> Iterator[Alarm]:
        """What the nodes send (``nodes/bin/publish-metrics``)."""
        settings, dimensions = self._settings, {"Cluster": self._names.base}
        for id_, metric, comparison, threshold, description in (
            ("disk", "DiskUsed", ABOVE, settings.disk_percent, "the disk of a node is almost full"),
            ("snapshot_age", "SnapshotAge", ABOVE, settings.snapshot_hours, "the newest etcd snapshot is too old"),
            (
                "cluster_certificates",
                "CertificateDays",
                BELOW,
                settings.certificate_days,
                "a certificate of the cluster ends soon (docs/runbooks/expired-certificates.md)",
            ),
        ):
            yield Alarm(
                id_,
                description,
                self._names.metrics_namespace,
                metric,
                dimensions,
                threshold,
                comparison,
                seconds=QUARTER,
                periods=4,
                missing=self._silence,
            )

    def _public(self, monitored: MonitoredResources) -> Alarm:
        return Alarm(
            "public_certificate",
            "the public certificate ends soon: AWS could not renew it; are its DNS records there?",
            "AWS/CertificateManager",
            "DaysToExpiry",
            {"CertificateArn": monitored.certificate_arn},
            self._settings.certificate_days,
            BELOW,
            seconds=DAY,
            periods=1,
        )

    def _pods_are_silent(self) -> Alarm:
        """A group has no measurement while nothing arrives (CloudWatch Logs user guide: metrics)."""
        return Alarm(
            "pod_logs",
            "no pod's log has arrived for an hour (docs/runbooks/logs.md)",
            "AWS/Logs",
            "IncomingLogEvents",
            {"LogGroupName": self._names.log_group(pod_logs.PURPOSE)},
            1,
            BELOW,
            seconds=QUARTER,
            periods=4,
            missing=self._silence,
        )

    def _topic(self) -> SnsTopic:
        names, account = self._names, self._names.project.account_id
        own = {"StringEquals": {"aws:SourceAccount": account}}
        key = EncryptionKey(
            self,
            "key",
            name=names.resource("alarms"),
            purpose=f"Alarms of {names.base}",
            account_id=account,
            protect=False,  # what it encrypts is gone once it is delivered
            statements=[
                Statement("Alarms", ["kms:Decrypt", "kms:GenerateDataKey*"], principals=CLOUDWATCH, conditions=own)
            ],
        )
        topic = SnsTopic(self, "topic", name=names.resource("alarms"), kms_master_key_id=key.arn)
        publishing = Statement("Alarms", ["sns:Publish"], [topic.arn], principals=CLOUDWATCH, conditions=own)
        SnsTopicPolicy(self, "topic_policy", arn=topic.arn, policy=policy(publishing))
        for number, email in enumerate(dict.fromkeys([names.project.email, *self._settings.emails])):
            SnsTopicSubscription(self, f"email_{number}", topic_arn=topic.arn, protocol="email", endpoint=email)
        return topic
