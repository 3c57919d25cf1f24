"""Species, breeds, vaccines and colours are said in the reader's language, and stored the same everywhere."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, List

import pytest
from django.test import Client
from django.utils import timezone, translation

from clinic import reference
from clinic.models import Breed, Pet, Species, Vaccine
from clinic.selectors.billable import to_bill
from clinic.services import vaccination, visits
from clinic.services.settings import change_settings
from exchange import exporting
from tests.web.test_settings_page import WHO


def test_what_every_clinic_begins_with_is_translated(clinic: SimpleNamespace) -> None:
    named: List[Any] = [*Species.objects.all(), *Breed.objects.all(), *Vaccine.objects.exclude(name="Test rabies")]
    for language in ("de", "fr"):
        with translation.override(language):
            same = {row.name for row in named if str(row) == row.name}
            assert same <= SAME_EVERYWHERE, f"{language}: {same - SAME_EVERYWHERE}"


SAME_EVERYWHERE = {
    "Beagle", "Border Collie", "Golden Retriever", "Jack Russell Terrier", "Labrador Retriever", "Maine Coon",
    "Hamster", "Reptile", "British Shorthair",
}  # fmt: skip


def test_a_name_of_the_clinics_own_stays_as_it_is(clinic: SimpleNamespace) -> None:
    goat = Species.objects.create(name="Cash")  # a word of other pages
    with translation.override("de"):
        assert str(goat) == "Cash"


def test_a_colour_is_stored_once_for_all_languages(clinic: SimpleNamespace, as_manager: Client) -> None:
    change_settings(clinic.actor, 0, {**WHO, "language": "de"})
    edit = f"/pets/{clinic.pet.pk}/edit/"
    assert '<option value="dreifarbig">' in as_manager.get(edit).content.decode()
    sent = {"name": "Biscuit", "species": clinic.species.pk, "sex": "male", "version": clinic.pet.version}
    assert as_manager.post(edit, {**sent, "colour": "Dreifarbig"}).status_code == 302
    pet = Pet.objects.get(pk=clinic.pet.pk)
    assert pet.colour == "tricolour" and 'value="dreifarbig"' in as_manager.get(edit).content.decode()
    with translation.override("fr"):
        assert pet.colour_word == "tricolore"
    assert as_manager.post(edit, {**sent, "colour": "wie Karamell", "version": pet.version}).status_code == 302
    pet.refresh_from_db()
    assert pet.colour == "wie Karamell"


def test_a_list_is_saved_without_changing_a_translated_name(clinic: SimpleNamespace, as_manager: Client) -> None:
    german: Any = {"HTTP_ACCEPT_LANGUAGE": "de"}
    address = f"/lists/species/{clinic.species.pk}/"
    assert 'value="Hund"' in as_manager.get(address, **german).content.decode()
    assert as_manager.post(address, {"name": "Hund", "version": 1}, **german).status_code == 302
    clinic.species.refresh_from_db()
    assert clinic.species.name == "Dog", "it was only looked at"
    assert as_manager.post(address, {"name": "Hunde", "version": 2}, **german).status_code == 302
    clinic.species.refresh_from_db()
    assert clinic.species.name == "Hunde"


def test_a_file_says_the_same_in_every_language(clinic: SimpleNamespace) -> None:
    with translation.override("fr"):
        text = b"".join(exporting.clients(clinic.actor)).decode()
    assert "Dog" in text and "Chien" not in text


@pytest.mark.parametrize("name", ["Chien", "hund", "DOG"])
def test_a_file_may_say_it_in_any_language(clinic: SimpleNamespace, name: str) -> None:
    from exchange.drafts import Reference

    known = Reference(clinic.actor)
    assert known.species_named(name) == clinic.species
    mixed = Breed.objects.get_or_create(species=clinic.species, name="Mixed breed")[0]
    assert known.breed_named("Mischling", clinic.species) == mixed


def test_a_bill_names_vaccines_in_the_language_of_the_papers(clinic: SimpleNamespace) -> None:
    change_settings(clinic.actor, 0, {**WHO, "language": "fr"})
    rabies, _new = Vaccine.objects.get_or_create(
        name="Rabies (dog, 1 year)", defaults={"species": clinic.species, "group": "rabies"}
    )
    Vaccine.objects.filter(pk=rabies.pk).update(product=clinic.product)
    visit = visits.start_visit(clinic.actor, clinic.pet.pk, {"vet": clinic.vet})
    details = {"vet": clinic.vet, "lot": "A", "visit": visit}
    vaccination.record_vaccination(clinic.actor, clinic.pet.pk, rabies.pk, timezone.localdate(), details)
    with translation.override("en"):
        assert [line.text for line in to_bill(visit)] == ["Rage (chien, 1 an)"]


def test_every_language_can_be_read(settings: Any) -> None:
    assert {"dog", "hund", "chien"} <= set(reference.forms("Dog"))
    assert {code[:2] for code, _name in settings.LANGUAGES} == {"en", "de", "fr"}
