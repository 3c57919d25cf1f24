"""Taking money, giving it back, deposits and credit on account, and undoing a payment that was typed wrong."""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal
from typing import Any, Optional

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.roles import Right
from audit.actor import Actor
from audit.models import AuditEntry
from audit.services import record, snapshot
from clinic.models import AccountEntry, Invoice, Owner, Payment, PaymentMethod
from clinic.money import shown_money
from clinic.selectors.invoices import credit_of
from clinic.selectors.settings import clinic_settings
from clinic.services import records
from clinic.services.billing import amount_due, settle
from clinic.services.settings import require_within
from vetclinic.errors import Conflict
from vetclinic.persistence import store

ACCOUNT, ROUNDING = Payment.Internal.ACCOUNT, Payment.Internal.ROUNDING


def take_payment(
    actor: Actor,
    invoice_id: int,
    amount: Decimal,
    method: str,
    *,
    reference: str = "",
    key: Optional[str] = None,
    keep_rest: bool = False,
) -> Payment:
    """Take money for an issued invoice, at most what is due; with `keep_rest` what is above becomes the owner's credit.

    `method` is the code of a way to pay, or "account" for credit that the owner has. Cash is paid in the clinic's
    smallest coin, and what then is left of the bill is settled by rounding.
    The same `key` again is the same payment: it is returned and nothing is taken. Raises Conflict where it came with
    another invoice, amount or method before.
    """
    return _pay(actor, invoice_id, amount, method, reference, key, keep_rest=keep_rest)


def refund(
    actor: Actor, invoice_id: int, amount: Decimal, method: str, *, reference: str = "", key: Optional[str] = None
) -> Payment:
    """Give back money that an invoice owes its owner, for instance after a credit note; at most that much.

    `method` "account" keeps it as the owner's credit. `key` as in `take_payment`.
    """
    return _pay(actor, invoice_id, -amount, method, reference, key)


def deposit(
    actor: Actor, owner_id: int, amount: Decimal, method: str, *, reference: str = "", key: Optional[str] = None
) -> AccountEntry:
    """Take money that is kept for an owner, or pay it back where `amount` is negative; `key` as for payments."""
    actor.require(Right.BILLING)
    with transaction.atomic():
        owner = records.lock(Owner, owner_id)
        earlier = AccountEntry.objects.filter(key=key).first() if key else None
        if earlier is not None:
            return earlier
        way, most = _way(method), max(credit_of(owner), Decimal(0))
        if amount < 0:
            require_within(actor, "refund_limit", amount)
            if -amount > most:
                raise ValidationError(
                    {"amount": [_("The owner has %(credit)s on account.") % {"credit": shown_money(most)}]}
                )
        if way.is_cash:
            _require_coins(amount)
        entry = AccountEntry(
            owner=owner, amount=amount, method=method, at=timezone.now(), reference=reference, key=key or None
        )
        return records.create(actor, entry, {}, set())


def reverse_payment(actor: Actor, payment_id: int, reason: str) -> Payment:
    """Undo a payment by its opposite, with the rounding and the credit that came of it.

    Raises Conflict where that was done already.
    """
    actor.require(Right.BILLING)
    reason = records.require_reason("reason", reason)
    invoice_id = Payment.objects.only("invoice_id").get(pk=payment_id).invoice_id
    with transaction.atomic():
        invoice = records.lock(Invoice, invoice_id)
        payment = records.lock(Payment, payment_id)
        if payment.reverses_id or payment.rounds_id or Payment.objects.filter(reverses=payment).exists():
            raise Conflict(_("This payment has been undone already."))
        require_within(actor, "refund_limit", payment.amount)
        rounding = Payment.objects.filter(rounds=payment).first()
        if rounding is not None:
            _reverse(actor, invoice, rounding, reason)
        opposite = _reverse(actor, invoice, payment, reason)
        entry = AccountEntry.objects.filter(payment=payment).first()
        if entry is not None:
            back = AccountEntry(
                owner=invoice.owner, amount=-entry.amount, method=entry.method, payment=opposite, reason=reason
            )
            _enter(actor, back)
        return opposite


def _reverse(actor: Actor, invoice: Invoice, payment: Payment, reason: str) -> Payment:
    opposite = Payment(invoice=invoice, amount=-payment.amount, method=payment.method, reverses=payment, reason=reason)
    return _write(actor, invoice, opposite, AuditEntry.Action.VOID)


def _pay(
    actor: Actor,
    invoice_id: int,
    amount: Decimal,
    method: str,
    reference: str,
    key: Optional[str],
    *,
    keep_rest: bool = False,
) -> Payment:
    actor.require(Right.BILLING)
    with transaction.atomic():
        invoice = records.lock(Invoice, invoice_id)
        earlier = _sent_before(key, invoice_id, amount, method)
        if earlier is not None:
            return earlier
        if amount < 0:
            require_within(actor, "refund_limit", amount)
        if invoice.number is None or invoice.status == Invoice.Status.VOID:
            raise Conflict(_("Only an issued bill can be paid."))
        due = amount_due(invoice)
        cash = method != ACCOUNT and _way(method).is_cash
        in_cash = rounded(due) if cash else due
        if cash:
            _require_coins(amount)
        rest = amount - in_cash if keep_rest and method != ACCOUNT and due > 0 and amount > in_cash else Decimal(0)
        most = in_cash if abs(in_cash) > abs(due) else due
        own = amount - rest
        if not own or abs(own) > abs(most) or (own > 0) != (due > 0):
            shown = shown_money(abs(most))
            raise ValidationError(
                {"amount": [_("The amount must be above zero and at most %(due)s.") % {"due": shown}]}
            )
        taken = Payment(invoice=invoice, amount=own, method=method, reference=reference, key=key or None)
        _write(actor, invoice, taken, AuditEntry.Action.PAY)
        if own == in_cash != due:
            settling = Payment(invoice=invoice, amount=due - own, method=ROUNDING, rounds=taken)
            _write(actor, invoice, settling, AuditEntry.Action.PAY)
        if method == ACCOUNT:
            _use_account(actor, invoice, taken)
        elif rest:
            _enter(
                actor,
                AccountEntry(owner=invoice.owner, amount=rest, method=method, payment=taken, reference=str(invoice)),
            )
        return taken


def rounded(amount: Decimal) -> Decimal:
    """An amount as it is paid in cash: to the clinic's smallest coin, halves away from zero."""
    coin = clinic_settings().cash_coin
    return (amount / coin).quantize(Decimal(1), ROUND_HALF_UP) * coin if coin else amount


def _require_coins(amount: Decimal) -> None:
    nearest = rounded(amount)
    if nearest != amount:
        raise ValidationError(
            {"amount": [_("In cash, this rounds to %(amount)s.") % {"amount": shown_money(abs(nearest))}]}
        )


def _way(code: str) -> PaymentMethod:
    payment_method = PaymentMethod.objects.filter(code=code, active=True).first()
    if payment_method is None:
        raise ValidationError({"method": [_("This clinic does not accept this payment method.")]})
    return payment_method


def _use_account(actor: Actor, invoice: Invoice, payment: Payment) -> None:
    """Take a payment from the owner's credit, or with a refund add to it."""
    owner = records.lock(Owner, invoice.owner_id)
    credit = max(credit_of(owner), Decimal(0))
    if payment.amount > credit:
        raise ValidationError({"amount": [_("The owner has %(credit)s on account.") % {"credit": shown_money(credit)}]})
    _enter(actor, AccountEntry(owner=owner, amount=-payment.amount, payment=payment, reference=str(invoice)))


def _enter(actor: Actor, entry: AccountEntry) -> None:
    entry.at = timezone.now()
    records.create(actor, entry, {}, set())


def _sent_before(key: Optional[str], invoice_id: int, amount: Decimal, method: str) -> Optional[Payment]:
    """The payment that this key has made already; the invoice's lock makes a second request wait for the first."""
    earlier = Payment.objects.filter(key=key).first() if key else None
    if earlier is None:
        return None
    entry: Any = AccountEntry.objects.filter(payment=earlier).exclude(method="").first()
    sent = earlier.amount + (entry.amount if entry else Decimal(0))
    if (earlier.invoice_id, sent, earlier.method) != (invoice_id, amount, method):
        raise Conflict(_("This payment was already sent with other values. Check the bill before you take it again."))
    return earlier


def _write(actor: Actor, invoice: Invoice, payment: Payment, action: AuditEntry.Action) -> Payment:
    payment.at = timezone.now()
    store(payment)
    record(actor, action, payment, {"invoice": [None, invoice.number], "amount": [None, payment.amount]})
    before = snapshot(invoice)
    settle(invoice)
    records.save_changes(actor, invoice, before, AuditEntry.Action.STATUS)
    return payment
