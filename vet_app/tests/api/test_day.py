"""A day at the clinic through the API: each step by the services, with their refusals."""

from __future__ import annotations

from datetime import date, timedelta
from types import SimpleNamespace
from typing import Any

from django.utils import timezone

from audit.models import AuditEntry
from tests.conftest import at


def booking(clinic: SimpleNamespace, start: int = 0, **more: Any) -> Any:
    times = {"starts_at": at(start).isoformat(), "ends_at": at(start + 30).isoformat()}
    return {"vet_id": clinic.vet.pk, "pet_id": clinic.pet.pk, **times, **more}


def test_owners_are_created_changed_and_found(call: Any, clinic: SimpleNamespace) -> None:
    given = {"first_name": "Ada", "last_name": "Vale", "phones": [{"number": "+44 7700 900123", "label": "mobile"}]}
    owner = call("POST", "/owners", given, 201)
    assert call("GET", "/search?q=07700900123")["owners"][0]["id"] == owner["id"]
    changed = call("PATCH", f"/owners/{owner['id']}", {"version": owner["version"], "last_name": "Dale"})
    assert (changed["last_name"], changed["first_name"], changed["phones"][0]["label"]) == ("Dale", "Ada", "mobile")
    stale = call("PATCH", f"/owners/{owner['id']}", {"version": owner["version"], "last_name": "Gale"}, 409)
    assert stale["code"] == "changed"


def test_a_possible_duplicate_is_refused_until_it_is_allowed(call: Any, clinic: SimpleNamespace) -> None:
    twin = {"first_name": "maren", "last_name": "MULLER"}
    refused = call("POST", "/owners", twin, 409)
    assert (refused["code"], f"id {clinic.owner.pk}" in refused["detail"]) == ("possible_duplicate", True)
    assert call("POST", "/owners", {**twin, "allow_duplicate": True}, 201)["id"] != clinic.owner.pk


def test_pets_are_created_changed_handed_over_and_die(call: Any, clinic: SimpleNamespace) -> None:
    new = {"owner_id": clinic.owner.pk, "name": "Clove", "species_id": clinic.species.pk}
    pet = call("POST", "/pets", new, 201)
    assert (pet["species"]["name"], pet["sex"]) == ("Dog", "unknown")
    pet = call("PATCH", f"/pets/{pet['id']}", {"version": pet["version"], "alert": "Bites", "breed_id": None})
    assert pet["alert"] == "Bites"
    other = call("POST", "/owners", {"last_name": "Dale"}, 201)
    pet = call("POST", f"/pets/{pet['id']}/transfer", {"version": pet["version"], "owner_id": other["id"]})
    assert [each["id"] for each in call("GET", f"/pets?owner_id={other['id']}")["items"]] == [pet["id"]]
    dead = call("POST", f"/pets/{pet['id']}/death", {"version": pet["version"], "on": date(2024, 5, 1)})
    alive = call("POST", f"/pets/{pet['id']}/death", {"version": dead["version"], "on": None})
    assert alive["deceased_on"] is None
    assert dead["deceased_on"] == "2024-05-01"


def test_booking_outside_of_hours_is_told(call: Any, clinic: SimpleNamespace) -> None:
    """It is booked all the same, as on the pages; those ask once more."""
    assert call("POST", "/appointments", booking(clinic), 201)["warnings"] == []
    night = at(12 * 60)
    appointment = call("POST", "/appointments", booking(clinic, 12 * 60), 201)
    assert appointment["starts_at"].startswith(f"{night:%Y-%m-%dT%H}") and "closed" in appointment["warnings"][0]
    move = {"version": appointment["version"], "starts_at": at(60).isoformat(), "ends_at": at(90).isoformat()}
    assert call("POST", f"/appointments/{appointment['id']}/move", move)["warnings"] == []


def test_booking_refuses_an_overlap_unless_a_reason_is_given(call: Any, clinic: SimpleNamespace) -> None:
    call("POST", "/appointments", booking(clinic), 201)
    refused = call("POST", "/appointments", booking(clinic, 15), 409)
    assert (refused["code"], "Biscuit" in refused["detail"]) == ("slot_taken", True)
    second = call("POST", "/appointments", booking(clinic, 15, override_reason="Emergency"), 201)
    assert (second["overbooked"], second["overbook_reason"]) == (True, "Emergency")
    assert AuditEntry.objects.get(action="overbook").actor == "test-manager"
    day = call("GET", f"/appointments?on={at(0).date()}&vet_id={clinic.vet.pk}")
    assert (day["count"], [item["id"] for item in day["items"]][1]) == (2, second["id"])


def test_an_appointment_goes_through_the_waiting_room(call: Any, clinic: SimpleNamespace) -> None:
    item = call("POST", "/appointments", booking(clinic), 201)
    path = f"/appointments/{item['id']}"
    item = call("PATCH", path, {"version": item["version"], "reason": "limps"})
    start, end = at(60).isoformat(), at(90).isoformat()
    item = call("POST", f"{path}/move", {"version": item["version"], "starts_at": start, "ends_at": end})
    item = call("POST", f"{path}/status", {"version": item["version"], "status": "arrived"})
    waiting = call("GET", f"/appointments/waiting-room?on={at(0).date()}")
    assert [(each["id"], each["reason"]) for each in waiting["items"]] == [(item["id"], "limps")]
    assert call("POST", f"{path}/status", {"version": item["version"], "status": "no_show"}, 409)["code"] == "conflict"
    free = call("GET", f"/appointments/free-times?vet_id={clinic.vet.pk}&on={at(0).date()}&minutes=30")
    assert at(30).isoformat().replace("+00:00", "Z") in free
    assert at(60).isoformat().replace("+00:00", "Z") not in free


def test_a_visit_is_written_locked_and_amended(call: Any, clinic: SimpleNamespace) -> None:
    new = {"pet_id": clinic.pet.pk, "vet_id": clinic.vet.pk, "weight_kg": "12.4", "subjective": "Limps"}
    visit = call("POST", "/visits", new, 201)
    path = f"/visits/{visit['id']}"
    wrong = call("POST", "/visits", new, 201)
    wrong = call("POST", f"/visits/{wrong['id']}/entered-in-error", {"version": wrong["version"], "reason": "twice"})
    assert (wrong["entered_in_error"], wrong["error_reason"]) == (True, "twice")
    assert call("POST", f"{path}/amendments", {"text": "early"}, 409)["code"] == "conflict"
    visit = call("PATCH", path, {"version": visit["version"], "plan": "Rest"})
    visit = call("POST", f"{path}/lock", {"version": visit["version"]})
    assert call("PATCH", path, {"version": visit["version"], "plan": "Run"}, 409)["code"] == "locked"
    assert call("POST", f"{path}/amendments", {"text": "Better"}, 201)["author"] == "test-manager"
    row = next(each for each in call("GET", f"/visits?pet_id={clinic.pet.pk}")["items"] if each["id"] == visit["id"])
    assert (row["plan"], row["weight_kg"], row["amendments"][0]["text"]) == ("Rest", "12.400", "Better")


def test_a_vaccination_brings_its_reminder(call: Any, clinic: SimpleNamespace) -> None:
    today = timezone.localdate()
    new = {"pet_id": clinic.pet.pk, "vaccine_id": clinic.vaccine.pk, "given_on": today - timedelta(days=360)}
    refused = call("POST", "/vaccinations", new, 422)
    assert set(refused["errors"]) == {"vet", "lot"}
    vaccination = call("POST", "/vaccinations", {**new, "vet_id": clinic.vet.pk, "lot": "L1"}, 201)
    (due,) = call("GET", "/reminders")["items"]
    assert (due["vaccination_id"], due["owner_id"]) == (vaccination["id"], clinic.owner.pk)
    path = f"/vaccinations/{vaccination['id']}"
    vaccination = call(
        "POST", f"{path}/due-date", {"version": vaccination["version"], "due_on": today + timedelta(days=60)}
    )
    assert call("GET", "/reminders")["count"] == 0
    assert call("GET", f"/reminders?until={today + timedelta(days=60)}")["count"] == 1
    call("POST", f"{path}/entered-in-error", {"version": vaccination["version"], "reason": "wrong pet"})
    history = call("GET", f"/pets/{clinic.pet.pk}/history")
    assert (history["vaccinations"][0]["entered_in_error"], history["reminders"]) == (True, [])


def test_an_invoice_from_draft_to_payment_credit_and_refund(call: Any, clinic: SimpleNamespace) -> None:
    line = {"product_id": clinic.product.pk, "pet_id": clinic.pet.pk, "quantity": "2"}
    draft = call("POST", "/invoices", {"owner_id": clinic.owner.pk, "lines": [line]}, 201)
    path = f"/invoices/{draft['id']}"
    assert (draft["total"], draft["number"], draft["amount_due"]) == ("22.00", None, "0")
    draft = call("PUT", f"{path}/lines", {"version": draft["version"], "lines": [{**line, "quantity": "1"}]})
    bill = call("POST", f"{path}/issue", {"version": draft["version"]})
    assert (bill["number"], bill["amount_due"], bill["status"]) == (1, "11.00", "issued")
    assert call("PUT", f"{path}/lines", {"version": bill["version"], "lines": []}, 409)["code"] == "locked"
    assert "amount" in call("POST", f"{path}/payments", {"amount": "12.00"}, 422)["errors"]
    wrong = call("POST", f"{path}/payments", {"amount": "11.00"}, 201)
    call("POST", f"/invoices/payments/{wrong['id']}/reversal", {"reason": "it was cash"}, 201)
    call("POST", f"{path}/payments", {"amount": "11.00", "method": "cash"}, 201)
    bill = call("GET", path)
    assert call("POST", f"{path}/void", {"version": bill["version"], "reason": "x"}, 409)["code"] == "conflict"
    note = call("POST", f"{path}/credit", {"version": bill["version"], "reason": "returned"}, 201)
    assert (note["credit_of_id"], note["total"]) == (bill["id"], "-11.00")
    call("POST", f"{path}/refunds", {"amount": "11.00", "method": "cash"}, 201)
    assert call("GET", path)["amount_due"] == "0.00"
    assert call("GET", f"/invoices?owner_id={clinic.owner.pk}&status=issued")["count"] == 0


def test_a_draft_is_thrown_away_and_an_issued_one_voided(call: Any, clinic: SimpleNamespace) -> None:
    draft = call("POST", "/invoices", {"owner_id": clinic.owner.pk}, 201)
    assert set(call("POST", f"/invoices/{draft['id']}/issue", {"version": 1}, 422)["errors"]) == {"lines"}
    assert call("POST", f"/invoices/{draft['id']}/discard", {"version": draft["version"]}, 204) is None
    call("GET", f"/invoices/{draft['id']}", status=404)
    line = {"text": "Bath", "unit_price": "5"}
    bill = call("POST", "/invoices", {"owner_id": clinic.owner.pk, "lines": [line]}, 201)
    bill = call("POST", f"/invoices/{bill['id']}/issue", {"version": bill["version"]})
    void = call("POST", f"/invoices/{bill['id']}/void", {"version": bill["version"], "reason": "mistake"})
    assert (void["status"], void["number"]) == ("void", bill["number"])
