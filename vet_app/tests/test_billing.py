"""Invoices: numbers without gaps, sums to the cent, and nothing but voids, credits and reversals once issued."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction
from importlib import import_module
from types import SimpleNamespace
from typing import Any, List, Tuple

import pytest
from django.apps import apps
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import connection, transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from clinic.models import Invoice
from clinic.money import round_money
from clinic.services import billing, crediting, payments
from tests.conftest import make_clinic
from vetclinic.errors import Conflict, Locked

money = st.decimals("0.01", "999.99", places=2)
rates = st.sampled_from([Decimal(0), Decimal("7.00"), Decimal("8.25"), Decimal("19.00")])
lines_of = st.lists(st.tuples(money, st.decimals("0.01", "20", places=2), rates), min_size=1, max_size=6)


def issued(clinic: SimpleNamespace, quantity: str = "1") -> Invoice:
    line = billing.Line(product=clinic.product, quantity=Decimal(quantity))
    draft = billing.draft_invoice(clinic.actor, clinic.owner.pk, [line])
    return billing.issue_invoice(clinic.actor, draft.pk, draft.version)


def exact_cents(value: Fraction) -> Decimal:
    """Round half up with whole numbers, independently of the code under test."""
    return Decimal((value * 100 + Fraction(1, 2)).__floor__()) / 100


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(given_lines=lines_of)
def test_sums_agree_to_the_cent_and_a_credit_takes_all_back(
    clinic: SimpleNamespace, given_lines: List[Tuple[Decimal, Decimal, Decimal]]
) -> None:
    with transaction.atomic():
        lines = [billing.Line(text="x", unit_price=p, quantity=q, tax_rate=r) for p, q, r in given_lines]
        draft = billing.draft_invoice(clinic.actor, clinic.owner.pk, lines)
        invoice = billing.issue_invoice(clinic.actor, draft.pk, draft.version)
        nets = [(exact_cents(Fraction(p) * Fraction(q)), r) for p, q, r in given_lines]
        tax = sum(
            exact_cents(sum((Fraction(n) for n, r in nets if r == rate), Fraction(0)) * Fraction(rate) / 100)
            for rate in {r for _n, r in nets}
        )
        assert invoice.net == sum(n for n, _r in nets)
        assert invoice.tax == tax
        assert invoice.total == invoice.net + invoice.tax
        note = crediting.credit_invoice(clinic.actor, invoice.pk, invoice.version, "wrong owner")
        assert note.total == -invoice.total
        invoice.refresh_from_db()
        assert billing.amount_due(invoice) == 0
        transaction.set_rollback(True)


def test_rounding_is_half_up() -> None:
    assert round_money(Decimal("0.125")) == Decimal("0.13") == Decimal("0.125").quantize(Decimal("0.01"), ROUND_HALF_UP)
    assert round_money(Decimal("-0.125")) == Decimal("-0.13")


def test_an_issued_invoice_is_final(clinic: SimpleNamespace) -> None:
    invoice = issued(clinic)
    assert invoice.total == Decimal("11.00")
    with pytest.raises(Locked):
        billing.replace_lines(clinic.actor, invoice.pk, invoice.version, [])
    with pytest.raises(Locked):
        billing.discard_draft(clinic.actor, invoice.pk, invoice.version)
    line = invoice.lines.get()
    line.unit_price = Decimal(1)
    with pytest.raises(Locked):
        line.save()
    clinic.product.unit_price = Decimal(99)
    clinic.product.save()
    assert billing.totals(invoice.lines.all()).total == Decimal("11.00")


def test_numbers_leave_no_gap_after_a_failure(clinic: SimpleNamespace) -> None:
    first = issued(clinic)
    with pytest.raises(ZeroDivisionError), transaction.atomic():
        issued(clinic)
        _ = 1 / 0
    assert issued(clinic).number == (first.number or 0) + 1


@pytest.mark.django_db(transaction=True)
def test_numbers_leave_no_gap_in_a_race(transactional_db: None) -> None:
    clinic = make_clinic()
    line = billing.Line(product=clinic.product)
    drafts = [billing.draft_invoice(clinic.actor, clinic.owner.pk, [line]) for _ in range(12)]

    def issue(draft: Invoice) -> Any:
        try:
            return billing.issue_invoice(clinic.actor, draft.pk, draft.version).number
        finally:
            connection.close()

    with ThreadPoolExecutor(12) as pool:
        numbers = sorted(pool.map(issue, drafts))
    assert numbers == list(range(1, 13))


def test_pay_undo_void(clinic: SimpleNamespace) -> None:
    invoice = issued(clinic)
    with pytest.raises(ValidationError, match="at most"):
        payments.take_payment(clinic.actor, invoice.pk, Decimal("11.01"), "cash")
    payments.take_payment(clinic.actor, invoice.pk, Decimal("1.00"), "cash")
    rest = payments.take_payment(clinic.actor, invoice.pk, Decimal("10.00"), "card")
    invoice.refresh_from_db()
    assert invoice.status == "paid"
    with pytest.raises(Conflict, match="Money has been taken"):
        billing.void_invoice(clinic.actor, invoice.pk, invoice.version, "typed twice")
    for payment in invoice.payments.all():
        payments.reverse_payment(clinic.actor, payment.pk, "typed twice")
    with pytest.raises(Conflict, match="undone already"):
        payments.reverse_payment(clinic.actor, rest.pk, "again")
    invoice.refresh_from_db()
    assert (invoice.status, billing.amount_due(invoice)) == ("issued", Decimal("11.00"))
    assert billing.void_invoice(clinic.actor, invoice.pk, invoice.version, "typed twice").status == "void"


def test_money_back_after_a_credit(clinic: SimpleNamespace) -> None:
    invoice = issued(clinic)
    payments.take_payment(clinic.actor, invoice.pk, Decimal("11.00"), "card")
    invoice.refresh_from_db()
    crediting.credit_invoice(clinic.actor, invoice.pk, invoice.version, "not given")
    invoice.refresh_from_db()
    assert billing.amount_due(invoice) == Decimal("-11.00")
    payments.refund(clinic.actor, invoice.pk, Decimal("11.00"), "card")
    invoice.refresh_from_db()
    assert billing.amount_due(invoice) == 0
    with pytest.raises(ValidationError):
        payments.refund(clinic.actor, invoice.pk, Decimal("0.01"), "card")


def test_a_vet_drafts_but_does_not_issue(clinic: SimpleNamespace, actor_with: Any) -> None:
    vet = actor_with("vet")
    draft = billing.draft_invoice(vet, clinic.owner.pk, [billing.Line(product=clinic.product)])
    with pytest.raises(PermissionDenied):
        billing.issue_invoice(vet, draft.pk, draft.version)


def test_a_payment_that_is_sent_ten_times_is_taken_once(clinic: SimpleNamespace) -> None:
    invoice = issued(clinic)
    pks = {payments.take_payment(clinic.actor, invoice.pk, Decimal(1), "cash", key="k").pk for _time in range(10)}
    assert len(pks) == 1
    invoice.refresh_from_db()
    assert billing.amount_due(invoice) == Decimal("10.00")
    with pytest.raises(Conflict, match="already sent"):
        payments.take_payment(clinic.actor, invoice.pk, Decimal(2), "cash", key="k")
    with pytest.raises(Conflict, match="already sent"):
        payments.take_payment(clinic.actor, issued(clinic).pk, Decimal(1), "cash", key="k")
    payments.take_payment(clinic.actor, invoice.pk, Decimal(1), "cash", key="another")
    payments.take_payment(clinic.actor, invoice.pk, Decimal(1), "cash")
    payments.take_payment(clinic.actor, invoice.pk, Decimal(1), "cash")
    assert invoice.payments.count() == 4


@pytest.mark.django_db(transaction=True)
def test_a_payment_that_is_sent_ten_times_at_once_is_taken_once(transactional_db: None) -> None:
    clinic = make_clinic()
    invoice = issued(clinic)

    def pay(_number: int) -> int:
        try:
            return payments.take_payment(clinic.actor, invoice.pk, Decimal(1), "cash", key="k").pk
        finally:
            connection.close()

    with ThreadPoolExecutor(10) as pool:
        assert len(set(pool.map(pay, range(10)))) == 1
    assert invoice.payments.count() == 1


def test_a_credited_bill_is_called_credited(clinic: SimpleNamespace) -> None:
    unpaid, paid = issued(clinic), issued(clinic)
    payments.take_payment(clinic.actor, paid.pk, Decimal("11.00"), "card")
    for invoice in (unpaid, paid):
        invoice.refresh_from_db()
        crediting.credit_invoice(clinic.actor, invoice.pk, invoice.version, "not given")
        invoice.refresh_from_db()
        assert invoice.status == Invoice.Status.CREDITED
    payments.refund(clinic.actor, paid.pk, Decimal("11.00"), "card")
    paid.refresh_from_db()
    assert paid.status == Invoice.Status.CREDITED


def test_the_migration_names_what_was_credited_and_back(clinic: SimpleNamespace) -> None:
    migration = import_module("clinic.migrations.0006_payment_keys")
    credited, unpaid, kept = issued(clinic), issued(clinic), issued(clinic)
    crediting.credit_invoice(clinic.actor, credited.pk, credited.version, "not given")
    Invoice.objects.filter(pk=credited.pk).update(status="paid")  # as the release before called it
    crediting.credit_invoice(clinic.actor, kept.pk, kept.version, "a slip")
    Invoice.objects.filter(credit_of=kept).update(status="void")  # which the release before allowed
    Invoice.objects.filter(pk=kept.pk).update(status="issued")
    editor = SimpleNamespace(connection=connection)

    def statuses() -> List[str]:
        return [Invoice.objects.get(pk=each.pk).status for each in (credited, unpaid, kept)]

    migration.name_the_credited(apps, editor)
    assert statuses() == ["credited", "issued", "issued"]
    migration.call_them_paid(apps, editor)
    assert statuses() == ["paid", "issued", "issued"]
