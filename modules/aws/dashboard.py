"""A page in CloudWatch with what AWS measures of an environment: who asks, who answers, and how busy the machines are."""

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from cdktf_cdktf_provider_aws.cloudwatch_dashboard import CloudwatchDashboard
from constructs import Construct

from modules.aws.alarms import QUARTER, MonitoredResources
from settings.environment import Environment
from settings.names import Names

COLUMNS, WIDTH, HEIGHT = 24, 8, 6
"""CloudWatch's grid, and a widget's part of it: three in a row (CloudWatch API reference: dashboard body structure and syntax)."""

INGRESS, API, MACHINES = "AWS/ApplicationELB", "AWS/NetworkELB", "AWS/EC2"

Metric = list[Any]
"""A metric as a dashboard has it: namespace, name, dimensions one after the other, and how it is drawn."""


class Dashboard(Construct):
    """The environment's alarms on top, then load balancers, machines and the servers' disks; what the nodes measure only where alarms have
    them measure it.

    :param alarms: ARNs of the environment's alarms.
    """

    def __init__(
        self,
        scope: Construct,
        id_: str,
        *,
        names: Names,
        environment: Environment,
        monitored: MonitoredResources,
        alarms: Sequence[str],
    ) -> None:
        super().__init__(scope, id_)
        self._names, self._region, self._monitored = names, environment.region, monitored
        drawn = [*self._load_balancers(), *self._machines(), *(self._measured_by_nodes() if alarms else [])]
        top = [self._alarms(alarms)] if alarms else []
        widgets = [*top, *self._in_rows(drawn, below=HEIGHT if alarms else 0)]
        CloudwatchDashboard(
            self, "Resource", dashboard_name=names.base, dashboard_body=json.dumps({"widgets": widgets})
        )

    def _load_balancers(self) -> Iterator[Mapping[str, Any]]:
        ingress, api = self._monitored.ingress.dimensions, self._monitored.api.dimensions
        entry = {"LoadBalancer": ingress["LoadBalancer"]}
        yield self._graph(
            "Requests, and those that failed",
            _metric(INGRESS, "RequestCount", entry, stat="Sum", label="requests"),
            _metric(INGRESS, "HTTPCode_Target_5XX_Count", entry, stat="Sum", label="errors of the cluster"),
            _metric(INGRESS, "HTTPCode_ELB_5XX_Count", entry, stat="Sum", label="errors of the load balancer"),
        )
        yield self._graph(
            "Seconds until an answer",
            *(_metric(INGRESS, "TargetResponseTime", entry, stat=part, label=part) for part in ("p50", "p95", "p99")),
        )
        yield self._graph(
            "Servers that the load balancers reach",
            _metric(INGRESS, "HealthyHostCount", ingress, stat="Minimum", label="ingress controller"),
            _metric(API, "HealthyHostCount", api, stat="Minimum", label="Kubernetes API"),
        )

    def _machines(self) -> Iterator[Mapping[str, Any]]:
        servers = {f"server {each.slot.number}": each for each in self._monitored.servers.servers}
        by_server = {name: {"InstanceId": each.instance.id} for name, each in servers.items()}
        by_group = {each.what: {"AutoScalingGroupName": each.group.name} for each in self._monitored.agents}
        for title, metric, stat in (
            ("Processor, percent", "CPUUtilization", "Average"),
            ("Credits of burstable machines", "CPUCreditBalance", "Minimum"),
        ):
            machines = {**by_server, **by_group}.items()
            yield self._graph(
                title, *(_metric(MACHINES, metric, dimensions, stat=stat, label=name) for name, dimensions in machines)
            )
        volumes = {name: {"VolumeId": each.data_volume.id} for name, each in servers.items()}
        yield self._graph("Milliseconds that a write to a server's disk takes", *_latency(volumes))

    def _measured_by_nodes(self) -> Iterator[Mapping[str, Any]]:
        for title, metric, stat in (
            ("Fullest disk of a node, percent", "DiskUsed", "Maximum"),
            ("Age of the newest etcd snapshot, hours", "SnapshotAge", "Maximum"),
            ("Days until a certificate of the cluster ends", "CertificateDays", "Minimum"),
        ):
            dimensions = {"Cluster": self._names.base}
            drawn = _metric(self._names.metrics_namespace, metric, dimensions, stat=stat, label=self._names.base)
            yield self._graph(title, drawn, seconds=QUARTER)

    def _graph(self, title: str, *metrics: Metric, seconds: int = 300) -> Mapping[str, Any]:
        properties = {"title": title, "region": self._region, "view": "timeSeries", "period": seconds}
        return {"type": "metric", "properties": {**properties, "metrics": list(metrics)}}

    @staticmethod
    def _alarms(arns: Sequence[str]) -> Mapping[str, Any]:
        place = {"x": 0, "y": 0, "width": COLUMNS, "height": HEIGHT}
        return {"type": "alarm", **place, "properties": {"title": "Alarms", "alarms": list(arns)}}

    @staticmethod
    def _in_rows(widgets: Sequence[Mapping[str, Any]], below: int) -> Iterator[Mapping[str, Any]]:
        a_row = COLUMNS // WIDTH
        for number, widget in enumerate(widgets):
            place = {"x": number % a_row * WIDTH, "y": below + number // a_row * HEIGHT}
            yield {**widget, **place, "width": WIDTH, "height": HEIGHT}


def _metric(namespace: str, name: str, dimensions: Mapping[str, str], **drawn: Any) -> Metric:
    return [namespace, name, *(word for pair in dimensions.items() for word in pair), drawn]


def _latency(volumes: Mapping[str, Mapping[str, str]]) -> Iterator[Metric]:
    """Time of all writes by their number: etcd waits for each (etcd.io: hardware recommendations, disks)."""
    for number, (name, dimensions) in enumerate(volumes.items()):
        for id_, metric in ((f"time{number}", "VolumeTotalWriteTime"), (f"writes{number}", "VolumeWriteOps")):
            yield _metric("AWS/EBS", metric, dimensions, id=id_, stat="Sum", visible=False)
        yield [{"expression": f"1000 * time{number} / writes{number}", "label": name, "id": f"latency{number}"}]
