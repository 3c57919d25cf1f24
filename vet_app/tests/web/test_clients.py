"""Search, owners and pets as people use them."""

from __future__ import annotations

import re
from datetime import timedelta
from html import unescape
from types import SimpleNamespace
from typing import Any, Callable, Dict

import pytest
from django.test import Client
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from accounts.roles import Role
from audit.models import AuditEntry
from clinic.models import Owner, Pet
from clinic.services.owners import PhoneNumber, create_owner
from clinic.services.vaccination import record_vaccination
from tests.web.conftest import beside, roles_that_may

ALL = list(Role.values)
DESK = [Role.RECEPTION, Role.TECHNICIAN, Role.VET, Role.MANAGER]


def owner_form(**fields: Any) -> Any:
    return {"last_name": "Okafor", "contact_preference": "phone", "reminder_consent": "on", **fields}


@pytest.mark.parametrize(
    ("address", "roles"),
    [
        ("/", ALL), ("/owners/", ALL), ("/owners/{owner}/", ALL), ("/pets/{pet}/", ALL), ("/search/?q=many", ALL),
        ("/owners/new/", DESK), ("/owners/{owner}/edit/", DESK), ("/owners/{owner}/pets/new/", DESK),
        ("/pets/{pet}/edit/", DESK), ("/pets/{pet}/transfer/", DESK), ("/pets/{pet}/deceased/", DESK),
    ],
)  # fmt: skip
def test_who_may_open(clinic: SimpleNamespace, client_of: Callable[[str], Client], address: str, roles: Any) -> None:
    where = address.format(owner=clinic.owner.pk, pet=clinic.pet.pk)
    assert roles_that_may(client_of, where) == [role for role in Role.values if role in roles]


@pytest.mark.parametrize("query", ["muller", "Müller", "555-0142", "0142", "bisc", "900000000000101", "biscuit maren"])
def test_one_box_finds_owner_and_pet(clinic: SimpleNamespace, as_manager: Client, query: str) -> None:
    page = as_manager.get("/search/", {"q": query}, follow=True).content.decode()
    assert clinic.pet.get_absolute_url() in page or clinic.owner.get_absolute_url() in page, page
    live = as_manager.get("/search/", {"q": query}, headers={"HX-Request": "true"}).content.decode()
    assert "<html" not in live
    assert "Biscuit" in live or "Maren" in live


def test_what_is_found_alone_is_opened_and_a_long_list_says_so(clinic: SimpleNamespace, as_manager: Client) -> None:
    assert as_manager.get("/search/?q=900000000000101")["Location"] == clinic.pet.get_absolute_url()
    assert as_manager.get("/search/?q=555-0142")["Location"] == clinic.owner.get_absolute_url()
    live = as_manager.get("/search/?q=900000000000101", HTTP_HX_REQUEST="true")
    assert live.status_code == 200, "not while somebody is typing"
    assert b"may be more" not in live.content
    for number in range(25):
        create_owner(clinic.actor, {"last_name": f"Many {number}"})
    assert b"There may be more" in as_manager.get("/search/?q=many").content


def test_nothing_found_offers_a_new_owner(as_manager: Client) -> None:
    assert "/owners/new/" in as_manager.get("/search/", {"q": "zzz"}).content.decode()


@pytest.mark.parametrize(
    ("typed", "fields"),
    [
        ("Jane van Dyke", {"first_name": "Jane van", "last_name": "Dyke"}), ("zzyzx", {"last_name": "zzyzx"}),
        ("Dyke, Jane", {"first_name": "Jane", "last_name": "Dyke"}), ("jane@home.test", {"email": "jane@home.test"}),
        ("+44 (0)20 7946 0123", {"phones": "+44 (0)20 7946 0123"}), ("900000000000199", {}), ("", {}),
    ],
)  # fmt: skip
def test_a_new_owner_begins_with_what_was_searched_for(as_manager: Client, typed: str, fields: Dict[str, str]) -> None:
    page = as_manager.get("/search/", {"q": typed}).content.decode()
    link = re.search(r'href="(/owners/new/\?[^"]*)"', page)
    form = as_manager.get(unescape(link[1]) if link else "/owners/new/").context["form"]
    assert bool(link) == bool(typed)
    filled = {name: form[name].value() for name in ("first_name", "last_name", "phones", "email")}
    assert {name: value for name, value in filled.items() if value} == fields


def test_what_was_typed_is_escaped(as_manager: Client) -> None:
    page = as_manager.get("/search/", {"q": "<script>alert(1)</script>"}).content.decode()
    assert "<script>alert" not in page


def test_an_owner_is_recorded_with_numbers(as_manager: Client) -> None:
    answer = as_manager.post("/owners/new/", owner_form(phones="555-0154, mobile\n555-0199"))
    owner = Owner.objects.get(last_name="Okafor")
    assert answer.headers["Location"] == owner.get_absolute_url()
    assert [(phone.number, phone.label) for phone in owner.phones.all()] == [("555-0154", "mobile"), ("555-0199", "")]


def test_somebody_alike_is_shown_before_a_second_record_is_made(clinic: SimpleNamespace, as_manager: Client) -> None:
    form = owner_form(last_name="Muller", first_name="Maren")
    page = as_manager.post("/owners/new/", form)
    assert Owner.objects.count() == 1
    assert clinic.owner.get_absolute_url() in page.content.decode()
    seen = {**form, "other_than": f"{clinic.owner.pk},"}
    assert f'name="other_than" value="{clinic.owner.pk},"' in page.content.decode()
    as_manager.post("/owners/new/", seen)
    assert Owner.objects.count() == 2
    again = as_manager.post("/owners/new/", seen)
    assert Owner.objects.count() == 2, "a second click would make a third"
    assert "Is it one of these?" in again.content.decode()


def test_errors_stand_beside_their_fields_and_nothing_typed_is_lost(as_manager: Client) -> None:
    page = as_manager.post("/owners/new/", owner_form(last_name="", phones="x", address="7 Elm Street"))
    assert page.status_code == 422
    assert beside(page, "last_name")
    assert "7 Elm Street" in page.content.decode()
    page = as_manager.post("/owners/new/", owner_form(phones="x"))
    assert "“x” is not a telephone number." in beside(page, "phones")


def test_a_change_based_on_an_old_version_is_refused(clinic: SimpleNamespace, as_manager: Client) -> None:
    where = f"/owners/{clinic.owner.pk}/edit/"
    form = owner_form(last_name="Moller", version=clinic.owner.version)
    assert as_manager.post(where, form).status_code == 302
    page = as_manager.post(where, {**form, "last_name": "Mueller"})
    assert page.status_code == 409
    assert "Somebody changed this record" in page.content.decode()
    assert f'<a href="{where}">Reload the current record' in page.content.decode(), (
        "with the present version in the form"
    )
    clinic.owner.refresh_from_db()
    assert clinic.owner.last_name == "Moller"


def test_a_pet_is_recorded_changed_and_handed_over(clinic: SimpleNamespace, as_manager: Client) -> None:
    form = {"name": "Pixel", "species": clinic.species.pk, "sex": "female", "neutered": "unknown", "alert": "Bites"}
    as_manager.post(f"/owners/{clinic.owner.pk}/pets/new/", form)
    pet = Pet.objects.get(name="Pixel")
    assert "Bites" in as_manager.get(pet.get_absolute_url()).content.decode()
    as_manager.post(f"/pets/{pet.pk}/edit/", {**form, "name": "Pixie", "version": pet.version})
    other = create_owner(clinic.actor, {"last_name": "Reyes"}, [PhoneNumber("555-0175")])
    pet.refresh_from_db()
    as_manager.post(f"/pets/{pet.pk}/transfer/", {"owner": other.pk, "version": pet.version})
    pet.refresh_from_db()
    assert (pet.name, pet.owner) == ("Pixie", other)
    entries = AuditEntry.objects.filter(object_type="pet", object_id=str(pet.pk))
    assert {entry.action for entry in entries} == {"create", "update", "transfer"}


def test_the_same_pet_is_recorded_twice_only_on_purpose(clinic: SimpleNamespace, as_manager: Client) -> None:
    where = f"/owners/{clinic.owner.pk}/pets/new/"
    assert 'type="checkbox" name="another"' not in as_manager.get(where).content.decode()
    form = {"name": "biscuit", "species": clinic.species.pk, "sex": "male", "notes": "Typed"}
    page = as_manager.post(where, form)
    text = page.content.decode()
    assert page.status_code == 409 and f"Biscuit (Dog, no. {clinic.pet.pk}) is already recorded" in text
    assert 'type="checkbox" name="another"' in text and "Typed" in text
    assert clinic.owner.pets.count() == 1
    assert as_manager.post(where, {**form, "another": "on"}).status_code == 302
    assert clinic.owner.pets.count() == 2


def test_a_microchip_of_another_pet_is_refused_beside_its_field(clinic: SimpleNamespace, as_manager: Client) -> None:
    form = {"name": "Twin", "species": clinic.species.pk, "sex": "male", "microchip": "900000000000101"}
    page = as_manager.post(f"/owners/{clinic.owner.pk}/pets/new/", form)
    assert page.status_code == 422
    message = beside(page, "microchip")
    assert (
        "microchip of Biscuit (Dog, pet" in message and "Maren Müller" in message and "Read the chip again" in message
    )
    assert "onstraint" not in page.content.decode() and not Pet.objects.filter(name="Twin").exists()


def test_a_death_stops_what_was_planned(clinic: SimpleNamespace, as_manager: Client) -> None:
    where = f"/pets/{clinic.pet.pk}/deceased/"
    as_manager.post(where, {"deceased_on": "2020-01-01", "version": clinic.pet.version})
    page = as_manager.get(clinic.pet.get_absolute_url()).content.decode()
    assert "died" in page
    assert "/visits/new/" not in page


def test_a_death_of_the_wrong_animal_is_taken_back(clinic: SimpleNamespace, as_manager: Client) -> None:
    given = timezone.localdate() - timedelta(days=360)
    record_vaccination(clinic.actor, clinic.pet.pk, clinic.vaccine.pk, given, {"vet": clinic.vet, "lot": "L1"})
    where = f"/pets/{clinic.pet.pk}/"
    assert "recorded by mistake" not in as_manager.get(where).content.decode()
    as_manager.post(f"{where}deceased/", {"deceased_on": timezone.localdate(), "version": 1})
    assert f'href="{where}alive/"' in as_manager.get(where).content.decode()
    assert "Biscuit" not in as_manager.get("/reminders/").content.decode()
    assert as_manager.post(f"{where}alive/", {"version": 1}).status_code == 409, "based on an old version"
    assert as_manager.post(f"{where}alive/", {"version": 2})["Location"] == where
    assert "Biscuit" in as_manager.get("/reminders/").content.decode(), "the reminder is due again"
    assert as_manager.post(f"{where}alive/", {"version": 3}).status_code == 409, "no death is recorded"


def test_lists_need_few_queries(
    clinic: SimpleNamespace, as_manager: Client, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    for number in range(30):
        create_owner(clinic.actor, {"last_name": f"Owner {number}"}, [PhoneNumber(f"555-1{number:03}")])
    with django_assert_max_num_queries(10):
        assert as_manager.get("/owners/").status_code == 200
    with django_assert_max_num_queries(14):
        assert as_manager.get(clinic.pet.get_absolute_url()).status_code == 200


def test_what_is_not_there_is_not_found(as_manager: Client) -> None:
    for where in ("/owners/999/", "/pets/999/", "/appointments/999/", "/invoices/999/"):
        assert as_manager.get(where).status_code == 404, where
