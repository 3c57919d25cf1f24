"""What a technician does: takes measurements, gives what a vet has ordered, keeps files; and weighing at the desk."""

from __future__ import annotations

from decimal import Decimal
from types import SimpleNamespace
from typing import Any, Callable

import pytest
from django.core.exceptions import PermissionDenied
from django.test import Client
from django.utils import timezone

from audit.models import AuditEntry
from clinic.models import Vaccination, Visit, Weighing
from clinic.services import visits, weighing
from clinic.services.booking import walk_in
from clinic.services.settings import change_settings
from exchange.patient import patient_record
from tests.conftest import make_actor
from tests.web.conftest import beside

ClientOf = Callable[[str], Client]


@pytest.fixture
def technician(client_of: ClientOf) -> Client:
    return client_of("technician")


def test_a_technician_begins_a_visit_by_measuring_and_the_vet_writes_its_notes(
    technician: Client, client_of: ClientOf, clinic: SimpleNamespace
) -> None:
    here = walk_in(clinic.actor, clinic.pet.pk)
    where = f"/pets/{clinic.pet.pk}/visits/new/?appointment={here.pk}"
    page = technician.get(where).content.decode()
    assert 'name="weight_kg"' in page and 'name="subjective"' not in page
    given = {"vet": clinic.vet.pk, "at": "2030-03-05T09:15", "weight_kg": "12.4", "plan": "smuggled in"}
    assert technician.post(where, given).status_code == 302
    visit = Visit.objects.get()
    assert (visit.weight_kg, visit.plan) == (Decimal("12.4"), "")
    here.refresh_from_db()
    assert here.status == "arrived", "the animal still waits for the vet"
    page = technician.get(f"/visits/{visit.pk}/").content.decode()
    assert "Record measurements" in page and "Write notes" not in page and "Prescribe" not in page
    technician.post(f"/visits/{visit.pk}/edit/", {"version": 1, "temp_c": "38.5"})
    notes = {"version": 2, "vet": clinic.vet.pk, "at": "2030-03-05T09:15", "temp_c": "38.5", "plan": "Rest"}
    assert client_of("vet").post(f"/visits/{visit.pk}/edit/", notes).status_code == 302
    visit.refresh_from_db()
    assert (str(visit.temp_c), visit.plan) == ("38.50", "Rest")


def test_notes_need_a_vet_whichever_way_they_come(clinic: SimpleNamespace) -> None:
    technician = make_actor("technician")
    visit = visits.start_visit(technician, clinic.pet.pk, {"vet": clinic.vet, "temp_c": "38.5"})
    with pytest.raises(PermissionDenied):
        visits.start_visit(technician, clinic.pet.pk, {"vet": clinic.vet, "plan": "Rest"})
    for change in ({"plan": "Rest"}, {"vet": clinic.vet}, {"temp_c": "39", "assessment": "Fever"}):
        with pytest.raises(PermissionDenied):
            visits.update_visit(technician, visit.pk, visit.version, change)
    with pytest.raises(PermissionDenied):
        visits.lock_visit(technician, visit.pk, visit.version)
    with pytest.raises(PermissionDenied):
        visits.mark_entered_in_error(technician, visit.pk, visit.version, "x")


def test_a_vaccination_names_who_ordered_and_who_gave_it(technician: Client, clinic: SimpleNamespace) -> None:
    where = f"/pets/{clinic.pet.pk}/vaccinations/new/"
    assert "Ordered by" in technician.get(where).content.decode()
    given = {"vaccine": clinic.vaccine.pk, "given_on": timezone.localdate().isoformat(), "lot": "L1"}
    assert "Who gave it" in beside(technician.post(where, given), "vet"), "nobody has ordered it"
    technician.post(where, {**given, "vet": clinic.vet.pk})
    vaccination = Vaccination.objects.get()
    assert (vaccination.vet, vaccination.given_by) == (clinic.vet, "test-technician")
    assert "given by test-technician" in technician.get(f"/pets/{clinic.pet.pk}/").content.decode()
    assert technician.get(f"/vaccinations/{vaccination.pk}/error/").status_code == 403


def test_reception_takes_weights_at_the_desk_and_takes_a_wrong_one_back(
    client_of: ClientOf, clinic: SimpleNamespace, as_manager: Client
) -> None:
    desk, pet = client_of("reception"), f"/pets/{clinic.pet.pk}/"
    assert "required" in beside(desk.post(f"{pet}weigh/", {"weight_kg": ""}), "weight_kg")
    assert beside(desk.post(f"{pet}weigh/", {"weight_kg": "0"}), "weight_kg")
    assert desk.post(f"{pet}weigh/", {"weight_kg": "12.6"})["Location"] == pet
    kept = Weighing.objects.get()
    assert kept.by == "test-reception" and "12.6 kg" in desk.get(pet).content.decode()
    before = as_manager.get(f"{pet}visits/new/").content.decode()
    assert "12.6 kg" in before.partition("Last weight")[2], "an examining person sees it as the last weight"
    assert desk.post(f"/weights/{kept.pk}/error/", {"reason": "another dog"})["Location"] == pet
    assert "12.6 kg" not in desk.get(pet).content.decode()
    assert AuditEntry.objects.get(object_type="weighing", action="void").changes["error_reason"] == ["", "another dog"]
    again = desk.post(f"/weights/{kept.pk}/error/", {"reason": "again"})
    assert again.status_code == 409 and "already" in again.content.decode()
    assert not Visit.objects.exists(), "weighing begins no visit that somebody would have to write notes for"


def test_whole_records_are_a_right_of_their_own(client_of: ClientOf, clinic: SimpleNamespace) -> None:
    reader, address = client_of("readonly"), f"/pets/{clinic.pet.pk}/record/"
    assert reader.get(address).status_code == 403
    assert address not in reader.get(f"/pets/{clinic.pet.pk}/").content.decode()
    assert client_of("technician").get(address).status_code == 200
    with pytest.raises(PermissionDenied):
        patient_record(make_actor("readonly"), clinic.pet.pk)
    now: Any = {"name": "Hillside", "address": "1 Hill", "phone": "555-0100", "readonly_may_take_records": True}
    change_settings(clinic.actor, 0, now)
    assert client_of("readonly").get(address).status_code == 200
    assert client_of("readonly").post(f"/pets/{clinic.pet.pk}/record.zip").status_code == 200


def test_a_merged_animal_keeps_its_weights(clinic: SimpleNamespace) -> None:
    from clinic.services.merging import merge_pets
    from clinic.services.pets import create_pet

    twin = create_pet(clinic.actor, clinic.owner.pk, {"name": "Biscuit", "species": clinic.species}, another=True)
    weighing.weigh(clinic.actor, twin.pk, Decimal("11.9"))
    merge_pets(clinic.actor, clinic.pet.pk, twin.pk)
    assert Weighing.objects.get().pet == clinic.pet
