"""Prices that include tax: sums to the cent, parts that add up, and old bills that stay as they were."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction
from types import SimpleNamespace
from typing import Any, List, Tuple

from django.db import transaction
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from clinic.models import Invoice
from clinic.selectors.settings import clinic_settings
from clinic.selectors.takings import takings
from clinic.services import billing, crediting
from clinic.services.settings import change_settings
from tests.test_billing import exact_cents, issued, lines_of


def with_tax(clinic: SimpleNamespace) -> None:
    who: Any = {"name": "n", "address": "a", "phone": "p", "prices_include_tax": True}
    change_settings(clinic.actor, clinic_settings().version, who)


def bill(clinic: SimpleNamespace, *lines: billing.Line) -> Invoice:
    draft = billing.draft_invoice(clinic.actor, clinic.owner.pk, lines)
    return billing.issue_invoice(clinic.actor, draft.pk, draft.version)


def test_the_price_on_the_shelf_is_the_price_on_the_bill(clinic: SimpleNamespace, client: Any) -> None:
    before = issued(clinic)
    with_tax(clinic)
    shelf = billing.Line(text="Food", unit_price=Decimal("9.99"), tax_rate=Decimal(19))
    invoice = bill(clinic, shelf)
    assert (invoice.net, invoice.tax, invoice.total) == (Decimal("8.39"), Decimal("1.60"), Decimal("9.99"))
    three = bill(clinic, billing.Line(text="Food", unit_price=Decimal(10), quantity=Decimal(3), tax_rate=Decimal(19)))
    assert three.total == Decimal("30.00")
    before.refresh_from_db()
    assert (before.total, before.prices_include_tax) == (Decimal("11.00"), False), "a bill that was written stays"
    note = crediting.credit_invoice(clinic.actor, before.pk, before.version, "late")
    assert note.total == Decimal("-11.00"), "and is taken back as it was written"


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(given_lines=lines_of, first=st.integers(1, 99))
def test_sums_with_tax_agree_to_the_cent_and_parts_take_all_back(
    clinic: SimpleNamespace, given_lines: List[Tuple[Decimal, Decimal, Decimal]], first: int
) -> None:
    with transaction.atomic():
        with_tax(clinic)
        invoice = bill(
            clinic, *(billing.Line(text="x", unit_price=p, quantity=q, tax_rate=r) for p, q, r in given_lines)
        )
        amounts = [(exact_cents(Fraction(p) * Fraction(q)), r) for p, q, r in given_lines]
        assert invoice.total == sum(amount for amount, _rate in amounts)
        rates = {rate for _amount, rate in amounts}
        taxed = {rate: sum((Fraction(a) for a, r in amounts if r == rate), Fraction(0)) for rate in rates}
        assert invoice.tax == sum(exact_cents(sum_ * Fraction(r) / (100 + Fraction(r))) for r, sum_ in taxed.items())
        lines = list(invoice.lines.all())
        assert sum(billing.nets(lines)) == invoice.net
        today = takings(timezone.localdate(), timezone.localdate())
        assert today.net == sum(kind.net for kind in today.kinds) == sum(vet.net for vet in today.vets) == invoice.net
        part = (lines[0].quantity * first / 100).quantize(Decimal("0.01")) or lines[0].quantity
        crediting.credit_invoice(clinic.actor, invoice.pk, invoice.version, "a part", quantities={lines[0].pk: part})
        invoice.refresh_from_db()
        if invoice.status != Invoice.Status.CREDITED:
            crediting.credit_invoice(clinic.actor, invoice.pk, invoice.version, "the rest")
        notes = list(invoice.credits.all())
        assert (sum(n.net for n in notes), sum(n.tax for n in notes)) == (-invoice.net, -invoice.tax)
        transaction.set_rollback(True)
