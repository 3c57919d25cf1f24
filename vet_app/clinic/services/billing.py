"""Invoices: drafting lines with discounts, issuing with a number that leaves no gap, and voiding."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import Dict, Iterable, List, NamedTuple, Optional, Sequence, Tuple

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.roles import Right
from audit.actor import Actor
from audit.models import AuditEntry
from audit.services import record, snapshot
from clinic.models import Invoice, InvoiceCounter, InvoiceLine, Owner, Product, Vet, Visit
from clinic.money import FINEST_PLACES, currency_places, round_money, shown_money, trimmed
from clinic.selectors.days import days_between
from clinic.selectors.settings import clinic_settings
from clinic.services import records
from clinic.services.settings import require_within
from vetclinic.errors import Conflict, Locked

PAY_WITHIN = timedelta(days=14)


@dataclass(frozen=True)
class Discount:
    """What is taken off an amount: a percentage or an amount of money, one of both."""

    percent: Optional[Decimal] = None
    amount: Optional[Decimal] = None

    def of(self, amount: Decimal) -> Decimal:
        """The discount on `amount`. Raises ValidationError where it is negative or more than that."""
        percent = self.percent if self.percent is not None else Decimal(0)
        off = self.amount if self.amount is not None else round_money(amount * percent / 100)
        if off != round_money(off):
            smallest = {"places": currency_places(), "currency": settings.CURRENCY}
            raise ValidationError({"discount": [_("%(currency)s has %(places)d decimals.") % smallest]})
        if not 0 <= off <= amount:
            raise ValidationError({"discount": [_("A discount must be between zero and the full amount.")]})
        return off


@dataclass(frozen=True)
class Line:
    """One line to bill. With a product, what is left out is copied from the price list."""

    product: Optional[Product] = None
    text: str = ""
    quantity: Decimal = Decimal(1)
    unit_price: Optional[Decimal] = None
    tax_rate: Optional[Decimal] = None
    pet_id: Optional[int] = None
    discount: Optional[Discount] = None
    visit_id: Optional[int] = None
    """The visit that is billed. Left out, or of another pet, it is the pet's last visit on the day of service."""
    service_on: Optional[date] = None
    """Left out, the day of the visit that is billed, else today."""
    fee_code: str = ""
    fee_factor: Optional[Decimal] = None
    """With a product and no price of its own, the price is the product's times this."""
    vet_id: Optional[int] = None
    """Whose work it is; left out, the vet of the visit that is billed, else the vet who bills."""


@dataclass(frozen=True)
class Totals:
    """The sums of an invoice."""

    net: Decimal
    tax: Decimal

    @property
    def total(self) -> Decimal:
        """What is to be paid."""
        return self.net + self.tax


class TaxOf(NamedTuple):
    """The tax of all lines of one rate (in percent)."""

    rate: Decimal
    net: Decimal
    tax: Decimal


def taxes(lines: Iterable[InvoiceLine]) -> List[TaxOf]:
    """By rate: each line's amount is rounded, tax is computed once for the sum of a rate's lines and rounded.

    The lines are of one bill. Where its prices include tax, that sum is with tax, and net is what is left of it.
    """
    by_rate: Dict[Decimal, Tuple[Decimal, Decimal]] = {}
    gross = False
    for line in lines:
        amount, rounding = by_rate.get(line.tax_rate, (Decimal(0), Decimal(0)))
        by_rate[line.tax_rate] = amount + line.amount, rounding + line.tax_rounding
        gross = line.invoice.prices_include_tax
    sums = []
    for rate, (amount, rounding) in sorted(by_rate.items()):
        tax = round_money(amount * rate / (100 + rate if gross else 100)) + rounding
        sums.append(TaxOf(rate, amount - tax if gross else amount, tax))
    return sums


def nets(lines: Sequence[InvoiceLine]) -> List[Decimal]:
    """What each line of one bill comes to before tax; the parts add up to the net of each rate in `taxes`."""
    by_rate = {rate: net for rate, net, _tax in taxes(lines)}
    sums: Dict[Decimal, Decimal] = {}
    for line in lines:
        sums[line.tax_rate] = sums.get(line.tax_rate, Decimal(0)) + line.amount
    reached: Dict[Decimal, Decimal] = {}
    parts = []
    for line in lines:
        rate, before = line.tax_rate, reached.get(line.tax_rate, Decimal(0))
        reached[rate] = before + line.amount
        share = by_rate[rate] / sums[rate] if sums[rate] else Decimal(1)
        parts.append(round_money(reached[rate] * share) - round_money(before * share))
    return parts


def totals(lines: Iterable[InvoiceLine]) -> Totals:
    """Add up lines and the taxes of their rates."""
    sums = taxes(lines)
    return Totals(net=sum((each.net for each in sums), Decimal(0)), tax=sum((each.tax for each in sums), Decimal(0)))


def spread(discount: Decimal, rows: Sequence[InvoiceLine]) -> List[Decimal]:
    """Parts of a discount on all rows, by what each comes to; the parts add up to it, and none is above its row."""
    whole, done, parts = sum((row.amount for row in rows), Decimal(0)), Decimal(0), []
    reached = Decimal(0)
    for row in rows:
        reached += row.amount
        upto = round_money(discount * reached / whole) if whole else Decimal(0)
        parts.append(upto - done)
        done = upto
    return parts


def draft_invoice(
    actor: Actor,
    owner_id: int,
    lines: Sequence[Line] = (),
    *,
    notes: str = "",
    discount: Optional[Discount] = None,
    discount_reason: str = "",
    diagnosis: str = "",
    valid_until: Optional[date] = None,
) -> Invoice:
    """Start an invoice that can still be changed. `discount` is on the whole bill; any discount needs its reason.

    With `valid_until` it is an estimate (`services.estimates`).
    """
    actor.require(Right.DRAFT_INVOICE)
    with transaction.atomic():
        owner = records.lock(Owner, owner_id)
        with_tax = clinic_settings().prices_include_tax
        begun = Invoice(owner=owner, notes=notes, prices_include_tax=with_tax, valid_until=valid_until)
        begun.diagnosis = diagnosis.strip()
        invoice = records.create(actor, begun, {}, set())
        if lines:
            _write_lines(actor, invoice, lines, discount, discount_reason)
    return invoice


def replace_lines(
    actor: Actor,
    invoice_id: int,
    version: int,
    lines: Sequence[Line],
    *,
    notes: Optional[str] = None,
    discount: Optional[Discount] = None,
    discount_reason: str = "",
    diagnosis: Optional[str] = None,
    valid_until: Optional[date] = None,
) -> Invoice:
    """Give a draft other lines, and another note and diagnosis unless they are None.

    `valid_until` is for estimates alone.

    Raises Locked once it is issued, or the estimate has become a bill.
    """
    actor.require(Right.DRAFT_INVOICE)
    with transaction.atomic():
        invoice = _draft(invoice_id, version)
        invoice.diagnosis = invoice.diagnosis if diagnosis is None else diagnosis.strip()
        if invoice.is_estimate and valid_until is not None:
            invoice.valid_until = valid_until
        for line in invoice.lines.all():
            line.delete()
        _write_lines(actor, invoice, lines, discount, discount_reason, notes)
    return invoice


def discard_draft(actor: Actor, invoice_id: int, version: int) -> None:
    """Throw a draft away; it has no number, so nothing is missing afterwards."""
    actor.require(Right.DRAFT_INVOICE)
    with transaction.atomic():
        invoice = _draft(invoice_id, version)
        record(actor, AuditEntry.Action.VOID, invoice, {"draft": ["kept", "discarded"]})
        for line in invoice.lines.all():
            line.delete()
        invoice.delete()


def issue_invoice(actor: Actor, invoice_id: int, version: int) -> Invoice:
    """Number a draft and make it final. Raises ValidationError where it has no lines."""
    actor.require(Right.BILLING)
    with transaction.atomic():
        invoice = _draft(invoice_id, version)
        if invoice.is_estimate:
            raise Conflict(_("An estimate cannot be issued. Turn it into a bill first."))
        if not invoice.lines.exists():
            raise ValidationError({"lines": [_("Add at least one line first.")]})
        return issue(actor, invoice, AuditEntry.Action.ISSUE)


def void_invoice(actor: Actor, invoice_id: int, version: int, reason: str) -> Invoice:
    """Declare an issued invoice void; it keeps its number. Raises Conflict while money has been taken for it."""
    actor.require(Right.BILLING)
    reason = records.require_reason("reason", reason)
    with transaction.atomic():
        invoice = records.lock(Invoice, invoice_id, version)
        if invoice.number is None or invoice.status == Invoice.Status.VOID:
            raise Conflict(_("Only an issued bill can be voided."))
        if invoice.credit_of_id:
            raise Conflict(_("A credit note cannot be voided. Write a new bill instead."))
        if invoice.credits.exists():
            raise Conflict(_("This bill has been credited already."))
        if sum((payment.amount for payment in invoice.payments.all()), Decimal(0)):
            raise Conflict(_("Money has been taken for this bill. Undo the payment first, or credit the bill."))
        require_within(actor, "void_limit", invoice.total)
        before = snapshot(invoice)
        invoice.status, invoice.void_reason = Invoice.Status.VOID, reason
        return records.save_changes(actor, invoice, before, AuditEntry.Action.VOID)


def amount_due(invoice: Invoice) -> Decimal:
    """What is still to be paid for an issued invoice; negative where money is owed to the owner."""
    if invoice.status in (Invoice.Status.DRAFT, Invoice.Status.VOID) or invoice.credit_of_id:
        return Decimal(0)
    paid = sum((payment.amount for payment in invoice.payments.all()), Decimal(0))
    credited = sum((note.total for note in invoice.credits.all()), Decimal(0))
    due: Decimal = invoice.total + credited - paid
    return due


def settle(invoice: Invoice) -> None:
    """Set an issued invoice to credited, paid or unpaid by its notes and its balance; the caller saves it."""
    notes = list(invoice.credits.all())
    if notes and not invoice.total + sum((note.total for note in notes), Decimal(0)):
        invoice.status = Invoice.Status.CREDITED
        return
    invoice.status = Invoice.Status.PAID if amount_due(invoice) <= 0 else Invoice.Status.ISSUED


def _draft(invoice_id: int, version: int) -> Invoice:
    invoice = records.lock(Invoice, invoice_id, version)
    if invoice.status != Invoice.Status.DRAFT:
        raise Locked(_("This bill has been issued. Void or credit it instead."))
    if invoice.is_estimate and invoice.bills.exists():
        raise Locked(_("A bill was made of this estimate. Change the bill instead."))
    return invoice


def _visits(lines: Sequence[Line]) -> List[Optional[Visit]]:
    """The visit that each line bills, in one question: the one it names, else its pet's last on the day of service."""
    today = timezone.localdate()
    days = [line.service_on or today for line in lines if line.pet_id]
    if not days:
        return [None] * len(lines)
    named = Q(pk__in=[line.visit_id for line in lines if line.visit_id])
    wanted = Visit.objects.filter(named | days_between("at", min(days), max(days)), entered_in_error=False)
    seen = list(wanted.filter(pet__in={line.pet_id for line in lines if line.pet_id}).order_by("at", "pk"))
    by_name = {(visit.pk, visit.pet_id): visit for visit in seen}
    by_day = {(visit.pet_id, timezone.localtime(visit.at).date()): visit for visit in seen}
    return [
        by_name.get((line.visit_id or 0, line.pet_id or 0)) or by_day.get((line.pet_id or 0, line.service_on or today))
        for line in lines
    ]


def _write_lines(
    actor: Actor,
    invoice: Invoice,
    lines: Sequence[Line],
    discount: Optional[Discount],
    discount_reason: str,
    notes: Optional[str] = None,
) -> None:
    """Save the lines of a draft with their discounts, and the sums."""
    before = snapshot(invoice)
    own = Vet.objects.filter(user=actor.user_id).first() if actor.user_id else None
    rows = [
        _row(invoice, line, position, visit, own)
        for position, (line, visit) in enumerate(zip(lines, _visits(lines)), start=1)
    ]
    if discount is not None:
        for row, part in zip(rows, spread(discount.of(sum((row.amount for row in rows), Decimal(0))), rows)):
            row.discount += part
    total_discount = sum((row.discount for row in rows), Decimal(0))
    invoice.discount_reason = records.require_reason("discount_reason", discount_reason) if total_discount else ""
    below = _below_the_list(invoice, rows)
    if total_discount or below:
        because = _("What is below the price list counts as a discount: %(amount)s.") % {"amount": shown_money(below)}
        require_within(actor, "discount_limit", total_discount + below, because if below else "")
    invoice.notes = invoice.notes if notes is None else notes
    for row in rows:
        row.save()
    sums = totals(rows)
    invoice.net, invoice.tax, invoice.total = sums.net, sums.tax, sums.total
    records.save_changes(
        actor, invoice, before, note={"lines": len(rows), **({"discount": total_discount} if total_discount else {})}
    )


def _below_the_list(invoice: Invoice, rows: Sequence[InvoiceLine]) -> Decimal:
    """By how much rows are cheaper than the price list, but for what the owner was told in an estimate."""
    listed = [(row, row.product.unit_price) for row in rows if row.product]
    cheaper = [(row, price) for row, price in listed if row.unit_price < price]
    estimated = set()
    if cheaper and invoice.from_estimate:
        estimated = set(invoice.from_estimate.lines.values_list("product", "unit_price"))
    parts = (
        round_money(row.quantity * (price - row.unit_price))
        for row, price in cheaper if (row.product_id, row.unit_price) not in estimated
    )  # fmt: skip
    return sum(parts, Decimal(0))


def _factor(line: Line) -> Optional[Decimal]:
    """The factor of a fee; 1 where the fee schedule has a number for it and nobody says otherwise."""
    listed = line.fee_code.strip() or (line.product.fee_code if line.product else "")
    return line.fee_factor if line.fee_factor is not None else Decimal(1) if listed else None


def _listed_price(line: Line) -> Optional[Decimal]:
    """The product's price, times the factor of its fee."""
    if line.product is None:
        return None
    factor = _factor(line)
    return line.product.unit_price if factor is None else trimmed(line.product.unit_price * factor, FINEST_PLACES)


def _row(invoice: Invoice, line: Line, position: int, visit: Optional[Visit], own: Optional[Vet]) -> InvoiceLine:
    product = line.product
    price = line.unit_price if line.unit_price is not None else _listed_price(line)
    rate = line.tax_rate if line.tax_rate is not None else product.tax_rate if product else Decimal(0)
    if line.quantity <= 0 or price is None:
        wrong = _("Line %(position)d needs a price and a quantity above zero.") % {"position": position}
        raise ValidationError({"lines": [wrong]})
    row = InvoiceLine(
        invoice=invoice, pet_id=line.pet_id, product=product, visit=visit,
        vet_id=line.vet_id or (visit.vet_id if visit else own.pk if own else None),
        service_on=line.service_on or (timezone.localtime(visit.at).date() if visit else timezone.localdate()),
        fee_code=line.fee_code.strip() or (product.fee_code if product else ""), fee_factor=_factor(line),
        text=line.text.strip() or str(product or ""), quantity=line.quantity, unit_price=price, tax_rate=rate,
    )  # fmt: skip
    try:
        row.full_clean()
        row.discount = line.discount.of(row.amount) if line.discount else Decimal(0)
    except ValidationError as problem:
        texts = "; ".join(problem.messages)
        wrong = _("Line %(position)d: %(problem)s") % {"position": position, "problem": texts}
        raise ValidationError({"lines": [wrong]}) from problem
    return row


def issue(actor: Actor, invoice: Invoice, action: AuditEntry.Action) -> Invoice:
    """Take the next number under the counter's lock, which the transaction holds: a rollback gives the number back."""
    before = snapshot(invoice)
    counter, _new = InvoiceCounter.objects.select_for_update().get_or_create(pk=1)
    counter.last_number += 1
    counter.save()
    sums = totals(invoice.lines.all())
    invoice.number, invoice.issued_at = counter.last_number, timezone.now()
    invoice.recipient = invoice.owner.letter_head[:700]
    invoice.due_on = invoice.due_on or timezone.localdate() + PAY_WITHIN
    invoice.net, invoice.tax, invoice.total = sums.net, sums.tax, sums.total
    invoice.status = Invoice.Status.ISSUED if sums.total > 0 else Invoice.Status.PAID
    return records.save_changes(actor, invoice, before, action)
