"""When nodes restart for updates of the operating system."""

from typing import Literal

from settings.base import Section
from settings.schedule import Time
from settings.workloads import TimeZone

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


class Patches(Section):
    """Restarts that updates of the operating system ask for, one node at a time. Ubuntu installs security updates by itself every day, and a new kernel
    works after a restart alone. A node is emptied first, and the next one waits until it is back."""

    days: Literal["MON-FRI", "MON-SUN", "SAT-SUN"] = "MON-SUN"
    """Days on which nodes restart."""

    start: Time = "02:00"
    """From when on a node may begin."""

    end: Time = "05:00"
    """Until when a node may begin; the last one ends within twenty minutes after it."""

    time_zone: TimeZone = "UTC"
    """Time zone of the hours, by its name in the IANA database; summer time is kept."""

    @property
    def weekdays(self) -> list[str]:
        """The days by their short names."""
        first, last = (DAYS.index(day.lower()) for day in self.days.split("-"))
        return list(DAYS[first : last + 1])
