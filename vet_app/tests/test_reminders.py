"""Vaccinations and the one reminder per pet and vaccine group."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import date, timedelta
from io import StringIO
from types import SimpleNamespace
from typing import Any, List, Tuple

import pytest
from django.core import mail
from django.core.exceptions import ValidationError
from django.core.management import call_command
from django.db import connections, transaction
from django.utils import timezone
from hypothesis import HealthCheck, given
from hypothesis import settings as with_settings
from hypothesis import strategies as st

from clinic.models import Reminder, ReminderNotice, Vaccination
from clinic.selectors.reminders import STAGES, stage_on
from clinic.services import pets, sending
from clinic.services import vaccination as service
from clinic.services.owners import create_owner
from clinic.services.reminders import send_due
from tests.conftest import make_clinic
from vetclinic.health import draining


@pytest.fixture(autouse=True)
def _with_mail(settings: Any) -> None:
    settings.EMAIL_ENABLED = True


def vaccinate(clinic: SimpleNamespace, days_ago: int, *, again: bool = False) -> Vaccination:
    given_on = timezone.localdate() - timedelta(days=days_ago)
    details = {"vet": clinic.vet, "lot": "L1"}
    return service.record_vaccination(clinic.actor, clinic.pet.pk, clinic.vaccine.pk, given_on, details, again=again)


@with_settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(events=st.lists(st.tuples(st.integers(0, 900), st.booleans()), min_size=1, max_size=7))
def test_the_pending_reminder_is_always_the_newest_vaccinations(
    clinic: SimpleNamespace, events: List[Tuple[int, bool]]
) -> None:
    """In whatever order they are entered and taken back: one pending reminder, of the newest that counts, or none."""
    with transaction.atomic():
        kept: List[Vaccination] = []
        for days, mistake in events:
            row = vaccinate(clinic, days, again=True)
            if mistake:
                service.mark_entered_in_error(clinic.actor, row.pk, row.version, "wrong pet")
            else:
                kept.append(row)
            pending = list(Reminder.objects.filter(pet=clinic.pet, status="pending"))
            if not kept:
                assert pending == []
                continue
            newest = max(kept, key=lambda item: (item.given_on, item.pk))
            assert [(item.vaccination_id, item.due_on) for item in pending] == [(newest.pk, newest.due_on)]
        transaction.set_rollback(True)


@given(day=st.dates(date(2000, 1, 1), date(2090, 1, 1)), months=st.integers(1, 120))
def test_adding_months_keeps_the_day_or_the_end_of_the_month(day: date, months: int) -> None:
    later = service.add_months(day, months)
    assert (later.year * 12 + later.month) - (day.year * 12 + day.month) == months
    assert later.day == day.day or (later.day < day.day and (later + timedelta(days=1)).day == 1)


@given(due=st.dates(date(2020, 1, 1), date(2040, 1, 1)), offset=st.integers(-60, 400))
def test_the_stage_is_the_latest_reached(due: date, offset: int) -> None:
    expected = max((stage for stage in STAGES if stage <= offset), default=None)
    assert stage_on(due, due + timedelta(days=offset)) == expected


def test_what_is_given_here_names_vet_and_lot(clinic: SimpleNamespace) -> None:
    with pytest.raises(ValidationError) as problem:
        service.record_vaccination(clinic.actor, clinic.pet.pk, clinic.vaccine.pk, timezone.localdate(), {})
    assert set(problem.value.message_dict) == {"vet", "lot"}


def test_death_ends_reminders(clinic: SimpleNamespace) -> None:
    vaccinate(clinic, 365)
    pets.mark_deceased(clinic.actor, clinic.pet.pk, clinic.pet.version, timezone.localdate())
    assert list(Reminder.objects.values_list("status", flat=True)) == ["cancelled"]


def test_sending_twice_sends_once_and_each_stage_once(clinic: SimpleNamespace) -> None:
    row = vaccinate(clinic, 360)
    assert row.due_on is not None
    today = row.due_on - timedelta(days=8)
    assert (send_due(clinic.actor, today).sent, send_due(clinic.actor, today).sent) == (1, 0)
    assert send_due(clinic.actor, row.due_on - timedelta(days=7)).sent == 1
    assert [message.to for message in mail.outbox] == [["maren@example.com"]] * 2
    assert "Biscuit" in mail.outbox[0].subject


def test_one_mail_for_all_pets_of_an_owner(clinic: SimpleNamespace) -> None:
    vaccinate(clinic, 360)
    clinic.pet = pets.create_pet(clinic.actor, clinic.owner.pk, {"name": "Clove", "species": clinic.species})
    vaccinate(clinic, 355)
    send_due(clinic.actor, timezone.localdate())
    assert [message.subject for message in mail.outbox] == ["Vaccination reminder for Biscuit, Clove"]


@pytest.mark.parametrize("change", [{"reminder_consent": False}, {"email": ""}])
def test_nobody_is_written_to_against_their_wish(clinic: SimpleNamespace, change: Any) -> None:
    vaccinate(clinic, 365)
    type(clinic.owner).objects.filter(pk=clinic.owner.pk).update(**change)
    assert send_due(clinic.actor, timezone.localdate()).sent == 0
    assert mail.outbox == []


def test_a_failure_is_kept_and_tried_again(clinic: SimpleNamespace, monkeypatch: Any) -> None:
    vaccinate(clinic, 365)
    refuse: Any = lambda *_args: (_ for _ in ()).throw(ConnectionRefusedError("no server"))  # noqa: E731
    with monkeypatch.context() as patch:
        patch.setattr("clinic.services.reminders.mail", refuse)
        assert send_due(clinic.actor, timezone.localdate()).failed == 1
    assert "no server" in ReminderNotice.objects.get().error
    assert send_due(clinic.actor, timezone.localdate()).sent == 1
    assert ReminderNotice.objects.get().status == "sent"


def test_the_end_of_the_process_is_heard_between_two_owners(clinic: SimpleNamespace) -> None:
    """What is left over stays for the next run, and the run does not look finished."""
    vaccinate(clinic, 365)
    other = create_owner(clinic.actor, {"last_name": "Vale", "email": "vale@example.com", "reminder_consent": True})
    clinic.pet = pets.create_pet(clinic.actor, other.pk, {"name": "Clove", "species": clinic.species})
    vaccinate(clinic, 365)
    run = sending.begin(clinic.actor)
    assert run is not None
    draining.set()
    try:
        assert sending.carry_out(clinic.actor, run, timezone.localdate()).sent == 1
    finally:
        draining.clear()
    last = sending.last_run()
    assert last is not None and (last.sent, last.finished_at) == (1, None)
    assert send_due(clinic.actor, timezone.localdate()).sent == 1, "the other one"


@pytest.mark.django_db(transaction=True)
def test_runs_side_by_side_write_to_each_owner_once(monkeypatch: Any) -> None:
    """As two replicas would: what keeps an owner from two letters is the claim, not the row that begins a run."""
    clinic = make_clinic()
    for number in range(8):
        owner = create_owner(
            clinic.actor, {"last_name": f"O{number}", "email": f"o{number}@example.com", "reminder_consent": True}
        )
        clinic.pet = pets.create_pet(clinic.actor, owner.pk, {"name": f"P{number}", "species": clinic.species})
        vaccinate(clinic, 365)
    written: List[str] = []
    monkeypatch.setattr("clinic.services.reminders.mail", lambda *given: written.append(given[2]))

    def one(_number: int) -> None:
        try:
            send_due(clinic.actor, timezone.localdate())
        finally:
            connections.close_all()

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(one, range(4)))
    assert sorted(written) == [f"o{number}@example.com" for number in range(8)]


def test_the_daily_run_waits_for_one_that_somebody_began(
    clinic: SimpleNamespace, settings: Any, monkeypatch: Any
) -> None:
    settings.EMAIL_ENABLED = True
    vaccinate(clinic, 365)
    run = sending.begin(clinic.actor)
    assert run is not None
    waits: List[float] = []

    def sleep(seconds: float) -> None:
        waits.append(seconds)
        sending.carry_out(clinic.actor, run, timezone.localdate())

    monkeypatch.setattr("clinic.management.commands.send_reminders.time.sleep", sleep)
    call_command("send_reminders", stdout=(out := StringIO()))
    assert len(waits) == 1 and "Owners written to: 0." in out.getvalue(), "the other run has written to all"
    last = sending.last_run()
    assert last is not None and last.by == "the daily run" and last.finished_at is not None


def test_after_a_year_it_is_given_up(clinic: SimpleNamespace) -> None:
    row = vaccinate(clinic, 0)
    assert row.due_on is not None
    tally = send_due(clinic.actor, row.due_on + timedelta(days=366))
    assert (tally.given_up, tally.sent) == (1, 0)
