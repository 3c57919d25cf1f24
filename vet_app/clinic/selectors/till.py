"""What the till should hold, and the counts of it."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Optional

from django.db.models import QuerySet, Sum

from clinic.models import AccountEntry, CashCount, Payment, PaymentMethod
from clinic.money import round_money
from clinic.selectors.days import days_between


def cash_of(day: date) -> Decimal:
    """The cash that came in on a day, less what was given back."""
    cash = PaymentMethod.objects.filter(is_cash=True).values("code")
    paid = Payment.objects.filter(days_between("at", day, day), method__in=cash)
    entries = AccountEntry.objects.filter(days_between("at", day, day), method__in=cash)
    return round_money(
        sum((rows.aggregate(sum=Sum("amount"))["sum"] or Decimal(0) for rows in (paid, entries)), Decimal(0))
    )


def counts(since: Optional[date] = None, until: Optional[date] = None) -> QuerySet[CashCount]:
    """The count that holds for each day, the newest day first; what a correction replaced is left out."""
    rows = CashCount.objects.filter(corrected_by=None)
    if since:
        rows = rows.filter(day__gte=since)
    return rows.filter(day__lte=until) if until else rows


def counts_of(day: date) -> QuerySet[CashCount]:
    """All counts of a day, the one that holds first."""
    return CashCount.objects.filter(day=day).order_by("-id")


def opening_of(day: date) -> Optional[Decimal]:
    """What the till held when it was last counted before a day; None where it never was."""
    last = counts().filter(day__lt=day).first()
    return last.counted if last else None
