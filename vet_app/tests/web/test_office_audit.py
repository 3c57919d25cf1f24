"""Reading the audit trail."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from datetime import timezone as fixed_zone
from decimal import Decimal
from types import SimpleNamespace
from typing import Any, Callable

import pytest
from django.test import Client
from django.utils import timezone

from accounts.roles import Role
from audit.models import AuditEntry
from clinic.models import Product
from clinic.services import billing, payments
from clinic.services.booking import book
from clinic.services.catalogue import save_entry
from clinic.services.owners import PhoneNumber, create_owner, update_owner
from clinic.services.pets import create_pet, transfer_pet
from tests.web.conftest import beside, roles_that_may


def test_only_managers_read_it(client_of: Callable[[str], Client]) -> None:
    assert roles_that_may(client_of, "/audit/") == ["manager"]
    assert client_of("manager").post("/audit/").status_code == 405


def test_a_change_is_told_in_the_clinics_words(clinic: SimpleNamespace, as_manager: Client) -> None:
    update_owner(clinic.actor, clinic.owner.pk, clinic.owner.version, {"reminder_consent": False, "email": ""})
    page = as_manager.get("/audit/?action=update").content.decode()
    assert "Agrees to reminders" in page and "maren@example.com" in page and ">yes<" in page
    assert f'href="/owners/{clinic.owner.pk}/"' in page and "test-manager" in page


@pytest.mark.parametrize(
    ("query", "match"),
    [
        ("actor=test-man", True), ("actor=nobody", False), ("kind=owner", True), ("kind=visit", False),
        ("action=create", True), ("action=void", False), ("number=999999", False),
    ],
)  # fmt: skip
def test_filters(clinic: SimpleNamespace, as_manager: Client, query: str, match: bool) -> None:
    page = as_manager.get(f"/audit/?{query}").content.decode()
    assert ("Müller, Maren" in page) is match
    assert ("No entry matches" in page) is not match


def test_days_are_the_clinics_own(clinic: SimpleNamespace, as_manager: Client) -> None:
    today, tomorrow = timezone.localdate(), timezone.localdate() + timedelta(days=1)
    assert "Maren" in as_manager.get(f"/audit/?since={today}&until={today}").content.decode()
    assert "Maren" not in as_manager.get(f"/audit/?since={tomorrow}").content.decode()


def test_a_filter_that_cannot_be_read_is_refused_beside_its_field(as_manager: Client) -> None:
    page = as_manager.get("/audit/?since=yesterday&kind=dragon")
    assert page.status_code == 422 and "valid date" in beside(page, "since") and "valid choice" in beside(page, "kind")


def test_pages_keep_the_filter_and_cost_a_few_queries(
    clinic: SimpleNamespace, as_manager: Client, django_assert_max_num_queries: Any
) -> None:
    for number in range(45):
        create_owner(clinic.actor, {"last_name": f"Many {number:02d}"}, [])
    with django_assert_max_num_queries(5):
        page = as_manager.get("/audit/?kind=owner").content.decode()
    assert "Many 44" in page and "Many 03" not in page and "kind=owner&amp;page=2" in page
    assert "Many 03" in as_manager.get("/audit/?kind=owner&page=2").content.decode()


def test_an_entry_of_any_shape_is_shown(clinic: SimpleNamespace, as_manager: Client) -> None:
    as_manager.get("/exchange/clients.csv")
    page = as_manager.get("/audit/?kind=export").content.decode()
    assert "clients.csv" in page and "Exported" in page


def words(page: Any) -> str:
    """The text of a page, without its tags."""
    return re.sub(r"\s+", " ", re.sub(r"<[^>]*>", " ", page.content.decode()))


def test_times_are_the_clinics_own_and_as_the_language_writes_them(
    clinic: SimpleNamespace, as_manager: Client, settings: Any
) -> None:
    begin = datetime(2030, 7, 5, 12, 0, tzinfo=fixed_zone.utc)
    settings.TIME_ZONE = "America/New_York"
    book(clinic.actor, clinic.vet.pk, begin, begin + timedelta(minutes=30), {"pet": clinic.pet})
    page = as_manager.get("/audit/?kind=appointment")
    assert "Starts: 07/05/2030 08:00" in words(page) and "2030-07-05T" not in words(page)
    assert "2030-07-05 08:00 Dr Test" in words(page), "the record's own name has the clinic's clock as well"
    german = words(as_manager.get("/audit/?kind=appointment", HTTP_ACCEPT_LANGUAGE="de"))
    assert "05.07.2030 08:00" in german


def test_money_numbers_and_dates_are_as_the_language_writes_them(clinic: SimpleNamespace, as_manager: Client) -> None:
    line = billing.Line(product=clinic.product, quantity=Decimal(1500))
    draft = billing.draft_invoice(clinic.actor, clinic.owner.pk, [line])
    issued = billing.issue_invoice(clinic.actor, draft.pk, draft.version)
    payments.take_payment(clinic.actor, issued.pk, issued.total, "cash")
    save_entry(clinic.actor, Product, clinic.product.pk, 1, {"unit_price": "1234.5", "tax_rate": "19.00"})
    bills = words(as_manager.get("/audit/?kind=invoice"))
    assert "Total: $0.00 became → $16,500.00" in bills and "Status: Draft became → Unpaid" in bills
    assert f"Bill: {issued.number:06d}" in words(as_manager.get("/audit/?kind=payment"))
    assert "1.234,50 $" in words(as_manager.get("/audit/?kind=product", HTTP_ACCEPT_LANGUAGE="de"))
    assert "Tax (%): 10 became → 19" in words(as_manager.get("/audit/?kind=product"))


def test_other_records_are_named_and_linked_in_few_queries(
    clinic: SimpleNamespace, as_manager: Client, django_assert_max_num_queries: Any
) -> None:
    heir = create_owner(clinic.actor, {"last_name": "Heir", "first_name": "Ada"})
    for number in range(12):
        pet = create_pet(clinic.actor, clinic.owner.pk, {"name": f"Pup {number}", "species": clinic.species})
        transfer_pet(clinic.actor, pet.pk, pet.version, heir.pk)
    with django_assert_max_num_queries(7):
        page = as_manager.get("/audit/?kind=pet")
    assert "Owner: Müller, Maren became → Heir, Ada" in words(page) and "Species: Dog" in words(page)
    assert f'<a href="/owners/{heir.pk}/">Heir, Ada</a>' in page.content.decode()


def test_what_is_no_field_is_told_in_words(clinic: SimpleNamespace, as_manager: Client, actor_with: Any) -> None:
    actor_with(Role.VET)
    update_owner(clinic.actor, clinic.owner.pk, 1, {}, [PhoneNumber("555-0199", "home")])
    assert "Telephone numbers: +1 555-0142 became → 555-0199" in words(as_manager.get("/audit/?kind=owner"))
    AuditEntry.objects.create(actor="x", action="merge", object_type="owner", object_id="1", object_text="Old",
                              changes={"duplicate": [None, clinic.owner.pk], "moved": [None, {"pets": 2}],
                                       "made_up": [None, [1, "2"]]})  # fmt: skip
    text = words(as_manager.get("/audit/?action=merge"))
    assert "Duplicate: Müller, Maren" in text and "Moved: Pets: 2" in text and "Made up: 1, 2" in text
    gone = AuditEntry.objects.create(actor="x", action="void", object_type="pet", object_id="1", object_text="Old",
                                     changes={"owner": [None, 987654]})  # fmt: skip
    assert "no. 987654" in words(as_manager.get(f"/audit/?action=void&actor={gone.actor}"))


def test_the_filter_offers_what_the_trail_tells_of(clinic: SimpleNamespace, as_manager: Client) -> None:
    page = as_manager.get("/audit/", HTTP_ACCEPT_LANGUAGE="de").content.decode()
    offered = set(re.findall(r'<option value="([a-z]+)"', page.partition('name="kind"')[2].partition("</select>")[0]))
    assert {"owner", "pet", "visit", "invoice", "user", "export"} <= offered
    assert not offered & {"invoicecounter", "phone", "reminderrun"}, offered
