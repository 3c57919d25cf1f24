"""The day's appointments, the waiting room and free times."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta, tzinfo
from datetime import timezone as fixed_zone
from typing import List, Optional, Tuple

from django.conf import settings
from django.db.models import QuerySet
from django.utils import timezone

from clinic.models import Appointment, Vet
from clinic.selectors.opening import hours

Span = Tuple[datetime, datetime]
UTC = fixed_zone.utc


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
    found = between(date, date)
    return found.filter(vet=vet) if vet else found


def between(first: date, last: date) -> QuerySet[Appointment]:
    """The same for the days from the first to the last."""
    found = Appointment.objects.filter(starts_at__lt=bounds(last)[1], ends_at__gt=bounds(first)[0])
    return found.select_related("vet", "pet__owner", "pet__species")


def waiting_room(date: date) -> QuerySet[Appointment]:
    """Who is here: waiting or with a vet, whoever came first on top."""
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
    zone = timezone.get_default_timezone()
    spans = hours(date, vet)
    taken = [(item.starts_at, item.ends_at) for item in day(date, vet) if item.status not in Appointment.FREE]
    return [start for span in spans for start in _free_within(date, span, minutes, taken, zone)]


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
