"""Each clinic's own units, money, clock and language: entered and printed as people there do, stored as SI."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from types import SimpleNamespace
from typing import Any, Dict

import pytest
from django.conf import settings as django_settings
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import formats, translation

from accounts.models import User
from accounts.roles import Role
from clinic import units
from clinic.models import ClinicSettings, Visit
from clinic.money import with_currency
from clinic.services.reminders import letter
from clinic.services.settings import change_settings
from tests.test_billing import issued
from tests.web.conftest import beside
from tests.web.test_settings_page import KEPT, WHO
from tests.web.test_visits import notes
from web.templatetags.clinic import full_date

GERMAN, BRITISH, AMERICAN = ("de", "kg", "c"), ("en-gb", "kg", "c"), ("en-us", "lb", "f")


def settle(clinic: SimpleNamespace, language: str, weight: str, temperature: str) -> ClinicSettings:
    chosen = {"language": language, "weight_unit": weight, "temperature_unit": temperature}
    return change_settings(clinic.actor, 0, {**WHO, **chosen})


def examined(clinic: SimpleNamespace, client: Client, **measured: str) -> Visit:
    answer = client.post(f"/pets/{clinic.pet.pk}/visits/new/", notes(clinic, **measured))
    assert answer.status_code == 302, answer.content.decode()
    return Visit.objects.latest("id")


def test_an_american_weighs_in_pounds_and_reads_fahrenheit(clinic: SimpleNamespace, as_manager: Client) -> None:
    settle(clinic, *AMERICAN)
    visit = examined(clinic, as_manager, weight_kg="27.3", temp_c="101.5")
    assert (visit.weight_kg, visit.temp_c) == (Decimal("12.383"), Decimal("38.61")), "stored in SI"
    page = as_manager.get(visit.get_absolute_url()).content.decode()
    assert "27.3 lb" in page and "101.5 °F" in page and " kg" not in page, page
    form = as_manager.get(f"/visits/{visit.pk}/edit/").content.decode()
    assert 'value="27.3"' in form and 'value="101.5"' in form and "Temperature (°F)" in form
    for place in (f"/pets/{clinic.pet.pk}/", f"/pets/{clinic.pet.pk}/visits/new/", f"/pets/{clinic.pet.pk}/record/"):
        assert "27.3 lb" in as_manager.get(place).content.decode(), place
    response = as_manager.get(f"/api/v1/visits/{visit.pk}").json()
    assert (response["weight_kg"], response["temp_c"]) == ("12.383", "38.61"), "the API is the same everywhere"


def test_saving_a_form_unchanged_changes_no_measurement(clinic: SimpleNamespace, as_manager: Client) -> None:
    settle(clinic, *AMERICAN)
    for tenth in range(960, 1060, 7):
        typed = Decimal(tenth) / 10
        stored = units.entered("temp_c", typed)
        assert units.written("temp_c", stored) == typed, f"{typed} °F came back as another number"
    for hundredth in (1, 7, 99, 2731, 15027):
        typed = Decimal(hundredth) / 100
        assert units.written("weight_kg", units.entered("weight_kg", typed)) == typed


def test_a_limit_is_told_in_the_unit_that_was_typed(clinic: SimpleNamespace, as_manager: Client) -> None:
    settle(clinic, *AMERICAN)
    refused = as_manager.post(f"/pets/{clinic.pet.pk}/visits/new/", notes(clinic, temp_c="38.6", weight_kg="25"))
    assert refused.status_code == 422
    assert "68 °F" in beside(refused, "temp_c"), "somebody thought of Celsius"
    assert 'value="38.6"' in refused.content.decode(), "what was typed stays"


def test_a_german_clinic_speaks_german_whatever_the_browser_asks_for(clinic: SimpleNamespace, client: Client) -> None:
    settle(clinic, *GERMAN)
    assert "Anmelden" in client.get("/login/", HTTP_ACCEPT_LANGUAGE="en").content.decode()
    user = User.objects.create(username="ada", role=Role.MANAGER)
    client.force_login(user)
    assert "Kalender" in client.get("/", HTTP_ACCEPT_LANGUAGE="en-US").content.decode()
    assert client.post("/language/", {"language": "en-gb"}).status_code == 302
    assert "Calendar" in client.get("/", HTTP_ACCEPT_LANGUAGE="de").content.decode(), (
        "a person who chose a language has it"
    )
    bill = client.get(issued(clinic).get_absolute_url()).content.decode()
    paper = bill[bill.index("<article") : bill.index("</article>")]
    assert 'lang="de"' in paper and "Gesamt" in paper and "11,00" in paper, "the owner reads the clinic's language"
    assert "Take a payment" in bill[bill.index("</article>") :], "who works with it reads their own"


def test_letters_are_in_the_language_of_the_page(clinic: SimpleNamespace) -> None:
    settle(clinic, *GERMAN)
    with translation.override("en"):
        assert "Impf" in letter(clinic.owner, [])[0]


@pytest.mark.parametrize(
    ("language", "code", "amount", "moment"),
    [
        ("en-us", "USD", "$1,051.96", "03/05/2030 2:30 PM"), ("en-gb", "GBP", "£1,051.96", "05/03/2030 14:30"),
        ("de", "EUR", "1.051,96 €", "05.03.2030 14:30"), ("en", "EUR", "€1,051.96", "03/05/2030 14:30"),
        ("de", "JPY", "1.052 ¥", "05.03.2030 14:30"), ("fr", "EUR", "1 051,96 €", "05/03/2030 14:30"),
    ],
)  # fmt: skip
def test_money_and_times_are_written_as_people_there_do(
    language: str, code: str, amount: str, moment: str, settings: Any
) -> None:
    settings.CURRENCY = code
    value = Decimal("1052") if code == "JPY" else Decimal("1051.96")
    with translation.override(language):
        assert with_currency(value).replace("\xa0", " ").replace("\u202f", " ") == amount
        assert formats.date_format(datetime(2030, 3, 5, 14, 30), "SHORT_DATETIME_FORMAT") == moment


def test_the_environment_says_it_until_the_manager_does(clinic: SimpleNamespace, client_of: Any, settings: Any) -> None:
    settings.UNITS, settings.CLINIC_LANGUAGE = "us", "de"
    manager = client_of(Role.MANAGER)
    page = manager.get("/settings/").content.decode()
    assert '<option value="lb" selected>' in page and '<option value="f" selected>' in page
    assert '<option value="de" selected>' in page and "Speichern" in page
    units = {"weight_unit": "kg", "temperature_unit": "c"}
    sent: Dict[str, Any] = {**WHO, **KEPT, **units, "version": 0, "language": "en-gb"}
    assert manager.post("/settings/", sent).status_code == 302
    assert "Save" in manager.get("/settings/").content.decode(), "the next page speaks it"


def test_the_settings_cost_one_query_a_page(clinic: SimpleNamespace, client_of: Any) -> None:
    vet = client_of(Role.VET)
    visit = examined(clinic, vet, weight_kg="12")
    for address in (visit.get_absolute_url(), "/", f"/pets/{clinic.pet.pk}/"):
        with CaptureQueriesContext(connection) as asked:
            vet.get(address)
        assert sum("clinicsettings" in each["sql"] for each in asked) == 1, address


def test_every_language_that_can_be_chosen_has_its_formats() -> None:
    for code, _name in django_settings.LANGUAGES:
        with translation.override(code):
            assert with_currency(Decimal(1))


@pytest.mark.parametrize(
    ("language", "written"),
    [("en-us", "Tuesday, March 5, 2030"), ("de", "Dienstag, 5. März 2030"), ("fr", "mardi 5 mars 2030")],
)
def test_a_day_is_written_with_its_weekday(language: str, written: str) -> None:
    with translation.override(language):
        assert full_date(date(2030, 3, 5)) == written
