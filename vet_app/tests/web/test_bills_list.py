"""The list of bills: an owner's balance over all of them, and finding one."""

from __future__ import annotations

from decimal import Decimal
from types import SimpleNamespace
from typing import Any, List

import pytest
from django.test import Client
from django.utils import timezone

from clinic.models import Invoice
from clinic.selectors.invoices import balance_of, matching
from clinic.services.billing import Line, amount_due, draft_invoice, issue_invoice, void_invoice
from clinic.services.crediting import credit_invoice
from clinic.services.owners import create_owner
from clinic.services.payments import take_payment
from vetclinic.errors import Conflict


def issued(clinic: SimpleNamespace, price: str = "10.00", owner: int = 0) -> Invoice:
    line = Line(text="Nail clip", unit_price=Decimal(price))
    draft = draft_invoice(clinic.actor, owner or clinic.owner.pk, [line])
    return issue_invoice(clinic.actor, draft.pk, draft.version)


def numbers(page: str, bills: List[Invoice]) -> List[str]:
    return [str(bill) for bill in bills if f">{bill}</a>" in page]


def test_the_balance_counts_every_bill_not_only_those_on_the_page(clinic: SimpleNamespace, as_manager: Client) -> None:
    for _each in range(25):
        issued(clinic)
    page = as_manager.get(clinic.owner.get_absolute_url()).content.decode()
    assert "$250.00" in page
    assert f"/invoices/?owner={clinic.owner.pk}" in page, "the page leads to all bills of this owner"


def test_the_balance_agrees_with_each_bill_whatever_became_of_it(clinic: SimpleNamespace) -> None:
    draft_invoice(clinic.actor, clinic.owner.pk, [Line(product=clinic.product)])
    part, paid, void, credited, owed = (issued(clinic, price) for price in ("10", "20", "30", "40", "50"))
    take_payment(clinic.actor, part.pk, Decimal("3.33"), "cash")
    take_payment(clinic.actor, paid.pk, Decimal(20), "cash")
    take_payment(clinic.actor, owed.pk, Decimal("7.77"), "card")
    void_invoice(clinic.actor, void.pk, void.version, "typed twice")
    for bill in (credited, owed):
        bill.refresh_from_db()
        credit_invoice(clinic.actor, bill.pk, bill.version, "not given")
    each = sum((amount_due(bill) for bill in Invoice.objects.all()), Decimal(0))
    assert balance_of(clinic.owner) == each == Decimal("-1.10"), "6.67 are due, 7.77 are owed"


def test_money_that_the_clinic_owes_stands_on_the_owners_page(clinic: SimpleNamespace, as_manager: Client) -> None:
    bill = issued(clinic)
    take_payment(clinic.actor, bill.pk, Decimal(10), "cash")
    bill.refresh_from_db()
    credit_invoice(clinic.actor, bill.pk, bill.version, "not given")
    page = as_manager.get(clinic.owner.get_absolute_url()).content.decode()
    assert "refund due $10.00" in page


def test_a_credit_note_cannot_be_voided(clinic: SimpleNamespace) -> None:
    bill = issued(clinic)
    note = credit_invoice(clinic.actor, bill.pk, bill.version, "not given")
    with pytest.raises(Conflict, match="credit note"):
        void_invoice(clinic.actor, note.pk, note.version, "typed twice")


@pytest.mark.parametrize(
    ("asked", "matches"),
    [
        ("2", ["000002"]), ("000002", ["000002"]), ("muller", ["000001", "000002"]), ("30", ["000003"]),
        ("20.50", ["000002"]), ("20,50", ["000002"]), ("nobody", []), ("999999999999999999999", []), ("1e400", []),
        ("²", []), ("NaN", []),
    ],
)  # fmt: skip
def test_bills_are_found_by_number_owner_and_amount(
    clinic: SimpleNamespace, as_manager: Client, asked: str, matches: List[str]
) -> None:
    other = create_owner(clinic.actor, {"first_name": "Otto", "last_name": "Other"})
    bills = [issued(clinic), issued(clinic, "20.50"), issued(clinic, "30", other.pk)]
    page = as_manager.get("/invoices/", {"q": asked}).content.decode()
    assert numbers(page, bills) == matches
    assert sorted(str(bill) for bill in matching(asked)) == matches


def test_bills_are_found_by_owner_status_and_day(clinic: SimpleNamespace, as_manager: Client) -> None:
    other = create_owner(clinic.actor, {"first_name": "Otto", "last_name": "Other"})
    bills = [issued(clinic), issued(clinic), issued(clinic, "30", other.pk)]
    take_payment(clinic.actor, bills[1].pk, Decimal(10), "cash")
    today = timezone.localdate()

    def asked(**query: Any) -> List[str]:
        return numbers(as_manager.get("/invoices/", query).content.decode(), bills)

    assert asked(owner=clinic.owner.pk) == ["000001", "000002"]
    assert asked(owner=clinic.owner.pk, status="paid") == ["000002"]
    assert asked(since=today, until=today) == ["000001", "000002", "000003"]
    assert asked(until=today.replace(year=today.year - 1)) == []
    assert asked(since=today.replace(year=today.year + 1)) == []


def test_a_wrong_day_is_said_and_the_list_stays(clinic: SimpleNamespace, as_manager: Client) -> None:
    issued(clinic)
    page = as_manager.get("/invoices/", {"since": "31.31.2026"})
    assert page.status_code == 422
    assert "Enter a valid date" in page.content.decode()


@pytest.mark.parametrize("asked", ["000002", "2"])
def test_the_search_box_finds_bills_and_owners_by_number(
    clinic: SimpleNamespace, as_manager: Client, asked: str
) -> None:
    bills = [issued(clinic), issued(clinic)]
    page = as_manager.get("/search/", {"q": asked}, headers={"HX-Request": "true"}).content.decode()
    assert bills[1].get_absolute_url() in page
    page = as_manager.get("/search/", {"q": str(clinic.owner.pk)}, headers={"HX-Request": "true"}).content.decode()
    assert clinic.owner.get_absolute_url() in page
