"""What owners owe is one figure: on Today, on the bill, and in the takings."""

from __future__ import annotations

import csv
import io
from decimal import Decimal
from types import SimpleNamespace
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.test import Client
from django.utils import timezone

from clinic.models import AccountEntry, Invoice, Owner
from clinic.selectors.invoices import due_in_all, owing
from clinic.selectors.takings import outstanding, takings
from clinic.services.billing import Line, amount_due, draft_invoice, issue_invoice
from clinic.services.crediting import credit_invoice
from clinic.services.payments import deposit, take_payment


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


def brought_forward(owner: Owner, amount: str) -> None:
    """What an import writes for an owner with an open balance."""
    AccountEntry.objects.create(owner=owner, amount=-Decimal(amount), at=timezone.now(), reason="Balance")


def test_what_was_owed_before_is_in_every_figure(clinic: SimpleNamespace, as_manager: Client) -> None:
    issued(clinic, "10.00")
    brought_forward(clinic.owner, "50.00")
    today = timezone.localdate()
    sums = takings(today, today)
    assert (sums.owed_before.bills, sums.owed_before.amount, sums.due) == (1, Decimal("50.00"), Decimal("150.00"))
    for address in ("/", "/takings/", clinic.owner.get_absolute_url(), f"/owners/{clinic.owner.pk}/account/"):
        page = as_manager.get(address).content.decode()
        assert "Owed from before" in page and "50.00" in page, address
        assert "−50.00" not in page and "-50.00" not in page, address
    answer = as_manager.get("/takings/takings.csv")
    rows = csv.DictReader(io.StringIO(b"".join(answer).decode("utf-8-sig")))
    brought = [row for row in rows if row["What"] == "Balance brought forward"]
    assert [(row["Owner's number"], row["Total"], row["Paid"]) for row in brought] == [
        (str(clinic.owner.pk), "50.00", "")
    ]
    deposit(clinic.actor, clinic.owner.pk, Decimal("50.00"), "cash")
    assert takings(today, today).owed_before.amount == 0
    assert "Owed from before" not in as_manager.get("/").content.decode()


def test_a_debt_is_no_credit_to_pay_out(clinic: SimpleNamespace) -> None:
    brought_forward(clinic.owner, "50.00")
    with pytest.raises(ValidationError, match=r"has 0\.00 on account"):
        deposit(clinic.actor, clinic.owner.pk, Decimal("-10.00"), "cash")


def test_who_owes_most_stands_first_and_all_can_be_reached(clinic: SimpleNamespace, as_manager: Client) -> None:
    people = [clinic.owner, *(Owner.objects.create(first_name="No", last_name=f"Body{n}") for n in range(11))]
    for place, owner in enumerate(people):
        clinic.owner = owner
        issued(clinic, f"{place + 1}.00")
    brought_forward(people[0], "500.00")
    debts = owing()
    assert [(each.owner_id, each.bills, each.amount) for each in debts[:2]] == [
        (people[0].pk, 1, Decimal("510.00")), (people[11].pk, 1, Decimal("120.00")),
    ]  # fmt: skip
    assert sum(each.amount for each in debts) == takings(timezone.localdate(), timezone.localdate()).due
    page, more = (as_manager.get(each).content.decode() for each in ("/takings/", "/takings/owing/"))
    assert 'href="/takings/owing/"' in page and people[11].get_absolute_url() in page
    assert people[1].get_absolute_url() not in page, "the smallest of twelve is on the list alone"
    assert all(owner.get_absolute_url() in more for owner in people)
