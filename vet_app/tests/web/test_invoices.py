"""Bills as people write, issue, pay and take them back."""

from __future__ import annotations

import re
from decimal import Decimal
from types import SimpleNamespace
from typing import Any, Callable, Dict, List

import pytest
from django.test import Client

from accounts.roles import Role
from audit.models import AuditEntry
from clinic.models import Invoice
from clinic.services.billing import Line, draft_invoice, issue_invoice, void_invoice
from clinic.services.payments import take_payment
from tests.web.conftest import beside, roles_that_may


def lines(*given: Dict[str, Any]) -> Dict[str, Any]:
    form = {"lines-TOTAL_FORMS": str(len(given)), "lines-INITIAL_FORMS": "0"}
    for number, line in enumerate(given):
        form.update({f"lines-{number}-{name}": value for name, value in line.items()})
    return form


@pytest.fixture
def bill(clinic: SimpleNamespace) -> Invoice:
    """An issued bill over eleven."""
    draft = draft_invoice(clinic.actor, clinic.owner.pk, [Line(product=clinic.product)])
    return issue_invoice(clinic.actor, draft.pk, draft.version)


@pytest.mark.parametrize(
    ("address", "roles"),
    [
        ("/invoices/", list(Role.values)), ("/invoices/{bill}/", list(Role.values)),
        ("/owners/{owner}/invoices/new/", [Role.RECEPTION, Role.VET, Role.MANAGER]),
        ("/invoices/{bill}/void/", [Role.RECEPTION, Role.MANAGER]),
        ("/invoices/{bill}/credit/", [Role.RECEPTION, Role.MANAGER]),
    ],
)  # fmt: skip
def test_who_may_open(
    clinic: SimpleNamespace, bill: Invoice, client_of: Callable[[str], Client], address: str, roles: List[str]
) -> None:
    where = address.format(bill=bill.pk, owner=clinic.owner.pk)
    assert roles_that_may(client_of, where) == [role for role in Role.values if role in roles]


def test_from_draft_to_paid(clinic: SimpleNamespace, as_manager: Client) -> None:
    where = f"/owners/{clinic.owner.pk}/invoices/new/"
    answer = as_manager.post(where, lines({"product": clinic.product.name, "quantity": "2"}, {"quantity": "1"}))
    draft = Invoice.objects.get()
    assert answer.headers["Location"] == draft.get_absolute_url()
    assert draft.total == Decimal("22.00")
    as_manager.post(f"/invoices/{draft.pk}/issue/", {"version": draft.version})
    page = as_manager.get(draft.get_absolute_url()).content.decode()
    assert "000001" in page
    assert "$22.00" in page
    as_manager.post(f"/invoices/{draft.pk}/pay/", {"amount": "22.00", "method": "cash"})
    draft.refresh_from_db()
    assert draft.status == Invoice.Status.PAID
    actions = set(AuditEntry.objects.values_list("action", flat=True))
    assert {"create", "issue", "pay"} <= actions


def test_a_draft_is_changed_and_discarded(clinic: SimpleNamespace, as_manager: Client) -> None:
    draft = draft_invoice(clinic.actor, clinic.owner.pk, [Line(product=clinic.product)])
    edit = f"/invoices/{draft.pk}/edit/"
    assert '<option value="Test" label="$10.00"' in as_manager.get(edit).content.decode()
    as_manager.post(edit, {**lines({"text": "Nail clip", "unit_price": "7.50"}), "version": draft.version})
    draft.refresh_from_db()
    assert [line.text for line in draft.lines.all()] == ["Nail clip"]
    assert as_manager.post(f"/invoices/{draft.pk}/discard/", {"version": draft.version}).status_code == 302
    assert not Invoice.objects.exists()


def test_a_line_without_a_price_is_refused_and_kept(clinic: SimpleNamespace, as_manager: Client) -> None:
    page = as_manager.post(f"/owners/{clinic.owner.pk}/invoices/new/", lines({"text": "Mystery"}))
    assert page.status_code == 422
    text = page.content.decode()
    assert "Line 1 needs a price" in text
    assert "Mystery" in text
    assert not Invoice.objects.exists()


def test_too_much_money_is_refused_beside_its_field(bill: Invoice, as_manager: Client) -> None:
    page = as_manager.post(f"/invoices/{bill.pk}/pay/", {"amount": "11.01", "method": "card"})
    assert page.status_code == 422
    assert "at most 11.00" in beside(page, "amount")


def test_a_payment_is_undone_and_the_bill_voided(bill: Invoice, as_manager: Client) -> None:
    as_manager.post(f"/invoices/{bill.pk}/pay/", {"amount": "11.00", "method": "card"})
    bill.refresh_from_db()
    void = f"/invoices/{bill.pk}/void/"
    refused = as_manager.post(void, {"reason": "Wrong owner", "version": bill.version})
    assert refused.status_code == 409
    assert "Undo the payment first" in refused.content.decode()
    payment = bill.payments.get()
    as_manager.post(f"/invoices/payments/{payment.pk}/reverse/", {"reason": "Typed twice"})
    bill.refresh_from_db()
    as_manager.post(void, {"reason": "Wrong owner", "version": bill.version})
    bill.refresh_from_db()
    assert (bill.status, bill.void_reason) == ("void", "Wrong owner")
    assert beside(as_manager.post(void, {"reason": "", "version": bill.version}), "reason")


def test_a_credit_note_makes_the_clinic_owe(bill: Invoice, as_manager: Client) -> None:
    as_manager.post(f"/invoices/{bill.pk}/pay/", {"amount": "11.00", "method": "card"})
    bill.refresh_from_db()
    as_manager.post(f"/invoices/{bill.pk}/credit/", {"reason": "Goodwill", "version": bill.version})
    page = as_manager.get(bill.get_absolute_url()).content.decode()
    assert "Refund due: $11.00" in page
    as_manager.post(f"/invoices/{bill.pk}/pay/", {"amount": "11.00", "method": "card"})
    assert "To pay: $0.00" in as_manager.get(bill.get_absolute_url()).content.decode()


def test_an_issued_bill_cannot_be_edited(bill: Invoice, as_manager: Client) -> None:
    assert as_manager.get(f"/invoices/{bill.pk}/edit/").status_code == 409


def test_the_list_filters_and_sums_what_is_open(bill: Invoice, as_manager: Client) -> None:
    assert bill.owner.last_name in as_manager.get("/invoices/?status=issued").content.decode()
    assert bill.owner.last_name not in as_manager.get("/invoices/?status=paid").content.decode()
    assert "1 unpaid bill" in as_manager.get("/").content.decode()


def test_on_paper_a_void_bill_and_a_draft_say_what_they_are(
    clinic: SimpleNamespace, bill: Invoice, as_manager: Client
) -> None:
    """The heading with its badge and the messages of a page are not printed; this is part of the sheet."""
    assert b'class="stamp"' not in as_manager.get(bill.get_absolute_url()).content
    void_invoice(clinic.actor, bill.pk, bill.version, "wrong owner")
    assert b'<p class="stamp">Void: wrong owner</p>' in as_manager.get(bill.get_absolute_url()).content
    draft = draft_invoice(clinic.actor, clinic.owner.pk, [Line(product=clinic.product)])
    assert b'<p class="stamp">Draft' in as_manager.get(draft.get_absolute_url()).content


def test_what_is_open_counts_money_that_was_taken_and_late_bills_are_marked(
    clinic: SimpleNamespace, bill: Invoice, as_manager: Client
) -> None:
    take_payment(clinic.actor, bill.pk, Decimal("4.00"), "cash")
    assert "$7.00" in as_manager.get("/").content.decode(), "of eleven, four are paid"
    assert b"overdue" not in as_manager.get("/invoices/").content
    Invoice.objects.filter(pk=bill.pk).update(due_on="2020-01-01")
    assert b"overdue" in as_manager.get("/invoices/").content


def test_a_bill_says_the_tax_of_each_rate(clinic: SimpleNamespace, as_manager: Client) -> None:
    other = Line(text="Book", unit_price=Decimal("20.00"), tax_rate=Decimal(7))
    draft = draft_invoice(clinic.actor, clinic.owner.pk, [Line(product=clinic.product), other])
    page = as_manager.get(draft.get_absolute_url()).content.decode()
    assert "7 % of 20.00" in page and "$1.40" in page and "10 % of 10.00" in page and "$1.00" in page
    assert "$32.40" in page


def test_a_manager_is_led_to_who_changed_a_record(
    clinic: SimpleNamespace, bill: Invoice, client_of: Callable[[str], Client]
) -> None:
    pages = {"pet": clinic.pet, "owner": clinic.owner, "invoice": bill}
    for kind, row in pages.items():
        trail = f"/audit/?kind={kind}&amp;number={row.pk}"
        assert trail in client_of("manager").get(row.get_absolute_url()).content.decode(), kind
        assert "/audit/" not in client_of("vet").get(row.get_absolute_url()).content.decode(), kind


def test_a_payment_pressed_twice_is_one(clinic: SimpleNamespace, bill: Invoice, as_manager: Client) -> None:
    page = as_manager.get(bill.get_absolute_url()).content.decode()
    (key,) = re.findall(r'name="key" value="(\w{32})"', page)
    sent = {"amount": "1.00", "method": "cash", "key": key}
    answers = [as_manager.post(f"/invoices/{bill.pk}/pay/", sent).status_code for _time in range(10)]
    assert answers == [302] * 10
    assert bill.payments.count() == 1
    other = as_manager.post(f"/invoices/{bill.pk}/pay/", {**sent, "amount": "2.00"})
    assert other.status_code == 409
    (fresh,) = re.findall(r'name="key" value="(\w{32})"', other.content.decode())
    assert fresh != key
    assert as_manager.post(f"/invoices/{bill.pk}/pay/", {**sent, "amount": "2.00", "key": fresh}).status_code == 302


def test_discounts_are_typed_as_percent_or_amount_and_printed(clinic: SimpleNamespace, as_manager: Client) -> None:
    sent = {
        "lines-TOTAL_FORMS": 2, "lines-INITIAL_FORMS": 0, "notes": "", "discount": "", "discount_reason": "",
        "lines-0-product": clinic.product.name, "lines-0-quantity": "2", "lines-0-discount": "10 %",
        "lines-1-product": clinic.product.name, "lines-1-quantity": "1", "lines-1-discount": "1,50",
    }  # fmt: skip
    new = f"/owners/{clinic.owner.pk}/invoices/new/"
    german: Any = {"HTTP_ACCEPT_LANGUAGE": "de"}
    refused = as_manager.post(new, sent, **german)
    assert refused.status_code == 422 and beside(refused, "discount_reason"), "a discount without a reason"
    assert as_manager.post(new, {**sent, "discount": "ten"}, **german).status_code == 422
    assert as_manager.post(new, {**sent, "discount": "5 %", "discount_reason": "Staff"}, **german).status_code == 302
    draft = Invoice.objects.latest("pk")
    assert draft.net == Decimal("25.17"), "30 less 2 and 1.50, less 5 %"
    page = as_manager.get(draft.get_absolute_url()).content.decode()
    assert "Discount: Staff" in page and "Discount 2.90" in page
    again = as_manager.get(f"/invoices/{draft.pk}/edit/")
    assert [form.initial["discount"] for form in again.context["lines"].initial_forms] == [
        Decimal("2.90"),
        Decimal("1.93"),
    ]


def test_a_part_of_a_bill_is_credited_on_the_page(bill: Invoice, as_manager: Client) -> None:
    line, address = bill.lines.get(), f"/invoices/{bill.pk}/credit/"
    assert f"line_{line.pk}" in as_manager.get(address).content.decode()
    sent = {"reason": "Half used", "version": bill.version, f"line_{line.pk}": "0.25"}
    assert as_manager.post(address, {**sent, f"line_{line.pk}": "1.01"}).status_code == 422
    assert as_manager.post(address, {**sent, f"line_{line.pk}": ""}).status_code == 422, "nothing is taken back"
    assert as_manager.post(address, sent).status_code == 302
    assert bill.credits.get().net == Decimal("-2.50")
    page = as_manager.get(bill.get_absolute_url()).content.decode()
    assert "To pay: $8.25" in page and address in page, "the rest can still be credited"
    assert "of 0.75" in as_manager.get(address).content.decode()
