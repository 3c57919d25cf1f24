"""What the pages do, the API does: prescriptions, files, prices, export; and it takes nothing that it does not know."""

from __future__ import annotations

from decimal import Decimal
from types import SimpleNamespace
from typing import Any, Callable, Dict

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from audit.models import AuditEntry
from clinic.models import Attachment, Prescription, Product, Weighing
from clinic.services.visits import start_visit
from tests.api.conftest import Program

PDF = b"%PDF-1.4 sheet"


@pytest.fixture
def visit(clinic: SimpleNamespace) -> Any:
    return start_visit(clinic.actor, clinic.pet.pk, {"vet": clinic.vet})


def test_prescriptions(call: Program, clinic: SimpleNamespace, visit: Any, program: Callable[[str], Program]) -> None:
    drug = {"visit_id": visit.pk, "drug": "Meloxicam", "dose": "0.1 mg/kg", "quantity": "10", "unit": "ml",
            "instructions": "With food", "product_id": clinic.product.pk, "route": "by mouth", "duration": "5 days",
            "cautions": "Plenty of water", "withdrawal": "5 days"}  # fmt: skip
    prescription = call("POST", "/prescriptions", drug, 201)
    papers = {name: prescription[name] for name in ("route", "duration", "cautions", "withdrawal")}
    assert papers == {name: drug[name] for name in papers} and prescription["number"] == 1
    assert Prescription.objects.get().product == clinic.product
    assert call("GET", f"/prescriptions?pet_id={clinic.pet.pk}")["count"] == 1
    void = call("POST", f"/prescriptions/{prescription['id']}/void", {"reason": "Wrong dose"})
    assert void["void_reason"] == "Wrong dose" and void["voided_at"]
    call("POST", f"/prescriptions/{prescription['id']}/void", {"reason": "again"}, 409)
    program("technician")("POST", "/prescriptions", drug, 403)
    program("reception")("GET", "/prescriptions", status=403)


def test_files(call: Program, clinic: SimpleNamespace) -> None:
    answer = call.client.post(f"/api/v1/attachments?pet_id={clinic.pet.pk}", {"file": SimpleUploadedFile("a.pdf", PDF)})
    assert answer.status_code == 201, answer.content
    kept = Attachment.objects.get()
    content = call.client.get(f"/api/v1/attachments/{kept.pk}/content")
    assert content.content == PDF and content["Content-Disposition"].startswith("attachment")
    call("POST", f"/attachments/{kept.pk}/entered-in-error", {"reason": "another dog"})
    assert call("GET", f"/attachments?pet_id={clinic.pet.pk}")["items"][0]["entered_in_error"] is True
    wrong = call.client.post(
        f"/api/v1/attachments?pet_id={clinic.pet.pk}", {"file": SimpleUploadedFile("a.exe", b"MZ")}
    )
    assert wrong.status_code == 422 and "file" in wrong.json()["errors"]


def test_prices(call: Program, program: Callable[[str], Program]) -> None:
    new = {"code": "X1", "name": "X-ray", "unit_price": "80.00", "tax_rate": "19", "fee_code": "321"}
    response = call("POST", "/reference/products", new, 201)
    call("PATCH", f"/reference/products/{response['id']}", {"version": 1, "unit_price": "85.00"})
    product = Product.objects.get(code="X1")
    assert (response["fee_code"], product.fee_code) == ("321", "321")
    assert (product.unit_price, product.name, product.tax_rate) == (Decimal(85), "X-ray", Decimal(19))
    call("PATCH", f"/reference/products/{response['id']}", {"version": 1, "unit_price": "90.00"}, 409)
    call("POST", "/reference/products", new, 422)
    program("vet")("POST", "/reference/products", {**new, "code": "X2"}, 403)


def test_exports_are_files_and_in_the_trail(
    call: Program, clinic: SimpleNamespace, program: Callable[[str], Program]
) -> None:
    clients = b"".join(call.client.get("/api/v1/export/clients.csv"))
    assert "Müller".encode() in clients
    assert call.client.get("/api/v1/export/takings.csv?since=2026-01-01&until=2026-01-31").status_code == 200
    record = call.client.get(f"/api/v1/export/pets/{clinic.pet.pk}.zip")
    assert b"".join(record).startswith(b"PK")
    assert AuditEntry.objects.filter(action="export").count() == 3
    program("vet")("GET", "/export/clients.csv", status=403)
    program("readonly")("GET", f"/export/pets/{clinic.pet.pk}.zip", status=403)


def test_what_papers_say(call: Program, clinic: SimpleNamespace) -> None:
    given = {"pet_id": clinic.pet.pk, "vaccine_id": clinic.vaccine.pk, "vet_id": clinic.vet.pk,
             "given_on": "2026-01-05", "lot": "A1", "first_dose": True, "trade_name": "Fictovax R"}  # fmt: skip
    vaccination = call("POST", "/vaccinations", given, 201)
    assert (vaccination["first_dose"], vaccination["trade_name"]) == (True, "Fictovax R")
    line = {"product_id": clinic.product.pk, "fee_code": "321"}
    draft = call("POST", "/invoices", {"owner_id": clinic.owner.pk, "lines": [line], "diagnosis": "Otitis"}, 201)
    kept = call("PUT", f"/invoices/{draft['id']}/lines", {"version": draft["version"], "lines": [line]})
    assert kept["diagnosis"] == "Otitis", "left out is not taken away"
    other = {"version": kept["version"], "lines": [line], "diagnosis": "Otitis media"}
    assert call("PUT", f"/invoices/{draft['id']}/lines", other)["diagnosis"] == "Otitis media"


def test_weights(call: Program, clinic: SimpleNamespace) -> None:
    kept = call("POST", f"/pets/{clinic.pet.pk}/weights", {"weight_kg": "12.5"}, 201)
    call("POST", f"/pets/weights/{kept['id']}/entered-in-error", {"reason": "another dog"})
    assert Weighing.objects.get().entered_in_error and Weighing.objects.get().weight_kg == Decimal("12.5")
    assert call("GET", f"/pets/{clinic.pet.pk}/history")["weights"] == []


@pytest.mark.parametrize(
    ("path", "document", "field"),
    [
        ("/owners", {"last_name": "Vale", "surname": "Vale"}, "surname"),
        ("/owners", {"last_name": "Vale", "phones": [{"number": "555-0177", "kind": "mobile"}]}, "phones.0.kind"),
        ("/pets/1/death", {"version": 1, "on": "2026-01-01", "why": "age"}, "why"),
        ("/visits/1/lock", {"version": 1, "force": True}, "force"),
    ],
)  # fmt: skip
def test_a_field_that_nobody_knows_is_refused(call: Program, path: str, document: Dict[str, Any], field: str) -> None:
    assert field in call("POST", path, document, 422)["errors"]


@pytest.mark.parametrize("day", [0, 20260101, "1767225600", "2026-01-01T00:00:00Z", "01.02.2026", "2026-02-30", True])
def test_days_are_written_as_days(call: Program, clinic: SimpleNamespace, day: Any) -> None:
    assert "on" in call("POST", f"/pets/{clinic.pet.pk}/death", {"version": 1, "on": day}, 422)["errors"]


@pytest.mark.parametrize("at", [1767225600, "1767225600", "2030-03-05", "2030-03-05T09:00:00", "2030-03-05 09:00:00Z"])
def test_times_are_written_with_their_offset(call: Program, clinic: SimpleNamespace, at: Any) -> None:
    wrong = {"vet_id": clinic.vet.pk, "pet_id": clinic.pet.pk, "starts_at": at}
    assert "starts_at" in call("POST", "/appointments", wrong, 422)["errors"]


def test_an_appointment_without_an_end_takes_the_usual_length(call: Program, clinic: SimpleNamespace) -> None:
    given = {"vet_id": clinic.vet.pk, "pet_id": clinic.pet.pk, "starts_at": "2030-03-05T09:00:00Z"}
    appointment = call("POST", "/appointments", given, 201)
    assert appointment["ends_at"].startswith("2030-03-05T09:15:00"), appointment["ends_at"]
