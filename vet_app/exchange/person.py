"""Everything that is recorded about one owner, for the owner, to read and for programs (GDPR articles 15 and 20)."""

from __future__ import annotations

import json
from itertools import chain
from typing import Any, Dict, Iterator, List, Tuple, Union

from django.core.serializers.json import DjangoJSONEncoder
from django.db import transaction
from django.db.models import QuerySet
from django.template.loader import render_to_string
from django.utils import timezone
from django.utils.translation import override

from accounts.roles import Right
from audit.actor import Actor
from audit.models import AuditEntry
from audit.services import record
from clinic.models import AccountEntry, Appointment, AppointmentNotice, Invoice, Owner, Payment, Pet, ReminderNotice
from clinic.models.account import method_names
from clinic.money import trimmed, with_currency
from clinic.selectors.history import history
from clinic.selectors.settings import clinic_settings, papers_language
from exchange.patient import files_of, zipped

FORMAT = "vet-person/1"


def person_record(actor: Actor, owner_id: int) -> Iterator[bytes]:
    """A ZIP of type `patient.ZIP_TYPE` with `person.html`, `person.json` and a folder with the record of each animal.

    Needs Right.MANAGE and, for the animals' records, Right.WHOLE_RECORD. Audited at the call, and never more than one
    file of it is in memory. Raises Owner.DoesNotExist.
    """
    actor.require(Right.MANAGE)
    actor.require(Right.WHOLE_RECORD)
    with transaction.atomic():
        owner = Owner.objects.prefetch_related("phones").get(pk=owner_id)
        record(actor, AuditEntry.Action.EXPORT, owner, {"pets": [None, owner.pets.count()]})
        document = json.dumps(_document(owner), cls=DjangoJSONEncoder, indent=2, ensure_ascii=False)
        page = _page(owner)
    return zipped(chain([("person.html", page), ("person.json", document)], _animals(owner)))


def _pets(owner: Owner) -> QuerySet[Pet]:
    return Pet.objects.filter(owner=owner, merged_into=None).select_related("owner", "species", "breed")


def _animals(owner: Owner) -> Iterator[Tuple[str, Union[str, bytes]]]:
    at = timezone.localtime()
    for pet in _pets(owner):
        for name, content in files_of(pet, history(pet).for_others(), at):
            yield f"animal-{pet.pk}/{name}", content


def _page(owner: Owner) -> str:
    """What `_document` tells, to read and print, in the language of the clinic's papers."""
    with override(papers_language()):
        context = {
            "owner": owner, "clinic": clinic_settings(), "at": timezone.localtime(), "animals": _pets(owner),
            "appointments": Appointment.objects.filter(pet__owner=owner).select_related("pet").order_by("starts_at"),
            "bills": [_read_bill(bill) for bill in _bills(owner)],
            "account": [_read_money(each) for each in owner.account.order_by("pk")], "notices": _read_notices(owner),
        }  # fmt: skip
        return render_to_string("exchange/person.html", context)


def _read_bill(bill: Invoice) -> Dict[str, Any]:
    lines = [{"text": each.text, "quantity": trimmed(each.quantity, 0), "amount": with_currency(each.amount)}
             for each in bill.lines.all()]  # fmt: skip
    return {
        "name": str(bill) if bill.number else "", "status": bill.status_word, "issued_at": bill.issued_at,
        "addressee": bill.addressee, "lines": lines, "total": with_currency(bill.total), "notes": bill.notes,
        "diagnosis": bill.diagnosis, "payments": [_read_money(each) for each in bill.payments.all()],
    }  # fmt: skip


def _read_money(entry: Union[Payment, AccountEntry]) -> Dict[str, Any]:
    return {
        "at": entry.at, "amount": with_currency(entry.amount), "method": method_names().get(entry.method, entry.method),
        "reference": entry.reference, "reason": entry.reason,
    }  # fmt: skip


def _read_notices(owner: Owner) -> List[Dict[str, Any]]:
    """Each message about a vaccination or an appointment, the oldest first."""
    vaccinations = ReminderNotice.objects.filter(reminder__pet__owner=owner)
    appointments = AppointmentNotice.objects.filter(appointment__pet__owner=owner)
    notices: List[Tuple[Any, Any, Any]] = [
        *((each, each.reminder.pet, each.reminder.vaccination.vaccine)
          for each in vaccinations.select_related("reminder__pet", "reminder__vaccination__vaccine")),
        *((each, each.appointment.pet, each.appointment.get_kind_display())
          for each in appointments.select_related("appointment__pet")),
    ]  # fmt: skip
    ways = dict(Owner.Contact.choices)
    return [
        {"at": each.updated_at, "pet": pet, "what": what, "channel": ways.get(each.channel, each.channel),
         "status": each.get_status_display()}
        for each, pet, what in sorted(notices, key=lambda item: item[0].updated_at)
    ]  # fmt: skip


def _bills(owner: Owner) -> QuerySet[Invoice]:
    return owner.invoices.prefetch_related("lines", "payments").order_by("pk")


def _document(owner: Owner) -> Dict[str, Any]:
    """What is recorded about the person, by English names."""
    return {
        "format": FORMAT,
        "exported_at": timezone.localtime(),
        "owner": {
            "number": owner.pk, "first_name": owner.first_name, "last_name": owner.last_name, "email": owner.email,
            "address": owner.postal_address, "contact_preference": owner.contact_preference,
            "reminder_consent": owner.reminder_consent, "notes": owner.notes, "recorded_at": owner.created_at,
            "phones": [{"number": phone.number, "label": phone.label} for phone in owner.phones.all()],
        },
        "bills": [_bill(bill) for bill in _bills(owner)],
        "account": [
            {"at": each.at, "amount": each.amount, "method": each.method, "reference": each.reference}
            for each in owner.account.order_by("pk")
        ],
        "appointments": [
            {"animal": pet.name, "starts_at": each.starts_at, "kind": each.kind, "reason": each.reason,
             "status": each.status}
            for pet in owner.pets.all() for each in pet.appointments.all()
        ],
        "reminders": _reminders(owner),
        "reminders_of_appointments": _reminders_of_appointments(owner),
    }  # fmt: skip


def _bill(bill: Invoice) -> Dict[str, Any]:
    return {
        "number": bill.number, "status": bill.status, "issued_at": bill.issued_at, "for": bill.addressee,
        "net": bill.net, "tax": bill.tax, "total": bill.total, "notes": bill.notes, "diagnosis": bill.diagnosis,
        "lines": [{"text": line.text, "quantity": line.quantity, "amount": line.amount} for line in bill.lines.all()],
        "payments": [{"at": each.at, "amount": each.amount, "method": each.method} for each in bill.payments.all()],
    }  # fmt: skip


def _reminders(owner: Owner) -> List[Dict[str, Any]]:
    sent = ReminderNotice.objects.filter(reminder__pet__owner=owner).select_related("reminder__pet").order_by("pk")
    return [
        {"animal": each.reminder.pet.name, "due_on": each.reminder.due_on, "channel": each.channel,
         "status": each.status, "at": each.updated_at}
        for each in sent
    ]  # fmt: skip


def _reminders_of_appointments(owner: Owner) -> List[Dict[str, Any]]:
    sent = AppointmentNotice.objects.filter(appointment__pet__owner=owner).select_related("appointment__pet")
    return [
        {"animal": each.appointment.pet.name, "starts_at": each.starts_at, "channel": each.channel,
         "status": each.status, "at": each.updated_at}
        for each in sent.order_by("pk") if each.appointment.pet is not None
    ]  # fmt: skip
