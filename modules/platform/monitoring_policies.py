"""Who may talk to whom in the namespace of monitoring. What it asks of others is in their own namespaces' policies."""

from modules.platform.network_policies import (
    INGRESS,
    KUBERNETES_API,
    Policy,
    dns,
    ingress_controller,
    pods,
    servers,
    tcp,
)
from settings.environment import Environment

GRAFANA, PROMETHEUS, ALERTMANAGER = 3000, 9090, 9093
"""Ports of the programs."""

GRAFANA_PROXY, PROMETHEUS_PROXY = 8080, 8081
"""Those of what rancher-monitoring puts before them for Rancher's pages."""


def policies(environment: Environment) -> dict[str, Policy]:
    """All policies by name. Grafana, which the internet reaches, reaches nothing but where it reads."""
    seen = tcp(GRAFANA, PROMETHEUS, ALERTMANAGER, GRAFANA_PROXY, PROMETHEUS_PROXY)
    own, api = pods({}), servers(environment)
    return {
        # Rancher's pages and kubectl come through the API server, which asks who it is.
        "default": Policy({}, receive=[([own], ()), (api, seen)], directions=(INGRESS,)),
        "grafana": Policy(
            {"app.kubernetes.io/name": "grafana"},
            receive=[([ingress_controller()], tcp(GRAFANA))],
            send=[dns(), ([own], tcp(PROMETHEUS, PROMETHEUS_PROXY, ALERTMANAGER)), (api, tcp(KUBERNETES_API))],
        ),
    }
