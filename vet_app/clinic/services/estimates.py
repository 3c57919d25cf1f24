"""Estimates: what a treatment will cost, told to the owner before, and the bill that is made of one afterwards.

An estimate is written and changed like any draft (`billing.draft_invoice` with `valid_until`).
"""

from __future__ import annotations

from datetime import timedelta

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.roles import Right
from audit.actor import Actor
from clinic.models import Invoice, Visit
from clinic.selectors.days import days_between
from clinic.services import records
from vetclinic.errors import Conflict

HOLDS_FOR = timedelta(days=30)


def bill_estimate(actor: Actor, estimate_id: int, version: int) -> Invoice:
    """Draft a bill with the lines of an estimate, at the prices that the owner was told; the estimate stays.

    A line bills today's visit of its pet, if there is one. Raises Conflict where a bill was made of it already; one
    that was voided or discarded does not count.
    """
    actor.require(Right.DRAFT_INVOICE)
    with transaction.atomic():
        estimate = records.lock(Invoice, estimate_id, version)
        if not estimate.is_estimate:
            raise Conflict(_("This is not an estimate."))
        if estimate.bills.exclude(status=Invoice.Status.VOID).exists():
            raise Conflict(_("A bill was made of this estimate already."))
        copied = ("owner", "notes", "diagnosis", "prices_include_tax", "discount_reason", "net", "tax", "total")
        begun = Invoice(from_estimate=estimate, **{name: getattr(estimate, name) for name in copied})
        bill = records.create(actor, begun, {}, set())
        _copy_lines(estimate, bill)
    return bill


def _copy_lines(estimate: Invoice, bill: Invoice) -> None:
    lines = list(estimate.lines.all())
    today = days_between("at", timezone.localdate(), timezone.localdate())
    seen = Visit.objects.filter(today, pet__in=[line.pet_id for line in lines if line.pet_id], entered_in_error=False)
    visits = {visit.pet_id: visit for visit in seen.order_by("at")}
    for line in lines:
        line.pk, line.invoice, line.visit = None, bill, line.visit or visits.get(line.pet_id or 0)
        line.service_on = timezone.localtime(line.visit.at).date() if line.visit else timezone.localdate()
        line._state.adding = True
        line.save()
