"""The pages of vaccinations, and the papers that an owner takes along."""

from __future__ import annotations

from datetime import date
from types import SimpleNamespace
from typing import Any, Callable

import pytest
from django.test import Client

from clinic.models import Reminder, Species, Vaccination, Vaccine, Visit
from clinic.services.vaccination import record_vaccination
from tests.web.conftest import beside, roles_that_may

ClientOf = Callable[[str], Client]


def injection(clinic: SimpleNamespace, **changed: Any) -> Any:
    return {"vaccine": clinic.vaccine.pk, "given_on": "2026-01-31", "vet": clinic.vet.pk, "lot": "A77", **changed}


@pytest.fixture
def given(clinic: SimpleNamespace) -> Vaccination:
    details = {"vet": clinic.vet, "lot": "A77", "lot_expiry": date(2027, 5, 1), "tag": "R-1001"}
    return record_vaccination(clinic.actor, clinic.pet.pk, clinic.vaccine.pk, date(2026, 1, 31), details)


def test_who_may_open_what(client_of: ClientOf, clinic: SimpleNamespace, given: Vaccination) -> None:
    everybody = ["reception", "technician", "vet", "manager", "readonly", "accountant"]
    assert roles_that_may(client_of, f"/vaccinations/{given.pk}/certificate/") == everybody
    assert roles_that_may(client_of, f"/pets/{clinic.pet.pk}/vaccinations/") == everybody
    assert roles_that_may(client_of, f"/pets/{clinic.pet.pk}/vaccinations/new/") == ["technician", "vet", "manager"]
    for address in (f"/vaccinations/{given.pk}/due-date/", f"/vaccinations/{given.pk}/error/"):
        assert roles_that_may(client_of, address) == ["vet", "manager"], address


def test_recording_leads_to_the_certificate_and_makes_the_reminder(as_manager: Client, clinic: SimpleNamespace) -> None:
    answer = as_manager.post(f"/pets/{clinic.pet.pk}/vaccinations/new/", injection(clinic, tag="R-1001"))
    vaccination = Vaccination.objects.get()
    assert answer["Location"] == f"/vaccinations/{vaccination.pk}/certificate/"
    assert vaccination.due_on == date(2027, 1, 31)
    assert Reminder.objects.get(status="pending").due_on == date(2027, 1, 31)


def test_the_same_vaccine_twice_on_a_day_is_asked_about(
    as_manager: Client, clinic: SimpleNamespace, given: Vaccination
) -> None:
    address = f"/pets/{clinic.pet.pk}/vaccinations/new/"
    assert 'type="hidden" name="again"' in as_manager.get(address).content.decode(), "nothing to ask yet"
    asked = as_manager.post(address, injection(clinic, lot="B12"))
    page = asked.content.decode()
    assert asked.status_code == 409 and Vaccination.objects.count() == 1
    assert "already recorded for Biscuit" in page and "A77" in page
    assert 'type="checkbox" name="again"' in page and 'value="B12"' in page, "nothing typed is lost"
    assert as_manager.post(address, injection(clinic, lot="B12", again="on")).status_code == 302
    assert Vaccination.objects.count() == 2
    assert as_manager.post(address, injection(clinic, given_on="2026-01-30")).status_code == 302, "another day"


def test_recording_at_a_visit_leads_back_to_it(as_manager: Client, clinic: SimpleNamespace, visit: Visit) -> None:
    address = f"/pets/{clinic.pet.pk}/vaccinations/new/?visit={visit.pk}"
    assert f'<option value="{clinic.vet.pk}" selected>' in as_manager.get(address).content.decode()
    assert as_manager.post(address, injection(clinic))["Location"] == f"/visits/{visit.pk}/"
    assert Vaccination.objects.get().visit == visit
    assert "A77" in as_manager.get(f"/visits/{visit.pk}/").content.decode()


def test_the_list_offers_the_vaccines_of_the_species_alone(as_manager: Client, clinic: SimpleNamespace) -> None:
    cat = Vaccine.objects.create(name="Only for cats", group="x", species=Species.objects.get(name="Cat"))
    page = as_manager.get(f"/pets/{clinic.pet.pk}/vaccinations/new/").content.decode()
    assert "Test rabies" in page and "Only for cats" not in page
    refused = as_manager.post(f"/pets/{clinic.pet.pk}/vaccinations/new/", injection(clinic, vaccine=cat.pk))
    assert beside(refused, "vaccine")


@pytest.mark.parametrize(
    ("field", "value", "word"),
    [("lot", "", "recall"), ("vet", "", "Who gave it"), ("given_on", "2999-01-01", "future"),
     ("lot_expiry", "2026-01-30", "expired"), ("due_on", "2026-01-31", "after this one"), ("vaccine", "", "required")],
)  # fmt: skip
def test_what_no_injection_can_be_is_refused_beside_its_field(
    as_manager: Client, clinic: SimpleNamespace, field: str, value: str, word: str
) -> None:
    answer = as_manager.post(f"/pets/{clinic.pet.pk}/vaccinations/new/", injection(clinic, **{field: value}))
    assert answer.status_code == 422
    assert word in beside(answer, field)
    assert not Vaccination.objects.exists()


def test_the_certificate_says_what_the_law_asks_for(
    client_of: ClientOf, clinic: SimpleNamespace, given: Vaccination
) -> None:
    page = client_of("reception").get(f"/vaccinations/{given.pk}/certificate/").content.decode()
    for shown in ("Biscuit", "Dog", "Maren Müller", "Test rabies", "A77", "R-1001", "Jan. 31, 2026", "Jan. 31, 2027",
                  "May 1, 2027", "Dr Test", "900000000000101", "Willow Lane Veterinary Clinic"):  # fmt: skip
        assert shown in page, shown
    assert "data-print" in page


def test_a_due_date_is_changed_with_its_reminder(as_manager: Client, given: Vaccination) -> None:
    address = f"/vaccinations/{given.pk}/due-date/"
    early = as_manager.post(address, {"version": "1", "due_on": "2026-01-31"})
    assert "after this one" in beside(early, "due_on")
    assert as_manager.post(address, {"version": "7", "due_on": "2028-01-31"}).status_code == 409
    assert as_manager.post(address, {"version": "1", "due_on": "2028-01-31"}).status_code == 302
    assert Reminder.objects.get(status="pending").due_on == date(2028, 1, 31)


def test_a_wrong_entry_stays_readable_and_is_no_certificate(as_manager: Client, given: Vaccination) -> None:
    address = f"/vaccinations/{given.pk}/error/"
    assert "required" in beside(as_manager.post(address, {"version": "1", "reason": ""}), "reason")
    assert as_manager.post(address, {"version": "1", "reason": "Other dog"}).status_code == 302
    page = as_manager.get(f"/vaccinations/{given.pk}/certificate/").content.decode()
    assert "Other dog" in page and "data-print" not in page
    history = as_manager.get(f"/pets/{given.pet_id}/vaccinations/").content.decode()
    assert "No vaccination of <bdi>Biscuit</bdi>" in history
    assert not Reminder.objects.filter(status="pending").exists()


def test_a_long_history_needs_few_queries(
    as_manager: Client, clinic: SimpleNamespace, given: Vaccination, django_assert_max_num_queries: Any
) -> None:
    for year in range(2010, 2025):
        record_vaccination(clinic.actor, clinic.pet.pk, clinic.vaccine.pk, date(year, 1, 1), {"given_elsewhere": True})
    with django_assert_max_num_queries(7):
        page = as_manager.get(f"/pets/{clinic.pet.pk}/vaccinations/").content.decode()
    assert page.count("elsewhere") == 15
