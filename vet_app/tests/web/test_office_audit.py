"""Reading the audit trail."""

from __future__ import annotations

from datetime import timedelta
from types import SimpleNamespace
from typing import Any, Callable

import pytest
from django.test import Client
from django.utils import timezone

from clinic.services.owners import create_owner, update_owner
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
    ("query", "found"),
    [
        ("actor=test-man", True), ("actor=nobody", False), ("kind=owner", True), ("kind=visit", False),
        ("action=create", True), ("action=void", False), ("number=999999", False),
    ],
)  # fmt: skip
def test_filters(clinic: SimpleNamespace, as_manager: Client, query: str, found: bool) -> None:
    page = as_manager.get(f"/audit/?{query}").content.decode()
    assert ("Müller, Maren" in page) is found
    assert ("No entry fits" in page) is not found


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
