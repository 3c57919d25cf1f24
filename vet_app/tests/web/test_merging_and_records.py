"""Merging duplicates, and handing out one patient's record."""

from __future__ import annotations

import io
import zipfile
from types import SimpleNamespace
from typing import Callable

import pytest
from django.test import Client

from audit.models import AuditEntry
from clinic.models import Owner, Pet, Visit
from clinic.services.owners import create_owner
from clinic.services.pets import create_pet
from tests.web.conftest import beside, roles_that_may

ClientOf = Callable[[str], Client]


@pytest.fixture
def twin(clinic: SimpleNamespace) -> Owner:
    """The same owner once more, with the same dog."""
    owner = create_owner(clinic.actor, {"first_name": "Maren", "last_name": "Mueller", "email": "maren@example.com"})
    create_pet(clinic.actor, owner.pk, {"name": "Biscuit", "species": clinic.species, "alert": "Bites"})
    return owner


def test_only_managers_merge(client_of: ClientOf, clinic: SimpleNamespace) -> None:
    assert roles_that_may(client_of, f"/owners/{clinic.owner.pk}/merge/") == ["manager"]
    assert roles_that_may(client_of, f"/pets/{clinic.pet.pk}/merge/") == ["manager"]


def test_people_who_look_alike_are_offered_and_others_are_found(
    as_manager: Client, clinic: SimpleNamespace, twin: Owner
) -> None:
    stranger = create_owner(clinic.actor, {"last_name": "Quill"})
    address = f"/owners/{clinic.owner.pk}/merge/"
    page = as_manager.get(address).content.decode()
    assert f"?with={twin.pk}" in page and f"?with={stranger.pk}" not in page and f"?with={clinic.owner.pk}" not in page
    assert f"?with={stranger.pk}" in as_manager.get(address, {"q": "quill"}).content.decode()
    assert "Nothing was found" in as_manager.get(address, {"q": "nobody"}).content.decode()


def test_two_owners_become_one(as_manager: Client, clinic: SimpleNamespace, twin: Owner) -> None:
    address = f"/owners/{clinic.owner.pk}/merge/?with={twin.pk}"
    assert "Mueller" in as_manager.get(address).content.decode()
    undecided = as_manager.post(address, {})
    assert undecided.status_code == 422 and "required" in undecided.content.decode()
    answer = as_manager.post(address, {"keep": twin.pk})
    assert answer["Location"] == f"/owners/{twin.pk}/"
    assert Pet.objects.filter(owner=twin).count() == 2
    assert as_manager.get(f"/owners/{clinic.owner.pk}/")["Location"] == f"/owners/{twin.pk}/"
    assert as_manager.post(address, {"keep": twin.pk}).status_code == 404, "a merged record is merged once"


def test_two_pets_become_one(as_manager: Client, clinic: SimpleNamespace, twin: Owner) -> None:
    other = twin.pets.get()
    cat = create_pet(clinic.actor, twin.pk, {"name": "Biscuit", "species": _cat()})
    page = as_manager.get(f"/pets/{clinic.pet.pk}/merge/").content.decode()
    assert f"?with={other.pk}" in page and f"?with={cat.pk}" not in page
    refused = as_manager.post(f"/pets/{clinic.pet.pk}/merge/?with={cat.pk}", {"keep": clinic.pet.pk})
    assert refused.status_code == 409 and "different species" in refused.content.decode()
    as_manager.post(f"/pets/{clinic.pet.pk}/merge/?with={other.pk}", {"keep": clinic.pet.pk})
    clinic.pet.refresh_from_db()
    assert clinic.pet.alert == "Bites"
    assert as_manager.get(f"/pets/{clinic.pet.pk}/merge/?with={clinic.pet.pk}").status_code == 404


def _cat() -> object:
    from clinic.models import Species

    return Species.objects.get(name="Cat")


def test_the_record_is_shown_and_handed_out_with_an_entry_in_the_trail(
    client_of: ClientOf, as_manager: Client, clinic: SimpleNamespace, visit: Visit
) -> None:
    address = f"/pets/{clinic.pet.pk}/record/"
    assert roles_that_may(client_of, address) == ["technician", "vet", "manager"]
    assert "Coughs since Monday" in as_manager.get(address).content.decode()
    assert as_manager.get(f"/pets/{clinic.pet.pk}/record.zip").status_code == 405, "a look must not write to the trail"
    assert client_of("reception").post(f"/pets/{clinic.pet.pk}/record.zip").status_code == 403
    answer = as_manager.post(f"/pets/{clinic.pet.pk}/record.zip")
    assert f'filename="record-biscuit-{clinic.pet.pk}.zip"' in answer["Content-Disposition"]
    assert "record.html" in zipfile.ZipFile(io.BytesIO(answer.getvalue())).namelist()
    assert AuditEntry.objects.filter(action="export", object_id=clinic.pet.pk).count() == 1


def test_beside_finds_nothing_where_nothing_is_wrong(as_manager: Client, clinic: SimpleNamespace) -> None:
    assert beside(as_manager.get(f"/pets/{clinic.pet.pk}/visits/new/"), "vet") == ""
