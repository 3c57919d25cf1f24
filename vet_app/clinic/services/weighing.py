"""Weighing an animal without a visit, and taking a wrong weight back."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Optional

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.roles import Right
from audit.actor import Actor
from audit.models import AuditEntry
from audit.services import snapshot
from clinic.models import Pet, Weighing
from clinic.services import records
from vetclinic.errors import Conflict


def weigh(actor: Actor, pet_id: int, weight_kg: Decimal, *, at: Optional[datetime] = None) -> Weighing:
    """Keep a weight in kilograms, taken now unless `at` says when. Raises ValidationError beside `weight_kg`."""
    actor.require(Right.WEIGH)
    with transaction.atomic():
        pet = records.lock(Pet, pet_id)
        weighing = Weighing(pet=pet, weight_kg=weight_kg, at=at or timezone.now(), by=actor.name)
        return records.create(actor, weighing, {}, set())


def mark_entered_in_error(actor: Actor, weighing_id: int, reason: str) -> Weighing:
    """Take a wrong weight back; it leaves the list of weights. Raises Conflict where it was taken back already."""
    actor.require(Right.WEIGH)
    reason = records.require_reason("reason", reason)
    with transaction.atomic():
        weighing = records.lock(Weighing, weighing_id)
        if weighing.entered_in_error:
            raise Conflict(_("This entry is marked as entered in error already."))
        before = snapshot(weighing)
        weighing.entered_in_error, weighing.error_reason = True, reason
        return records.save_changes(actor, weighing, before, AuditEntry.Action.VOID)
