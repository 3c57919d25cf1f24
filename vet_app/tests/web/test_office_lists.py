"""Vets, prices, vaccines, species and breeds."""

from __future__ import annotations

from decimal import Decimal
from types import SimpleNamespace
from typing import Any, Callable

import pytest
from django.test import Client

from audit.models import AuditEntry
from clinic.models import Breed, Product, Vaccine, Vet
from tests.web.conftest import beside, roles_that_may

PRICE = {"code": "XR", "name": "X-ray", "kind": "service", "unit_price": "80.00", "tax_rate": "19", "active": "on"}


def test_only_managers_keep_the_lists(clinic: SimpleNamespace, client_of: Callable[[str], Client]) -> None:
    addresses = ("/lists/", "/lists/prices/", "/lists/vaccines/new/", f"/lists/vets/{clinic.vet.pk}/")
    for address in addresses:
        assert roles_that_may(client_of, address) == ["manager"], address
    assert client_of("manager").get("/lists/dragons/").status_code == 404


def test_a_new_clinic_gets_its_vets_here(as_manager: Client) -> None:
    assert "This list is empty" in as_manager.get("/lists/vets/").content.decode()
    assert as_manager.post("/lists/vets/new/", {"name": "Dr New", "active": "on"})["Location"] == "/lists/vets/"
    assert Vet.objects.get().active
    assert "Dr New" in as_manager.get("/calendar/").content.decode(), "and so a column in the calendar"


def test_a_price_is_added_changed_and_audited(as_manager: Client) -> None:
    as_manager.post("/lists/prices/new/", PRICE)
    product = Product.objects.get()
    as_manager.post(f"/lists/prices/{product.pk}/", {**PRICE, "unit_price": "85.50", "version": 1})
    product.refresh_from_db()
    assert product.unit_price == Decimal("85.50")
    changes = AuditEntry.objects.get(object_type="product", action="update").changes
    assert changes == {"unit_price": ["80.00", "85.50"]}


@pytest.mark.parametrize(
    ("field", "value", "sentence"),
    [("code", "T", "already exists"), ("unit_price", "-1", "greater than or equal"), ("name", "", "required")],
)
def test_what_does_not_fit_is_refused_beside_its_field(
    clinic: SimpleNamespace, as_manager: Client, field: str, value: str, sentence: str
) -> None:
    page = as_manager.post("/lists/prices/new/", {**PRICE, field: value})
    assert page.status_code == 422 and sentence in beside(page, field)
    assert not Product.objects.filter(name="X-ray").exists()


def test_every_list_opens_and_its_entries_as_well(
    clinic: SimpleNamespace, as_manager: Client, django_assert_max_num_queries: Any
) -> None:
    breed, _new = Breed.objects.get_or_create(species=clinic.species, name="Beagle")
    for name, row in (("vets", clinic.vet), ("prices", clinic.product), ("vaccines", clinic.vaccine),
                      ("species", clinic.species), ("breeds", breed)):  # fmt: skip
        with django_assert_max_num_queries(6):
            assert as_manager.get(f"/lists/{name}/").status_code == 200, name
        assert as_manager.get(f"/lists/{name}/{row.pk}/").status_code == 200, name


def test_a_vaccine_that_is_switched_off_stays_in_the_records(clinic: SimpleNamespace, as_manager: Client) -> None:
    kept = {"name": clinic.vaccine.name, "group": "rabies", "species": clinic.species.pk, "interval_months": 12}
    form = {**kept, "version": clinic.vaccine.version}
    as_manager.post(f"/lists/vaccines/{clinic.vaccine.pk}/", form)
    assert not Vaccine.objects.get(pk=clinic.vaccine.pk).active


def test_of_two_managers_who_change_an_entry_the_second_is_told(clinic: SimpleNamespace, as_manager: Client) -> None:
    """Each list has the version of what was seen in its form, and refuses a change that is based on an older one."""
    breed, _new = Breed.objects.get_or_create(species=clinic.species, name="Beagle")
    entries = {
        f"/lists/vets/{clinic.vet.pk}/": {"name": "Dr Test", "active": "on"},
        f"/lists/prices/{clinic.product.pk}/": PRICE,
        f"/lists/vaccines/{clinic.vaccine.pk}/": {"name": "R", "group": "rabies", "species": clinic.species.pk},
        f"/lists/species/{clinic.species.pk}/": {"name": "Hound"},
        f"/lists/breeds/{breed.pk}/": {"species": clinic.species.pk, "name": "Beagle"},
    }
    for address, form in entries.items():
        assert b'name="version" value="1"' in as_manager.get(address).content, address
        assert as_manager.post(address, {**form, "version": 1}).status_code == 302, address
        late = as_manager.post(address, {**form, "version": 1})
        assert late.status_code == 409 and b"Somebody changed this record at" in late.content, address
    assert AuditEntry.objects.filter(action="update").count() == len(entries), "the late ones left no trace"


def test_a_second_breed_of_a_name_is_refused_in_words(clinic: SimpleNamespace, as_manager: Client) -> None:
    Breed.objects.create(species=clinic.species, name="Beagle Test")
    page = as_manager.post("/lists/breeds/new/", {"species": clinic.species.pk, "name": "Beagle Test"})
    assert page.status_code == 422 and "already has a breed of this name" in beside(page, "name")
