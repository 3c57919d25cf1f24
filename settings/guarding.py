"""The former place of ``settings.observability``, for projects that import it."""

from settings.observability import AlarmsSettings, DashboardSettings, NodeLogsSettings

__all__ = ["AlarmsSettings", "DashboardSettings", "NodeLogsSettings"]
