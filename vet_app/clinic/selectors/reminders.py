"""Which vaccinations are due, whom to remind, and by which way."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Dict, Iterable, List, NamedTuple, Optional

from django.conf import settings
from django.db.models import Exists, OuterRef, QuerySet
from django.utils import timezone

from clinic.models import Appointment, Owner, Reminder, ReminderNotice
from clinic.selectors.calendar import bounds, coming
from clinic.selectors.settings import clinic_settings

STAGES = (-30, -7, 0, 30)  # days from the due date
SETTLES = timedelta(days=14)
"""No stage is reached so soon after the injection before: a booster in a month is not due on the first day."""
Contact = Owner.Contact


class Untold(NamedTuple):
    """An owner with the reminders, at a stage not sent yet, that belong into one message."""

    owner: Owner
    reminders: List[Reminder]


def due(until: date) -> QuerySet[Reminder]:
    """Pending reminders due by a day, the oldest first, with everything a list or letter shows."""
    pending = Reminder.objects.filter(status=Reminder.Status.PENDING, due_on__lte=until, pet__deceased_on=None)
    related = pending.select_related("pet__owner", "pet__species", "vaccination__vaccine")
    return related.prefetch_related("pet__owner__phones", "notices")


def to_tell(until: date) -> QuerySet[Reminder]:
    """Those of `due` that owners get: who agrees to it, is not booked, and what nobody has to look at first."""
    booked = Exists(coming().filter(pet=OuterRef("pet")))
    return due(until).filter(~booked, held=False, pet__owner__reminder_consent=True)


def horizon(today: date) -> date:
    """The last day whose reminders may have reached their first stage."""
    return today - timedelta(days=STAGES[0])


def stage_on(due_on: date, today: date, given_on: Optional[date] = None) -> Optional[int]:
    """The latest stage that has been reached, in days from the due date; None before the first.

    Stages within SETTLES after the injection before (`given_on`) are left out.
    """
    days = [(stage, due_on + timedelta(days=stage)) for stage in STAGES]
    reached = [stage for stage, day in days if day <= today and (given_on is None or day > given_on + SETTLES)]
    return reached[-1] if reached else None


def stage_of(reminder: Reminder, today: date) -> Optional[int]:
    """The stage that a reminder has reached."""
    return stage_on(reminder.due_on, today, reminder.vaccination.given_on)


def way_to(owner: Owner) -> str:
    """How to tell an owner something: as they prefer where that can be, else by what there is, e-mail first."""
    reachable = {
        Contact.EMAIL: bool(settings.EMAIL_ENABLED and owner.email),
        Contact.POST: bool(owner.postal_address),
        Contact.PHONE: bool(owner.phones.all()),
    }
    if reachable.get(Contact(owner.contact_preference)):
        return owner.contact_preference
    return next((way.value for way, there in reachable.items() if there), Contact.POST.value)


def untold(reminders: Iterable[Reminder], today: date, way: str) -> List[Untold]:
    """Owners who are reminded in this way, with what they have not been reminded of at its present stage."""
    found: Dict[int, Untold] = {}
    for reminder in reminders:
        owner = reminder.pet.owner
        if way_to(owner) == way and _is_untold(reminder, today):
            found.setdefault(owner.pk, Untold(owner, [])).reminders.append(reminder)
    return list(found.values())


def _is_untold(reminder: Reminder, today: date) -> bool:
    stage = stage_of(reminder, today)
    told = {notice.stage for notice in reminder.notices.all() if notice.status != ReminderNotice.Status.FAILED}
    return stage is not None and stage not in told


def appointments_to_tell(today: date) -> List[Appointment]:
    """Appointments of the next days whose owners agree to reminders and have not been reminded of its present time.

    Who has booked within a day knows. Nothing where the clinic does not remind of appointments.
    """
    days = clinic_settings().appointment_reminder_days
    if not days:
        return []
    planned = coming().filter(
        starts_at__gt=timezone.now(), starts_at__lt=bounds(today + timedelta(days=days))[1], pet__deceased_on=None,
        pet__owner__reminder_consent=True, created_at__lt=timezone.now() - timedelta(days=1),
    )  # fmt: skip
    rows = planned.select_related("pet__owner", "pet__species").prefetch_related("pet__owner__phones", "notices")
    failed = ReminderNotice.Status.FAILED
    return [
        each
        for each in rows.order_by("starts_at", "pk")
        if not any(notice.starts_at == each.starts_at and notice.status != failed for notice in each.notices.all())
    ]


def held() -> QuerySet[Reminder]:
    """What an import brought and nobody has looked at."""
    pending = Reminder.objects.filter(held=True, status=Reminder.Status.PENDING, pet__deceased_on=None)
    return pending.select_related("pet__owner", "pet__species", "vaccination__vaccine").order_by("due_on", "pk")
