"""Owners, pets, visits, prescriptions, search and merging."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import date, timedelta
from decimal import Decimal
from threading import Barrier
from types import SimpleNamespace
from typing import Any

import pytest
from django.apps import apps
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import connection
from django.utils import timezone

from clinic.models import Appointment, Owner, Payment, Pet, Reminder, Species, Vaccination
from clinic.models.base import Record
from clinic.selectors.duplicates import similar_owners
from clinic.selectors.search import search
from clinic.services import attachments, billing, merging, owners, pets, prescriptions, visits
from clinic.services import vaccination as vaccinations
from tests.conftest import make_clinic
from vetclinic.errors import Changed, Conflict, Locked

RACERS = 8


@pytest.mark.parametrize(
    "query",
    ["muller", "MÜLLER maren", "555-0142", "(555) 0142", "0142", "biscuit", "biscuit muller", "900000000000101"],
)
def test_the_search_box_finds(clinic: SimpleNamespace, query: str) -> None:
    result = search(query)
    assert clinic.owner in result.owners or clinic.pet in result.pets, f"nothing for {query!r}"


@pytest.mark.parametrize("query", ["", "  ", "\x00", "xyz", "%", "999999"])
def test_the_search_box_finds_nothing(clinic: SimpleNamespace, query: str) -> None:
    result = search(query)
    assert (result.owners, result.pets) == ([], [])


def test_another_owners_animal_of_that_name_is_only_near(clinic: SimpleNamespace) -> None:
    result = search("biscuit holloway")
    assert result.near, f"found outright: {result.owners}, {result.pets}"
    assert result.pets == [clinic.pet]


def test_a_found_animal_is_known_by_the_tag_of_its_rabies_vaccination(clinic: SimpleNamespace) -> None:
    details = {"vet": clinic.vet, "lot": "L", "tag": "T-0917"}
    given = vaccinations.record_vaccination(
        clinic.actor, clinic.pet.pk, clinic.vaccine.pk, timezone.localdate(), details
    )
    assert search("t-0917").pets == [clinic.pet]
    vaccinations.mark_entered_in_error(clinic.actor, given.pk, given.version, "another dog's")
    assert search("t-0917").pets == []


def test_a_national_zero_does_not_matter(clinic: SimpleNamespace) -> None:
    owner = owners.create_owner(clinic.actor, {"last_name": "Vale"}, [owners.PhoneNumber("+44 7700 900123")])
    assert search("07700 900123").owners == [owner]


def test_likely_duplicates_are_named(clinic: SimpleNamespace) -> None:
    assert similar_owners("maren", "muller", "", []) == [clinic.owner]
    assert similar_owners("Other", "Person", "", ["1 (555) 0142"]) == [clinic.owner]
    assert similar_owners("Other", "Person", "", ["555-0199"]) == []


def test_a_stale_form_is_refused(clinic: SimpleNamespace) -> None:
    pets.update_pet(clinic.actor, clinic.pet.pk, clinic.pet.version, {"alert": "Bites"})
    with pytest.raises(Changed):
        pets.update_pet(clinic.actor, clinic.pet.pk, clinic.pet.version, {"alert": ""})
    assert Pet.objects.get(pk=clinic.pet.pk).alert == "Bites"


@pytest.mark.parametrize(
    ("fields", "wrong"),
    [
        ({"name": ""}, "name"),
        ({"name": "a\x00b"}, "name"),
        ({"birth_date": timezone.localdate() + timedelta(days=1)}, "birth_date"),
        ({"species_id": 10**6}, "species"),
        ({"sex": "maybe"}, "sex"),
    ],
)
def test_wrong_input_is_named_by_field(clinic: SimpleNamespace, fields: Any, wrong: str) -> None:
    with pytest.raises(ValidationError) as problem:
        pets.update_pet(clinic.actor, clinic.pet.pk, clinic.pet.version, fields)
    assert wrong in problem.value.message_dict


def test_a_pet_is_recorded_once(clinic: SimpleNamespace) -> None:
    """The same name, however it is spelt, and species of one owner; what is another animal is said to be one."""
    dog = {"name": " BISCUIT ", "species": clinic.species}
    with pytest.raises(pets.RecordedAlready, match=rf"Biscuit \(Dog, no\. {clinic.pet.pk}\)"):
        pets.create_pet(clinic.actor, clinic.owner.pk, dog)
    other = owners.create_owner(clinic.actor, {"last_name": "Vale"})
    pets.create_pet(clinic.actor, other.pk, dog)
    pets.create_pet(clinic.actor, clinic.owner.pk, {**dog, "species": Species.objects.get(name="Cat")})
    twin = pets.create_pet(clinic.actor, clinic.owner.pk, dog, another=True)
    merging.merge_pets(clinic.actor, clinic.pet.pk, twin.pk)
    assert clinic.owner.pets.filter(merged_into=None).count() == 2


@pytest.mark.django_db(transaction=True)
def test_many_record_one_pet_at_once(transactional_db: None) -> None:
    clinic = make_clinic()
    start = Barrier(RACERS)

    def race(_number: int) -> str:
        try:
            start.wait(timeout=60)
            pets.create_pet(clinic.actor, clinic.owner.pk, {"name": "Clove", "species": clinic.species})
        except pets.RecordedAlready:
            return "told"
        else:
            return "recorded"
        finally:
            connection.close()

    with ThreadPoolExecutor(RACERS) as pool:
        outcomes = sorted(pool.map(race, range(RACERS)))
    assert outcomes == ["recorded"] + ["told"] * (RACERS - 1)
    assert Pet.objects.filter(name="Clove").count() == 1


def test_a_microchip_is_kept_once(clinic: SimpleNamespace) -> None:
    fields = {"name": "Twin", "species": clinic.species, "microchip": "900000000000101"}
    for typed in (fields["microchip"], "900 000 000 000 101"):
        with pytest.raises(ValidationError) as problem:
            pets.create_pet(clinic.actor, clinic.owner.pk, {**fields, "microchip": typed})
        errors = problem.value.message_dict
        assert list(errors) == ["microchip"] and "microchip of Biscuit (Dog, pet" in errors["microchip"][0], errors
        assert "Maren Müller" in errors["microchip"][0]


@pytest.mark.no_database
def test_every_constraint_has_a_sentence_for_people() -> None:
    """Django's own message is the constraint's name, which says nothing at a desk."""
    nameless = {
        constraint.name
        for label in ("accounts", "clinic", "exchange")
        for model in apps.get_app_config(label).get_models()
        for constraint in model._meta.constraints
        if constraint.name not in getattr(model, "refusals", {})
    }
    assert nameless == {"pet_microchip_unique"}, "this one is told by Pet.refusal, and tested above"


@pytest.mark.parametrize(
    ("row", "field", "sentence"),
    [
        (Payment(amount=0), "amount", "cannot be zero"),
        (Pet(birth_date=date(2020, 1, 2), deceased_on=date(2020, 1, 1)), "deceased_on", "before the date of birth"),
        (Vaccination(given_on=date(2020, 1, 2), due_on=date(2020, 1, 2)), "due_on", "must be due after"),
        (Appointment(overbooked=True), "override_reason", "give a reason"),
    ],
)
def test_what_the_tables_refuse_is_told_beside_its_field(db: None, row: Record, field: str, sentence: str) -> None:
    with pytest.raises(ValidationError) as problem:
        row.validate_constraints()
    errors = problem.value.message_dict
    assert sentence in errors.get(field, [""])[0] and "onstraint" not in str(errors), errors


def test_notes_lock_and_amendments_follow(clinic: SimpleNamespace) -> None:
    visit = visits.start_visit(clinic.actor, clinic.pet.pk, {"vet": clinic.vet, "weight_kg": Decimal("12.4")})
    with pytest.raises(Conflict, match="still open"):
        visits.amend_visit(clinic.actor, visit.pk, "x")
    visit = visits.update_visit(clinic.actor, visit.pk, visit.version, {"plan": "Rest"})
    visit = visits.lock_visit(clinic.actor, visit.pk, visit.version)
    with pytest.raises(Locked):
        visits.update_visit(clinic.actor, visit.pk, visit.version, {"plan": "Run"})
    visit.plan = "Run"
    with pytest.raises(Locked):
        visit.save()
    visits.amend_visit(clinic.actor, visit.pk, "Walk")
    visit.refresh_from_db()
    assert (visit.plan, [item.text for item in visit.amendments.all()]) == ("Rest", ["Walk"])


def test_reception_writes_no_notes(clinic: SimpleNamespace, actor_with: Any) -> None:
    with pytest.raises(PermissionDenied):
        visits.start_visit(actor_with("reception"), clinic.pet.pk, {"vet": clinic.vet})


def test_a_prescription_is_voided_with_a_reason(clinic: SimpleNamespace) -> None:
    visit = visits.start_visit(clinic.actor, clinic.pet.pk, {"vet": clinic.vet})
    fields = {"drug": "Meloxicam", "dose": "0.1 mg/kg", "quantity": Decimal(1), "instructions": "With food"}
    item = prescriptions.prescribe(clinic.actor, visit.pk, fields)
    with pytest.raises(ValidationError):
        prescriptions.void_prescription(clinic.actor, item.pk, " ")
    prescriptions.void_prescription(clinic.actor, item.pk, "wrong dose")
    with pytest.raises(Conflict):
        prescriptions.void_prescription(clinic.actor, item.pk, "again")


def test_merging_owners_moves_all_and_hides_the_duplicate(clinic: SimpleNamespace) -> None:
    other = owners.create_owner(
        clinic.actor,
        {"last_name": "Muller", "reminder_consent": False},
        [owners.PhoneNumber("+1 555-0142"), owners.PhoneNumber("555-0100")],
    )
    pet = pets.create_pet(clinic.actor, other.pk, {"name": "Clove", "species": clinic.species})
    billing.draft_invoice(clinic.actor, other.pk)
    keep = merging.merge_owners(clinic.actor, clinic.owner.pk, other.pk)
    assert {item.name for item in keep.pets.all()} == {"Biscuit", pet.name}
    assert sorted(phone.digits for phone in keep.phones.all()) == ["15550142", "5550100"]
    assert keep.invoices.count() == 1
    assert keep.reminder_consent is False, "consent has to come from both"
    assert search("muller").owners == [keep]
    assert Owner.objects.get(pk=other.pk).merged_into_id == keep.pk
    with pytest.raises(Conflict, match="merged already"):
        merging.merge_owners(clinic.actor, other.pk, keep.pk)


def test_merging_pets_keeps_one_reminder_of_the_newest(clinic: SimpleNamespace) -> None:
    twin = pets.create_pet(
        clinic.actor, clinic.owner.pk, {"name": "Biscuit", "species": clinic.species, "tag": "77"}, another=True
    )
    today = timezone.localdate()
    for pet, days in ((clinic.pet, 100), (twin, 10)):
        details = {"vet": clinic.vet, "lot": "L"}
        vaccinations.record_vaccination(clinic.actor, pet.pk, clinic.vaccine.pk, today - timedelta(days=days), details)
    keep = merging.merge_pets(clinic.actor, clinic.pet.pk, twin.pk)
    pending = Reminder.objects.get(status="pending")
    assert (keep.tag, keep.vaccinations.count(), pending.pet_id) == ("77", 2, keep.pk)
    assert pending.vaccination.given_on == today - timedelta(days=10)


def test_pets_of_two_species_are_not_one(clinic: SimpleNamespace) -> None:
    cat = pets.create_pet(clinic.actor, clinic.owner.pk, {"name": "B", "species": Species.objects.get(name="Cat")})
    with pytest.raises(Conflict, match="different species"):
        merging.merge_pets(clinic.actor, clinic.pet.pk, cat.pk)


def test_files_are_what_their_bytes_say(clinic: SimpleNamespace) -> None:
    kept = attachments.attach(clinic.actor, clinic.pet.pk, "scan.exe", b"%PDF-1.7 ...")
    assert kept.content_type == "application/pdf"
    with pytest.raises(ValidationError, match="Only PDF"):
        attachments.attach(clinic.actor, clinic.pet.pk, "scan.pdf", b"MZ...")
    with pytest.raises(ValidationError, match="larger"):
        attachments.attach(clinic.actor, clinic.pet.pk, "scan.pdf", b"%PDF-" + b"x" * 2 * 1024 * 1024)
