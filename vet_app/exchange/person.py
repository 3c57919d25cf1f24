"""Everything that is recorded about one owner, for the owner, to read and for programs (GDPR articles 15 and 20)."""

from __future__ import annotations

import json
from itertools import chain
from typing import Any, Dict, Iterator, List, Tuple, Union

from django.core.serializers.json import DjangoJSONEncoder
from django.db import transaction
from django.utils import timezone

from accounts.roles import Right
from audit.actor import Actor
from audit.models import AuditEntry
from audit.services import record
from clinic.models import AppointmentNotice, Invoice, Owner, Pet, ReminderNotice
from clinic.selectors.history import history
from exchange.patient import texts_of, zipped

FORMAT = "vet-person/1"


def person_record(actor: Actor, owner_id: int) -> Iterator[bytes]:
    """A ZIP of type `patient.ZIP_TYPE` with `person.json` and a folder for each animal.

    Needs Right.MANAGE and, for the animals' records, Right.WHOLE_RECORD. Audited at the call. Raises
    Owner.DoesNotExist.
    """
    actor.require(Right.MANAGE)
    actor.require(Right.WHOLE_RECORD)
    with transaction.atomic():
        owner = Owner.objects.prefetch_related("phones").get(pk=owner_id)
        record(actor, AuditEntry.Action.EXPORT, owner, {"pets": [None, owner.pets.count()]})
        document = json.dumps(_document(owner), cls=DjangoJSONEncoder, indent=2, ensure_ascii=False)
    return zipped(chain([("person.json", document)], _animals(owner)))


def _animals(owner: Owner) -> Iterator[Tuple[str, Union[str, bytes]]]:
    at = timezone.localtime()
    for pet in Pet.objects.filter(owner=owner, merged_into=None).select_related("owner", "species", "breed"):
        for name, content in texts_of(pet, history(pet).for_others(), at):
            yield f"animal-{pet.pk}/{name}", content


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
        "bills": [_bill(bill) for bill in owner.invoices.prefetch_related("lines", "payments").order_by("pk")],
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
