"""Erasing what is recorded about a person, except for what the law keeps.

Bills keep the name and address of whom they were for until their years are over (`forget_recipients`, by the daily
run). Animals keep their medical records, and the log of controlled drugs the names that the law asks for. The audit
trail, which nobody can change, keeps what it has told.
"""

from __future__ import annotations

from datetime import date
from typing import Any, Dict, List

from django.db import transaction
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import override

from accounts.roles import Right
from audit.actor import Actor
from audit.models import AuditEntry
from audit.services import record
from clinic.country import years_bills_are_kept
from clinic.models import Appointment, AppointmentNotice, Invoice, Owner, ReminderNotice
from clinic.selectors.invoices import balance_of
from clinic.selectors.settings import papers_language
from clinic.services import records
from clinic.services.reminders import cancel_reminders
from vetclinic.errors import Conflict
from vetclinic.persistence import store

ERASED: Dict[str, Any] = {
    "first_name": "", "email": "", "address": "", "postal_code": "", "city": "", "state": "", "notes": "",
    "contact_preference": Owner.Contact.ANY, "reminder_consent": False,
}  # fmt: skip


def erase_owner(actor: Actor, owner_id: int, version: int, reason: str) -> Owner:
    """Erase an owner, with the duplicates that were merged into it. Its number, animals and bills stay.

    Raises Conflict while money is owed by either side, a draft or an appointment is open, or it was erased already.
    """
    actor.require(Right.MANAGE)
    reason = records.require_reason("reason", reason)
    with transaction.atomic():
        owner = records.lock(Owner, owner_id, version)
        _refuse_what_is_open(owner)
        people: List[Owner] = [owner, *_merged_into(owner)]
        for pet in owner.pets.all():
            cancel_reminders(actor, pet)
        for person in people:
            _erase(person)
        Appointment.objects.filter(pet__owner=owner).exclude(client_note="").update(client_note="")
        ReminderNotice.objects.filter(reminder__pet__owner=owner).exclude(error="").update(error="")
        AppointmentNotice.objects.filter(appointment__pet__owner=owner).exclude(error="").update(error="")
        record(actor, AuditEntry.Action.ERASE, owner, {"erased": [None, sorted(ERASED)], "reason": [None, reason]})
    return owner


def _refuse_what_is_open(owner: Owner) -> None:
    if owner.erased_on or owner.merged_into_id:
        raise Conflict(_("This owner has been erased already."))
    if balance_of(owner):
        raise Conflict(_("This owner has an open balance. Settle it first."))
    if owner.invoices.filter(status=Invoice.Status.DRAFT, bills=None).exists():
        raise Conflict(_("There is a draft or an estimate. Issue or discard it first."))
    coming = Q(status__in=(Appointment.Status.BOOKED, Appointment.Status.CONFIRMED), starts_at__gte=timezone.now())
    here = Q(status__in=(Appointment.Status.ARRIVED, Appointment.Status.WITH_VET))
    if Appointment.objects.filter(coming | here, pet__owner=owner).exists():
        raise Conflict(_("There is an appointment to come. Cancel it first."))


def _merged_into(owner: Owner) -> List[Owner]:
    owners = list(Owner.objects.filter(merged_into=owner))
    return owners + [deeper for each in owners for deeper in _merged_into(each)]


def _erase(person: Owner) -> None:
    """Take the data away, after the bills have what they keep."""
    recipient = person.letter_head[:700]
    Invoice.objects.filter(owner=person, recipient="").exclude(number=None).update(recipient=recipient)
    person.phones.all().delete()
    for name, value in ERASED.items():
        setattr(person, name, value)
    with override(papers_language()):
        person.last_name = _("Erased owner")
    person.erased_on = timezone.localdate()
    person.version += 1
    store(person)


def forget_recipients(actor: Actor, today: date) -> int:
    """Take the names off bills of erased owners that the law no longer keeps; returns from how many."""
    last_year = today.year - years_bills_are_kept() - 1
    old = Invoice.objects.exclude(owner__erased_on=None).exclude(recipient="").filter(issued_at__year__lte=last_year)
    with transaction.atomic():
        bills = list(old.select_for_update(of=("self",)))
        for bill in bills:
            record(actor, AuditEntry.Action.ERASE, bill, {"erased": [None, ["recipient"]]})
        Invoice.objects.filter(pk__in=[bill.pk for bill in bills]).update(recipient="")
    return len(bills)
