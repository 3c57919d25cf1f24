"""What was measured of an environment's machines: CloudWatch over a period, and what pods request now."""

import json
import shutil
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from operations.report.cost_estimate import WEEKS
from operations.report.sizing import Load, MachineKind, requested
from operations.shared.errors import Failure
from operations.shared.kubeconfig import save
from operations.shared.servers import Cluster
from settings.addresses import fleets
from settings.environment import Environment
from settings.pools import POOL_LABEL
from settings.quantities import MI, millicores, size

MEMORY = ("CWAgent", "mem_used_percent")
"""Where CloudWatch's own agent writes a machine's memory (CloudWatch user guide: metrics collected by the agent); EC2 does not know it."""

CONTROL_PLANE = "node-role.kubernetes.io/control-plane"


def _hours_a_month(environment: Environment) -> float:
    """For which machines run: fewer where a schedule stops them."""
    return environment.schedule.weekly_hours * WEEKS if environment.schedule.enabled else environment.cost.hours


def kinds(environment: Environment) -> list[MachineKind]:
    """Servers, agents and pools that have machines, as the settings have them. A pool that may be of several types stays as it is."""
    hours, servers, agents = _hours_a_month(environment), environment.servers, environment.agents
    machines = [MachineKind("servers", servers.instance_type, servers.count, hours=hours)]
    if agents.min_count:
        machines.append(
            MachineKind("agents", agents.instance_type, agents.min_count, agents.spot, not agents.autoscaler, hours)
        )
    for name, pool in environment.pools.items():
        if pool.min_count and len(pool.instance_types) == 1:
            free = not agents.autoscaler and not pool.spot
            machines.append(
                MachineKind(f"pools.{name}", pool.instance_types[0], pool.min_count, pool.spot, free, hours)
            )
    return machines


@dataclass(frozen=True)
class Measurements:
    """Reads what an environment did over the last days.

    :param days: how far back; CloudWatch keeps hours for 455 days (CloudWatch user guide: metrics retention).
    """

    cluster: Cluster
    days: int

    def load(self, kind: MachineKind) -> Load | None:
        """What machines of a kind did; ``None`` where nothing was measured.

        Raises:
            Failure: AWS does not answer.
        """
        places = list(self._places(kind))
        cpu = self._hours("AWS/EC2", "CPUUtilization", places)
        if not cpu:
            return None
        memory = self._hours(*MEMORY, places)
        return Load(len(cpu), sum(cpu) / len(cpu), _percentile(cpu), _percentile(memory) if memory else None)

    def fullest_disk(self) -> float | None:
        """Percent of the fullest disk of all nodes, at most; ``None`` where nodes do not measure it (``alarms``)."""
        percentages = self._hours(
            self.cluster.names.metrics_namespace, "DiskUsed", [{"Cluster": self.cluster.names.base}], "Maximum"
        )
        return max(percentages, default=None)

    def _places(self, kind: MachineKind) -> Iterator[dict[str, str]]:
        """CloudWatch's dimensions of the machines: each server, each group."""
        names, environment = self.cluster.names, self.cluster.environment
        if kind.key == "servers":
            yield from ({"InstanceId": server.instance} for server in self.cluster.servers())
        elif kind.key == "agents":
            yield from (
                {"AutoScalingGroupName": names.resource("agent", letter)}
                for letter in environment.network.availability_zones
            )
        else:
            name = kind.key.removeprefix("pools.")
            for fleet in fleets(environment, environment.pools[name]):
                for letter in fleet.minimum:
                    yield {"AutoScalingGroupName": names.resource("agent", name, letter, *fleet.name_end)}

    def _hours(
        self, namespace: str, metric: str, places: Sequence[Mapping[str, str]], statistic: str = "Average"
    ) -> list[float]:
        """The value of each hour, of the busiest place where there are several."""
        queries = [
            {
                "Id": f"m{number}",
                "MetricStat": {
                    "Metric": {
                        "Namespace": namespace,
                        "MetricName": metric,
                        "Dimensions": [{"Name": name, "Value": value} for name, value in place.items()],
                    },
                    "Period": 3600,
                    "Stat": statistic,
                },
            }
            for number, place in enumerate(places)
        ]
        if not queries:
            return []
        end = datetime.now(UTC)
        values: dict[datetime, float] = {}
        try:
            pages = (
                self.cluster.client("cloudwatch")
                .get_paginator("get_metric_data")
                .paginate(MetricDataQueries=queries, StartTime=end - timedelta(days=self.days), EndTime=end)
            )
            for result in (each for page in pages for each in page["MetricDataResults"]):
                for moment, value in zip(result["Timestamps"], result["Values"], strict=True):
                    values[moment] = max(values.get(moment, 0.0), float(value))
        except (BotoCoreError, ClientError) as error:
            raise Failure(f"cannot read {metric} of {self.cluster.names.base} from CloudWatch: {error}") from error
        return list(values.values())


def _percentile(values: Sequence[float]) -> float:
    """The value that nineteen of twenty hours stay below."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * 0.95))]


def with_requests(load: Load, kind: MachineKind, cluster_: "InCluster | None") -> Load:
    """The same with what pods request of the nodes of this kind, where the cluster could be asked."""
    return load if cluster_ is None else replace(load, requests=requested(list(cluster_.pods(kind))))


@dataclass(frozen=True)
class InCluster:
    """Nodes and pods as the API server has them."""

    nodes: Mapping[str, Mapping[str, str]]
    """Labels of each Node."""

    items: Sequence[Any]
    """Pods that are on a node and have not ended."""

    @classmethod
    def ask(cls, cluster: Cluster) -> "InCluster | None":
        """What is there now; ``None`` where kubectl is missing or the API does not answer (open a tunnel: ``make kubeconfig TUNNEL=yes``)."""
        if not shutil.which("kubectl"):
            return None
        try:
            options = [f"--kubeconfig={save(cluster, 'read')}"]
            nodes, pods = _kubectl("get", "nodes", *options), _kubectl("get", "pods", "--all-namespaces", *options)
        except (Failure, subprocess.CalledProcessError, OSError):
            return None
        labels = {node["metadata"]["name"]: node["metadata"].get("labels", {}) for node in nodes}
        running = [
            pod for pod in pods if pod["spec"].get("nodeName") and pod["status"]["phase"] in ("Pending", "Running")
        ]
        return cls(labels, running)

    def pods(self, kind: MachineKind) -> Iterator[Mapping[str, object]]:
        """Requests of each pod on nodes of a kind."""
        for pod in self.items:
            node = pod["spec"]["nodeName"]
            if _kind_of(self.nodes.get(node, {})) != kind.key:
                continue
            asked = [each.get("resources", {}).get("requests", {}) for each in pod["spec"]["containers"]]
            owners = pod["metadata"].get("ownerReferences", [])
            yield {
                "node": node,
                "daemon": any(owner["kind"] == "DaemonSet" for owner in owners),
                "cpu": sum(millicores(str(each.get("cpu", "0"))) for each in asked),
                "memory": sum(round(size(str(each.get("memory", "0"))) / MI) for each in asked),
            }


def _kind_of(labels: Mapping[str, str]) -> str:
    if CONTROL_PLANE in labels:
        return "servers"
    return f"pools.{labels[POOL_LABEL]}" if POOL_LABEL in labels else "agents"


def _kubectl(*arguments: str) -> list[Any]:
    command = ["kubectl", *arguments, "--output=json", "--request-timeout=10s"]
    answer = subprocess.run(command, capture_output=True, text=True, check=True)
    items: list[Any] = json.loads(answer.stdout)["items"]
    return items
