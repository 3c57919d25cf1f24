"""Taking money, giving it back, and undoing a payment that was typed wrong."""

from __future__ import annotations

from decimal import Decimal
from typing import Optional

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import formats, timezone
from django.utils.translation import gettext as _

from accounts.roles import Right
from audit.actor import Actor
from audit.models import AuditEntry
from audit.services import record, snapshot
from clinic.models import Invoice, Payment
from clinic.services import records
from clinic.services.billing import amount_due, settle
from clinic.services.settings import require_within
from vetclinic.errors import Conflict
from vetclinic.storing import store


def take_payment(
    actor: Actor, invoice_id: int, amount: Decimal, method: str, *, reference: str = "", key: Optional[str] = None
) -> Payment:
    """Take money for an issued invoice, at most what is due.

    The same `key` again is the same payment: it is returned and nothing is taken. Raises Conflict where it came with
    another invoice, amount or method before.
    """
    return _pay(actor, invoice_id, amount, method, reference, key)


def refund(
    actor: Actor, invoice_id: int, amount: Decimal, method: str, *, reference: str = "", key: Optional[str] = None
) -> Payment:
    """Give back money that an invoice owes its owner, for instance after a credit note; at most that much.

    `key` as in `take_payment`.
    """
    return _pay(actor, invoice_id, -amount, method, reference, key)


def reverse_payment(actor: Actor, payment_id: int, reason: str) -> Payment:
    """Undo a payment by its opposite. Raises Conflict where that was done already."""
    actor.require(Right.BILLING)
    reason = records.require_reason("reason", reason)
    invoice_id = Payment.objects.only("invoice_id").get(pk=payment_id).invoice_id
    with transaction.atomic():
        invoice = records.lock(Invoice, invoice_id)
        payment = records.lock(Payment, payment_id)
        if payment.reverses_id or Payment.objects.filter(reverses=payment).exists():
            raise Conflict(_("This payment has been undone already."))
        require_within(actor, "refund_limit", payment.amount)
        opposite = Payment(
            invoice=invoice, amount=-payment.amount, method=payment.method, reverses=payment, reason=reason
        )
        return _write(actor, invoice, opposite, AuditEntry.Action.VOID)


def _pay(actor: Actor, invoice_id: int, amount: Decimal, method: str, reference: str, key: Optional[str]) -> Payment:
    actor.require(Right.BILLING)
    with transaction.atomic():
        invoice = records.lock(Invoice, invoice_id)
        if amount < 0:
            require_within(actor, "refund_limit", amount)
        earlier = _sent_before(key, invoice_id, amount, method)
        if earlier is not None:
            return earlier
        if invoice.number is None or invoice.status == Invoice.Status.VOID:
            raise Conflict(_("Only an issued invoice can be paid."))
        due = amount_due(invoice)
        if not amount or abs(amount) > abs(due) or (amount > 0) != (due > 0):
            most = formats.number_format(abs(due), 2)
            raise ValidationError({"amount": [_("The amount must be above zero and at most %(due)s.") % {"due": most}]})
        return _write(
            actor,
            invoice,
            Payment(invoice=invoice, amount=amount, method=method, reference=reference, key=key or None),
            AuditEntry.Action.PAY,
        )


def _sent_before(key: Optional[str], invoice_id: int, amount: Decimal, method: str) -> Optional[Payment]:
    """The payment that this key has made already; the invoice's lock makes a second request wait for the first."""
    earlier = Payment.objects.filter(key=key).first() if key else None
    if earlier and (earlier.invoice_id, earlier.amount, earlier.method) != (invoice_id, amount, method):
        raise Conflict(_("This payment was sent before with other values. Look at the bill before you take it again."))
    return earlier


def _write(actor: Actor, invoice: Invoice, payment: Payment, action: AuditEntry.Action) -> Payment:
    payment.at = timezone.now()
    store(payment)
    record(actor, action, payment, {"invoice": [None, invoice.number], "amount": [None, payment.amount]})
    before = snapshot(invoice)
    settle(invoice)
    records.save_changes(actor, invoice, before, AuditEntry.Action.STATUS)
    return payment
