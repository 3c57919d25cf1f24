"""What owners owe is one figure: on Today, on the bill, and in the takings."""

from __future__ import annotations

from decimal import Decimal
from types import SimpleNamespace
from typing import Any

from django.test import Client

from clinic.models import Invoice
from clinic.selectors.invoices import due_in_all
from clinic.selectors.takings import outstanding
from clinic.services.billing import Line, amount_due, draft_invoice, issue_invoice
from clinic.services.crediting import credit_invoice
from clinic.services.payments import take_payment


def issued(clinic: SimpleNamespace, price: str) -> Invoice:
    """An issued bill of one line without tax."""
    line = Line(text="Operation", unit_price=Decimal(price), quantity=Decimal(10))
    draft = draft_invoice(clinic.actor, clinic.owner.pk, [line])
    return issue_invoice(clinic.actor, draft.pk, draft.version)


def credited(clinic: SimpleNamespace, bill: Invoice, quantity: int) -> None:
    """Take back a part of the bill's line."""
    line = bill.lines.get()
    credit_invoice(clinic.actor, bill.pk, bill.version, "not done", quantities={line.pk: Decimal(quantity)})
    bill.refresh_from_db()


def test_a_partial_credit_is_taken_off_everywhere(clinic: SimpleNamespace, as_manager: Client) -> None:
    bill = issued(clinic, "10.00")
    credited(clinic, bill, 4)
    other = issued(clinic, "2.00")
    take_payment(clinic.actor, other.pk, Decimal("5.00"), "card")
    assert amount_due(bill) == Decimal("60.00")
    assert sum(each.amount for each in outstanding()) == Decimal("75.00")
    today = as_manager.get("/")
    assert (today.context["unpaid"].bills, today.context["unpaid"].amount) == (2, Decimal("75.00"))
    assert "75.00" in today.content.decode() and "115.00" not in today.content.decode()


def test_today_asks_once_for_all_that_is_due(clinic: SimpleNamespace, django_assert_num_queries: Any) -> None:
    for _each in range(5):
        credited(clinic, issued(clinic, "10.00"), 4)
    with django_assert_num_queries(1):
        assert due_in_all().amount == Decimal("300.00")
