"""Values of the charts of monitoring that come from settings."""

from typing import Any

from settings.addresses import server_slots
from settings.environment import Environment
from settings.namespaces import controllers, on_servers
from settings.quantities import MI, size

FILLED = 85
"""Percent of its volume that Prometheus fills with measurements: what it is writing comes on top (Prometheus: storage, retention.size)."""


def stack_values(environment: Environment) -> dict[str, Any]:
    """Retention by the volume's size, who is asked of the control plane, and where pods run: the operator, whose account reaches
    Secrets, on servers where those are dedicated, everything else on agents."""
    monitoring, dedicated = environment.services.monitoring, environment.servers.dedicated
    elsewhere = controllers(dedicated=dedicated)
    most = size(monitoring.volume) * FILLED // 100 // MI
    claim = {
        "storageClassName": "standard",
        "accessModes": ["ReadWriteOnce"],
        "resources": {"requests": {"storage": monitoring.volume}},
    }
    return {
        **_control_plane(environment),
        "prometheusOperator": on_servers() if dedicated else elsewhere,
        "prometheus": {
            "prometheusSpec": {
                "retention": f"{monitoring.retention_days}d",
                "retentionSize": f"{most}MiB",
                "storageSpec": {"volumeClaimTemplate": {"spec": claim}},
                **elsewhere,
            }
        },
        "alertmanager": {"alertmanagerSpec": elsewhere},
        "kube-state-metrics": elsewhere,
        "grafana": {**elsewhere, **_address(environment)},
    }


def _control_plane(environment: Environment) -> dict[str, Any]:
    """The scheduler and the controller manager on each server, by its fixed address; in a hardened cluster they are for the server alone
    (CIS Kubernetes Benchmark 1.3.7 and 1.4.2)."""
    if environment.cluster.hardening:  # and RKE2's own policies let nobody ask CoreDNS but for names
        return {name: {"enabled": False} for name in ("kubeControllerManager", "kubeScheduler", "coreDns")}
    endpoints = [str(slot.address) for slot in server_slots(environment)]
    return {name: {"enabled": True, "endpoints": endpoints} for name in ("kubeControllerManager", "kubeScheduler")}


def _address(environment: Environment) -> dict[str, Any]:
    """What Grafana's own links begin with."""
    host = environment.hosts.grafana
    return {"grafana.ini": {"server": {"root_url": f"https://{host}"}}} if host else {}
