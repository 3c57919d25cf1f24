"""The list of vaccinations that are due, e-mail and letters."""

from __future__ import annotations

import threading
from datetime import timedelta
from types import SimpleNamespace
from typing import Any, Callable

import pytest
from django.core import mail
from django.test import Client
from django.utils import timezone

from audit.models import AuditEntry
from clinic.models import Owner, ReminderNotice, ReminderRun
from clinic.services import sending
from clinic.services.owners import create_owner
from clinic.services.pets import create_pet
from clinic.services.reminders import send_due
from clinic.services.vaccination import record_vaccination
from tests.conftest import make_clinic
from tests.web.conftest import beside, roles_that_may


def due_in(clinic: SimpleNamespace, days: int, pet: Any = None) -> Any:
    """A vaccination whose next one is due in so many days."""
    due = timezone.localdate() + timedelta(days=days)
    details, given = {"vet": clinic.vet, "lot": "L1"}, due - timedelta(days=365)
    return record_vaccination(clinic.actor, (pet or clinic.pet).pk, clinic.vaccine.pk, given, details, due_on=due)


def on_paper(clinic: SimpleNamespace) -> Owner:
    """An owner without an e-mail address, with a pet that is due."""
    owner = create_owner(
        clinic.actor, {"last_name": "Papier", "address": "1 Paper Street", "reminder_consent": True}, []
    )
    due_in(clinic, 3, create_pet(clinic.actor, owner.pk, {"name": "Pergament", "species": clinic.species}))
    return owner


def test_every_role_sees_the_list_and_the_front_desk_writes(
    clinic: SimpleNamespace, client_of: Callable[[str], Client]
) -> None:
    assert roles_that_may(client_of, "/reminders/") == [
        "reception",
        "technician",
        "vet",
        "manager",
        "readonly",
        "accountant",
    ]
    assert roles_that_may(client_of, "/reminders/letters/") == ["reception", "technician", "vet", "manager"]
    assert roles_that_may(client_of, "/reminders/calls/") == ["reception", "technician", "vet", "manager"]
    assert roles_that_may(client_of, "/reminders/imported/") == ["manager"]
    assert roles_that_may(client_of, "/reminders/list.csv") == ["reception", "technician", "vet", "manager"]
    assert client_of("readonly").post("/reminders/send/").status_code == 403
    assert b"Print letters" not in client_of("readonly").get("/reminders/").content


def test_the_list_shows_what_is_due_by_the_day_and_marks_what_is_late(
    clinic: SimpleNamespace, as_manager: Client
) -> None:
    due_in(clinic, -2)
    page = as_manager.get("/reminders/").content.decode()
    assert "Biscuit" in page and "overdue" in page and "555-0142" in page
    early = (timezone.localdate() - timedelta(days=9)).isoformat()
    page = as_manager.get(f"/reminders/?until={early}").content.decode()
    assert "Biscuit" not in page and "No vaccination is due by" in page


def test_a_day_that_cannot_be_read_is_refused_beside_its_field(as_manager: Client) -> None:
    page = as_manager.get("/reminders/?until=soon")
    assert page.status_code == 422 and "valid date" in beside(page, "until")


def test_many_reminders_cost_no_more_queries_than_few(
    clinic: SimpleNamespace, as_manager: Client, django_assert_max_num_queries: Any
) -> None:
    for number in range(12):
        pet = create_pet(clinic.actor, clinic.owner.pk, {"name": f"Pup {number}", "species": clinic.species})
        due_in(clinic, 5, pet)
    with django_assert_max_num_queries(10):
        assert as_manager.get("/reminders/").content.count(b"Pup ") >= 12


@pytest.fixture
def at_once(monkeypatch: Any) -> None:
    """Send within the request: a thread would not see what the test's transaction holds."""
    monkeypatch.setattr(sending, "_start", lambda actor, run: sending.carry_out(actor, run, timezone.localdate()))


def test_sending_says_how_many_were_written_to_and_never_twice(
    clinic: SimpleNamespace, as_manager: Client, settings: Any, at_once: None
) -> None:
    settings.EMAIL_ENABLED = True
    due_in(clinic, 5)
    assert "1 owner contacted." in as_manager.post("/reminders/send/", follow=True).content.decode()
    assert [message.to for message in mail.outbox] == [["maren@example.com"]]
    assert "0 owners contacted." in as_manager.post("/reminders/send/", follow=True).content.decode()
    assert b"badge sent" in as_manager.get("/reminders/").content


@pytest.mark.django_db(transaction=True)
def test_a_slow_mail_server_holds_no_request(
    client_of: Callable[[str], Client], settings: Any, monkeypatch: Any
) -> None:
    """The answer comes while the first mail is still on its way; a second press begins nothing."""
    settings.EMAIL_ENABLED = True
    due_in(make_clinic(), 5)
    asked, answered, sent = threading.Event(), threading.Event(), []

    def slow(_subject: str, _text: str, to: str, _link: str) -> None:
        asked.set()
        assert answered.wait(30)
        sent.append(to)

    monkeypatch.setattr("clinic.services.reminders.mail", slow)
    desk = client_of("reception")
    try:
        assert desk.post("/reminders/send/").status_code == 302 and asked.wait(30)
        page = desk.get("/reminders/").content.decode()
        assert "E-mails are being sent (test-reception" in page and "Send e-mails now" not in page
        assert b"are being sent" in desk.get("/reminders/", HTTP_HX_REQUEST="true").content, "it polls"
        assert desk.post("/reminders/send/").status_code == 302
    finally:
        answered.set()
        for thread in threading.enumerate():
            if thread.name == "reminders":
                thread.join(30)
    assert sent == ["maren@example.com"], "once, however often the button is pressed"
    done = desk.get("/reminders/").content.decode()
    assert "Last sending of e-mails" in done and "1 owner contacted." in done and "Send e-mails now" in done
    assert desk.get("/reminders/", HTTP_HX_REQUEST="true")["HX-Refresh"] == "true", "the list is read again"


def test_a_run_that_ended_with_its_process_is_told_and_gives_way(
    clinic: SimpleNamespace, as_manager: Client, settings: Any, at_once: None
) -> None:
    settings.EMAIL_ENABLED = True
    due_in(clinic, 5)
    assert sending.begin(clinic.actor) is not None and sending.begin(clinic.actor) is None
    ReminderRun.objects.update(updated_at=timezone.now() - ReminderRun.PATIENCE)
    page = as_manager.get("/reminders/").content.decode()
    assert "was interrupted" in page and "Send e-mails now" in page
    assert "1 owner contacted." in as_manager.post("/reminders/send/", follow=True).content.decode()


def test_a_failure_is_told_on_the_page_and_beside_the_reminder(
    clinic: SimpleNamespace, as_manager: Client, settings: Any, at_once: None, monkeypatch: Any
) -> None:
    settings.EMAIL_ENABLED = True
    due_in(clinic, 5)
    refuse: Any = lambda *_args: (_ for _ in ()).throw(ConnectionRefusedError("no server"))  # noqa: E731
    monkeypatch.setattr("clinic.services.reminders.mail", refuse)
    page = as_manager.post("/reminders/send/", follow=True).content.decode()
    assert "1 message could not be sent" in page and "no server" in page


def with_address(clinic: SimpleNamespace) -> None:
    Owner.objects.filter(pk=clinic.owner.pk).update(address="1 Paper Street")


def test_letters_are_in_the_clinics_language_whoever_prints_them(clinic: SimpleNamespace, as_manager: Client) -> None:
    due_in(clinic, 5)
    with_address(clinic)
    page = as_manager.get("/reminders/letters/", HTTP_ACCEPT_LANGUAGE="de").content.decode()
    assert "Dear Maren Müller" in page and '<html lang="de">' in page


def test_without_e_mail_nothing_is_sent_and_letters_are_offered(
    clinic: SimpleNamespace, as_manager: Client, settings: Any
) -> None:
    settings.EMAIL_ENABLED = False
    due_in(clinic, 5)
    with_address(clinic)
    page = as_manager.post("/reminders/send/", follow=True).content.decode()
    assert "sends no e-mail" in page and "Send e-mails now" not in page
    assert "Dear Maren Müller" in as_manager.get("/reminders/letters/").content.decode(), "paper reaches her still"
    assert not mail.outbox


def test_letters_are_for_those_without_e_mail_and_are_recorded_once(
    clinic: SimpleNamespace, as_manager: Client, settings: Any
) -> None:
    settings.EMAIL_ENABLED = True
    due_in(clinic, 5)  # Maren has an e-mail address
    owner = on_paper(clinic)
    page = as_manager.get("/reminders/letters/").content.decode()
    assert "1 Paper Street" in page and "Pergament: Test rabies" in page and "Maren" not in page
    sent = as_manager.post("/reminders/letters/", {"owner": [owner.pk]}, follow=True).content.decode()
    assert "1 letter was recorded as posted." in sent
    notice = ReminderNotice.objects.get(reminder__pet__owner=owner)
    assert (notice.status, notice.channel) == ("sent", "post")
    assert AuditEntry.objects.filter(action="send").get().changes["channel"] == [None, "post"]
    assert b"No letters to print" in as_manager.get("/reminders/letters/").content, "until the next stage"
    again = as_manager.post("/reminders/letters/", {"owner": [owner.pk, "x"]}, follow=True).content.decode()
    assert "0 letters were recorded as posted." in again


def test_a_posted_letter_keeps_the_nightly_run_from_writing_as_well(
    clinic: SimpleNamespace, as_manager: Client
) -> None:
    due_in(clinic, 5)
    as_manager.post("/reminders/letters/", {"owner": [clinic.owner.pk]})
    assert send_due(clinic.actor, timezone.localdate()).sent == 0


@pytest.mark.parametrize("wish", [{"reminder_consent": False}, {"reminder_consent": False, "email": ""}])
def test_nobody_gets_a_letter_against_their_wish(clinic: SimpleNamespace, as_manager: Client, wish: Any) -> None:
    Owner.objects.filter(pk=clinic.owner.pk).update(**wish)
    due_in(clinic, 5)
    assert b"No letters to print" in as_manager.get("/reminders/letters/").content


def test_the_list_as_csv_is_audited(clinic: SimpleNamespace, as_manager: Client) -> None:
    due_in(clinic, 5)
    response = as_manager.get("/reminders/list.csv")
    text = response.getvalue().decode("utf-8-sig")
    assert "Biscuit" in text and "attachment" in response["Content-Disposition"]
    assert AuditEntry.objects.filter(action="export", object_text="reminders.csv").count() == 1


def test_a_mail_says_from_whom_it_is_and_where_to_answer(
    clinic: SimpleNamespace, as_manager: Client, settings: Any, at_once: None, mailoutbox: Any
) -> None:
    settings.EMAIL_ENABLED, settings.EMAIL_REPLY_TO = True, "desk@clinic.example"
    settings.DEFAULT_FROM_EMAIL = "Hillside Vets <hello@clinic.example>"
    due_in(clinic, 5)
    as_manager.post("/reminders/send/")
    (sent,) = mailoutbox
    assert (sent.from_email, sent.reply_to) == ("Hillside Vets <hello@clinic.example>", ["desk@clinic.example"])


def test_a_wrong_mail_server_is_told_to_those_who_would_send(
    clinic: SimpleNamespace, client_of: Any, settings: Any
) -> None:
    settings.EMAIL_ENABLED, settings.EMAIL_PROBLEM = False, "EMAIL_URL must look like smtp://..."
    assert "EMAIL_URL must look like" in client_of("reception").get("/reminders/").content.decode()
    assert "EMAIL_URL" not in client_of("readonly").get("/reminders/").content.decode()
