"""A bill in Germany: date of service, species, diagnosis, GOT number and factor, and what is still missing."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from types import SimpleNamespace
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from clinic.models import Invoice, Owner
from clinic.services import billing, crediting, visits
from clinic.services.catalogue import save_entry
from clinic.services.estimates import bill_estimate
from clinic.services.settings import change_settings
from tests.web.test_invoices import lines
from tests.web.test_settings_page import WHO


@pytest.fixture(autouse=True)
def _in_germany(settings: Any) -> None:
    settings.COUNTRY, settings.CURRENCY = "DE", "EUR"


@pytest.fixture
def fee(clinic: SimpleNamespace) -> Any:
    """The product with its number in the fee schedule: 10.00 is the simple fee."""
    clinic.product.fee_code, clinic.product.unit_price, clinic.product.tax_rate = "15", Decimal(10), Decimal(19)
    clinic.product.save()
    return clinic.product


def test_a_factor_multiplies_the_simple_fee(clinic: SimpleNamespace, fee: Any, as_manager: Client) -> None:
    where = f"/owners/{clinic.owner.pk}/invoices/new/"
    page = as_manager.get(where).content.decode()
    assert "GOT no." in page and "GOT factor" in page and "Diagnosis" in page
    sent = lines({"product": "Test", "fee_factor": "1.5", "pet": clinic.pet.pk}, {"product": "Test"})
    assert as_manager.post(where, {**sent, "diagnosis": "Otitis externa"}).status_code == 302
    bill = Invoice.objects.get()
    rows = [(line.fee_code, line.fee_factor, line.unit_price) for line in bill.lines.all()]
    assert rows == [("15", Decimal("1.50"), Decimal(15)), ("15", Decimal(1), Decimal(10))]
    assert bill.net == Decimal(25)
    paper = as_manager.get(bill.get_absolute_url()).content.decode()
    assert "GOT 15, factor 1.5" in paper and "Biscuit</bdi> (Dog)" in paper and "Otitis externa" in paper
    too_much = as_manager.post(where, lines({"product": "Test", "fee_factor": "4.01"}))
    assert too_much.status_code == 422, "the schedule ends at four times the fee"


def test_a_line_is_of_the_day_of_its_visit(clinic: SimpleNamespace, fee: Any, as_manager: Client) -> None:
    days_ago = timezone.now() - timedelta(days=3)
    visit = visits.start_visit(clinic.actor, clinic.pet.pk, {"vet": clinic.vet, "at": days_ago, "assessment": "Otitis"})
    of_visit = billing.Line(product=fee, pet_id=clinic.pet.pk, visit_id=visit.pk)
    bill = billing.draft_invoice(clinic.actor, clinic.owner.pk, [of_visit, billing.Line(product=fee)])
    then, today = timezone.localtime(days_ago).date(), timezone.localdate()
    assert [line.service_on for line in bill.lines.all()] == [then, today]
    paper = as_manager.get(bill.get_absolute_url()).content.decode()
    assert f"{then:%m/%d/%Y}" in paper and "Date of service" not in paper, "two days: each stands on its line"
    form = as_manager.get(f"/owners/{clinic.owner.pk}/invoices/new/?visit={visit.pk}")
    assert form.context["form"]["diagnosis"].value() == "Otitis"
    one = billing.draft_invoice(clinic.actor, clinic.owner.pk, [of_visit])
    assert "Date of service" in as_manager.get(one.get_absolute_url()).content.decode()


def test_what_the_law_wants_is_said_before_the_bill_goes_out(
    clinic: SimpleNamespace, fee: Any, as_manager: Client
) -> None:
    dear = billing.Line(text="Surgery", unit_price=Decimal(300))
    fee.fee_code = ""
    fee.save()
    bill = billing.draft_invoice(clinic.actor, clinic.owner.pk, [dear, billing.Line(product=fee)])
    page = as_manager.get(bill.get_absolute_url()).content.decode()
    for sentence in ("tax number is missing", "owner&#x27;s address", "diagnosis is missing", "No GOT number: Test",
                     "No pet, so the species is missing: Surgery, Test"):  # fmt: skip
        assert sentence in page, sentence
    change_settings(clinic.actor, 0, {**WHO, "tax_number": "12/345/67890"})
    Owner.objects.filter(pk=clinic.owner.pk).update(city="Musterstadt")
    biscuit = clinic.pet.pk
    line = billing.Line(product=fee, fee_code="15", fee_factor=Decimal(2), pet_id=biscuit)
    food = save_entry(
        clinic.actor, type(fee), None, 0,
        {"code": "F", "name": "Food", "kind": "goods", "unit_price": Decimal(9), "tax_rate": Decimal(19)},
    )  # fmt: skip
    written = [replace(dear, pet_id=biscuit), line, billing.Line(product=food)]
    bill = billing.replace_lines(clinic.actor, bill.pk, bill.version, written, diagnosis="Otitis")
    assert "Before you issue" not in as_manager.get(bill.get_absolute_url()).content.decode()


def test_credits_and_bills_of_estimates_keep_fee_and_day(clinic: SimpleNamespace, fee: Any) -> None:
    line = billing.Line(product=fee, fee_factor=Decimal(2))
    until = timezone.localdate() + timedelta(days=9)
    estimate = billing.draft_invoice(clinic.actor, clinic.owner.pk, [line], diagnosis="Otitis", valid_until=until)
    bill = bill_estimate(clinic.actor, estimate.pk, estimate.version)
    bill = billing.issue_invoice(clinic.actor, bill.pk, bill.version)
    note = crediting.credit_invoice(clinic.actor, bill.pk, bill.version, "slip")
    for each in (bill.lines.get(), note.lines.get()):
        assert (each.fee_code, each.fee_factor, each.service_on) == ("15", Decimal(2), timezone.localdate())
    assert bill.diagnosis == "Otitis" and bill.total == Decimal("23.80") == -note.total


def test_other_countries_are_not_asked(clinic: SimpleNamespace, as_manager: Client, settings: Any) -> None:
    settings.COUNTRY = "US"
    page = as_manager.get(f"/owners/{clinic.owner.pk}/invoices/new/").content.decode()
    assert "GOT" not in page and "Diagnosis" not in page
    assert "GOT" not in as_manager.get("/lists/prices/new/").content.decode()
    bill = billing.draft_invoice(clinic.actor, clinic.owner.pk, [billing.Line(product=clinic.product)])
    assert "Before you issue" not in as_manager.get(bill.get_absolute_url()).content.decode()


TITLES = {"en": ("Bill", "Credit note"), "de": ("Rechnung", "Rechnungskorrektur"), "fr": ("Facture", "Avoir")}


@pytest.mark.parametrize("language", list(TITLES))
def test_the_paper_says_what_it_is(clinic: SimpleNamespace, as_manager: Client, language: str) -> None:
    """The page's own heading is not printed; in Germany "Gutschrift" is what a recipient writes to a supplier."""
    change_settings(clinic.actor, 0, {**WHO, "language": language})
    draft = billing.draft_invoice(clinic.actor, clinic.owner.pk, [billing.Line(product=clinic.product)])

    def title(of: Invoice) -> Any:
        article = as_manager.get(of.get_absolute_url()).content.decode().split("<article")[1].split("</article")[0]
        assert "Gutschrift" not in article
        match = re.search(r'<h2 class="title">(.*?)</h2>', article)
        return match and match[1]

    assert title(draft) is None, "a draft is no bill yet"
    bill = billing.issue_invoice(clinic.actor, draft.pk, draft.version)
    assert title(bill) == TITLES[language][0]
    note = crediting.credit_invoice(clinic.actor, bill.pk, bill.version, "not given")
    assert title(note) == TITLES[language][1]
