"""Prices and quantities finer than the currency, and currencies with no decimals or with three."""

from __future__ import annotations

from decimal import Decimal
from types import SimpleNamespace
from typing import Any

import pytest
from django.core.exceptions import ImproperlyConfigured, ValidationError

from accounts.models import User
from clinic.models import Invoice, Product
from clinic.selectors.invoices import balance_of
from clinic.services import billing, payments, prescriptions, visits
from tests.test_settings import SAFE, start
from vetclinic import env


def issue(clinic: SimpleNamespace, *lines: billing.Line, discount: Any = None) -> Invoice:
    draft = billing.draft_invoice(
        clinic.actor, clinic.owner.pk, lines, discount=discount, discount_reason="test" if discount else ""
    )
    return billing.issue_invoice(clinic.actor, draft.pk, draft.version)


def test_a_drop_of_a_dear_drug_is_billed_to_the_cent(clinic: SimpleNamespace, client: Any) -> None:
    drop = billing.Line(text="Insulin", quantity=Decimal("0.125"), unit_price=Decimal("1.2345"), tax_rate=Decimal(19))
    bill = issue(clinic, drop)
    bill.refresh_from_db()
    line = bill.lines.get()
    assert (line.quantity, line.unit_price, line.amount) == (Decimal("0.125"), Decimal("1.2345"), Decimal("0.15"))
    assert (str(bill.net), str(bill.tax), str(bill.total)) == ("0.15", "0.03", "0.18"), (
        "read with the currency's places"
    )
    client.force_login(User.objects.get(username="test-manager"))
    page = client.get(bill.get_absolute_url()).content.decode()
    assert ">0.125<" in page and ">1.2345<" in page and "$0.18" in page
    with pytest.raises(ValidationError, match="4 decimal places"):
        issue(clinic, billing.Line(text="Insulin", quantity=Decimal("0.00001"), unit_price=Decimal(1)))


def test_the_price_list_and_the_forms_take_four_decimals(clinic: SimpleNamespace, client: Any) -> None:
    client.force_login(User.objects.get(username="test-manager"))
    sent = {
        "code": "ML",
        "name": "Millilitre",
        "kind": "medicine",
        "unit_price": "0.0375",
        "tax_rate": "0",
        "active": "on",
    }
    assert client.post("/lists/prices/new/", sent).status_code == 302
    fine = Product.objects.get(code="ML")
    assert str(fine.unit_price) == "0.0375"
    assert "$0.0375" in client.get("/audit/?kind=product").content.decode(), "the trail rounds no price"
    lines = {
        "lines-TOTAL_FORMS": "1",
        "lines-INITIAL_FORMS": "0",
        "lines-0-product": fine.name,
        "lines-0-quantity": "0.125",
    }
    assert client.post(f"/owners/{clinic.owner.pk}/invoices/new/", lines).status_code == 302
    assert Invoice.objects.get().lines.get().quantity == Decimal("0.125")


def test_a_prescription_may_be_for_an_eighth_of_a_millilitre(clinic: SimpleNamespace) -> None:
    visit = visits.start_visit(clinic.actor, clinic.pet.pk, {"vet": clinic.vet})
    prescription = prescriptions.prescribe(
        clinic.actor, visit.pk,
        {"drug": "Insulin", "dose": "once", "quantity": Decimal("0.125"), "unit": "ml", "instructions": "s.c."},
    )  # fmt: skip
    prescription.refresh_from_db()
    assert prescription.quantity == Decimal("0.125")


def test_yen_have_no_decimals(clinic: SimpleNamespace, client: Any, settings: Any) -> None:
    settings.CURRENCY = "JPY"
    bill = issue(clinic, billing.Line(text="Check", unit_price=Decimal("1234.5"), tax_rate=Decimal(10)))
    bill.refresh_from_db()
    assert (str(bill.net), str(bill.tax), str(bill.total)) == ("1235", "124", "1359"), "halves go up, as at a till"
    with pytest.raises(ValidationError, match="0 decimal places"):
        payments.take_payment(clinic.actor, bill.pk, Decimal("10.5"), "card")
    with pytest.raises(ValidationError):
        issue(clinic, billing.Line(text="x", unit_price=Decimal(9)), discount=billing.Discount(amount=Decimal("0.5")))
    client.force_login(User.objects.get(username="test-manager"))
    page = client.get(bill.get_absolute_url()).content.decode()
    assert "¥1,359" in page and "1,359.0" not in page and 'value="1359"' in page
    refused = client.post(f"{bill.get_absolute_url()}pay/", {"amount": "10.5", "method": "card"})
    assert refused.status_code == 422, "the form says so beside the amount"
    payments.take_payment(clinic.actor, bill.pk, Decimal(1359), "card")
    bill.refresh_from_db()
    assert bill.status == Invoice.Status.PAID and str(balance_of(clinic.owner)) == "0"


def test_dinars_of_kuwait_have_three_decimals(clinic: SimpleNamespace, settings: Any) -> None:
    settings.CURRENCY = "KWD"
    bill = issue(clinic, billing.Line(text="Check", unit_price=Decimal("1.2345"), tax_rate=Decimal(5)))
    bill.refresh_from_db()
    assert (str(bill.net), str(bill.tax), str(bill.total)) == ("1.235", "0.062", "1.297")
    payments.take_payment(clinic.actor, bill.pk, Decimal("1.296"), "card")
    assert str(balance_of(clinic.owner)) == "0.001"


@pytest.mark.parametrize("code", ["XYZ", "DEM", "usd", "XXX", "EURO", "CLF"])
def test_a_currency_that_nobody_pays_with_is_refused(code: str, monkeypatch: Any) -> None:
    monkeypatch.setenv("CURRENCY", code)
    with pytest.raises(ImproperlyConfigured, match=f"CURRENCY='{code}'"):
        env.currency("CURRENCY", "USD")


@pytest.mark.parametrize("code", ["USD", "EUR", "CHF", "JPY", "KWD", "GBP", "CAD", "AUD", "NZD", "SEK", "CZK"])
def test_currencies_in_use_are_taken(code: str, monkeypatch: Any) -> None:
    monkeypatch.setenv("CURRENCY", code)
    assert env.currency("CURRENCY", "USD") == code


@pytest.mark.no_database
def test_the_clinic_does_not_start_with_an_unknown_currency() -> None:
    done = start({**SAFE, "CURRENCY": "XYZ"})
    assert done.returncode == 2 and "CURRENCY" in done.stderr and "Traceback" not in done.stderr
