"""Credit notes: over a whole bill, or over a part of its lines and quantities."""

from __future__ import annotations

from decimal import Decimal
from typing import Dict, List, Mapping, Optional

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.translation import gettext as _

from accounts.roles import Right
from audit.actor import Actor
from audit.models import AuditEntry
from audit.services import snapshot
from clinic.models import Invoice, InvoiceLine
from clinic.money import round_money
from clinic.services import records
from clinic.services.billing import issue, settle, taxes
from clinic.services.settings import require_within
from vetclinic.errors import Conflict
from vetclinic.persistence import store

ZERO = Decimal(0)


def credit_invoice(
    actor: Actor, invoice_id: int, version: int, reason: str, *, quantities: Optional[Mapping[int, Decimal]] = None
) -> Invoice:
    """Take back an issued bill by a credit note with its own number; returns the note.

    `quantities` says how much of which line (by its id) is taken back; left out, all that no note has taken back yet.
    Several notes over parts take back together exactly what was billed, tax included. A note lowers what the owner
    owes; money already taken becomes the owner's and can be paid out (payments.refund).
    """
    actor.require(Right.BILLING)
    reason = records.require_reason("reason", reason)
    with transaction.atomic():
        invoice = records.lock(Invoice, invoice_id, version)
        if invoice.number is None or invoice.status == Invoice.Status.VOID or invoice.credit_of_id:
            raise Conflict(_("Only an issued bill can be credited."))
        left = quantities_left(invoice)
        if not any(left.values()):
            raise Conflict(_("This bill has been credited already."))
        wanted = _wanted(left, quantities)
        note = Invoice(
            owner=invoice.owner, credit_of=invoice, notes=reason, prices_include_tax=invoice.prices_include_tax
        )
        store(note)
        for line in _note_lines(invoice, note, wanted, left):
            line.save()
        issue(actor, note, AuditEntry.Action.CREDIT)
        require_within(actor, "credit_limit", note.total)
        before = snapshot(invoice)
        settle(invoice)
        records.save_changes(actor, invoice, before, AuditEntry.Action.CREDIT, note={"credit_note": note.number})
    return note


def quantities_left(invoice: Invoice) -> Dict[int, Decimal]:
    """What no credit note has taken back yet, by the id of each line."""
    taken: Dict[Optional[int], Decimal] = {}
    for line in InvoiceLine.objects.filter(invoice__credit_of=invoice).exclude(invoice__status=Invoice.Status.VOID):
        taken[line.credits_id] = taken.get(line.credits_id, ZERO) - line.quantity
    if None in taken:  # a note of the release before, which always was over the whole bill
        return {line.pk: ZERO for line in invoice.lines.all()}
    return {line.pk: line.quantity - taken.get(line.pk, ZERO) for line in invoice.lines.all()}


def _wanted(left: Dict[int, Decimal], quantities: Optional[Mapping[int, Decimal]]) -> Dict[int, Decimal]:
    wanted = {key: value for key, value in (left if quantities is None else quantities).items() if value}
    if not wanted:
        raise ValidationError({"lines": [_("Enter how much of each line to credit.")]})
    for key, quantity in wanted.items():
        if not 0 < quantity <= left.get(key, ZERO):
            raise ValidationError({"lines": [_("You cannot credit more than is left of a line.")]})
    return wanted


def _note_lines(
    invoice: Invoice, note: Invoice, wanted: Dict[int, Decimal], left: Dict[int, Decimal]
) -> List[InvoiceLine]:
    """The note's lines. What they come to is the difference of two shares of the bill's line, so parts add up to it."""
    billed, credited = list(invoice.lines.all()), []
    for line in billed:
        if line.pk not in wanted:
            continue
        done = line.quantity - left[line.pk]
        before, upto = (round_money(line.amount * part / line.quantity) for part in (done, done + wanted[line.pk]))
        quantity = -wanted[line.pk]
        credited.append(InvoiceLine(
            invoice=note, credits=line, pet_id=line.pet_id, vet_id=line.vet_id, product_id=line.product_id,
            service_on=line.service_on, fee_code=line.fee_code, fee_factor=line.fee_factor,
            text=line.text, quantity=quantity, unit_price=line.unit_price, tax_rate=line.tax_rate,
            discount=round_money(quantity * line.unit_price) + upto - before,
        ))  # fmt: skip
    _round_taxes(invoice, billed, credited, {key: left[key] - wanted.get(key, ZERO) for key in left})
    return credited


def _round_taxes(
    invoice: Invoice, billed: List[InvoiceLine], credited: List[InvoiceLine], after: Dict[int, Decimal]
) -> None:
    """Give the first new line of each rate what its note's tax has to differ by; `after` is what is then left."""
    notes = InvoiceLine.objects.filter(invoice__credit_of=invoice, credits__isnull=False)
    earlier = list(notes.select_related("invoice"))
    sums: Dict[Decimal, Decimal] = {}
    backs: Dict[Decimal, Decimal] = {}
    for note_id in {line.invoice_id for line in earlier}:
        for rate, net, tax in taxes(line for line in earlier if line.invoice_id == note_id):
            sums[rate], backs[rate] = sums.get(rate, ZERO) - _taxed(invoice, net, tax), backs.get(rate, ZERO) - tax
    own = {rate: (_taxed(invoice, net, tax), tax) for rate, net, tax in taxes(credited)}
    for rate, net, tax in taxes(billed):
        first = next((line for line in credited if line.tax_rate == rate), None)
        if first is None:
            continue
        finished = not any(after[line.pk] for line in billed if line.tax_rate == rate)
        whole, reached = _taxed(invoice, net, tax), sums.get(rate, ZERO) - own[rate][0]
        upto = tax if finished or not whole else round_money(tax * reached / whole)
        first.tax_rounding = -(upto - backs.get(rate, ZERO)) - own[rate][1]


def _taxed(invoice: Invoice, net: Decimal, tax: Decimal) -> Decimal:
    """The sum of a rate's lines, as the bill's prices have it."""
    return net + tax if invoice.prices_include_tax else net
