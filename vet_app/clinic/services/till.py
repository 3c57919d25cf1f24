"""Counting the till at the end of a day, and correcting a count."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Optional

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.roles import Right
from audit.actor import Actor
from clinic.models import CashCount
from clinic.selectors.till import cash_of
from clinic.services import records
from vetclinic.errors import Conflict


def count_cash(
    actor: Actor, day: date, *, opening: Decimal, counted: Decimal, withdrawn: Decimal = Decimal(0), reason: str = ""
) -> CashCount:
    """Record what the till held at the end of a day. A difference needs a reason.

    Raises ValidationError for a day to come, a day that has been counted, and a difference without a reason.
    """
    actor.require(Right.BILLING)
    return _write(actor, CashCount(day=day, opening=opening, counted=counted, withdrawn=withdrawn), reason.strip())


def correct_count(
    actor: Actor, count_id: int, *, opening: Decimal, counted: Decimal, withdrawn: Decimal = Decimal(0), reason: str
) -> CashCount:
    """Replace a count by another one of the same day, with a reason; what was recorded stays readable.

    Raises Conflict where it has been corrected already.
    """
    actor.require(Right.BILLING)
    reason = records.require_reason("reason", reason)
    with transaction.atomic():
        wrong = records.lock(CashCount, count_id)
        if CashCount.objects.filter(corrects=wrong).exists():
            raise Conflict(_("This count has already been corrected. Open the latest one."))
        fresh = CashCount(day=wrong.day, opening=opening, counted=counted, withdrawn=withdrawn, corrects=wrong)
        return _write(actor, fresh, reason)


def _write(actor: Actor, count: CashCount, reason: Optional[str]) -> CashCount:
    if count.day > timezone.localdate():
        raise ValidationError({"day": [_("This date is in the future.")]})
    count.reason, count.counted_by = reason or "", actor.name
    count.taken = cash_of(count.day)
    count.difference = count.counted - count.expected
    if count.difference and not count.reason:
        raise ValidationError(
            {"reason": [_("The count does not match the expected amount. Please give the reason, if known.")]}
        )
    return records.create(actor, count, {}, set())
