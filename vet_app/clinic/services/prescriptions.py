"""Writing and voiding prescriptions."""

from __future__ import annotations

from django.db import transaction
from django.db.models import Max
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.roles import Right
from audit.actor import Actor
from audit.models import AuditEntry
from audit.services import snapshot
from clinic.models import Prescription, Visit
from clinic.selectors.days import days_between
from clinic.services import records
from vetclinic.errors import Conflict, Locked
from vetclinic.on_postgresql import one_at_a_time

FIELDS = {
    "drug", "strength", "dose", "route", "duration", "quantity", "unit", "refills", "instructions", "cautions",
    "withdrawal", "valid_until", "controlled", "product",
}  # fmt: skip


def prescribe(actor: Actor, visit_id: int, fields: records.Fields) -> Prescription:
    """Prescribe a drug at a visit."""
    actor.require(Right.CLINICAL)
    with transaction.atomic():
        visit = records.lock(Visit, visit_id)
        if visit.entered_in_error:
            raise Locked(_("This visit is marked as entered in error. Start a new visit instead."))
        return records.create(actor, Prescription(visit=visit, number=_number(visit)), fields, FIELDS)


def _number(visit: Visit) -> int:
    """That of what was prescribed at this visit today, or the next one; none is missing, for none is ever deleted."""
    one_at_a_time("prescription_number")
    today = days_between("created_at", timezone.localdate(), timezone.localdate())
    begun = Prescription.objects.filter(today, visit=visit, voided_at=None).exclude(number=None).first()
    if begun is not None and begun.number is not None:
        return begun.number
    return (Prescription.objects.aggregate(last=Max("number"))["last"] or 0) + 1


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
