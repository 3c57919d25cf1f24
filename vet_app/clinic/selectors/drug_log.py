"""Controlled drugs with what is there of each."""

from __future__ import annotations

from decimal import Decimal

from django.db.models import OuterRef, QuerySet, Subquery

from clinic.models import ControlledDrug, DrugEntry


def balance_of(drug: ControlledDrug) -> Decimal:
    """What the log says is there."""
    last = DrugEntry.objects.filter(drug=drug).first()
    return last.balance if last else Decimal(0)


def with_balances() -> QuerySet[ControlledDrug]:
    """The drugs in use, each with `balance` and `counted_at`, the time of its last count."""
    entries = DrugEntry.objects.filter(drug=OuterRef("pk")).order_by("-id")
    counts = entries.filter(kind=DrugEntry.Kind.COUNTED)
    return ControlledDrug.objects.filter(active=True).annotate(
        balance=Subquery(entries.values("balance")[:1]), counted_at=Subquery(counts.values("at")[:1])
    )
