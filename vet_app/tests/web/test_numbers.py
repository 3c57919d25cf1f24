"""Numbers are typed and shown as the page's language writes them, whatever the browser's own language is."""

from __future__ import annotations

import re
from decimal import Decimal
from types import SimpleNamespace
from typing import Any

import pytest
from django.test import Client
from django.utils import translation

from clinic.models import InvoiceLine, Product, Visit
from clinic.services.visits import start_visit
from tests.web.test_invoices import lines
from web.forms.visits import WeightForm


def test_no_field_is_left_to_the_browsers_own_idea_of_a_number(clinic: SimpleNamespace) -> None:
    """Chromium in English makes 125 of 12,5 in a field of type=number, on a German page as well."""
    with translation.override("de"):
        shown = str(WeightForm()["weight_kg"])
    assert 'type="text"' in shown and 'inputmode="decimal"' in shown, shown


@pytest.mark.parametrize(("language", "typed"), [("de", "12,5"), ("de", "12.5"), ("fr", "12,5"), ("en", "12.5")])
def test_a_weight_is_typed_with_the_languages_own_sign(
    clinic: SimpleNamespace, as_manager: Client, language: str, typed: str
) -> None:
    answer = as_manager.post(f"/pets/{clinic.pet.pk}/weigh/", {"weight_kg": typed}, HTTP_ACCEPT_LANGUAGE=language)
    assert answer.status_code == 302, answer.content.decode()
    assert [str(each.weight_kg.normalize()) for each in clinic.pet.weighings.all()] == ["12.5"]


def test_what_is_kept_stands_in_its_field_as_the_language_writes_it(
    clinic: SimpleNamespace, as_manager: Client, settings: Any
) -> None:
    visit = start_visit(clinic.actor, clinic.pet.pk, {"vet": clinic.vet, "weight_kg": "12.5", "temp_c": "38.6"})
    shown = as_manager.get(f"/visits/{visit.pk}/edit/", HTTP_ACCEPT_LANGUAGE="de").content.decode()
    assert re.search(r'name="weight_kg" value="12,50?"', shown), shown
    sent = {
        "version": visit.version,
        "vet": clinic.vet.pk,
        "at": "2026-01-05T10:00",
        "weight_kg": "12,50",
        "temp_c": "38,6",
    }
    assert as_manager.post(f"/visits/{visit.pk}/edit/", sent, HTTP_ACCEPT_LANGUAGE="de").status_code == 302
    assert str(Visit.objects.get(pk=visit.pk).weight_kg.normalize()) == "12.5"


def test_a_price_and_a_line_of_a_bill_take_a_comma(clinic: SimpleNamespace, as_manager: Client) -> None:
    product = clinic.product
    sent = {"code": "T", "name": "Test", "kind": product.kind, "unit_price": "9,99", "tax_rate": "19", "active": "on",
            "version": product.version}  # fmt: skip
    answer = as_manager.post(f"/lists/prices/{product.pk}/", sent, HTTP_ACCEPT_LANGUAGE="de")
    assert answer.status_code == 302, answer.content.decode()
    assert str(Product.objects.get(pk=product.pk).unit_price.normalize()) == "9.99"
    lines = {
        "lines-TOTAL_FORMS": "1",
        "lines-INITIAL_FORMS": "0",
        "lines-0-product": "Test",
        "lines-0-quantity": "0,125",
    }
    answer = as_manager.post(f"/owners/{clinic.owner.pk}/invoices/new/", lines, HTTP_ACCEPT_LANGUAGE="de")
    assert answer.status_code == 302, answer.content.decode()
    assert str(clinic.owner.invoices.get().lines.get().quantity.normalize()) == "0.125"


@pytest.mark.parametrize(
    ("language", "typed", "kept"),
    [
        ("en", "1,234.50", "1234.50"), ("en", "1 234.50", "1234.50"), ("de", "1.234,50", "1234.50"),
        ("fr", "1\u202f234,50", "1234.50"), ("fr", "1 234,50", "1234.50"), ("de", "1.234.567,8", "1234567.8"),
        ("de", "1.234", "1.234"), ("en", "12,5", None), ("en", "1,23.50", None),
    ],
)  # fmt: skip
def test_thousands_may_be_set_apart(
    clinic: SimpleNamespace, as_manager: Client, language: str, typed: str, kept: Any
) -> None:
    sent = lines({"text": "Implant", "unit_price": typed})
    where = f"/owners/{clinic.owner.pk}/invoices/new/"
    answer = as_manager.post(where, sent, HTTP_ACCEPT_LANGUAGE=language)
    assert answer.status_code == (422 if kept is None else 302)
    prices = [each.unit_price for each in InvoiceLine.objects.all()]
    assert prices == ([] if kept is None else [Decimal(kept)])
