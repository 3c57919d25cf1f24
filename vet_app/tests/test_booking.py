"""Appointments: no double booking without a recorded reason, on every way there is."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import date, time, timedelta
from threading import Barrier
from types import SimpleNamespace
from typing import Any, List, Tuple
from zoneinfo import ZoneInfo

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import IntegrityError, connection, transaction
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from audit.models import AuditEntry
from clinic.models import Appointment
from clinic.selectors import calendar
from clinic.services import booking
from tests.conftest import at, make_clinic
from vetclinic.errors import Changed, Conflict, SlotTaken

RACERS = 50


def book(clinic: SimpleNamespace, start: int, end: int, **options: Any) -> Appointment:
    return booking.book(clinic.actor, clinic.vet.pk, at(start), at(end), {"pet": clinic.pet}, **options)


def test_overlap_is_refused_and_names_the_clash(clinic: SimpleNamespace) -> None:
    book(clinic, 0, 30)
    with pytest.raises(SlotTaken, match="Biscuit"):
        book(clinic, 15, 45)
    assert Appointment.objects.count() == 1


def test_one_may_start_when_another_ends(clinic: SimpleNamespace) -> None:
    book(clinic, 0, 30)
    book(clinic, 30, 60)
    assert Appointment.objects.count() == 2


def test_override_needs_a_reason_and_is_audited(clinic: SimpleNamespace) -> None:
    book(clinic, 0, 30)
    with pytest.raises(SlotTaken):
        book(clinic, 0, 30, override_reason="   ")
    second = book(clinic, 0, 30, override_reason="Emergency")
    assert second.overbooked
    entry = AuditEntry.objects.get(action=AuditEntry.Action.OVERBOOK)
    assert (entry.object_id, entry.changes["reason"]) == (str(second.pk), [None, "Emergency"])


def test_override_without_a_clash_is_an_ordinary_booking(clinic: SimpleNamespace) -> None:
    assert not book(clinic, 0, 30, override_reason="Emergency").overbooked


def test_moving_obeys_the_same_rule_and_the_version(clinic: SimpleNamespace) -> None:
    book(clinic, 0, 30)
    later = book(clinic, 60, 90)
    with pytest.raises(SlotTaken):
        booking.move(clinic.actor, later.pk, later.version, at(15), at(45))
    moved = booking.move(clinic.actor, later.pk, later.version, at(30), at(60))
    with pytest.raises(Changed):
        booking.move(clinic.actor, later.pk, moved.version - 1, at(90), at(120))


def test_reviving_a_cancelled_appointment_needs_its_time(clinic: SimpleNamespace) -> None:
    first = book(clinic, 0, 30)
    booking.change_status(clinic.actor, first.pk, first.version, "cancelled")
    book(clinic, 0, 30)
    first.refresh_from_db()
    with pytest.raises(SlotTaken):
        booking.change_status(clinic.actor, first.pk, first.version, "booked")


def test_waiting_room_keeps_the_times_of_the_steps(clinic: SimpleNamespace) -> None:
    item = book(clinic, 0, 30)
    for status in ("arrived", "with_vet", "done"):
        item = booking.change_status(clinic.actor, item.pk, item.version, status)
    assert item.arrived_at and item.started_at and item.done_at
    back = booking.change_status(clinic.actor, item.pk, item.version, "with_vet")
    assert back.done_at is None and back.arrived_at == item.arrived_at
    with pytest.raises(Conflict, match="cannot go"):
        booking.change_status(clinic.actor, item.pk, back.version, "no_show")


def test_nonsense_is_refused_beside_its_field(clinic: SimpleNamespace) -> None:
    with pytest.raises(ValidationError) as problem:
        book(clinic, 30, 0)
    assert set(problem.value.message_dict) == {"ends_at"}
    with pytest.raises(ValidationError) as problem:
        booking.book(clinic.actor, clinic.vet.pk, at(0), at(30), {})
    assert set(problem.value.message_dict) == {"pet"}
    with pytest.raises(ValidationError) as problem:
        booking.book(clinic.actor, 10**6, at(0), at(30), {"pet": clinic.pet})
    assert set(problem.value.message_dict) == {"vet"}


def test_readers_may_not_book(clinic: SimpleNamespace, actor_with: Any) -> None:
    clinic.actor = actor_with("readonly")
    with pytest.raises(PermissionDenied):
        book(clinic, 0, 30)


spans = st.tuples(st.integers(0, 20), st.integers(1, 8)).map(lambda pair: (pair[0] * 15, (pair[0] + pair[1]) * 15))


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(wanted=st.lists(spans, max_size=8))
def test_the_calendar_never_overlaps(clinic: SimpleNamespace, wanted: List[Tuple[int, int]]) -> None:
    """Whatever is asked for: what was accepted is disjoint, and nothing was refused without a clash."""
    with transaction.atomic():
        accepted: List[Tuple[int, int]] = []
        for start, end in wanted:
            clashes = any(start < other_end and end > other for other, other_end in accepted)
            try:
                book(clinic, start, end)
            except SlotTaken:
                assert clashes, f"{(start, end)} was refused although only {accepted} are booked"
            else:
                assert not clashes, f"{(start, end)} was accepted beside {accepted}"
                accepted.append((start, end))
        transaction.set_rollback(True)


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(minutes=st.sampled_from([15, 30, 60]), taken=st.lists(spans, max_size=4))
def test_every_free_time_can_be_booked(clinic: SimpleNamespace, minutes: int, taken: List[Tuple[int, int]]) -> None:
    with transaction.atomic():
        for start, end in taken:
            book(clinic, start, end, override_reason="test")
        for free in calendar.free_times(clinic.vet, at(0).date(), minutes):
            with transaction.atomic():
                booking.book(
                    clinic.actor, clinic.vet.pk, free, free + timedelta(minutes=minutes), {"client_note": "new"}
                )
                transaction.set_rollback(True)
        transaction.set_rollback(True)


@pytest.mark.parametrize(("day", "count"), [(date(2030, 3, 31), 36), (date(2030, 10, 27), 40), (date(2030, 6, 3), 40)])
def test_free_times_on_the_days_the_clocks_change(
    clinic: SimpleNamespace, settings: Any, day: date, count: int
) -> None:
    """Open from one to eleven, a spring day has four quarters less; an autumn day has no more than any other.

    A start in the repeated hour is offered once, because a clock on the wall cannot tell the two apart.
    """
    forget_zone: Any = getattr(timezone.get_default_timezone, "cache_clear")  # noqa: B009 -- Django's cache
    settings.TIME_ZONE, settings.OPENING_HOURS = "Europe/Berlin", (time(1), time(11))
    forget_zone()
    try:
        free = calendar.free_times(clinic.vet, day, 15)
    finally:
        forget_zone()
    assert all(start.tzinfo == ZoneInfo("Europe/Berlin") for start in free)
    assert len({start.astimezone(ZoneInfo("UTC")) for start in free}) == len(free) == count


@pytest.mark.postgresql
def test_the_database_itself_refuses_an_overlap(clinic: SimpleNamespace) -> None:
    book(clinic, 0, 30)
    with pytest.raises(IntegrityError, match="appointment_no_overlap"):
        Appointment.objects.create(vet=clinic.vet, pet=clinic.pet, starts_at=at(15), ends_at=at(45))


@pytest.mark.postgresql
def test_the_services_word_for_the_databases_refusal(clinic: SimpleNamespace, monkeypatch: Any) -> None:
    """An overlap that slips past the look for a clash ends as SlotTaken all the same."""
    book(clinic, 0, 30)
    monkeypatch.setattr(booking, "_claim", lambda appointment, reason: None)
    with pytest.raises(SlotTaken):
        book(clinic, 15, 45)


@pytest.mark.django_db(transaction=True)
def test_fifty_people_book_one_slot(transactional_db: None) -> None:
    """Real threads with connections of their own: one wins, forty-nine are told that the time is taken."""
    clinic = make_clinic()
    start = Barrier(RACERS)

    def race(_number: int) -> str:
        try:
            start.wait(timeout=60)
            book(clinic, 0, 30)
        except SlotTaken as problem:  # by name: the vet's queue is what refused, the constraint had nothing left to do
            return "taken" if "Biscuit" in str(problem) else "constraint"
        else:
            return "booked"
        finally:
            connection.close()

    with ThreadPoolExecutor(RACERS) as pool:
        outcomes = list(pool.map(race, range(RACERS)))
    assert (outcomes.count("booked"), outcomes.count("taken")) == (1, RACERS - 1), outcomes
    assert Appointment.objects.count() == 1
    assert AuditEntry.objects.filter(object_type="appointment", action="create").count() == 1
