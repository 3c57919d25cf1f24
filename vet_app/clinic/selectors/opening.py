"""When the clinic and its vets work, and what somebody who books should think about once more."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from typing import Iterable, List, Optional

from django.conf import settings
from django.db.models import Q
from django.utils import formats, timezone
from django.utils.translation import gettext as _

from clinic import holidays, opening
from clinic.models import Appointment, DaysOff, Vet
from clinic.opening import Span
from clinic.selectors.settings import clinic_settings

LATE = timedelta(minutes=15)  # a time that has just begun is booked for a person who stands at the desk


def days_off(first: date, last: date) -> List[DaysOff]:
    """Spans in which the clinic is closed or a vet is away, that touch these days."""
    rows = DaysOff.objects.filter(active=True, first_day__lte=last, last_day__gte=first)
    return list(rows.select_related("vet"))


def hours(day: date, vet: Optional[Vet] = None, off: Optional[Iterable[DaysOff]] = None) -> List[Span]:
    """When a vet works on a day, or without one when the clinic is open; nothing on a day off."""
    spans = days_off(day, day) if off is None else off
    if any(each.first_day <= day <= each.last_day and each.vet_id in (None, vet and vet.pk) for each in spans):
        return []
    text = (vet.hours if vet is not None else "") or clinic_settings().hours
    return opening.week(text)[day.weekday()] if text else [settings.OPENING_HOURS]


def bookable(day: date, vet: Vet, off: Iterable[DaysOff]) -> List[Span]:
    """When a vet works while the clinic is open."""
    both = [
        (max(here[0], there[0]), min(here[1], there[1]))
        for here in hours(day, vet, off)
        for there in hours(day, None, off)
    ]
    return [(opens, closes) for opens, closes in both if opens < closes]


def usual_minutes(kind: str) -> int:
    """How long an appointment of a kind lasts where nobody says otherwise: the clinic's length, else one row."""
    chosen = getattr(clinic_settings(), f"{kind}_minutes", None)
    return chosen or settings.SLOT_MINUTES


def doubts(
    vet: Vet, starts_at: datetime, ends_at: datetime, *, pet_id: Optional[int], moved_id: Optional[int] = None
) -> List[str]:
    """What speaks against an appointment and forbids nothing; `moved_id` is one that is moved.

    That the vet is taken is not among them: it needs a reason (`services.booking`).
    """
    start, end = timezone.localtime(starts_at), timezone.localtime(ends_at)
    day, reasons = start.date(), []
    if starts_at < timezone.now() - LATE:
        reasons.append(_("This time has passed."))
    holiday = holidays.named(clinic_settings().holidays, day)
    if holiday:
        reasons.append(_("It is a holiday: %(name)s.") % {"name": holiday})
    off = days_off(day, day)
    reasons += _closed(vet, day, start.time(), end.time() if end.date() == day else time.max, off)
    if pet_id:
        others = Appointment.objects.occupying().filter(pet_id=pet_id, starts_at__lt=ends_at, ends_at__gt=starts_at)
        for other in others.exclude(pk=moved_id or 0).exclude(vet=vet).select_related("vet")[:1]:
            at = formats.time_format(timezone.localtime(other.starts_at))
            reasons.append(_("This pet has an appointment at %(at)s with %(vet)s.") % {"at": at, "vet": other.vet})
    return reasons


def _closed(vet: Vet, day: date, start: time, end: time, off: List[DaysOff]) -> List[str]:
    for each in off:
        if each.vet_id is None:
            return [_("The clinic is closed: %(reason)s.") % {"reason": each.reason}]
        if each.vet_id == vet.pk:
            return [_("%(vet)s is away: %(reason)s.") % {"vet": vet, "reason": each.reason}]
    if _within(hours(day, None, off), start, end):
        works = _within(hours(day, vet, off), start, end)
        return [] if works else [_("%(vet)s does not work at this time.") % {"vet": vet}]
    return [_("The clinic is closed at this time.")]


def _within(spans: List[Span], start: time, end: time) -> bool:
    return any(opens <= start and end <= closes for opens, closes in spans)


def notices(day: date, off: Iterable[DaysOff]) -> List[str]:
    """What to know about a day: a holiday, the clinic closed, vets who are away."""
    holiday = holidays.named(clinic_settings().holidays, day)
    spans = [each for each in off if each.first_day <= day <= each.last_day]
    return [*([holiday] if holiday else []), *(str(each) for each in spans)]


def vets_on(day: date, off: Iterable[DaysOff]) -> Q:
    """Vets who are not away on a day."""
    return ~Q(pk__in=[each.vet_id for each in off if each.vet_id and each.first_day <= day <= each.last_day])
