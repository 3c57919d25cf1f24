"""Hours in which an environment runs; outside of them its nodes are stopped."""

from datetime import datetime, timedelta
from typing import Annotated, Literal

from pydantic import Field

from settings.base import Section
from settings.workloads import TimeZone

SERVER_STOP_DELAY = timedelta(minutes=20)
"""Servers outlive the agents by this, so that volumes are detached in order and the Nodes of ended agents are removed."""

Time = Annotated[str, Field(pattern=r"^([01][0-9]|2[0-3]):[0-5][0-9]$", examples=['"07:00", in quotes'])]
"""Hours and minutes of a day, ``"07:00"``."""


class ScheduleSettings(Section):
    """Hours in which the nodes run. Outside of them the servers are stopped and the agents are gone: only disks, load
    balancers, NAT gateways and buckets are paid for."""

    enabled: bool = False
    """Start and stop the nodes by the clock."""

    start: Time = "07:00"
    """When servers and agents start. The cluster answers about ten minutes later."""

    stop: Time = "19:00"
    """When the agents end; the servers stop twenty minutes later."""

    days: Literal["MON-FRI", "MON-SAT", "MON-SUN"] = "MON-FRI"
    """Days on which they run."""

    time_zone: TimeZone = "UTC"
    """Time zone of the hours, by its name in the IANA database; summer time is kept."""

    @property
    def weekly_hours(self) -> float:
        """Hours a week for which the servers run; the agents' are a little fewer."""
        start, stop = (datetime.strptime(time, "%H:%M") for time in (self.start, self.stop))
        return (
            (stop + SERVER_STOP_DELAY - start)
            / timedelta(hours=1)
            * {"MON-FRI": 5, "MON-SAT": 6, "MON-SUN": 7}[self.days]
        )
