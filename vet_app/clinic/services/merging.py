"""Merging duplicates: everything of the duplicate moves to the record that stays; the duplicate is kept, hidden."""

from __future__ import annotations

from typing import Dict, Tuple, Type

from django.db import transaction
from django.utils.translation import gettext as _

from accounts.roles import Right
from audit.actor import Actor
from audit.models import AuditEntry
from audit.services import snapshot
from clinic.models import (
    AccountEntry,
    Appointment,
    Attachment,
    Invoice,
    InvoiceLine,
    Owner,
    Pet,
    Phone,
    Reminder,
    Vaccination,
    Visit,
    Weighing,
)
from clinic.services import records
from clinic.services.reminders import cancel_reminders, refresh_reminder
from vetclinic.errors import Conflict


def merge_owners(actor: Actor, keep_id: int, duplicate_id: int) -> Owner:
    """Move pets, invoices and unknown telephone numbers to `keep`; consent is kept only where both gave it."""
    actor.require(Right.MANAGE)
    with transaction.atomic():
        keep, duplicate = _pair(Owner, keep_id, duplicate_id)
        moved: Dict[str, int] = {
            "pets": Pet.objects.filter(owner=duplicate).update(owner=keep),
            "invoices": Invoice.objects.filter(owner=duplicate).update(owner=keep),
            "accountentry": AccountEntry.objects.filter(owner=duplicate).update(owner=keep),
        }
        known = set(keep.phones.values_list("digits", flat=True))
        moved["phones"] = Phone.objects.filter(owner=duplicate).exclude(digits__in=known).update(owner=keep)
        before = snapshot(keep)
        for name in ("first_name", "email"):
            setattr(keep, name, getattr(keep, name) or getattr(duplicate, name))
        if not keep.postal_address:  # one address, not the street of one and the town of the other
            for name in ("address", "postal_code", "city", "state"):
                setattr(keep, name, getattr(duplicate, name))
        keep.reminder_consent = keep.reminder_consent and duplicate.reminder_consent
        keep.notes = "\n".join(part for part in (keep.notes, duplicate.notes) if part)[:4000]
        records.save_changes(
            actor, keep, before, AuditEntry.Action.MERGE, note={"duplicate": duplicate.pk, "moved": moved}
        )
        _hide(actor, duplicate, keep)
    return keep


def merge_pets(actor: Actor, keep_id: int, duplicate_id: int) -> Pet:
    """Move the whole history to `keep`, and let its reminders follow. Raises Conflict for different species."""
    actor.require(Right.MANAGE)
    with transaction.atomic():
        keep, duplicate = _pair(Pet, keep_id, duplicate_id)
        if keep.species_id != duplicate.species_id:
            raise Conflict(_("These pets are of different species."))
        cancel_reminders(actor, duplicate)
        moved = {
            model._meta.model_name or "": model._default_manager.filter(pet=duplicate).update(pet=keep)
            for model in (Appointment, Visit, Vaccination, Attachment, InvoiceLine, Reminder, Weighing)
        }
        before = snapshot(keep)
        chip, tag = duplicate.microchip, duplicate.tag
        _hide(actor, duplicate, keep)
        keep.microchip, keep.tag = keep.microchip or chip, keep.tag or tag
        keep.alert = "; ".join(part for part in (keep.alert, duplicate.alert) if part)[:200]
        records.save_changes(
            actor, keep, before, AuditEntry.Action.MERGE, note={"duplicate": duplicate.pk, "moved": moved}
        )
        for group in set(keep.vaccinations.values_list("vaccine__group", flat=True)):
            refresh_reminder(actor, keep, group)
    return keep


def _pair(
    model: Type[records.Versioned], keep_id: int, duplicate_id: int
) -> Tuple[records.Versioned, records.Versioned]:
    """Both rows, locked in the order of their ids so that two merges never wait for each other."""
    if keep_id == duplicate_id:
        raise Conflict(_("A record cannot be merged with itself."))
    rows = {pk: records.lock(model, pk) for pk in sorted((keep_id, duplicate_id))}
    if any(getattr(row, "merged_into_id", None) for row in rows.values()):
        raise Conflict(_("One of these records has been merged already."))
    return rows[keep_id], rows[duplicate_id]


def _hide(actor: Actor, duplicate: records.Versioned, keep: records.Versioned) -> None:
    before = snapshot(duplicate)
    setattr(duplicate, "merged_into", keep)  # noqa: B010 -- owners and pets share this field by name only
    if isinstance(duplicate, Pet):
        duplicate.microchip = ""  # a chip belongs to one pet
    records.save_changes(actor, duplicate, before, AuditEntry.Action.MERGE)
