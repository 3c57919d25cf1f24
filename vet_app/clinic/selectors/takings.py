"""The clinic's takings: money in and out by method, what was billed by tax rate, kind and vet, and what is outstanding.

Money that came in and bills that were issued are two things: a bill of May may be paid in June. Days are the clinic's.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Dict, Iterator, List, NamedTuple, Optional, Tuple

from django.db.models import Count, Q, QuerySet, Sum
from django.utils import timezone

from clinic.models import AccountEntry, Invoice, InvoiceLine, Payment
from clinic.money import round_money
from clinic.selectors.days import days_between
from clinic.selectors.invoices import Due, brought_forward, owed_before, unpaid
from clinic.services.billing import TaxOf, nets, taxes

ZERO = Decimal(0)
AGES = (0, 30, 60, 90)
"""Days overdue up to which a column of the outstanding bills goes: not due yet, 1 to 30, 31 to 60, 61 to 90, older."""


class MethodSum(NamedTuple):
    """The payments of one method: taken, given back or undone (a negative amount), and how many there were."""

    method: str
    taken: Decimal
    given_back: Decimal
    payments: int

    @property
    def balance(self) -> Decimal:
        """What is left of what was taken."""
        return self.taken + self.given_back


class KindSum(NamedTuple):
    """What was billed before tax of one kind of product; the empty kind is what was not from the price list."""

    kind: str
    net: Decimal


class VetSum(NamedTuple):
    """What was billed before tax of one vet's work; the empty name is what is nobody's."""

    vet: str
    net: Decimal
    bills: int


class Share(NamedTuple):
    """What one bill has of a tax rate, a vet's work and a kind of product; empty names are nobody's and no product."""

    rate: Decimal
    vet: str
    kind: str
    net: Decimal
    tax: Decimal


class AgeSum(NamedTuple):
    """Outstanding bills that are overdue by so many days; `until` is None for the oldest."""

    since: int
    until: Optional[int]
    bills: int
    amount: Decimal


@dataclass(frozen=True)
class Takings:
    """All of it for a span of days."""

    methods: List[MethodSum]
    taxes: List[TaxOf]
    kinds: List[KindSum]
    vets: List[VetSum]
    outstanding: List[AgeSum]
    owed_before: Due

    @property
    def balance(self) -> Decimal:
        """The money of all methods."""
        return sum((each.balance for each in self.methods), ZERO)

    @property
    def net(self) -> Decimal:
        """What was billed before tax."""
        return sum((each.net for each in self.taxes), ZERO)

    @property
    def tax(self) -> Decimal:
        """The tax on it."""
        return sum((each.tax for each in self.taxes), ZERO)

    @property
    def due(self) -> Decimal:
        """What is outstanding in all, today, with what was owed before an import."""
        return sum((each.amount for each in self.outstanding), self.owed_before.amount)


def takings(since: date, until: date) -> Takings:
    """The takings from the start of one day to the end of another, and what is outstanding today."""
    rates, kinds, vets = _billed(since, until)
    return Takings(
        methods=_methods(since, until), taxes=rates, kinds=kinds, vets=vets,
        outstanding=outstanding(), owed_before=owed_before(),
    )  # fmt: skip


def billed_between(since: date, until: date) -> QuerySet[InvoiceLine]:
    """The lines of all bills and credit notes that were issued in a span and are not void, bill by bill."""
    lines = InvoiceLine.objects.filter(days_between("invoice__issued_at", since, until), invoice__number__isnull=False)
    return lines.exclude(invoice__status=Invoice.Status.VOID).order_by("invoice_id", "id")


def paid_between(since: date, until: date) -> QuerySet[Payment]:
    """The payments of a span; what was undone is there twice, once with a minus."""
    return Payment.objects.filter(days_between("at", since, until)).order_by("at", "id")


def kept_between(since: date, until: date) -> QuerySet[AccountEntry]:
    """The deposits and overpayments of a span, and what was paid back of them."""
    return AccountEntry.objects.filter(days_between("at", since, until)).exclude(method="").order_by("at", "id")


def brought_between(since: date, until: date) -> QuerySet[AccountEntry]:
    """The balances that imports of a span brought."""
    return brought_forward().filter(days_between("at", since, until)).order_by("at", "id")


def _methods(since: date, until: date) -> List[MethodSum]:
    sums: Dict[str, MethodSum] = {}
    for moved in (paid_between(since, until).exclude(method__in=Payment.Internal.values), kept_between(since, until)):
        rows = moved.order_by().values("method")
        for row in rows.annotate(
            taken=Sum("amount", filter=Q(amount__gt=0)), given=Sum("amount", filter=Q(amount__lt=0)), count=Count("pk")
        ):
            before = sums.get(row["method"], MethodSum(row["method"], ZERO, ZERO, 0))
            taken, refunded = round_money(row["taken"] or ZERO), round_money(row["given"] or ZERO)
            sums[row["method"]] = MethodSum(
                row["method"], before.taken + taken, before.given_back + refunded, before.payments + row["count"]
            )
    return [sums[method] for method in sorted(sums)]


def taxed_bills(since: date, until: date) -> Iterator[List[InvoiceLine]]:
    """The lines of each bill of a span; the tax is computed by bill and rate, as it stands on the bill."""
    bill: List[InvoiceLine] = []
    lines = billed_between(since, until).select_related("product", "vet", "invoice__owner")
    for line in lines.iterator(chunk_size=2000):
        if bill and bill[-1].invoice_id != line.invoice_id:
            yield bill
            bill = []
        bill.append(line)
    if bill:
        yield bill


def shares(lines: List[InvoiceLine]) -> List[Share]:
    """The lines of one bill by tax rate, vet and kind; net and tax add up to what the bill has of each rate."""
    sums: Dict[Tuple[Decimal, str, str], Decimal] = {}
    for line, net in zip(lines, nets(lines)):
        key = line.tax_rate, line.vet.name if line.vet else "", line.product.kind if line.product else ""
        sums[key] = sums.get(key, ZERO) + net
    parts = []
    for rate, whole, tax in taxes(lines):
        reached, done = ZERO, ZERO
        of_rate = [(key, net) for key, net in sums.items() if key[0] == rate]
        for place, ((_rate, vet, kind), net) in enumerate(of_rate, start=1):
            reached += net
            upto = tax if place == len(of_rate) or not whole else round_money(tax * reached / whole)
            parts.append(Share(rate, vet, kind, net, upto - done))
            done = upto
    return parts


def _billed(since: date, until: date) -> Tuple[List[TaxOf], List[KindSum], List[VetSum]]:
    rates: Dict[Decimal, Tuple[Decimal, Decimal]] = {}
    kinds: Dict[str, Decimal] = {}
    vets: Dict[str, Tuple[Decimal, int]] = {}
    for lines in taxed_bills(since, until):
        for rate, net, tax in taxes(lines):
            before = rates.get(rate, (ZERO, ZERO))
            rates[rate] = before[0] + net, before[1] + tax
        parts = list(zip(lines, nets(lines)))
        for line, part in parts:
            kind = line.product.kind if line.product else ""
            kinds[kind] = kinds.get(kind, ZERO) + part
        for name in {line.vet.name if line.vet else "" for line in lines}:
            net, bills = vets.get(name, (ZERO, 0))
            own = sum((part for line, part in parts if (line.vet.name if line.vet else "") == name), ZERO)
            vets[name] = net + own, bills + 1
    return (
        [TaxOf(rate, *sums) for rate, sums in sorted(rates.items())],
        [KindSum(kind, net) for kind, net in sorted(kinds.items(), key=lambda item: -item[1])],
        [VetSum(name, *sums) for name, sums in sorted(vets.items(), key=lambda item: -item[1][0])],
    )


def outstanding() -> List[AgeSum]:
    """Unpaid bills by how long they are overdue today, in one question whatever their number."""
    today = timezone.localdate()
    sums: Dict[Optional[int], Tuple[int, Decimal]] = dict.fromkeys((*AGES, None), (0, ZERO))
    for due_on, due in unpaid().values_list("due_on", "due"):
        days = (today - due_on).days if due_on else 0
        age = next((most for most in AGES if days <= most), None)
        sums[age] = sums[age][0] + 1, sums[age][1] + round_money(due)
    starts = (0, *(most + 1 for most in AGES))
    return [AgeSum(start, until, *sums[until]) for start, until in zip(starts, (*AGES, None))]
