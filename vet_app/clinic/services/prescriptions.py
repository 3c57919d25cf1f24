"""Writing and voiding prescriptions."""

from __future__ import annotations

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.roles import Right
from audit.actor import Actor
from audit.models import AuditEntry
from audit.services import snapshot
from clinic.models import Prescription, Visit
from clinic.services import records
from vetclinic.errors import Conflict, Locked

FIELDS = {
    "drug", "strength", "dose", "quantity", "unit", "refills", "instructions", "valid_until", "controlled", "product",
}  # fmt: skip


def prescribe(actor: Actor, visit_id: int, fields: records.Fields) -> Prescription:
    """Prescribe a drug at a visit."""
    actor.require(Right.CLINICAL)
    with transaction.atomic():
        visit = records.lock(Visit, visit_id)
        if visit.entered_in_error:
            raise Locked(_("This visit was taken back. Begin another one instead."))
        return records.create(actor, Prescription(visit=visit), fields, FIELDS)


def void_prescription(actor: Actor, prescription_id: int, reason: str) -> Prescription:
    """Declare a prescription void. Raises Conflict where it is void already."""
    actor.require(Right.CLINICAL)
    reason = records.require_reason("reason", reason)
    with transaction.atomic():
        prescription = records.lock(Prescription, prescription_id)
        if prescription.voided_at:
            raise Conflict(_("This prescription is void already."))
        before = snapshot(prescription)
        prescription.voided_at, prescription.void_reason = timezone.now(), reason
        return records.save_changes(actor, prescription, before, AuditEntry.Action.VOID)
