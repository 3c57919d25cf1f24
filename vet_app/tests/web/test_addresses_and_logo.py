"""Addresses as each country writes them, and the clinic's logo on its papers."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, Dict

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from accounts.roles import Role
from audit.models import AuditEntry
from clinic.country import postal_lines
from clinic.models import ClinicLogo, ClinicSettings, Owner
from clinic.selectors.search import search
from clinic.selectors.settings import clinic_settings
from clinic.services.merging import merge_owners
from tests.test_billing import issued
from tests.web.conftest import roles_that_may

PNG = b"\x89PNG\r\n\x1a\n" + b"0" * 40
HOME: Dict[str, Any] = {"last_name": "Vale", "contact_preference": "phone", "address": "12 Oak St"}


@pytest.mark.parametrize(
    ("country", "written"),
    [
        ("US", "12 Oak St\nSpringfield, IL 62704"), ("DE", "12 Oak St\n62704 Springfield, IL"),
        ("GB", "12 Oak St\nSpringfield\n62704"),
    ],
)  # fmt: skip
def test_the_town_stands_as_the_country_writes_it(settings: Any, country: str, written: str) -> None:
    settings.COUNTRY = country
    assert postal_lines("12 Oak St", "62704", "Springfield", "IL") == written
    assert postal_lines("12 Oak St", "", "", "") == "12 Oak St", "an address of the time before is kept as it is"


def test_an_american_types_city_state_and_zip(clinic: SimpleNamespace, as_manager: Client, settings: Any) -> None:
    settings.COUNTRY = "US"
    page = as_manager.get("/owners/new/").content.decode()
    assert "ZIP code" in page and "State" in page
    sent = {**HOME, "city": "Springfield", "state": "IL", "postal_code": "62704"}
    assert as_manager.post("/owners/new/", sent).status_code == 302
    owner = Owner.objects.latest("id")
    assert "Springfield, IL 62704" in as_manager.get(owner.get_absolute_url()).content.decode()
    assert [each.pk for each in search("springfield").owners] == [owner.pk]
    response = as_manager.get(f"/api/v1/owners/{owner.pk}").json()
    assert (response["city"], response["state"], response["postal_code"]) == ("Springfield", "IL", "62704")


def test_where_there_are_no_states_nobody_is_asked_for_one(as_manager: Client, settings: Any) -> None:
    settings.COUNTRY = "DE"
    page = as_manager.get("/owners/new/").content.decode()
    assert "Postal code" in page and 'name="state"' not in page


def test_a_merged_owner_keeps_one_address(clinic: SimpleNamespace) -> None:
    keep = Owner.objects.create(last_name="Vale", city="Exampleton")
    other = Owner.objects.create(last_name="Vale", address="1 Elsewhere Road", postal_code="99999")
    assert merge_owners(clinic.actor, keep.pk, other.pk).postal_address == "Exampleton"
    bare = Owner.objects.create(last_name="Vale")
    assert merge_owners(clinic.actor, bare.pk, keep.pk).postal_address == "Exampleton"


def upload(client: Client, content: bytes) -> Any:
    return client.post("/settings/logo/", {"file": SimpleUploadedFile("logo.png", content)})


def test_a_logo_stands_on_papers(clinic: SimpleNamespace, client_of: Any) -> None:
    manager, reader = client_of(Role.MANAGER), client_of(Role.READONLY)
    bill = issued(clinic)
    assert "/logo/" not in reader.get(bill.get_absolute_url()).content.decode()
    assert reader.get("/logo/").status_code == 404 and upload(reader, PNG).status_code == 403
    assert upload(manager, PNG).status_code == 302
    assert "Willow Lane" in clinic_settings().name, "what the environment says is saved with it"
    page = reader.get(bill.get_absolute_url()).content.decode()
    assert f'src="/logo/?v={ClinicSettings.objects.get().logo_digest[:12]}"' in page
    answer = reader.get("/logo/")
    assert (answer.content, answer.headers["Content-Type"]) == (PNG, "image/png")
    assert upload(manager, PNG + b"1").status_code == 302 and ClinicLogo.objects.count() == 1
    assert manager.post("/settings/logo/", {"remove": "yes"}).status_code == 302
    assert not ClinicLogo.objects.exists() and "/logo/" not in reader.get(bill.get_absolute_url()).content.decode()
    assert AuditEntry.objects.filter(object_type="clinicsettings").count() == 4
    assert roles_that_may(client_of, "/settings/") == [Role.MANAGER]


@pytest.mark.parametrize("content", [b"<svg/>", b"%PDF-1.4", PNG + b"0" * ClinicLogo.MAX_BYTES, b""])
def test_what_is_no_small_picture_is_refused(as_manager: Client, content: bytes) -> None:
    upload(as_manager, content)
    assert not ClinicLogo.objects.exists() and not ClinicSettings.objects.exists()
