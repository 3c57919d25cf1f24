"""CloudWatch for an environment: alarms, a dashboard, and the nodes' logs."""

from typing import Annotated

from pydantic import Field

from settings.base import Section


class DashboardSettings(Section):
    """A page in CloudWatch with the load balancers, the machines, the servers' disks and the alarms (``make doctor`` looks at the rest)."""

    enabled: bool = False
    """Whether there is a dashboard: 3 USD a month, the first three of an account are free."""


class NodeLogsSettings(Section):
    """The Kubernetes API's audit log and the nodes' journals in CloudWatch Logs, where nobody who holds a node changes them. They are kept for
    ``backups.logs_days``."""

    enabled: bool = False
    """Whether AWS's CloudWatch agent sends the nodes' logs: about 100 MB of memory a node, and 0.50 USD a GB."""


class AlarmsSettings(Section):
    """CloudWatch alarms that matter, sent by e-mail through an SNS topic. Each receiver confirms once."""

    enabled: bool = False
    """Whether targets, machines, disks, snapshots and certificates are watched."""

    emails: list[Annotated[str, Field(pattern=r"^[^@\s]+@[^@\s]+\.[^@\s]+$", examples=["oncall@example.com"])]] = []
    """Who gets alarms besides the project's own address."""

    disk_percent: Annotated[int, Field(ge=50, le=99)] = 80
    """A node's disk that is fuller than this raises an alarm. The kubelet evicts pods at 85."""

    snapshot_hours: Annotated[int, Field(ge=1, le=720)] = 13
    """Hours after which the newest etcd snapshot is too old: two of the usual six hours, and one to spare."""

    certificate_days: Annotated[int, Field(ge=1, le=89)] = 30
    """Days before a certificate ends. RKE2 renews its own when it is restarted within 90 days of that (docs.rke2.io:
    certificate management); AWS renews the public one 60 days before."""
