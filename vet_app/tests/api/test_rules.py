"""Who may use the API, how it refuses, and its document."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from django.db import OperationalError, connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from accounts.models import User
from api.access import THROTTLE
from api.application import api
from audit.models import AuditEntry
from clinic.demo.loader import load_people
from clinic.models import Owner
from tests.api.conftest import Program

DOCUMENT = Path(__file__).resolve().parents[2] / "api" / "openapi.json"
READS = ["/owners", "/pets", "/invoices", "/reminders", "/search?q=a", "/reference/me", "/reference/vets"]


@pytest.mark.parametrize("path", [*READS, "/visits", "/openapi.json"])
def test_strangers_get_401(db: None, path: str) -> None:
    for secret in ("", "vet_guessed"):
        assert Program(secret)("GET", path, status=401)["title"] == "Unauthorized"


def test_the_document_and_its_page_are_for_people_of_the_clinic(call: Any, clinic: SimpleNamespace) -> None:
    stranger = Client().get("/api/v1/docs", headers={"Accept": "text/html"})
    assert stranger["Location"].startswith("/login/")
    assert call("GET", "/openapi.json")["info"]["title"] == "Veterinary practice"
    client = Client()
    client.force_login(User.objects.get(pk=clinic.actor.user_id))
    page = client.get("/api/v1/docs")
    assert page.status_code == 200
    assert b"//" not in page.content.replace(b"/api/v1//", b""), "the page must load nothing from elsewhere"
    assert "script-src 'self'" in page["Content-Security-Policy"]


def test_roles_decide(program: Any, clinic: SimpleNamespace) -> None:
    reader, desk, vet = program("readonly"), program("reception"), program("vet")
    for path in READS:
        reader("GET", path)
    assert "manager" in reader("POST", "/owners", {"last_name": "Vale"}, 403)["detail"]
    desk("GET", "/visits", status=403)
    vet("GET", "/visits")
    visit = {"pet_id": clinic.pet.pk, "vet_id": clinic.vet.pk, "subjective": "secret"}
    desk("POST", "/visits", visit, 403)
    vet("POST", "/visits", visit, 201)
    assert desk("GET", f"/pets/{clinic.pet.pk}/history")["visits"] == [], "reception must not read notes"
    assert vet("GET", f"/pets/{clinic.pet.pk}/history")["visits"][0]["subjective"] == "secret"
    draft = vet("POST", "/invoices", {"owner_id": clinic.owner.pk, "lines": [{"text": "a", "unit_price": 1}]}, 201)
    vet("POST", f"/invoices/{draft['id']}/issue", {"version": draft["version"]}, 403)
    desk("POST", f"/invoices/{draft['id']}/issue", {"version": draft["version"]})
    assert "billing" in desk("GET", "/reference/me")["rights"]


def test_a_session_serves_as_well_but_only_with_its_csrf_token(clinic: SimpleNamespace) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(User.objects.get(pk=clinic.actor.user_id))
    assert client.get("/api/v1/owners").status_code == 200
    refused = client.post("/api/v1/owners", {"last_name": "Vale"}, content_type="application/json")
    assert (refused.status_code, refused["Content-Type"]) == (403, "application/problem+json")
    assert Owner.objects.count() == 1


def test_changes_are_in_the_audit_trail_with_the_request(call: Any) -> None:
    owner = call("POST", "/owners", {"last_name": "Vale"}, 201, **{"X-Request-ID": "laboratory-1"})
    entry = AuditEntry.objects.get(object_type="owner", object_id=str(owner["id"]))
    assert (entry.actor, entry.request_id, entry.ip) == ("test-manager", "laboratory-1", "127.0.0.1")


@pytest.mark.parametrize(
    ("method", "path", "document", "named"),
    [
        ("POST", "/owners", {}, "last_name"),
        ("POST", "/owners", {"last_name": ""}, "last_name"),
        ("POST", "/owners", {"last_name": "a\x00b"}, "last_name"),
        ("POST", "/owners", {"last_name": "x" * 81}, "last_name"),
        ("POST", "/owners", {"last_name": "a", "email": "nobody"}, "email"),
        ("POST", "/owners", {"last_name": "a", "phones": [{"number": "ab"}]}, "phones"),
        ("POST", "/owners", {"last_name": "a", "phones": [{}]}, "phones.0.number"),
        ("POST", "/pets", {"owner_id": 10**9, "name": "a", "species_id": 1}, "owner"),
        ("POST", "/pets", {"owner_id": "OWNER", "name": "a", "species_id": 10**9}, "species"),
        ("POST", "/pets", {"owner_id": "OWNER", "name": "a", "species_id": 2**63}, "species_id"),
        ("POST", "/appointments", {"vet_id": 1, "starts_at": "2030-01-01T09:00", "ends_at": 5}, "starts_at"),
        ("GET", "/appointments?on=9999-01-01", None, "on"),
        ("GET", "/appointments?on=2030-01-01&vet_id=999999", None, "vet_id"),
        ("GET", "/owners?limit=101", None, "limit"),
        ("GET", "/owners?offset=99999999999999999999", None, "offset"),
        ("GET", "/owners/abc", None, "owner_id"),
        ("GET", "/search", None, "q"),
        ("POST", "/invoices", {"owner_id": "OWNER", "lines": [{"text": "a"}]}, "lines"),
        ("POST", "/invoices", {"owner_id": "OWNER", "lines": [{"quantity": "NaN"}]}, "lines.0.quantity"),
    ],
)
def test_wrong_values_are_named(
    call: Any, clinic: SimpleNamespace, method: str, path: str, document: Any, named: str
) -> None:
    if document and document.get("owner_id") == "OWNER":
        document = {**document, "owner_id": clinic.owner.pk}
    problem = call(method, path, document, 422)
    assert named in problem["errors"], problem


def test_the_same_pet_is_recorded_twice_only_on_purpose(call: Any, clinic: SimpleNamespace) -> None:
    twin = {"owner_id": clinic.owner.pk, "name": "Biscuit", "species_id": clinic.species.pk}
    refusal = call("POST", "/pets", twin, 409)
    assert refusal["code"] == "recorded_already" and str(clinic.pet.pk) in refusal["detail"]
    assert call("POST", "/pets", {**twin, "another": True}, 201)["id"] != clinic.pet.pk


def test_a_taken_microchip_is_told_in_a_sentence(call: Any, clinic: SimpleNamespace) -> None:
    twin = {"owner_id": clinic.owner.pk, "name": "Twin", "species_id": clinic.species.pk,
            "microchip": "900 000 000 000 101"}  # fmt: skip
    errors = call("POST", "/pets", twin, 422)["errors"]
    assert (
        list(errors) == ["microchip"]
        and "Biscuit" in errors["microchip"][0]
        and "onstraint" not in errors["microchip"][0]
    )


def test_what_is_not_there_and_what_is_not_json(call: Any) -> None:
    for path in ("/owners/999999", "/no/such/route", "/pets/999999/history"):
        call("GET", path, status=404)
    call("DELETE", "/owners", status=405)
    answer = call.client.post("/api/v1/owners", "{", content_type="application/json")
    assert (answer.status_code, answer["Content-Type"]) == (400, "application/problem+json")


def test_lists_come_in_parts(call: Any, clinic: SimpleNamespace) -> None:
    for number in range(5):
        call("POST", "/owners", {"last_name": f"A{number}"}, 201)
    part = call("GET", "/owners?limit=2&offset=1")
    assert (part["count"], [owner["last_name"] for owner in part["items"]]) == (6, ["A1", "A2"])


def test_longer_lists_take_no_more_queries(program: Any) -> None:
    load_people()
    call = program("manager")
    for path in ("/owners", "/pets", "/invoices", "/visits", "/vaccinations", "/reference/species"):
        counts = []
        for limit in (1, 100):
            with CaptureQueriesContext(connection) as taken:
                call("GET", f"{path}?limit={limit}")
            counts.append(len(taken))
        assert counts[0] >= counts[1] - 1, f"{path} takes {counts} queries for 1 and many records"


def test_too_many_requests_are_told_to_wait(call: Any, monkeypatch: Any) -> None:
    monkeypatch.setattr(THROTTLE, "num_requests", 3)
    for _try in range(3):
        call("GET", "/reference/me")
    call("GET", "/reference/me", status=429)
    answer = call.client.get("/api/v1/reference/me")
    assert 0 < int(answer["Retry-After"]) <= 60


def test_a_busy_database_is_no_crash(call: Any) -> None:
    def busy(execute: Any, sql: str, *arguments: Any) -> Any:
        if "clinic_owner" in sql:
            raise OperationalError("canceling statement due to lock timeout")
        return execute(sql, *arguments)

    with connection.execute_wrapper(busy):
        assert call("GET", "/owners", status=503)["code"] == "busy"


def test_a_crash_is_a_problem_document_without_the_inner_state(call: Any, monkeypatch: Any) -> None:
    def crash(*_arguments: Any) -> None:
        raise RuntimeError("inner state")

    monkeypatch.setattr("api.routes.search.search.search", crash)
    call.client.raise_request_exception = False
    assert "inner" not in json.dumps(call("GET", "/search?q=a", status=500))


def test_the_document_in_the_repository_is_fresh() -> None:
    schema = json.loads(json.dumps(api.get_openapi_schema(), default=str))
    assert schema == json.loads(DOCUMENT.read_text(encoding="utf-8")), "run `make openapi`"


def test_every_operation_is_described(db: None) -> None:
    for path, operations in api.get_openapi_schema()["paths"].items():
        for method, operation in operations.items():
            assert operation.get("description"), f"{method} {path} says nothing of itself"
            assert operation["security"], f"{method} {path} is open to strangers"
