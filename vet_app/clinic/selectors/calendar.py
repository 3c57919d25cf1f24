"""The day's appointments, the waiting room and free times."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta, tzinfo
from datetime import timezone as fixed_zone
from typing import List, Optional, Tuple

from django.conf import settings
from django.db.models import QuerySet
from django.utils import timezone

from clinic import holidays
from clinic.models import Appointment, DaysOff, Vet
from clinic.selectors.opening import days_off, hours
from clinic.selectors.settings import clinic_settings

Span = Tuple[datetime, datetime]
UTC = fixed_zone.utc
LOOK_AHEAD = timedelta(days=28)
"""How far ahead a free time is looked for."""


def bounds(day: date) -> Span:
    """The first moment of a day at the clinic and that of the next, 23 to 25 hours later."""
    midnight = datetime.min.time()
    zone = timezone.get_default_timezone()
    return (
        datetime.combine(day, midnight, tzinfo=zone),
        datetime.combine(day + timedelta(days=1), midnight, tzinfo=zone),
    )


def day(date: date, vet: Optional[Vet] = None) -> QuerySet[Appointment]:
    """Appointments that touch a day, with pet, owner and vet, in the order of the clock."""
    appointments = between(date, date)
    return appointments.filter(vet=vet) if vet else appointments


def between(first: date, last: date) -> QuerySet[Appointment]:
    """The same for the days from the first to the last."""
    appointments = Appointment.objects.filter(starts_at__lt=bounds(last)[1], ends_at__gt=bounds(first)[0])
    return appointments.select_related("vet", "pet__owner", "pet__species")


def waiting_room(date: date) -> QuerySet[Appointment]:
    """Who is here: waiting or with a vet, the first to come on top."""
    here = (Appointment.Status.ARRIVED, Appointment.Status.WITH_VET)
    return day(date).filter(status__in=here).order_by("arrived_at", "pk")


def coming() -> QuerySet[Appointment]:
    """Appointments still to come, the next one first, with their vets."""
    planned = (Appointment.Status.BOOKED, Appointment.Status.CONFIRMED)
    return Appointment.objects.filter(status__in=planned, ends_at__gt=timezone.now()).select_related("vet")


def free_times(vet: Vet, date: date, minutes: int) -> List[datetime]:
    """Starts on the grid of SLOT_MINUTES at which `minutes` are free within the vet's hours.

    Times are the clinic's own. On the day the clocks change, hours that do not exist are left out and a length is
    real time.
    """
    return _free_on(date, vet, minutes, days_off(date, date), _taken(vet, date, date))


def next_free_times(vet: Vet, minutes: int) -> List[datetime]:
    """The free starts that are still to come on the first day that has any: today or later, but on no holiday."""
    now, today = timezone.now(), timezone.localdate()
    last, region = today + LOOK_AHEAD, clinic_settings().holidays
    off, taken = days_off(today, last), _taken(vet, today, last)
    for ahead in range(LOOK_AHEAD.days + 1):
        on = today + timedelta(days=ahead)
        times = [at for at in _free_on(on, vet, minutes, off, taken) if at > now]
        if times and not holidays.named(region, on):
            return times
    return []


def _taken(vet: Vet, first: date, last: date) -> List[Span]:
    """What takes up a vet's time from the first day to the last."""
    items = between(first, last).filter(vet=vet).exclude(status__in=Appointment.FREE)
    return list(items.values_list("starts_at", "ends_at"))


def _free_on(date: date, vet: Vet, minutes: int, off: List[DaysOff], taken: List[Span]) -> List[datetime]:
    zone, (midnight, next_midnight) = timezone.get_default_timezone(), bounds(date)
    near = [(start, end) for start, end in taken if start < next_midnight and end > midnight]
    return [start for span in hours(date, vet, off) for start in _free_within(date, span, minutes, near, zone)]


def _free_within(date: date, span: Tuple[time, time], minutes: int, taken: List[Span], zone: tzinfo) -> List[datetime]:
    opens, closes = span
    closing = datetime.combine(date, closes, tzinfo=zone).astimezone(UTC)
    wall, last = datetime.combine(date, opens), datetime.combine(date, closes)
    free = []
    while wall < last:
        start = wall.replace(tzinfo=zone)
        begin = start.astimezone(UTC)
        end = begin + timedelta(minutes=minutes)
        exists = begin.astimezone(zone).replace(tzinfo=None) == wall
        if exists and end <= closing and not any(begin < other_end and end > other for other, other_end in taken):
            free.append(start)
        wall += timedelta(minutes=settings.SLOT_MINUTES)
    return free
