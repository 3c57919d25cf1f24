"""Visits: writing notes, locking them, and amending what is locked."""

from __future__ import annotations

from typing import Optional

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.roles import Right
from audit.actor import Actor
from audit.models import AuditEntry
from audit.services import record, snapshot
from clinic.models import Appointment, Pet, Visit, VisitAmendment
from clinic.services import records
from vetclinic.errors import Conflict, Locked
from vetclinic.persistence import store

MEASURED = {"weight_kg", "temp_c", "heart_rate", "resp_rate"}
NOTES = {"subjective", "objective", "assessment", "plan"}
EDITABLE = {"vet", "at"} | MEASURED | NOTES


def start_visit(actor: Actor, pet_id: int, fields: records.Fields, *, appointment_id: Optional[int] = None) -> Visit:
    """Begin a visit, with or without an appointment of the same pet. Raises Conflict where one has begun already.

    A person who takes measurements begins one as well, for the vet to write its notes.
    """
    actor.require(Right.CLINICAL if NOTES & {name for name, value in fields.items() if value} else Right.MEASURE)
    with transaction.atomic():
        pet = records.lock(Pet, pet_id)
        appointment = records.lock(Appointment, appointment_id) if appointment_id else None
        if appointment is not None and appointment.pet_id != pet.pk:
            raise Conflict(_("This appointment is for another pet."))
        if appointment is not None and Visit.objects.filter(appointment=appointment).exists():
            raise Conflict(_("A visit for this appointment has been started already."))
        return records.create(actor, Visit(pet=pet, appointment=appointment), fields, EDITABLE)


def update_visit(actor: Actor, visit_id: int, version: int, fields: records.Fields) -> Visit:
    """Change an open visit; measurements alone need no more than Right.MEASURE.

    Raises Locked for a closed one, Changed for an old `version`.
    """
    actor.require(Right.MEASURE if MEASURED.issuperset(fields) else Right.CLINICAL)
    with transaction.atomic():
        visit = _open(visit_id, version)
        before = snapshot(visit)
        records.assign(visit, fields, EDITABLE)
        return records.save_changes(actor, visit, before)


def lock_visit(actor: Actor, visit_id: int, version: int) -> Visit:
    """Close the notes permanently, signed by the actor."""
    actor.require(Right.CLINICAL)
    with transaction.atomic():
        visit = _open(visit_id, version)
        before = snapshot(visit)
        visit.locked_at = timezone.now()
        visit.locked_by_id = actor.user_id
        return records.save_changes(actor, visit, before, AuditEntry.Action.LOCK)


def mark_entered_in_error(actor: Actor, visit_id: int, version: int, reason: str) -> Visit:
    """Take back a visit, such as one of the wrong animal, locked or not; its appointment may begin another one.

    What was written stays readable and counts for nothing. Raises Locked where it was taken back already, and Conflict
    while a vaccination or a prescription of it counts.
    """
    actor.require(Right.CLINICAL)
    reason = records.require_reason("reason", reason)
    with transaction.atomic():
        visit = records.lock(Visit, visit_id, version)
        _refuse_taken_back(visit)
        vaccinations, prescriptions = (
            visit.vaccinations.filter(entered_in_error=False),
            visit.prescriptions.filter(voided_at=None),
        )
        if vaccinations.exists() or prescriptions.exists():
            raise Conflict(
                _("Mark the vaccinations of this visit as entered in error and void its prescriptions first.")
            )
        before = snapshot(visit)
        visit.entered_in_error, visit.error_reason, visit.appointment = True, reason, None
        visit.version += 1
        visit.save(update_fields=Visit.TAKEN_BACK)
        record(actor, AuditEntry.Action.VOID, visit, before=before)
    return visit


def close_billing(actor: Actor, visit_id: int, *, again: bool = False) -> Visit:
    """Say that nothing more of a visit is to be billed, or with `again` that it is to be asked about after all.

    The notes do not change, and so neither does their version.
    """
    actor.require(Right.DRAFT_INVOICE)
    with transaction.atomic():
        visit = records.lock(Visit, visit_id)
        before = snapshot(visit)
        visit.billing_closed_at = None if again else timezone.now()
        visit.save(update_fields=Visit.BILLED)
        record(actor, AuditEntry.Action.UPDATE, visit, before=before)
    return visit


def _open(visit_id: int, version: int) -> Visit:
    """The visit, locked until the transaction ends; raises Locked where nobody may change it any more."""
    visit = records.lock(Visit, visit_id, version)
    if visit.is_locked:
        raise Locked(_("This visit is locked. Add an amendment instead."))
    _refuse_taken_back(visit)
    return visit


def _refuse_taken_back(visit: Visit) -> None:
    if visit.entered_in_error:
        raise Locked(_("This visit is marked as entered in error. Start a new visit instead."))


def amend_visit(actor: Actor, visit_id: int, text: str) -> VisitAmendment:
    """Add a signed text to a locked visit. Raises Conflict while the visit is open."""
    actor.require(Right.CLINICAL)
    with transaction.atomic():
        visit = records.lock(Visit, visit_id)
        _refuse_taken_back(visit)
        if not visit.is_locked:
            raise Conflict(_("This visit is still open. Change its notes instead."))
        amendment = VisitAmendment(visit=visit, author=actor.name, text=text.strip())
        store(amendment)
        record(actor, AuditEntry.Action.AMEND, visit, {"amendment": [None, amendment.pk]})
    return amendment
