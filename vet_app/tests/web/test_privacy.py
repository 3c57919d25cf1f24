"""Consent that is given and taken back, a copy for the person, and erasure with what the law keeps."""

from __future__ import annotations

import io
import json
import zipfile
from datetime import date, timedelta
from decimal import Decimal
from types import SimpleNamespace
from typing import Any

import pytest
from django.contrib.sessions.models import Session
from django.core import mail
from django.core.exceptions import PermissionDenied
from django.core.management import CommandError, call_command
from django.test import Client
from django.utils import timezone

from accounts.roles import Role
from audit.models import AuditEntry
from clinic.models import Invoice, Owner, Reminder
from clinic.selectors.search import search
from clinic.services import billing, booking, payments, visits
from clinic.services.attachments import attach
from clinic.services.consent import end_link, owner_of
from clinic.services.erasure import erase_owner, forget_recipients
from clinic.services.merging import merge_owners
from clinic.services.owners import create_owner, update_owner
from clinic.services.reminders import send_due, told_by_hand
from clinic.services.vaccination import record_vaccination
from exchange import exporting, importing
from exchange.models import ImportFile
from tests.test_billing import issued
from tests.web.conftest import roles_that_may
from vetclinic.errors import Conflict, Locked


def path_of(link: str) -> str:
    return "/" + link.split("/", 3)[3]


def test_consent_is_not_ticked_beforehand(as_manager: Client, clinic: SimpleNamespace) -> None:
    page = as_manager.get("/owners/new/")
    assert page.context["form"]["reminder_consent"].value() in (None, False)
    assert not create_owner(clinic.actor, {"last_name": "Vale"}).reminder_consent
    owner = as_manager.post("/api/v1/owners", {"last_name": "Okafor"}, "application/json").json()
    assert owner["reminder_consent"] is False


@pytest.fixture
def due(clinic: SimpleNamespace) -> Reminder:
    """A rabies vaccination that is due in a week."""
    given = timezone.localdate() - timedelta(days=358)
    details = {"vet": clinic.vet, "lot": "L"}
    record_vaccination(clinic.actor, clinic.pet.pk, clinic.vaccine.pk, given, details)
    return Reminder.objects.get()


def test_each_email_has_the_address_and_a_link_that_ends_them(
    clinic: SimpleNamespace, due: Reminder, client: Client, settings: Any
) -> None:
    settings.EMAIL_ENABLED = True
    assert send_due(clinic.actor, timezone.localdate()).sent == 1
    message: Any = mail.outbox[0]
    link = end_link(clinic.owner)
    assert link in message.body and "12 Willow Lane" in message.body
    assert message.extra_headers["List-Unsubscribe"] == f"<{link}>"
    assert message.extra_headers["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    page = client.get(path_of(link))
    assert page.status_code == 200 and "End the reminders" in page.content.decode()
    clinic.owner.refresh_from_db()
    assert clinic.owner.reminder_consent, "a program that only looks at links ends nothing"
    strict = Client(enforce_csrf_checks=True)
    assert "no more reminders" in strict.post(path_of(link)).content.decode()
    clinic.owner.refresh_from_db()
    assert not clinic.owner.reminder_consent
    entry = AuditEntry.objects.filter(object_type="owner", action="update").first()
    assert entry is not None and entry.actor == "system:link in an e-mail"
    assert strict.post(path_of(link)).status_code == 200, "twice is as good as once"
    assert send_due(clinic.actor, timezone.localdate() + timedelta(days=8)).sent == 0


def test_a_link_that_is_not_ours_ends_nothing(clinic: SimpleNamespace, client: Client) -> None:
    link = path_of(end_link(clinic.owner))
    assert client.post(link[:-3] + "x/").status_code == 404
    clinic.owner.refresh_from_db()
    assert clinic.owner.reminder_consent


def test_the_link_of_a_duplicate_ends_those_of_who_it_became(clinic: SimpleNamespace) -> None:
    twin = create_owner(clinic.actor, {"last_name": "Müller", "reminder_consent": True})
    token = end_link(twin).rstrip("/").rsplit("/", 1)[1]
    merge_owners(clinic.actor, clinic.owner.pk, twin.pk)
    assert owner_of(token) == clinic.owner


def test_printed_letters_have_no_link(clinic: SimpleNamespace, due: Reminder, as_manager: Client) -> None:
    Owner.objects.filter(pk=clinic.owner.pk).update(postal_code="12345", city="Exampleton")
    page = as_manager.get("/reminders/letters/").content.decode()
    assert "Dear Maren" in page and "/reminders/end/" not in page


def test_the_copy_has_everything_about_the_person(clinic: SimpleNamespace, due: Reminder, client_of: Any) -> None:
    bill = issued(clinic)
    payments.take_payment(clinic.actor, bill.pk, Decimal("11.00"), "card")
    visits.start_visit(clinic.actor, clinic.pet.pk, {"vet": clinic.vet, "assessment": "Otitis"})
    address = f"/owners/{clinic.owner.pk}/privacy/"
    assert roles_that_may(client_of, address) == [Role.MANAGER]
    answer = client_of(Role.MANAGER).post(f"{address}copy.zip")
    archive = zipfile.ZipFile(io.BytesIO(b"".join(answer.streaming_content)))
    record = json.loads(archive.read("person.json"))
    assert record["owner"]["email"] == "maren@example.com" and record["owner"]["phones"][0]["number"] == "+1 555-0142"
    assert [(each["number"], each["payments"][0]["method"]) for each in record["bills"]] == [(bill.number, "card")]
    folder = f"animal-{clinic.pet.pk}"
    assert "Otitis" in archive.read(f"{folder}/record.html").decode()
    assert AuditEntry.objects.filter(action="export", object_id=str(clinic.owner.pk)).count() == 1
    assert client_of(Role.VET).post(f"{address}copy.zip").status_code == 403


def test_the_copy_can_be_read_and_has_every_file(clinic: SimpleNamespace, due: Reminder, as_manager: Client) -> None:
    """What a page of it names, and what record.json names, is in the ZIP."""
    bill = issued(clinic)
    payments.take_payment(clinic.actor, bill.pk, Decimal("11.00"), "card")
    told_by_hand(clinic.actor, [clinic.owner.pk], timezone.localdate(), "phone")
    sheet = attach(clinic.actor, clinic.pet.pk, "Lab results.pdf", b"%PDF-1.4 sheet")
    answer: Any = as_manager.post(f"/owners/{clinic.owner.pk}/privacy/copy.zip")
    archive = zipfile.ZipFile(io.BytesIO(b"".join(answer.streaming_content)))
    page = archive.read("person.html").decode()
    for text in (
        "Maren Müller",
        "maren@example.com",
        "555-0142",
        "$11.00",
        "Test rabies",
        "Telephone, Sent",
        str(bill),
    ):
        assert text in page, text
    folder = f"animal-{clinic.pet.pk}"
    assert f'href="{folder}/record.html"' in page and f"{folder}/record.html" in archive.namelist()
    (named,) = json.loads(archive.read(f"{folder}/record.json"))["attachments"]
    assert named["name"] == sheet.name and archive.read(f"{folder}/{named['file']}") == b"%PDF-1.4 sheet"


def test_erasure_takes_the_name_out_of_appointments(clinic: SimpleNamespace, as_manager: Client) -> None:
    """Who rang up as a new client was noted there by name; the log of controlled drugs stays, and the page says so."""
    past = timezone.now() + timedelta(minutes=5)
    appointment = booking.book(clinic.actor, clinic.vet.pk, past, past + timedelta(minutes=15),
                               {"pet_id": clinic.pet.pk, "client_note": "Maren Müller, 555-0142"})  # fmt: skip
    booking.change_status(clinic.actor, appointment.pk, appointment.version, "cancelled")
    page = as_manager.get(f"/owners/{clinic.owner.pk}/privacy/").content.decode()
    assert "the log of controlled drugs, as the law asks" in page
    erased(clinic)
    appointment.refresh_from_db()
    assert appointment.client_note == ""


def test_the_daily_run_empties_what_is_kept_for_a_time_only(clinic: SimpleNamespace, settings: Any) -> None:
    """Files of clients that nobody imported, and sessions that have ended; a wrong EMAIL_URL does not keep them."""
    files = [importing.stage(clinic.actor, f"{name}.csv", b"Last name\nVale\n") for name in ("old", "new")]
    ImportFile.objects.filter(pk=files[0].pk).update(created_at=timezone.now() - timedelta(days=1, hours=1))
    for name, hours in (("ended", -1), ("open", 1)):
        Session.objects.create(session_key=name, session_data="", expire_date=timezone.now() + timedelta(hours=hours))
    settings.EMAIL_PROBLEM = "EMAIL_URL is wrong"
    with pytest.raises(CommandError, match="wrong"):
        call_command("send_reminders")
    assert [bytes(ImportFile.objects.get(pk=each.pk).content) for each in files] == [b"", b"Last name\nVale\n"]
    assert [each.session_key for each in Session.objects.all()] == ["open"]


def erased(clinic: SimpleNamespace) -> Owner:
    owner = Owner.objects.get(pk=clinic.owner.pk)
    return erase_owner(clinic.actor, owner.pk, owner.version, "asked for it by letter")


def test_what_is_open_comes_first(clinic: SimpleNamespace, actor_with: Any) -> None:
    with pytest.raises(PermissionDenied):
        erase_owner(actor_with(Role.RECEPTION), clinic.owner.pk, clinic.owner.version, "asked")
    bill = issued(clinic)
    with pytest.raises(Conflict, match="open balance"):
        erased(clinic)
    payments.take_payment(clinic.actor, bill.pk, Decimal("11.00"), "card")
    draft = billing.draft_invoice(clinic.actor, clinic.owner.pk, [billing.Line(product=clinic.product)])
    with pytest.raises(Conflict, match="draft"):
        erased(clinic)
    billing.discard_draft(clinic.actor, draft.pk, draft.version)
    soon = timezone.now() + timedelta(hours=2)
    appointment = booking.book(
        clinic.actor, clinic.vet.pk, soon, soon + timedelta(minutes=15), {"pet_id": clinic.pet.pk}
    )
    with pytest.raises(Conflict, match="appointment"):
        erased(clinic)
    booking.change_status(clinic.actor, appointment.pk, appointment.version, "cancelled")
    assert erased(clinic).erased_on == timezone.localdate()
    with pytest.raises(Conflict, match="already"):
        erased(clinic)


def test_an_erased_owner_is_found_nowhere_but_on_bills(
    clinic: SimpleNamespace, due: Reminder, as_manager: Client
) -> None:
    update_owner(
        clinic.actor, clinic.owner.pk, clinic.owner.version,
        {"address": "12 Oak St", "city": "Exampleton", "notes": "Pays late"},
    )  # fmt: skip
    bill = issued(clinic)
    payments.take_payment(clinic.actor, bill.pk, Decimal("11.00"), "card")
    Invoice.objects.filter(pk=bill.pk).update(recipient="")  # as the release before wrote it
    answer = as_manager.post(
        f"/owners/{clinic.owner.pk}/privacy/", {"reason": "Asked", "version": clinic.owner.version + 1}
    )
    assert answer.status_code == 302, answer.content.decode()
    owner = Owner.objects.get(pk=clinic.owner.pk)
    left = [getattr(owner, name) for name in ("first_name", "email", "address", "city", "notes", "search_contact")]
    assert not any(each.strip() for each in left) and not owner.phones.exists() and not owner.reminder_consent
    assert not search("Müller").owners and not search("5550142").owners
    assert "Müller" not in as_manager.get("/owners/").content.decode()
    assert b"Erased owner" not in b"".join(exporting.clients(clinic.actor))
    paper = as_manager.get(bill.get_absolute_url()).content.decode()
    assert "Maren Müller\n12 Oak St\nExampleton" in paper, "the law keeps it there"
    due.refresh_from_db()
    assert due.status == "cancelled"
    assert "Müller" not in str(AuditEntry.objects.filter(action="erase").get().changes)
    with pytest.raises(Locked):
        update_owner(clinic.actor, owner.pk, owner.version, {"first_name": "Maren"})
    assert as_manager.get(f"/owners/{owner.pk}/privacy/").status_code == 404
    assert "Biscuit" in as_manager.get(f"/pets/{clinic.pet.pk}/").content.decode(), "the animal keeps its record"


def test_duplicates_are_erased_with_their_owner(clinic: SimpleNamespace) -> None:
    twin = create_owner(clinic.actor, {"last_name": "Mueller", "email": "twin@example.com"})
    merge_owners(clinic.actor, clinic.owner.pk, twin.pk)
    erased(clinic)
    twin.refresh_from_db()
    assert (twin.email, twin.last_name) == ("", "Erased owner")


@pytest.mark.parametrize(("country", "year", "kept"), [("DE", 2038, True), ("DE", 2039, False), ("FR", 2040, True)])
def test_bills_forget_after_the_years_of_the_country(
    clinic: SimpleNamespace, settings: Any, country: str, year: int, kept: bool
) -> None:
    settings.COUNTRY = country
    bill = issued(clinic)
    payments.take_payment(clinic.actor, bill.pk, Decimal("11.00"), "card")
    erased(clinic)
    Invoice.objects.filter(pk=bill.pk).update(issued_at=timezone.now().replace(year=2030))
    forget_recipients(clinic.actor, date(year, 1, 1))
    bill.refresh_from_db()
    assert bool(bill.recipient) is kept
    assert bill.addressee.startswith("Maren" if kept else "Erased owner")


def test_bills_of_owners_who_stay_forget_nothing(clinic: SimpleNamespace) -> None:
    bill = issued(clinic)
    assert bill.recipient == "Maren Müller"
    update_owner(clinic.actor, clinic.owner.pk, clinic.owner.version, {"first_name": "Marin"})
    bill.refresh_from_db()
    assert bill.addressee == "Maren Müller", "a bill that is out does not change with its owner"
    assert forget_recipients(clinic.actor, date(2090, 1, 1)) == 0
