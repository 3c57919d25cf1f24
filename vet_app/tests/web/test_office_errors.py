"""What people see when something is wrong."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, Callable

import pytest
from django.db import OperationalError
from django.test import Client

from web.views import owners


def broken(problem: Exception) -> Callable[..., Any]:
    def view(*_args: Any, **_kwargs: Any) -> Any:
        raise problem

    return view


def test_a_page_that_is_not_there_and_a_right_that_is_missing(client_of: Callable[[str], Client]) -> None:
    client = client_of("reception")
    missing = client.get("/no/such/page/")
    assert missing.status_code == 404 and "There is no such page" in missing.content.decode()
    refused = client.get("/audit/")
    assert refused.status_code == 403 and "Please ask a manager" in refused.content.decode()
    assert 'aria-label="Clinic"' in refused.content.decode(), "the way on must be there"
    outside = Client().get("/no/such/page/")
    assert outside.status_code == 404 and "search box" not in outside.content.decode()


def test_a_form_from_another_session_is_refused_with_what_to_do(db: None) -> None:
    page = Client(enforce_csrf_checks=True).post("/login/", {"username": "a", "password": "b"})
    assert page.status_code == 403 and "send it again" in page.content.decode()


HUGE = "9" * 30


@pytest.mark.parametrize(
    "address",
    [
        f"/pets/{HUGE}/", f"/appointments/new/?pet={HUGE}", f"/appointments/new/?owner={HUGE}",
        f"/appointments/new/?vet={HUGE}", "/appointments/new/?vet=²&pet=²&owner=²",
        "/appointments/new/?date=9999-12-31",
        f"/appointments/new/?day=2030-01-01&vet=VET&minutes={HUGE}", "/calendar/?date=0001-01-01",
        "/calendar/?date=9999-12-31", "/reminders/?until=9999-12-31", "/audit/?since=0001-01-01&until=9999-12-31",
        f"/invoices/?page={HUGE}", f"/owners/OWNER/merge/?with={HUGE}", "/owners/OWNER/merge/?with=²",
        f"/owners/OWNER/invoices/new/?pet={HUGE}", "/owners/OWNER/invoices/new/?pet=²",
        f"/pets/PET/visits/new/?appointment={HUGE}", f"/pets/PET/vaccinations/new/?visit={HUGE}", f"/search/?q={HUGE}",
    ],
)  # fmt: skip
def test_numbers_and_days_beyond_all_records_are_not_a_server_error(
    clinic: SimpleNamespace, as_manager: Client, address: str
) -> None:
    """The test's client raises what would be a page of status 500."""
    for word, row in (("VET", clinic.vet), ("OWNER", clinic.owner), ("PET", clinic.pet)):
        address = address.replace(word, str(row.pk))
    live: Any = {"HTTP_HX_REQUEST": "true"} if "minutes" in address else {}
    assert as_manager.get(address, **live).status_code in (200, 404, 422)


def test_nonsense_in_the_address_is_not_a_server_error(as_manager: Client) -> None:
    page = as_manager.get("/owners/", HTTP_HOST="bad host")
    assert page.status_code == 400 and "We could not read that request" in page.content.decode()


@pytest.mark.parametrize(
    ("problem", "status", "sentence"),
    [
        (RuntimeError("secret detail"), 500, "Something went wrong here"),
        (OperationalError("secret detail"), 503, "cannot be reached"),
    ],
)
def test_a_fault_tells_people_what_to_do_and_nothing_of_the_inside(
    clinic: SimpleNamespace, client_of: Any, monkeypatch: Any, problem: Exception, status: int, sentence: str
) -> None:
    monkeypatch.setattr(owners, "paged", broken(problem))
    client = client_of("manager")
    client.raise_request_exception = False
    page = client.get("/owners/", HTTP_X_REQUEST_ID="call-me-4711")
    text = page.content.decode()
    assert page.status_code == status and sentence in text and "secret detail" not in text
    assert ("call-me-4711" in text) is (status == 500)
    assert page.headers.get("Retry-After") == ("30" if status == 503 else None)


def test_the_page_of_a_fault_asks_nothing_of_the_database(
    as_manager: Client, monkeypatch: Any, django_assert_num_queries: Any
) -> None:
    monkeypatch.setattr(owners, "owners", broken(OperationalError("away")))
    as_manager.raise_request_exception = False
    from web.views.errors import server_error

    with django_assert_num_queries(0):
        assert b"Something went wrong" in server_error(SimpleNamespace(request_id="x")).content  # type: ignore[arg-type]
