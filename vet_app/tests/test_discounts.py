"""Discounts with their reason and limit, and credit notes over parts that add up to the bill."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from types import SimpleNamespace
from typing import Any, List, Tuple

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from clinic.models import Invoice
from clinic.selectors.settings import clinic_settings
from clinic.services import billing, crediting, payments
from clinic.services.billing import Discount, Line
from clinic.services.estimates import bill_estimate
from clinic.services.settings import change_settings
from tests.test_billing import issued, lines_of
from vetclinic.errors import Conflict

TEN, HALF = Decimal(10), Decimal("0.5")


def bill(clinic: SimpleNamespace, *lines: Line, **options: Any) -> Invoice:
    draft = billing.draft_invoice(clinic.actor, clinic.owner.pk, lines, **options)
    return billing.issue_invoice(clinic.actor, draft.pk, draft.version)


def test_a_discount_needs_a_reason_and_stays_on_the_bill(clinic: SimpleNamespace) -> None:
    lines = [Line(product=clinic.product, quantity=Decimal(3), discount=Discount(percent=TEN)), Line(clinic.product)]
    with pytest.raises(ValidationError, match="reason"):
        bill(clinic, *lines)
    invoice = bill(clinic, *lines, discount=Discount(amount=Decimal("3.70")), discount_reason="shelter")
    assert [line.discount for line in invoice.lines.all()] == [Decimal("5.70"), Decimal("1.00")], (
        "10 % of 30, and 3.70 / 37"
    )
    assert (invoice.net, invoice.tax, invoice.discount_reason) == (Decimal("33.30"), Decimal("3.33"), "shelter")
    for wrong in (Discount(amount=Decimal("10.01")), Discount(percent=Decimal(101)), Discount(amount=Decimal(-1))):
        with pytest.raises(ValidationError, match="full amount"):
            bill(clinic, Line(clinic.product, discount=wrong), discount_reason="x")
    assert bill(clinic, Line(clinic.product), discount=Discount(percent=Decimal(100)), discount_reason="x").total == 0


def test_a_price_below_the_list_counts_as_a_discount(clinic: SimpleNamespace, actor_with: Any) -> None:
    who: Any = {"name": "n", "address": "a", "phone": "p", "discount_limit": Decimal(5)}
    change_settings(clinic.actor, clinic_settings().version, who)
    desk, owner = actor_with("reception"), clinic.owner.pk
    cheap = Line(product=clinic.product, quantity=Decimal(2), unit_price=Decimal("7.50"))
    draft = billing.draft_invoice(desk, owner, [cheap])
    cheaper = replace(cheap, unit_price=Decimal("7.49"))
    with pytest.raises(PermissionDenied, match="below the price list"):
        billing.draft_invoice(desk, owner, [cheaper])
    with pytest.raises(PermissionDenied):
        billing.replace_lines(
            desk, draft.pk, draft.version, [replace(cheap, discount=Discount(amount=Decimal("0.01")))],
            discount_reason="regular",
        )  # fmt: skip
    dearer = replace(cheaper, unit_price=Decimal(12))
    billing.draft_invoice(desk, owner, [replace(cheap, quantity=Decimal(1)), dearer])
    invoice = billing.draft_invoice(clinic.actor, owner, [cheaper])
    assert invoice.lines.get().unit_price == Decimal("7.49"), "a manager may"


def test_the_price_of_an_estimate_is_no_discount_when_the_list_has_risen(
    clinic: SimpleNamespace, actor_with: Any
) -> None:
    who: Any = {"name": "n", "address": "a", "phone": "p", "discount_limit": Decimal(5)}
    change_settings(clinic.actor, clinic_settings().version, who)
    until = timezone.localdate() + timedelta(days=9)
    estimate = billing.draft_invoice(clinic.actor, clinic.owner.pk, [Line(product=clinic.product)], valid_until=until)
    clinic.product.unit_price = Decimal(50)
    clinic.product.save()
    invoice = bill_estimate(actor_with("reception"), estimate.pk, estimate.version)
    as_told = Line(product=clinic.product, unit_price=TEN)
    kept = billing.replace_lines(actor_with("reception"), invoice.pk, invoice.version, [as_told], notes="by card")
    assert kept.notes == "by card"


def test_above_the_limit_a_discount_is_the_managers(clinic: SimpleNamespace, actor_with: Any) -> None:
    who: Any = {"name": "n", "address": "a", "phone": "p", "discount_limit": Decimal(5)}
    change_settings(clinic.actor, clinic_settings().version, who)
    vet, line = actor_with("vet"), [Line(product=clinic.product)]
    draft = billing.draft_invoice(
        vet, clinic.owner.pk, line, discount=Discount(amount=Decimal(5)), discount_reason="regular"
    )
    for actor, allowed in ((vet, False), (clinic.actor, True)):
        more: Any = {"discount": Discount(amount=Decimal("5.01")), "discount_reason": "regular"}
        if allowed:
            billing.replace_lines(actor, draft.pk, draft.version, line, **more)
        else:
            with pytest.raises(PermissionDenied):
                billing.replace_lines(actor, draft.pk, draft.version, line, **more)
    draft.refresh_from_db()
    assert draft.net == Decimal("4.99")


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(given_lines=lines_of, percent=st.integers(0, 99), order=st.randoms(use_true_random=False))
def test_notes_over_parts_take_back_exactly_what_was_billed(
    clinic: SimpleNamespace, given_lines: List[Tuple[Decimal, Decimal, Decimal]], percent: int, order: Any
) -> None:
    with transaction.atomic():
        lines = [Line(text="x", unit_price=p, quantity=q, tax_rate=r) for p, q, r in given_lines]
        invoice = bill(clinic, *lines, discount=Discount(percent=Decimal(percent)), discount_reason="x")
        parts = []
        for line in invoice.lines.all():
            first = (line.quantity * HALF).quantize(Decimal("0.01"))
            parts += [(line.pk, part) for part in (first, line.quantity - first) if part]
        order.shuffle(parts)
        for key, quantity in parts:
            invoice.refresh_from_db()

            crediting.credit_invoice(clinic.actor, invoice.pk, invoice.version, "part", quantities={key: quantity})
        notes = list(invoice.credits.all())
        assert len(notes) == len(parts)
        assert sum(note.net for note in notes) == -invoice.net
        assert sum(note.tax for note in notes) == -invoice.tax
        assert all(note.total <= 0 for note in notes), [note.total for note in notes]
        invoice.refresh_from_db()
        assert invoice.status == Invoice.Status.CREDITED
        with pytest.raises(Conflict, match="already"):
            crediting.credit_invoice(clinic.actor, invoice.pk, invoice.version, "more")
        transaction.set_rollback(True)


def test_a_part_is_credited_and_its_money_given_back(clinic: SimpleNamespace) -> None:
    invoice = bill(clinic, Line(clinic.product, quantity=Decimal(2)), Line(text="Food", unit_price=TEN))
    payments.take_payment(clinic.actor, invoice.pk, Decimal(32), "card")
    invoice.refresh_from_db()
    drops, food = invoice.lines.all()
    for wrong in ({food.pk: Decimal("1.01")}, {food.pk: Decimal(-1)}, {}, {0: Decimal(1)}):
        with pytest.raises(ValidationError):
            crediting.credit_invoice(clinic.actor, invoice.pk, invoice.version, "back", quantities=wrong)
    crediting.credit_invoice(clinic.actor, invoice.pk, invoice.version, "back", quantities={drops.pk: Decimal(1)})
    invoice.refresh_from_db()
    assert (invoice.status, billing.amount_due(invoice)) == ("paid", Decimal(-11))
    payments.refund(clinic.actor, invoice.pk, Decimal(11), "card")
    invoice.refresh_from_db()
    rest = crediting.credit_invoice(clinic.actor, invoice.pk, invoice.version, "the rest")
    assert {line.text: line.quantity for line in rest.lines.all()} == {"Test": -1, "Food": -1}


def test_a_bill_that_the_release_before_credited_is_credited_as_a_whole(clinic: SimpleNamespace) -> None:
    invoice = issued(clinic)
    note = crediting.credit_invoice(clinic.actor, invoice.pk, invoice.version, "x")
    note.lines.update(credits=None)  # as it wrote them
    invoice.refresh_from_db()
    with pytest.raises(Conflict, match="already"):
        crediting.credit_invoice(clinic.actor, invoice.pk, invoice.version, "again")
