"""The former place of ``settings.schedule`` and ``settings.budget``, for projects that import it."""

from settings.budget import BudgetSettings
from settings.schedule import SERVER_STOP_DELAY, ScheduleSettings, Time

__all__ = ["SERVER_STOP_DELAY", "BudgetSettings", "ScheduleSettings", "Time"]
