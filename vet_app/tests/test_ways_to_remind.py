"""By which way owners are reminded, who is left in peace, appointments, and what an import brings."""

from __future__ import annotations

from datetime import date, timedelta
from types import SimpleNamespace
from typing import Any, Dict, List

import pytest
from django.core import mail
from django.test import Client
from django.utils import timezone

from accounts.models import User
from clinic.models import Appointment, AppointmentNotice, ClinicSettings, Owner, Pet, Reminder, ReminderNotice, Vaccine
from clinic.selectors.reminders import SETTLES, stage_on, way_for_appointment, way_to
from clinic.services import booking, vaccination
from clinic.services.owners import PhoneNumber, create_owner, update_owner
from clinic.services.pets import create_pet
from clinic.services.reminders import send_due
from clinic.services.settings import change_settings
from exchange import importing
from tests.test_reminders import vaccinate
from tests.web.test_settings_page import WHO


@pytest.fixture(autouse=True)
def _with_mail(settings: Any) -> None:
    settings.EMAIL_ENABLED = True
    settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"


@pytest.fixture
def desk(clinic: SimpleNamespace) -> Client:
    client = Client()
    client.force_login(User.objects.get(username=clinic.actor.name))
    return client


def prefers(clinic: SimpleNamespace, way: str, **fields: str) -> Owner:
    clinic.owner.refresh_from_db()
    fields = {"contact_preference": way, "address": "1 Hill Road", **fields}
    return update_owner(clinic.actor, clinic.owner.pk, clinic.owner.version, fields)


def written(clinic: SimpleNamespace) -> int:
    before = len(mail.outbox)
    send_due(clinic.actor, timezone.localdate())
    return len(mail.outbox) - before


@pytest.mark.parametrize(
    ("prefers", "there", "way"),
    [
        ("any", "email address phone", "email"), ("any", "address phone", "post"), ("any", "phone", "phone"),
        ("email", "email phone", "email"), ("email", "address", "post"), ("post", "email address", "post"),
        ("post", "email phone", "email"), ("phone", "email address phone", "phone"), ("phone", "email", "email"),
        ("post", "town phone", "post"), ("any", "", "post"),
    ],
)  # fmt: skip
def test_the_way_is_what_they_prefer_where_it_can_be(
    clinic: SimpleNamespace, prefers: str, there: str, way: str
) -> None:
    fields = {"last_name": "Vale", "contact_preference": prefers}
    fields.update({"email": "v@example.com"} if "email" in there else {})
    fields.update({"address": "1 Hill"} if "address" in there else {})
    fields.update({"city": "Exampleton"} if "town" in there else {})
    owner = create_owner(clinic.actor, fields, [PhoneNumber("555-0199")] if "phone" in there else [])
    assert way_to(owner) == way


def test_who_prefers_the_telephone_is_called_and_not_written_to(clinic: SimpleNamespace, desk: Client) -> None:
    vaccinate(clinic, 360)
    prefers(clinic, "phone")
    assert written(clinic) == 0
    page = desk.get("/reminders/calls/").content.decode()
    assert "Maren Müller" in page and "555-0142" in page and "Biscuit" in page
    assert "No letters to print" in desk.get("/reminders/letters/").content.decode()
    desk.post("/reminders/calls/", {"owner": clinic.owner.pk})
    assert "There is nobody to call" in desk.get("/reminders/calls/").content.decode()
    assert [(each.channel, each.status) for each in ReminderNotice.objects.all()] == [("phone", "sent")]
    prefers(clinic, "email")
    assert written(clinic) == 0, "called about at this stage"


def test_who_prefers_the_post_gets_a_letter_and_no_mail(clinic: SimpleNamespace, desk: Client) -> None:
    vaccinate(clinic, 360)
    prefers(clinic, "post")
    assert written(clinic) == 0
    assert "Maren Müller" in desk.get("/reminders/letters/").content.decode()


def test_a_booster_in_a_month_is_not_reminded_of_on_the_day_of_the_first_injection(clinic: SimpleNamespace) -> None:
    Vaccine.objects.filter(pk=clinic.vaccine.pk).update(interval_months=1)
    given = vaccinate(clinic, 0)
    assert given.due_on is not None and (given.due_on - given.given_on).days <= 31
    today = given.given_on
    days = [today + timedelta(days=number) for number in range(40)
            if send_due(clinic.actor, today + timedelta(days=number)).sent]  # fmt: skip
    assert days[0] == given.due_on - timedelta(days=7), "a week before is the first that helps"
    assert stage_on(date(2030, 2, 1), date(2030, 1, 2), date(2030, 1, 1)) is None
    assert stage_on(date(2031, 1, 1), date(2030, 12, 2), date(2030, 1, 1)) == -30
    assert timedelta(days=1) < SETTLES < timedelta(days=23)


def test_who_is_booked_is_left_in_peace_until_the_appointment_is_cancelled(
    clinic: SimpleNamespace, desk: Client
) -> None:
    vaccinate(clinic, 360)
    starts = timezone.now() + timedelta(days=5)
    booked = booking.book(clinic.actor, clinic.vet.pk, starts, starts + timedelta(minutes=15), {"pet": clinic.pet})
    assert written(clinic) == 0 and not ReminderNotice.objects.exists()
    for way in ("phone", "post"):
        prefers(clinic, way)
        assert "Maren" not in desk.get("/reminders/calls/").content.decode()
        assert "Maren" not in desk.get("/reminders/letters/").content.decode()
    prefers(clinic, "email")
    booking.change_status(clinic.actor, booked.pk, booked.version, "cancelled")
    assert written(clinic) == 1


@pytest.fixture
def expected(clinic: SimpleNamespace) -> Appointment:
    """An appointment tomorrow that was booked last week."""
    starts = timezone.now() + timedelta(days=1)
    booked = booking.book(clinic.actor, clinic.vet.pk, starts, starts + timedelta(minutes=15), {"pet": clinic.pet})
    Appointment.objects.filter(pk=booked.pk).update(created_at=timezone.now() - timedelta(days=7))
    return booked


def setting(clinic: SimpleNamespace, **fields: Any) -> None:
    saved = ClinicSettings.objects.first()
    change_settings(clinic.actor, saved.version if saved else 0, {**WHO, **fields})


def test_appointments_are_reminded_of_once_for_each_time(clinic: SimpleNamespace, expected: Appointment) -> None:
    assert written(clinic) == 0, "the clinic has not chosen it"
    setting(clinic, appointment_reminder_days=2)
    assert written(clinic) == 1 and written(clinic) == 0
    letter = mail.outbox[-1]
    assert "Biscuit" in letter.subject and "Dr Test" in letter.body and WHO["phone"] in letter.body
    assert "/reminders/end/" in letter.body and "List-Unsubscribe" in letter.extra_headers, "it can be ended"
    later = expected.starts_at + timedelta(hours=2)
    booking.move(clinic.actor, expected.pk, expected.version, later, later + timedelta(minutes=15))
    assert written(clinic) == 1, "it has another time now"


def test_nobody_is_reminded_of_what_was_booked_just_now_or_cancelled(
    clinic: SimpleNamespace, expected: Appointment
) -> None:
    setting(clinic, appointment_reminder_days=2)
    Appointment.objects.update(created_at=timezone.now())
    assert written(clinic) == 0
    Appointment.objects.update(created_at=timezone.now() - timedelta(days=3))
    booking.change_status(clinic.actor, expected.pk, expected.version, "cancelled")
    assert written(clinic) == 0


def test_an_appointment_is_on_the_list_of_calls(clinic: SimpleNamespace, expected: Appointment, desk: Client) -> None:
    setting(clinic, appointment_reminder_days=2)
    prefers(clinic, "phone")
    assert written(clinic) == 0
    assert "Biscuit" in desk.get("/reminders/calls/").content.decode()
    desk.post("/reminders/calls/", {"appointment": expected.pk})
    assert AppointmentNotice.objects.get().channel == "phone"
    assert "Biscuit" not in desk.get("/reminders/calls/").content.decode()


@pytest.mark.parametrize(
    ("preferred", "there", "way"),
    [
        ("any", "email address phone", "email"), ("any", "address phone", "phone"), ("any", "address", "phone"),
        ("email", "address phone", "phone"), ("post", "email address phone", "phone"),
        ("post", "email address", "email"), ("phone", "email phone", "phone"), ("phone", "email", "email"),
    ],
)  # fmt: skip
def test_of_an_appointment_nobody_is_told_by_post(
    clinic: SimpleNamespace, preferred: str, there: str, way: str
) -> None:
    fields = {"last_name": "Vale", "contact_preference": preferred}
    fields.update({"email": "v@example.com"} if "email" in there else {})
    fields.update({"address": "1 Hill"} if "address" in there else {})
    owner = create_owner(clinic.actor, fields, [PhoneNumber("555-0199")] if "phone" in there else [])
    assert way_for_appointment(owner) == way


@pytest.mark.parametrize("preferred", ["post", "any"])
def test_who_is_told_of_vaccinations_by_post_is_called_about_an_appointment(
    clinic: SimpleNamespace, expected: Appointment, desk: Client, preferred: str
) -> None:
    setting(clinic, appointment_reminder_days=2)
    prefers(clinic, preferred, email="")
    assert written(clinic) == 0
    page = desk.get("/reminders/calls/").content.decode()
    assert "Biscuit" in page and "555-0142" in page


def test_mails_about_appointments_go_first_and_count_for_the_daily_limit(
    clinic: SimpleNamespace, expected: Appointment
) -> None:
    """A vaccination can wait until tomorrow; an appointment cannot."""
    setting(clinic, appointment_reminder_days=2, reminders_a_day=1)
    other = create_owner(
        clinic.actor, {"last_name": "Vale", "email": "v@example.com", "reminder_consent": True}, [], other_than=()
    )
    pet = create_pet(clinic.actor, other.pk, {"name": "Rex", "species": clinic.species})
    vaccination.record_vaccination(
        clinic.actor, pet.pk, clinic.vaccine.pk, timezone.localdate() - timedelta(days=360),
        {"vet": clinic.vet, "lot": "L1"},
    )  # fmt: skip
    tally = send_due(clinic.actor, timezone.localdate())
    assert (tally.sent, tally.left) == (1, 1) and "Appointment" in mail.outbox[-1].subject
    assert written(clinic) == 0, "the mail about the appointment has been counted"
    setting(clinic, appointment_reminder_days=2, reminders_a_day=2)
    assert written(clinic) == 1


def test_a_mail_about_an_appointment_that_failed_is_tried_again(
    clinic: SimpleNamespace, expected: Appointment, monkeypatch: pytest.MonkeyPatch
) -> None:
    setting(clinic, appointment_reminder_days=2)

    def broken(*_given: Any, **_named: Any) -> None:
        raise ConnectionRefusedError("no server")

    with monkeypatch.context() as patched:
        patched.setattr("clinic.services.reminders.mail", broken)
        assert send_due(clinic.actor, timezone.localdate()).failed == 1
    assert AppointmentNotice.objects.get().status == "failed"
    assert written(clinic) == 1


FILE = "Last name,First name,E-mail,Agrees to reminders,Pet,Species,Vaccine,Given on,Next due\n"


def imported(clinic: SimpleNamespace, owners: int, due_in: int) -> None:
    due = timezone.localdate() + timedelta(days=due_in)
    given = due - timedelta(days=365)
    rows: List[str] = [
        f"Vale,Ada{number},ada{number}@example.com,yes,Rex,Dog,Test rabies,{given},{due}" for number in range(owners)
    ]
    staged = importing.stage(clinic.actor, "list.csv", (FILE + "\n".join(rows)).encode())
    assert importing.preview(clinic.actor, staged.pk).ok
    importing.apply(clinic.actor, staged.pk)


def test_an_import_writes_to_nobody_before_somebody_has_looked(clinic: SimpleNamespace, desk: Client) -> None:
    imported(clinic, 3, due_in=5)
    imported(clinic, 3, due_in=-90)
    assert written(clinic) == 0
    assert "came with an import" in desk.get("/reminders/").content.decode()
    page = desk.get("/reminders/imported/").content.decode()
    assert "6 reminders came with an import" in page or "3 reminders came with an import" in page
    desk.post("/reminders/imported/", {})
    assert not Reminder.objects.filter(held=True, status="pending").exists()
    assert set(Reminder.objects.filter(status="pending").values_list("due_on", flat=True)) == {
        timezone.localdate() + timedelta(days=5)
    }, "what was due long ago is not brought up again"
    assert written(clinic) == 3


def given_here(clinic: SimpleNamespace, days_ago: int) -> Pet:
    """A pet of the file's owner with a vaccination that the clinic gave itself."""
    imported(clinic, 1, due_in=5)
    pet = Reminder.objects.get(held=True).pet
    day = timezone.localdate() - timedelta(days=days_ago)
    vaccination.record_vaccination(clinic.actor, pet.pk, clinic.vaccine.pk, day, {"vet": clinic.vet, "lot": "L1"})
    assert not Reminder.objects.get(status="pending").held
    return pet


def test_an_import_is_held_also_where_a_reminder_was_pending(clinic: SimpleNamespace) -> None:
    given_here(clinic, 350)
    imported(clinic, 1, due_in=20)
    pending = Reminder.objects.get(status="pending")
    assert pending.held and pending.due_on == timezone.localdate() + timedelta(days=20), pending
    assert written(clinic) == 0


def test_a_second_import_before_the_first_was_looked_at_is_held_as_well(clinic: SimpleNamespace) -> None:
    imported(clinic, 1, due_in=5)
    imported(clinic, 1, due_in=20)
    assert Reminder.objects.get(status="pending").held and written(clinic) == 0


def test_no_more_than_the_limit_are_written_to_in_a_day(clinic: SimpleNamespace, desk: Client) -> None:
    setting(clinic, reminders_a_day=2)
    imported(clinic, 5, due_in=5)
    desk.post("/reminders/imported/", {"overdue": "yes"})
    tally = send_due(clinic.actor, timezone.localdate())
    assert (tally.sent, tally.left) == (2, 3), tally
    assert written(clinic) == 0, "the button does not get round the limit"
    ReminderNotice.objects.update(updated_at=timezone.now() - timedelta(days=1))
    assert written(clinic) == 2


def test_a_vaccination_given_here_is_not_held(clinic: SimpleNamespace) -> None:
    imported(clinic, 1, due_in=5)
    pet = Reminder.objects.get(held=True).pet
    details: Dict[str, Any] = {"vet": clinic.vet, "lot": "L1"}
    vaccination.record_vaccination(
        clinic.actor, pet.pk, clinic.vaccine.pk, timezone.localdate() - timedelta(days=1), details
    )
    assert not Reminder.objects.get(status="pending").held
