"""Services on the cluster beside the application, each off unless it is enabled (architecture: Future Enhancements).

A service's further values are said as those of every other release, by ``values`` (docs/extending.md), with what is protected of them in
``settings/protected.py``. What it needs in room is in ``settings/sizing.py``.
"""

from typing import Annotated

from pydantic import Field

from settings.base import Memory, Section
from settings.workloads import MailAddress

NamespaceName = Annotated[str, Field(pattern=r"^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$", examples=["kube-system"])]
"""Name of a namespace (RFC 1123)."""


class Smtp(Section):
    """The mail server through which alerts go, by STARTTLS. Its password is in the Secret ``alert-receivers`` of the cluster, key
    ``smtp-password``, which you make (docs/runbooks/monitoring.md)."""

    server: Annotated[
        str,
        Field(
            pattern=r"^[a-z0-9]([a-z0-9.-]*[a-z0-9])?:[0-9]{2,5}$", examples=["email-smtp.us-east-1.amazonaws.com:587"]
        ),
    ]
    """Host and port."""

    sender: MailAddress
    """Address that alerts come from; with Amazon SES, one that is verified."""

    username: Annotated[str, Field(pattern=r"^[!-~]{1,128}$", examples=["alerts"])] | None = None
    """Name to log in with; left out, nobody logs in and the Secret needs no password."""


class Alerts(Section):
    """Where alerts go."""

    emails: list[MailAddress] = []
    """Who gets alerts by e-mail; left out, the project's ``email``."""

    smtp: Smtp | None = None
    """The mail server; left out, no e-mail is sent."""

    webhook: bool = False
    """Whether alerts are also posted to the address in the Secret ``alert-receivers``, key ``webhook-url``: a pager or a chat."""


class MonitoringSettings(Section):
    """Prometheus, Alertmanager and Grafana (docs/runbooks/monitoring.md): nodes, control plane, ingress, certificates, database and application,
    with dashboards and alerts. Grafana is at ``hosts.grafana``, if there is one."""

    enabled: bool = False
    """Whether Prometheus, Alertmanager and Grafana are installed."""

    retention_days: Annotated[int, Field(ge=1, le=365)] = 15
    """Days until measurements are deleted; sooner, where the volume would be full."""

    volume: Memory = "20Gi"
    """Prometheus' volume. It grows; never smaller."""

    alerts: Alerts = Alerts()
    """Who is told, and how."""


class LogsSettings(Section):
    """What pods write, in CloudWatch Logs, for ``backups.logs_days`` (docs/runbooks/logs.md). The audit log and the nodes' journals are
    ``node_logs``."""

    enabled: bool = False
    """Whether Fluent Bit on each node sends what pods write to CloudWatch Logs, at 0.50 USD a GB."""

    left_out: Annotated[list[NamespaceName], Field(max_length=50)] = []
    """Namespaces whose pods' logs stay on the nodes: what nobody reads costs as much as the rest."""


class VeleroSettings(Section):
    """Backups of Kubernetes objects and of pods' volumes by Velero (docs/runbooks/velero.md). The database has backups of its own, and what a
    deploy makes comes back by a deploy: neither is among them."""

    enabled: bool = False
    """Whether Velero is installed."""

    schedule: Annotated[str, Field(pattern=r"^[-0-9*/, ]{9,100}$", examples=["0 2 * * *"])] = "0 2 * * *"
    """When Velero takes a backup, as a cron expression in UTC."""

    days: Annotated[int, Field(ge=1, le=365)] = 14
    """Days that a backup is kept, with the snapshots of its volumes."""

    left_out: Annotated[list[NamespaceName], Field(max_length=50)] = []
    """Namespaces that no backup has, besides those that a deploy makes."""


class Services(Section):
    """What runs on the cluster beside Rancher and the application."""

    monitoring: MonitoringSettings = MonitoringSettings()
    """Metrics, dashboards and alerts."""

    logs: LogsSettings = LogsSettings()
    """Logs of pods, in CloudWatch."""

    velero: VeleroSettings = VeleroSettings()
    """Backups of objects and volumes."""
