"""Entering what comes in and goes out of controlled drugs, and counting them, with a witness where one is needed.

The drug's row is locked, so that each balance follows from the one before it.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Optional

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.models import User
from accounts.roles import Right
from audit.actor import Actor
from clinic.models import ControlledDrug, DrugEntry, Prescription
from clinic.selectors.drug_log import balance_of
from clinic.services import records

Kind = DrugEntry.Kind


def enter(
    actor: Actor,
    drug_id: int,
    kind: str,
    quantity: Decimal,
    *,
    whom: str = "",
    prescription_id: Optional[int] = None,
    reference: str = "",
    reason: str = "",
    witness: Optional[User] = None,
) -> DrugEntry:
    """Write one line of a drug's log. `quantity` is what came in or went out, or for a count what is there.

    What is wasted, and a count that differs, need a witness and a reason; what is received or dispensed needs to say
    from whom or for whom (21 CFR 1304.22(c)). The witness is another person, whose password the caller has checked.
    Raises ValidationError by field.
    """
    actor.require(Right.CLINICAL)
    with transaction.atomic():
        drug = records.lock(ControlledDrug, drug_id)
        before = balance_of(drug)
        entry = DrugEntry(
            drug=drug, kind=kind, at=timezone.now(), whom=whom.strip(), reference=reference, reason=reason.strip(),
            by=actor.name, witness=witness.display_name if witness else "", prescription=_prescription(prescription_id),
        )  # fmt: skip
        entry.change = _change(kind, quantity, before)
        entry.balance = before + entry.change
        _check(actor, entry, witness)
        if entry.prescription is not None and not entry.whom:
            entry.whom = _patient(entry.prescription)
        return records.create(actor, entry, {}, set())


def _change(kind: str, quantity: Decimal, before: Decimal) -> Decimal:
    if quantity < 0 or (not quantity and kind != Kind.COUNTED):
        raise ValidationError({"quantity": [_("The quantity must be above zero.")]})
    if kind == Kind.COUNTED:
        return quantity - before
    if kind == Kind.RECEIVED:
        return quantity
    if quantity > before:
        raise ValidationError({"quantity": [_("You cannot take out more than is in stock.")]})
    return -quantity


def _check(actor: Actor, entry: DrugEntry, witness: Optional[User]) -> None:
    errors = {}
    differs = entry.kind == Kind.COUNTED and bool(entry.change)
    if (entry.kind == Kind.WASTED or differs) and witness is None:
        errors["witness"] = [_("Somebody else has to witness this.")]
    if witness is not None and witness.pk == actor.user_id:
        errors["witness"] = [_("The witness must be another person.")]
    if (entry.kind == Kind.WASTED or differs) and not entry.reason:
        errors["reason"] = [_("Please give a reason.")]
    if entry.kind in (Kind.RECEIVED, Kind.DISPENSED) and not entry.whom and entry.prescription is None:
        errors["whom"] = [_("Enter the supplier, or the patient and owner.")]
    if errors:
        raise ValidationError(errors)


def _prescription(prescription_id: Optional[int]) -> Optional[Prescription]:
    rows = Prescription.objects.select_related("visit__pet__owner", "visit__pet__species")
    return None if prescription_id is None else rows.get(pk=prescription_id, voided_at=None)


def _patient(prescription: Prescription) -> str:
    """The animal with its owner's name and address, as the law wants it in the log."""
    pet = prescription.visit.pet
    address = ", ".join(pet.owner.postal_address.splitlines())
    return ", ".join(part for part in (f"{pet} ({pet.species})", pet.owner.full_name, address) if part)[:300]
