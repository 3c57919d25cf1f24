"""Lists of invoices, finding one, and what an owner owes."""

from __future__ import annotations

from decimal import Decimal, InvalidOperation
from typing import Any, Dict, List, NamedTuple, Optional

from django.db.models import Count, F, OuterRef, Q, QuerySet, Subquery, Sum
from django.db.models.functions import Coalesce

from clinic.models import AccountEntry, Invoice, Owner, Payment
from clinic.models.billing import UNPAID_FIRST
from clinic.money import MoneyField, round_money
from clinic.normalization import digits
from clinic.selectors.names import any_of, named, words_of

LARGEST_NUMBER = 2**63 - 1  # of a PositiveBigIntegerField
LARGEST_AMOUNT = Decimal(10) ** 10  # of the columns of totals


def listed() -> QuerySet[Invoice]:
    """All invoices: unpaid first, then drafts, then the rest, the newest on top of each.

    They come with owner, payments and credits, as `services.billing.amount_due` needs them.
    """
    invoices = Invoice.objects.select_related("owner").prefetch_related("payments", "credits")
    return invoices.order_by(UNPAID_FIRST, "-id")


def matching(text: str) -> QuerySet[Invoice]:
    """Of `listed()`: those with this number or this total, or whose owner has every word in the name."""
    words = words_of(text)
    if not words:
        return listed().none()
    called = Q()
    for word in words:
        called &= named(word, "search_name")
    wanted = [Q(owner__in=Owner.objects.filter(called).values("pk"))]
    number, amount = whole_number(text), _amount(text)
    if number is not None:
        wanted.append(Q(number=number))
    if amount is not None:
        wanted.append(Q(total=amount))
    return listed().filter(any_of(Invoice, wanted))


class Due(NamedTuple):
    """What several bills have still to be paid, and how many they are."""

    bills: int
    amount: Decimal


def unpaid() -> QuerySet[Any]:
    """Bills that are issued and not settled, with what is `due` of each, as `services.billing.amount_due` has it."""
    money, zero = MoneyField(), Decimal(0)
    paid = Payment.objects.filter(invoice=OuterRef("pk")).order_by().values("invoice").annotate(sum=Sum("amount"))
    notes = Invoice.objects.filter(credit_of=OuterRef("pk")).order_by().values("credit_of").annotate(sum=Sum("total"))
    taken, credited = (
        Coalesce(Subquery(each.values("sum"), output_field=money), zero, output_field=money) for each in (paid, notes)
    )
    return Invoice.objects.filter(status=Invoice.Status.ISSUED).annotate(due=F("total") + credited - taken)


def due_in_all() -> Due:
    """What all unpaid bills have still to be paid, summed by the database."""
    sums = unpaid().aggregate(bills=Count("pk"), amount=Sum("due"))
    return Due(sums["bills"], round_money(sums["amount"] or Decimal(0)))


def brought_forward() -> QuerySet[AccountEntry]:
    """What owners owed or had elsewhere before an import brought them here; no payment and no bill belongs to it."""
    return AccountEntry.objects.filter(method="", payment=None)


def _debts() -> QuerySet[AccountEntry, Dict[str, Any]]:
    """The owners whose account is below zero, and its `sum`: what is left of a balance brought forward."""
    return AccountEntry.objects.order_by().values("owner").annotate(sum=Sum("amount")).filter(sum__lt=0)


def owed_before() -> Due:
    """What owners still owe from before an import, and how many they are."""
    sums = [-round_money(each["sum"]) for each in _debts()]
    return Due(len(sums), sum(sums, round_money(Decimal(0))))


class Owing(NamedTuple):
    """An owner with unpaid bills, or with a debt from before."""

    owner_id: int
    bills: int
    amount: Decimal


def owing() -> List[Owing]:
    """Who owes how much, the largest amount first, in two questions; credit of others is not taken off."""
    owners = {
        each["owner"]: Owing(each["owner"], each["bills"], round_money(each["sum"]))
        for each in unpaid().order_by().values("owner").annotate(bills=Count("pk"), sum=Sum("due"))
    }
    for each in _debts():
        before = owners.get(each["owner"], Owing(each["owner"], 0, Decimal(0)))
        owners[each["owner"]] = before._replace(amount=before.amount - round_money(each["sum"]))
    return sorted(owners.values(), key=lambda each: (-each.amount, each.owner_id))


def balance_of(owner: Owner) -> Decimal:
    """What an owner has to pay in all, summed by the database; negative where the clinic owes money.

    The sum of `services.billing.amount_due` over all bills: credit notes are bills with a negative total, and a bill
    that is void has no money on it. Credit on account is taken off.
    """
    counted = Invoice.objects.filter(owner=owner).exclude(status__in=(Invoice.Status.DRAFT, Invoice.Status.VOID))
    billed = counted.aggregate(sum=Sum("total"))["sum"] or Decimal(0)
    paid = Payment.objects.filter(invoice__in=counted).aggregate(sum=Sum("amount"))["sum"] or Decimal(0)
    return round_money(billed - paid) - credit_of(owner)


def credit_of(owner: Owner) -> Decimal:
    """The money that the clinic holds for an owner: deposits and overpayments, less what was used or paid back."""
    return round_money(AccountEntry.objects.filter(owner=owner).aggregate(sum=Sum("amount"))["sum"] or Decimal(0))


def whole_number(text: str) -> Optional[int]:
    """The number that somebody typed, with or without leading zeros; None for anything else."""
    plain = text.strip()
    if not plain or digits(plain) != plain or len(plain) > 19 or int(plain) > LARGEST_NUMBER:
        return None
    return int(plain)


def _amount(text: str) -> Optional[Decimal]:
    """An amount with a point or a comma before its cents; None for anything else."""
    plain = text.strip().replace(",", ".")
    if not digits(plain) or digits(plain) != plain.replace(".", "", 1) or len(plain) > 20:
        return None
    try:
        amount = Decimal(plain)
    except InvalidOperation:
        return None
    return amount if amount < LARGEST_AMOUNT and amount == round_money(amount) else None
