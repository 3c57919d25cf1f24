"""From the visit to its bill: what was given and prescribed, with the pet on each line, and what is not billed yet."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from types import SimpleNamespace
from typing import Any, Callable, Dict

import pytest
from django.test import Client
from django.utils import timezone

from accounts.models import User
from accounts.roles import Role
from audit.models import AuditEntry
from clinic.models import Invoice, InvoiceLine, Product, Visit
from clinic.selectors.billable import not_billed, to_bill
from clinic.services import billing, prescriptions, vaccination, visits
from clinic.services.booking import book
from clinic.services.catalogue import save_entry
from tests.web.conftest import roles_that_may

QUESTIONS = 15
"""At most, to show the editor of a bill, those of the session and the frame included."""


@pytest.fixture
def visit(clinic: SimpleNamespace) -> Visit:
    """A visit with a vaccination and a prescription that have products, and a prescription that has none."""
    shot = save_entry(
        clinic.actor, Product, None, 0,
        {"code": "V", "name": "Rabies shot", "kind": "service", "unit_price": Decimal("42.00"), "tax_rate": Decimal(0)},
    )  # fmt: skip
    given = {"name": clinic.vaccine.name, "group": "rabies", "species": clinic.species, "product": shot}
    save_entry(clinic.actor, type(clinic.vaccine), clinic.vaccine.pk, clinic.vaccine.version, given)
    visit = visits.start_visit(clinic.actor, clinic.pet.pk, {"vet": clinic.vet})
    details = {"vet": clinic.vet, "lot": "L1", "visit": visit}
    vaccination.record_vaccination(clinic.actor, clinic.pet.pk, clinic.vaccine.pk, timezone.localdate(), details)
    drug: Dict[str, Any] = {"drug": "Drops", "dose": "1", "quantity": Decimal("0.125"), "instructions": "-"}
    prescriptions.prescribe(clinic.actor, visit.pk, {**drug, "product": clinic.product})
    prescriptions.prescribe(clinic.actor, visit.pk, {**drug, "drug": "From the pharmacy"})
    return visit


def sent_as_shown(page: Any) -> Dict[str, Any]:
    """What a browser sends of the lines that it was shown, when nothing was typed."""
    lines = page.context["lines"]
    sent = {f"lines-{name}": value for name, value in lines.management_form.initial.items()}
    for form in lines:
        for bound in form:
            value = bound.value()
            sent[bound.html_name] = "" if value is None else value
    return sent


def test_bill_this_takes_the_visits_own_lines(clinic: SimpleNamespace, visit: Visit, client: Any) -> None:
    client.force_login(User.objects.get(username="test-manager"))
    address = f"/owners/{clinic.owner.pk}/invoices/new/?visit={visit.pk}"
    assert address in client.get(visit.get_absolute_url()).content.decode()
    page = client.get(address)
    shown = [form["pet"].value() for form in page.context["lines"]]
    assert shown == [clinic.pet.pk] * 6, "the pet stands on each line, on the four empty ones too"
    assert client.post(address, sent_as_shown(page)).status_code == 302
    bill = Invoice.objects.get()
    rows = [(line.text, line.quantity, line.unit_price, line.pet, line.vet, line.visit) for line in bill.lines.all()]
    assert rows == [
        ("Test rabies", 1, Decimal("42.00"), clinic.pet, clinic.vet, visit),
        ("Drops", Decimal("0.125"), Decimal("10.00"), clinic.pet, clinic.vet, visit),
    ], "two lines with their prices; empty ones and what has no product are left out"
    assert bill.get_absolute_url() in client.get(visit.get_absolute_url()).content.decode()
    again = client.get(address)
    assert len(again.context["lines"].forms) == 4, "what is billed is not offered twice"
    edit = f"{bill.get_absolute_url()}edit/"
    kept = {**sent_as_shown(client.get(edit)), "version": bill.version}
    assert client.post(edit, kept).status_code == 302
    assert set(bill.lines.values_list("visit", flat=True)) == {visit.pk}, "saving the draft again keeps the visit"


def billed(clinic: SimpleNamespace, visit: Visit, *products: Product) -> Invoice:
    """A draft with a line of the visit for each product."""
    lines = [billing.Line(product=each, pet_id=visit.pet_id, visit_id=visit.pk) for each in products]
    return billing.draft_invoice(clinic.actor, clinic.owner.pk, lines)


def test_today_lists_what_is_not_billed_yet(clinic: SimpleNamespace, visit: Visit, client: Any) -> None:
    client.force_login(User.objects.get(username="test-manager"))
    plain = visits.start_visit(clinic.actor, clinic.pet.pk, {"vet": clinic.vet})
    assert list(not_billed()) == [plain, visit], "a consultation without anything given is work as well"
    link = f"/owners/{clinic.owner.pk}/invoices/new/?visit={visit.pk}"
    page = client.get("/").content.decode()
    assert "Not billed yet" in page and link in page
    billed(clinic, plain, clinic.product)
    draft = billed(clinic, visit, Product.objects.get(code="V"), clinic.product)
    assert not not_billed() and link not in client.get("/").content.decode()
    bill = billing.issue_invoice(clinic.actor, draft.pk, draft.version)
    billing.void_invoice(clinic.actor, bill.pk, bill.version, "wrong owner")
    assert list(not_billed()) == [visit] and len(to_bill(visit)) == 2, "a bill that is void is no bill"
    Visit.objects.filter(pk=visit.pk).update(at=timezone.now() - timedelta(days=91))
    assert not not_billed(), "what is long past was decided"


def test_what_is_added_after_the_draft_is_offered_and_listed(clinic: SimpleNamespace, visit: Visit) -> None:
    billed(clinic, visit, Product.objects.get(code="V"))
    assert [each.text for each in to_bill(visit)] == ["Drops"], "one line does not stand for the whole visit"
    assert list(not_billed()) == [visit]
    billed(clinic, visit, clinic.product)
    assert not to_bill(visit) and not not_billed()
    drug: Dict[str, Any] = {"drug": "More drops", "dose": "1", "quantity": Decimal(2), "instructions": "-"}
    prescriptions.prescribe(clinic.actor, visit.pk, {**drug, "product": clinic.product})
    assert [(each.text, each.quantity) for each in to_bill(visit)] == [("More drops", Decimal(2))], (
        "the same product once more"
    )
    assert list(not_billed()) == [visit]


def test_a_line_without_a_visit_bills_the_visit_of_its_day(clinic: SimpleNamespace, visit: Visit) -> None:
    line = billing.Line(product=clinic.product, pet_id=clinic.pet.pk)
    billing.draft_invoice(clinic.actor, clinic.owner.pk, [line])
    assert InvoiceLine.objects.get().visit == visit, "as when the bill begins at the owner and the pet is chosen"
    earlier = replace(line, service_on=timezone.localdate() - timedelta(days=1))
    draft = billing.draft_invoice(clinic.actor, clinic.owner.pk, [earlier])
    assert draft.lines.get().visit is None, "there was no visit on that day"


def test_the_appointments_bill_is_that_of_its_visit(clinic: SimpleNamespace, as_manager: Client) -> None:
    begins = timezone.now().replace(second=0, microsecond=0)
    booked = book(
        clinic.actor, clinic.vet.pk, begins, begins + timedelta(minutes=15), {"pet": clinic.pet, "kind": "consult"},
        override_reason="now",
    )  # fmt: skip
    address, new = f"/appointments/{booked.pk}/", f"/owners/{clinic.owner.pk}/invoices/new/"
    assert f'href="{new}?pet={clinic.pet.pk}"' in as_manager.get(address).content.decode()
    visit = visits.start_visit(clinic.actor, clinic.pet.pk, {"vet": clinic.vet}, appointment_id=booked.pk)
    page = as_manager.get(address).content.decode()
    assert f'href="{new}?visit={visit.pk}"' in page and "?pet=" not in page


def test_nothing_to_bill_is_said_and_taken_back(clinic: SimpleNamespace, visit: Visit, as_manager: Client) -> None:
    address, page = f"/visits/{visit.pk}/nothing-to-bill/", "/invoices/not-billed/"
    assert address in as_manager.get(page).content.decode()
    visits.lock_visit(clinic.actor, visit.pk, visit.version)
    assert as_manager.post(address).status_code == 302, "a locked visit too: the notes stay as they are"
    assert not not_billed() and address not in as_manager.get(page).content.decode()
    entries = AuditEntry.objects.filter(
        object_type="visit", object_id=str(visit.pk), changes__icontains="billing_closed_at"
    )
    assert entries.count() == 1
    drug: Dict[str, Any] = {"drug": "Later", "dose": "1", "quantity": Decimal(1), "instructions": "-"}
    later = prescriptions.prescribe(clinic.actor, visit.pk, {**drug, "product": clinic.product})
    assert list(not_billed()) == [visit], "what is prescribed afterwards is asked about again"
    prescriptions.void_prescription(clinic.actor, later.pk, "not needed")
    assert not not_billed()
    assert as_manager.post(address, {"again": "yes"}).status_code == 302
    assert list(not_billed()) == [visit]


def test_every_visit_that_is_not_billed_can_be_reached(clinic: SimpleNamespace, as_manager: Client) -> None:
    rows = [visits.start_visit(clinic.actor, clinic.pet.pk, {"vet": clinic.vet}) for _each in range(12)]
    today, page = (as_manager.get(each).content.decode() for each in ("/", "/invoices/not-billed/"))
    assert today.count("?visit=") == 10 and 'href="/invoices/not-billed/"' in today
    assert all(f"?visit={each.pk}" in page for each in rows)


def test_who_may_see_what_is_not_billed(client_of: Callable[[str], Client]) -> None:
    assert roles_that_may(client_of, "/invoices/not-billed/") == [Role.RECEPTION, Role.VET, Role.MANAGER]


def test_who_may_not_write_bills_is_not_asked_to(clinic: SimpleNamespace, visit: Visit, client: Any) -> None:
    client.force_login(User.objects.create(username="reader", role="readonly"))
    assert "Not billed yet" not in client.get("/").content.decode()


def test_a_line_belongs_to_the_visit_of_its_pet_alone(clinic: SimpleNamespace, visit: Visit, client: Any) -> None:
    other = billing.Line(product=clinic.product, visit_id=visit.pk)
    billing.draft_invoice(clinic.actor, clinic.owner.pk, [other])
    assert InvoiceLine.objects.get().visit is None, "a line without a pet bills no visit"
    client.force_login(User.objects.get(username="test-manager"))
    stranger = type(clinic.owner).objects.create(first_name="Some", last_name="Body")
    assert client.get(f"/owners/{stranger.pk}/invoices/new/?visit={visit.pk}").status_code == 404


def test_the_editor_of_bills_asks_the_same_of_409_products(
    clinic: SimpleNamespace, visit: Visit, as_manager: Client, django_assert_max_num_queries: Any
) -> None:
    Product.objects.bulk_create(
        Product(code=f"P{number}", name=f"Product {number}", unit_price=Decimal(1)) for number in range(407)
    )
    assert Product.objects.count() == 409
    new = f"/owners/{clinic.owner.pk}/invoices/new/?visit={visit.pk}"
    as_manager.get(new)
    with django_assert_max_num_queries(QUESTIONS):
        page = as_manager.get(new)
    assert page.content.decode().count('<option value="Product') == 407, "offered once, not on each line"
    draft = billed(clinic, visit, *Product.objects.all()[:40])
    with django_assert_max_num_queries(QUESTIONS):
        as_manager.get(f"{draft.get_absolute_url()}edit/")
    with django_assert_max_num_queries(QUESTIONS + 2):
        as_manager.get(draft.get_absolute_url())
