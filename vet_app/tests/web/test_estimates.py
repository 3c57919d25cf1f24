"""Estimates: told before the treatment, printed to be signed, and turned into a bill at the prices that were told."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from types import SimpleNamespace
from typing import Any, Dict, Set

import pytest
from django.test import Client
from django.utils import timezone

from accounts.roles import Role
from clinic.models import Invoice
from clinic.selectors.billable import not_billed
from clinic.selectors.invoices import balance_of
from clinic.services import billing, visits
from clinic.services.estimates import bill_estimate
from tests.web.test_invoices import lines
from vetclinic.errors import Conflict, Locked


@pytest.fixture
def estimate(clinic: SimpleNamespace) -> Invoice:
    """One over a dental treatment, with a discount."""
    line = billing.Line(
        product=clinic.product, text="Dental treatment", quantity=Decimal(3), pet_id=clinic.pet.pk,
        discount=billing.Discount(percent=Decimal(10)),
    )  # fmt: skip
    return billing.draft_invoice(
        clinic.actor, clinic.owner.pk, [line], notes="Left canine", discount_reason="Seniors", valid_until=soon()
    )


def soon() -> date:
    return timezone.localdate() + timedelta(days=30)


def test_an_estimate_is_written_printed_and_becomes_a_bill(clinic: SimpleNamespace, as_manager: Client) -> None:
    where = f"/owners/{clinic.owner.pk}/estimates/new/?pet={clinic.pet.pk}"
    assert f"/owners/{clinic.owner.pk}/estimates/new/" in as_manager.get(f"/owners/{clinic.owner.pk}/").content.decode()
    shown = as_manager.get(where)
    assert shown.context["form"]["valid_until"].value() == soon(), "thirty days, unless one says otherwise"
    sent = {**lines({"product": "Test", "quantity": "2", "pet": clinic.pet.pk}), "valid_until": soon()}
    assert as_manager.post(where, {**sent, "valid_until": ""}).status_code == 422
    assert as_manager.post(where, sent).status_code == 302
    estimate = Invoice.objects.get()
    page = as_manager.get(estimate.get_absolute_url()).content.decode()
    assert "Turn into a bill" in page and "I agree to the treatment" in page and "not a bill yet" not in page
    assert "/issue/" not in page and "Take a payment" not in page
    response = as_manager.post(f"/invoices/{estimate.pk}/bill/", {"version": estimate.version})
    bill = Invoice.objects.get(from_estimate=estimate)
    assert response.headers["Location"] == bill.get_absolute_url()
    assert as_manager.post(f"/invoices/{bill.pk}/issue/", {"version": bill.version}).status_code == 302
    page = as_manager.get(estimate.get_absolute_url()).content.decode()
    assert "000001" in page and "Turn into a bill" not in page


def test_the_bill_has_the_prices_that_were_told(clinic: SimpleNamespace, estimate: Invoice) -> None:
    clinic.product.unit_price = Decimal(99)
    clinic.product.save()
    visit = visits.start_visit(clinic.actor, clinic.pet.pk, {"vet": clinic.vet})
    bill = bill_estimate(clinic.actor, estimate.pk, estimate.version)
    line, offer = bill.lines.get(), estimate.lines.get()
    same = ("text", "quantity", "unit_price", "tax_rate", "discount", "pet_id", "product_id")
    assert [getattr(line, name) for name in same] == [getattr(offer, name) for name in same]
    assert (bill.total, bill.notes, bill.discount_reason) == (estimate.total, "Left canine", "Seniors")
    assert line.visit == visit, "what was done today is billed by it"
    assert billing.issue_invoice(clinic.actor, bill.pk, bill.version).total == Decimal("29.70")


def test_an_estimate_asks_for_nothing(clinic: SimpleNamespace, estimate: Invoice, as_manager: Client) -> None:
    assert balance_of(clinic.owner) == 0 and billing.amount_due(estimate) == 0
    with pytest.raises(Conflict, match="cannot be issued"):
        billing.issue_invoice(clinic.actor, estimate.pk, estimate.version)
    refused = as_manager.post(
        f"/api/v1/invoices/{estimate.pk}/issue", {"version": estimate.version}, "application/json"
    )
    assert refused.status_code == 409 and not Invoice.objects.exclude(number=None).exists()


def test_a_visit_with_only_an_estimate_is_not_billed_yet(clinic: SimpleNamespace) -> None:
    from clinic.services import prescriptions

    visit = visits.start_visit(clinic.actor, clinic.pet.pk, {"vet": clinic.vet})
    drug: Dict[str, Any] = {"drug": "Drops", "dose": "1", "quantity": 1, "instructions": "-", "product": clinic.product}
    prescriptions.prescribe(clinic.actor, visit.pk, drug)
    line = billing.Line(product=clinic.product, pet_id=clinic.pet.pk, visit_id=visit.pk)
    estimate = billing.draft_invoice(clinic.actor, clinic.owner.pk, [line], valid_until=soon())
    assert list(not_billed()) == [visit]
    bill_estimate(clinic.actor, estimate.pk, estimate.version)
    assert not not_billed()


def test_a_bill_is_made_once_and_again_after_it_was_voided(clinic: SimpleNamespace, estimate: Invoice) -> None:
    bill = bill_estimate(clinic.actor, estimate.pk, estimate.version)
    with pytest.raises(Conflict, match="already"):
        bill_estimate(clinic.actor, estimate.pk, estimate.version)
    with pytest.raises(Locked, match="Change the bill"):
        billing.replace_lines(clinic.actor, estimate.pk, estimate.version, [])
    with pytest.raises(Locked):
        billing.discard_draft(clinic.actor, estimate.pk, estimate.version)
    with pytest.raises(Conflict, match="not an estimate"):
        bill_estimate(clinic.actor, bill.pk, bill.version)
    billing.discard_draft(clinic.actor, bill.pk, bill.version)
    bill = bill_estimate(clinic.actor, estimate.pk, estimate.version)
    bill = billing.issue_invoice(clinic.actor, bill.pk, bill.version)
    billing.void_invoice(clinic.actor, bill.pk, bill.version, "wrong owner")
    assert bill_estimate(clinic.actor, estimate.pk, estimate.version).total == estimate.total


def test_estimates_have_a_filter_of_their_own(clinic: SimpleNamespace, estimate: Invoice, as_manager: Client) -> None:
    draft = billing.draft_invoice(clinic.actor, clinic.owner.pk, [billing.Line(product=clinic.product)])

    def pks(status: str) -> Set[int]:
        return {bill.pk for bill in as_manager.get(f"/invoices/?status={status}").context["page"]}

    assert pks("estimate") == {estimate.pk} and pks("draft") == {draft.pk}
    Invoice.objects.filter(pk=estimate.pk).update(valid_until=timezone.localdate() - timedelta(days=1))
    assert "expired" in as_manager.get("/invoices/?status=estimate").content.decode()


def test_an_estimate_is_changed_until_it_is_billed(clinic: SimpleNamespace, estimate: Invoice, client_of: Any) -> None:
    vet = client_of(Role.VET)
    edit = f"/invoices/{estimate.pk}/edit/"
    later = soon() + timedelta(days=5)
    sent = {**lines({"text": "Two teeth", "unit_price": "80"}), "version": estimate.version, "valid_until": later}
    assert vet.post(edit, sent).status_code == 302
    estimate.refresh_from_db()
    assert (estimate.valid_until, estimate.total) == (later, Decimal(80))
    assert client_of(Role.READONLY).post(f"/invoices/{estimate.pk}/bill/", {"version": 2}).status_code == 403
    assert vet.post(f"/invoices/{estimate.pk}/discard/", {"version": estimate.version}).status_code == 302
    assert not Invoice.objects.exists()
