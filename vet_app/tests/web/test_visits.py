"""The pages of visits: notes that lock, additions, prescriptions and files."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from types import SimpleNamespace
from typing import Any, Callable

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from audit.models import AuditEntry
from clinic.models import Attachment, Prescription, Visit, VisitAmendment
from clinic.services.booking import book, change_status
from clinic.services.prescriptions import prescribe, void_prescription
from clinic.services.visits import lock_visit, mark_entered_in_error, start_visit, update_visit
from tests.conftest import at
from tests.web.conftest import beside, roles_that_may
from vetclinic.errors import Locked

ClientOf = Callable[[str], Client]
DRUG = {
    "drug": "Meloxicam",
    "dose": "0.1 mg/kg",
    "quantity": "10",
    "unit": "ml",
    "refills": "1",
    "instructions": "With food",
}


def notes(clinic: SimpleNamespace, **changed: str) -> Any:
    return {"vet": clinic.vet.pk, "at": "2030-03-05T09:15", "weight_kg": "12.400", "temp_c": "38.6", **changed}


def test_who_may_open_what(client_of: ClientOf, clinic: SimpleNamespace, visit: Visit) -> None:
    assert roles_that_may(client_of, f"/visits/{visit.pk}/") == ["technician", "vet", "manager", "readonly"]
    measuring = ["technician", "vet", "manager"]
    for address, roles in {
        f"/visits/{visit.pk}/edit/": measuring,
        f"/pets/{clinic.pet.pk}/visits/new/": measuring,
        f"/visits/{visit.pk}/prescriptions/new/": ["vet", "manager"],
        f"/visits/{visit.pk}/lock/": ["vet", "manager"],
        f"/pets/{clinic.pet.pk}/attachments/new/": ["reception", *measuring],
        f"/pets/{clinic.pet.pk}/weigh/": ["reception", *measuring],
    }.items():
        assert roles_that_may(client_of, address) == roles, address


def test_a_visit_is_written_and_shown_in_the_clinics_zone(
    as_manager: Client, clinic: SimpleNamespace, settings: Any
) -> None:
    settings.TIME_ZONE = "America/New_York"
    answer = as_manager.post(f"/pets/{clinic.pet.pk}/visits/new/", notes(clinic, assessment="Kennel cough"))
    visit = Visit.objects.get()
    assert answer["Location"] == f"/visits/{visit.pk}/"
    assert visit.at == datetime(2030, 3, 5, 14, 15, tzinfo=timezone.utc)
    page = as_manager.get(answer["Location"]).content.decode()
    for shown in ("Biscuit", "Kennel cough", "12.4 kg", "38.6 °C", ", 09:15", "notes open"):
        assert shown in page, shown
    assert 'value="2030-03-05T09:15"' in as_manager.get(f"/visits/{visit.pk}/edit/").content.decode()


def test_a_visit_of_an_appointment_calls_the_patient_in_and_begins_once(
    as_manager: Client, clinic: SimpleNamespace
) -> None:
    booked = book(clinic.actor, clinic.vet.pk, at(0), at(30), {"pet": clinic.pet, "reason": "Cough"})
    change_status(clinic.actor, booked.pk, booked.version, "arrived")
    address = f"/pets/{clinic.pet.pk}/visits/new/?appointment={booked.pk}"
    form = as_manager.get(address).content.decode()
    assert "Cough" in form and f'<option value="{clinic.vet.pk}" selected>' in form
    as_manager.post(address, notes(clinic))
    booked.refresh_from_db()
    assert booked.status == "with_vet"
    assert as_manager.get(address)["Location"] == f"/visits/{booked.visit.pk}/"
    second = as_manager.post(address, notes(clinic))
    assert second.status_code == 409 and "started already" in second.content.decode()
    assert as_manager.get(f"/pets/{clinic.pet.pk}/visits/new/?appointment=999999").status_code == 404


@pytest.mark.parametrize(
    ("field", "value", "word"),
    [("vet", "", "required"), ("at", "soon", "valid date"), ("temp_c", "50", "45"), ("weight_kg", "0", "0.001"),
     ("heart_rate", "0", "1"), ("subjective", "a\x00b", "Null characters")],
)  # fmt: skip
def test_what_no_visit_can_hold_is_refused_beside_its_field(
    as_manager: Client, clinic: SimpleNamespace, field: str, value: str, word: str
) -> None:
    answer = as_manager.post(f"/pets/{clinic.pet.pk}/visits/new/", notes(clinic, plan="Rest", **{field: value}))
    assert answer.status_code == 422
    assert word in beside(answer, field)
    assert "Rest" in answer.content.decode(), "what was typed must not be lost"
    assert not Visit.objects.exists()


def test_a_change_that_is_based_on_an_old_version_is_refused_and_loses_nothing(
    as_manager: Client, clinic: SimpleNamespace, visit: Visit
) -> None:
    assert as_manager.post(f"/visits/{visit.pk}/edit/", notes(clinic, version="1", plan="First")).status_code == 302
    for version in ("1", ""):
        late = as_manager.post(f"/visits/{visit.pk}/edit/", notes(clinic, version=version, plan="Second"))
        assert late.status_code == 409
        assert "Somebody changed this record" in late.content.decode() and "Second" in late.content.decode()
    visit.refresh_from_db()
    assert visit.plan == "First"


def test_locked_notes_take_amendments_only(as_manager: Client, clinic: SimpleNamespace, visit: Visit) -> None:
    early = as_manager.post(f"/visits/{visit.pk}/amend/", {"text": "Too early"})
    assert early.status_code == 409
    assert as_manager.post(f"/visits/{visit.pk}/lock/", {"version": "9"}).status_code == 409
    assert as_manager.post(f"/visits/{visit.pk}/lock/", {"version": "1"}).status_code == 302
    assert as_manager.get(f"/visits/{visit.pk}/edit/").status_code == 409
    assert as_manager.post(f"/visits/{visit.pk}/edit/", notes(clinic, version="2")).status_code == 409
    empty = as_manager.post(f"/visits/{visit.pk}/amend/", {"text": " "})
    assert empty.status_code == 422 and "required" in beside(empty, "text")
    as_manager.post(f"/visits/{visit.pk}/amend/", {"text": "The owner called: better"})
    page = as_manager.get(f"/visits/{visit.pk}/").content.decode()
    assert "The owner called: better" in page and "test-manager" in page and "Write notes" not in page
    assert set(AuditEntry.objects.filter(object_id=visit.pk).values_list("action", flat=True)) >= {"lock", "amend"}


def test_a_reader_sees_no_buttons(client_of: ClientOf, visit: Visit) -> None:
    page = client_of("readonly").get(f"/visits/{visit.pk}/").content.decode()
    for words in ("Write notes", "Lock the notes", "Prescribe", "Vaccinate"):
        assert words not in page
    assert client_of("readonly").post(f"/visits/{visit.pk}/lock/", {"version": "1"}).status_code == 403


def test_a_prescription_has_a_label_until_it_is_void(as_manager: Client, visit: Visit) -> None:
    answer = as_manager.post(f"/visits/{visit.pk}/prescriptions/new/", DRUG)
    assert answer["Location"] == f"/visits/{visit.pk}/"
    prescription = Prescription.objects.get()
    label = as_manager.get(f"/prescriptions/{prescription.pk}/label/").content.decode()
    for shown in ("Biscuit", "Müller", "Meloxicam", "10 ml", "0.1 mg/kg", "With food", "1 refill"):
        assert shown in label, shown
    missing = as_manager.post(f"/prescriptions/{prescription.pk}/void/", {"reason": ""})
    assert missing.status_code == 422 and "required" in beside(missing, "reason")
    as_manager.post(f"/prescriptions/{prescription.pk}/void/", {"reason": "Wrong dose"})
    label = as_manager.get(f"/prescriptions/{prescription.pk}/label/").content.decode()
    assert "Wrong dose" in label and "data-print" not in label
    assert as_manager.post(f"/prescriptions/{prescription.pk}/void/", {"reason": "Again"}).status_code == 409


@pytest.mark.parametrize(("field", "value"), [("drug", ""), ("quantity", "0"), ("instructions", ""), ("refills", "-1")])
def test_a_prescription_that_cannot_be_is_refused(as_manager: Client, visit: Visit, field: str, value: str) -> None:
    answer = as_manager.post(f"/visits/{visit.pk}/prescriptions/new/", {**DRUG, field: value})
    assert answer.status_code == 422 and beside(answer, field)
    assert not Prescription.objects.exists()


def test_a_file_is_kept_and_always_saved_never_opened(as_manager: Client, client_of: ClientOf, visit: Visit) -> None:
    address = f"/pets/{visit.pet_id}/attachments/new/?visit={visit.pk}"
    file = SimpleUploadedFile("Röntgen.pdf", b"%PDF-1.4 picture", "text/html")
    assert as_manager.post(address, {"file": file})["Location"] == f"/visits/{visit.pk}/"
    kept = Attachment.objects.get()
    answer = as_manager.get(f"/attachments/{kept.pk}/")
    assert answer.content == b"%PDF-1.4 picture" and answer["Content-Type"] == "application/pdf"
    assert answer["Content-Disposition"].startswith("attachment") and answer["X-Content-Type-Options"] == "nosniff"
    assert client_of("reception").get(f"/attachments/{kept.pk}/").status_code == 200, "those who may add files see them"
    assert client_of("accountant").get(f"/attachments/{kept.pk}/").status_code == 403


@pytest.mark.parametrize(
    ("content", "word"), [(b"<html>", "Only PDF"), (b"%PDF-" + b"x" * 2_100_000, "larger than 2 MB"), (b"", "empty")]
)
def test_a_file_that_cannot_be_kept_is_refused_beside_its_field(
    as_manager: Client, clinic: SimpleNamespace, content: bytes, word: str
) -> None:
    file = SimpleUploadedFile("x.pdf", content)
    answer = as_manager.post(f"/pets/{clinic.pet.pk}/attachments/new/", {"file": file})
    assert answer.status_code == 422 and word in beside(answer, "file")


def test_a_full_visit_needs_few_queries(
    as_manager: Client, clinic: SimpleNamespace, visit: Visit, django_assert_max_num_queries: Any
) -> None:
    for _each in range(5):
        prescribe(clinic.actor, visit.pk, {**DRUG, "quantity": 1, "refills": 0})
    lock_visit(clinic.actor, visit.pk, 1)
    with django_assert_max_num_queries(10):
        as_manager.get(f"/visits/{visit.pk}/")


def test_an_open_visit_of_the_wrong_animal_is_taken_back(
    as_manager: Client, clinic: SimpleNamespace, visit: Visit, client_of: ClientOf
) -> None:
    """It stays readable, struck out; nothing can be added to it, and no other clinic gets to read it."""
    where = f"/visits/{visit.pk}/error/"
    assert roles_that_may(client_of, where) == ["vet", "manager"]
    assert "required" in beside(as_manager.post(where, {"version": visit.version}), "reason")
    assert as_manager.post(where, {"version": visit.version, "reason": "another dog"}).status_code == 302
    page = as_manager.get(f"/visits/{visit.pk}/").content.decode()
    assert "does not count: another dog" in page and "Write notes" not in page and "Lock the notes" not in page
    assert 'class="gone">Visit' in as_manager.get(f"/pets/{clinic.pet.pk}/").content.decode()
    assert "Notes for Biscuit are not locked" not in as_manager.get("/").content.decode()
    assert "Coughs since Monday" not in as_manager.get(f"/pets/{clinic.pet.pk}/record/").content.decode()
    for address in (f"/visits/{visit.pk}/edit/", f"/visits/{visit.pk}/error/"):
        assert as_manager.post(address, notes(clinic, version="2", reason="x")).status_code == 409, address
    drug = as_manager.post(f"/visits/{visit.pk}/prescriptions/new/", DRUG)
    assert drug.status_code == 409 and not Prescription.objects.exists()
    assert AuditEntry.objects.get(object_type="visit", action="void").changes["error_reason"] == ["", "another dog"]


def test_what_belongs_to_a_visit_is_taken_back_first_and_its_appointment_is_free_again(
    as_manager: Client, clinic: SimpleNamespace
) -> None:
    booked = book(clinic.actor, clinic.vet.pk, at(0), at(30), {"pet": clinic.pet})
    visit = start_visit(clinic.actor, clinic.pet.pk, {"vet": clinic.vet}, appointment_id=booked.pk)
    prescribe(clinic.actor, visit.pk, DRUG)
    page = as_manager.post(f"/visits/{visit.pk}/error/", {"version": visit.version, "reason": "x"})
    assert page.status_code == 409 and b"Mark the vaccinations of this visit" in page.content
    void_prescription(clinic.actor, Prescription.objects.get().pk, "x")
    as_manager.post(f"/visits/{visit.pk}/error/", {"version": visit.version, "reason": "x"})
    again = start_visit(clinic.actor, clinic.pet.pk, {"vet": clinic.vet}, appointment_id=booked.pk)
    assert again.appointment_id == booked.pk


def test_a_locked_visit_of_the_wrong_animal_is_struck_through_and_its_weight_is_gone(
    as_manager: Client, clinic: SimpleNamespace, visit: Visit
) -> None:
    visit = update_visit(clinic.actor, visit.pk, visit.version, {"weight_kg": "44.0"})
    closed = lock_visit(clinic.actor, visit.pk, visit.version)
    pet = f"/pets/{clinic.pet.pk}/"
    assert "44 kg</dd>" in as_manager.get(pet).content.decode()
    where = f"/visits/{visit.pk}/error/"
    assert as_manager.post(where, {"version": closed.version, "reason": "another dog"}).status_code == 302
    page = as_manager.get(f"/visits/{visit.pk}/").content.decode()
    assert 'class="columns struck"' in page and "another dog" in page and "Sign and add" not in page
    listed = as_manager.get(pet).content.decode()
    assert "44 kg</dd>" not in listed and "<s>44 kg</s>" in listed
    late = as_manager.post(f"/visits/{visit.pk}/amend/", {"text": "One more remark"})
    assert late.status_code == 409 and not VisitAmendment.objects.exists()
    visit.refresh_from_db()
    assert visit.is_locked and visit.subjective == "Coughs since Monday", "what was locked stays as it was"
    visit.plan = "Changed behind the lock"
    with pytest.raises(Locked):
        visit.save()
    with pytest.raises(Locked):
        visit.save(update_fields=["plan", "entered_in_error"])


def test_locking_asks_first(as_manager: Client, visit: Visit) -> None:
    where = f"/visits/{visit.pk}/lock/"
    page = as_manager.get(where).content.decode()
    assert "Lock the notes of this visit?" in page and "Biscuit" in page and "no notes yet" not in page
    visit.refresh_from_db()
    assert not visit.is_locked, "looking at the question locks nothing"


def test_the_history_has_the_days_of_the_clinics_clock(
    as_manager: Client, clinic: SimpleNamespace, settings: Any
) -> None:
    """Late in the evening it is tomorrow already at Greenwich."""
    settings.TIME_ZONE = "America/New_York"
    late = datetime(2030, 3, 6, 2, 30, tzinfo=timezone.utc)
    visit = start_visit(clinic.actor, clinic.pet.pk, {"vet": clinic.vet, "at": late})
    assert str(visit).endswith("2030-03-05")
    assert '<time datetime="2030-03-05">' in as_manager.get(f"/pets/{clinic.pet.pk}/").content.decode()


def test_whoever_examines_or_prescribes_sees_the_visit_and_the_weight_before(
    as_manager: Client, clinic: SimpleNamespace, visit: Visit
) -> None:
    """A dose follows the weight; what was taken back counts for nothing here as well."""
    assert b"Last weight" not in as_manager.get(f"/visits/{visit.pk}/edit/").content
    old = {"vet": clinic.vet, "weight_kg": "11.5", "assessment": "Otitis externa", "at": at(0) - timedelta(days=9000)}
    start_visit(clinic.actor, clinic.pet.pk, old)
    wrong = start_visit(clinic.actor, clinic.pet.pk, {"vet": clinic.vet, "weight_kg": "44", "assessment": "A mastiff"})
    mark_entered_in_error(clinic.actor, wrong.pk, wrong.version, "another dog")
    for address in (f"/pets/{clinic.pet.pk}/visits/new/", f"/visits/{visit.pk}/edit/",
                    f"/visits/{visit.pk}/prescriptions/new/"):  # fmt: skip
        page = as_manager.get(address).content.decode()
        assert "11.5 kg" in page and "mastiff" not in page and "44" not in page.partition("Last weight")[2][:60], (
            address
        )
    assert "Otitis externa" in as_manager.get(f"/visits/{visit.pk}/edit/").content.decode()
