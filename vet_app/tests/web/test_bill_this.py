"""From the visit to its bill: what was given and prescribed, with the pet on each line, and what is not billed yet."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from types import SimpleNamespace
from typing import Any, Dict

import pytest
from django.utils import timezone

from accounts.models import User
from clinic.models import Invoice, InvoiceLine, Product, Visit
from clinic.selectors.billable import not_billed, to_bill
from clinic.services import billing, prescriptions, vaccination, visits
from clinic.services.catalogue import save_entry


@pytest.fixture
def visit(clinic: SimpleNamespace) -> Visit:
    """A visit with a vaccination and a prescription that have products, and a prescription that has none."""
    shot = save_entry(
        clinic.actor, Product, None, 0,
        {"code": "V", "name": "Rabies shot", "kind": "service", "unit_price": Decimal("42.00"), "tax_rate": Decimal(0)},
    )  # fmt: skip
    given = {"name": clinic.vaccine.name, "group": "rabies", "species": clinic.species, "product": shot}
    save_entry(clinic.actor, type(clinic.vaccine), clinic.vaccine.pk, clinic.vaccine.version, given)
    made = visits.start_visit(clinic.actor, clinic.pet.pk, {"vet": clinic.vet})
    details = {"vet": clinic.vet, "lot": "L1", "visit": made}
    vaccination.record_vaccination(clinic.actor, clinic.pet.pk, clinic.vaccine.pk, timezone.localdate(), details)
    drug: Dict[str, Any] = {"drug": "Drops", "dose": "1", "quantity": Decimal("0.125"), "instructions": "-"}
    prescriptions.prescribe(clinic.actor, made.pk, {**drug, "product": clinic.product})
    prescriptions.prescribe(clinic.actor, made.pk, {**drug, "drug": "From the pharmacy"})
    return made


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
    found = [(line.text, line.quantity, line.unit_price, line.pet, line.vet, line.visit) for line in bill.lines.all()]
    assert found == [
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


def test_today_lists_what_is_not_billed_yet(clinic: SimpleNamespace, visit: Visit, client: Any) -> None:
    client.force_login(User.objects.get(username="test-manager"))
    plain = visits.start_visit(clinic.actor, clinic.pet.pk, {"vet": clinic.vet})
    assert list(not_billed()) == [visit], "a visit without a price is not asked about"
    link = f"/owners/{clinic.owner.pk}/invoices/new/?visit={visit.pk}"
    page = client.get("/").content.decode()
    assert "Not billed yet" in page and link in page and str(plain.pk) not in link
    draft = billing.draft_invoice(
        clinic.actor, clinic.owner.pk,
        [billing.Line(product=clinic.product, pet_id=clinic.pet.pk, visit_id=visit.pk)],
    )  # fmt: skip
    assert not not_billed() and link not in client.get("/").content.decode()
    bill = billing.issue_invoice(clinic.actor, draft.pk, draft.version)
    billing.void_invoice(clinic.actor, bill.pk, bill.version, "wrong owner")
    assert list(not_billed()) == [visit] and len(to_bill(visit)) == 2, "a bill that is void is no bill"
    Visit.objects.filter(pk=visit.pk).update(at=timezone.now() - timedelta(days=91))
    assert not not_billed(), "what is long past was decided"


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
