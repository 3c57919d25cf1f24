"""What the accountant gets: a span's bills by tax rate, vet and kind, and its payments, as one CSV.

`Settled` is what a bill was settled by without money: credit on account that was used, and cash rounding.
It names no accounts, as DATEV's own format for entries would: this application does not know the clinic's chart of
accounts, so the bookkeeper maps rates and methods to accounts.
"""

from __future__ import annotations

from datetime import date
from typing import Any, Iterator, List

from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from accounts.roles import Right
from audit.actor import Actor
from clinic.models import Payment, Product
from clinic.models.account import method_names
from clinic.selectors.takings import brought_between, kept_between, paid_between, shares, taxed_bills
from exchange import csv_out
from exchange.exporting import audit_export

KINDS = dict(Product.Kind.choices)


def takings_csv(actor: Actor, since: date, until: date, *, delimiter: str = ",") -> Iterator[bytes]:
    """The rows as CSV, in pieces. The right (Right.TAKINGS) is checked and the export audited at the call."""
    actor.require(Right.TAKINGS)
    audit_export(actor, "takings.csv", {"since": [None, since], "until": [None, until]})
    return csv_out.pieces(_rows(since, until), delimiter)


def _rows(since: date, until: date) -> Iterator[List[Any]]:
    yield [
        _("Date"), _("What"), _("Bill"), _("Owner's number"), _("Owner"), _("Tax (%)"), _("Net"), _("Tax"), _("Total"),
        _("Method"), _("Paid"), _("Reference"), _("Settled"), _("Vet"), _("Kind"),
    ]  # fmt: skip
    for lines in taxed_bills(since, until):
        bill = lines[0].invoice
        what = _("Credit note") if bill.credit_of_id else _("Bill")
        for rate, vet, kind, net, tax in shares(lines):
            yield [
                _day(bill.issued_at), what, bill.number, bill.owner_id, str(bill.owner), rate, net, tax, net + tax,
                None, None, None, None, vet, KINDS.get(kind),
            ]  # fmt: skip
    names = method_names()
    for payment in paid_between(since, until).select_related("invoice__owner").iterator(chunk_size=2000):
        bill, internal = payment.invoice, payment.method in Payment.Internal.values
        paid, settled = (None, payment.amount) if internal else (payment.amount, None)
        yield [
            _day(payment.at), _("Payment") if payment.amount > 0 else pgettext("noun", "Refund"), bill.number,
            bill.owner_id, str(bill.owner), None, None, None, None, names.get(payment.method, payment.method), paid,
            payment.reference or payment.reason, settled, None, None,
        ]  # fmt: skip
    for entry in kept_between(since, until).select_related("owner").iterator(chunk_size=2000):
        yield [
            _day(entry.at), _("Deposit") if entry.amount > 0 else _("Deposit paid back"), None, entry.owner_id,
            str(entry.owner), None, None, None, None, names.get(entry.method, entry.method), entry.amount,
            entry.reference or entry.reason, None, None, None,
        ]  # fmt: skip
    for entry in brought_between(since, until).select_related("owner").iterator(chunk_size=2000):
        yield [
            _day(entry.at), _("Balance brought forward"), None, entry.owner_id, str(entry.owner), None, None, None,
            -entry.amount, None, None, entry.reference, None, None, None,
        ]  # fmt: skip


def _day(moment: Any) -> date:
    return timezone.localtime(moment).date()
