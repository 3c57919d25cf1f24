"""Reminders: derived from the newest vaccination of a group, and sent in stages, by e-mail or as owners prefer.

`refresh_reminder` is idempotent: it looks at what is recorded and makes the reminders agree. The newest vaccination
of a group that counts has the pending reminder; older reminders of that group are completed, or cancelled when their
vaccination was entered in error.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Callable, Dict, Iterable, List, Optional, Tuple

from django.conf import settings
from django.core.mail import EmailMessage
from django.db import connection, transaction
from django.template.loader import render_to_string
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import override

from accounts.roles import Right
from audit.actor import Actor
from audit.models import AuditEntry
from audit.services import record, record_event
from clinic.models import Appointment, AppointmentNotice, Owner, Pet, Reminder, ReminderNotice
from clinic.selectors.calendar import bounds
from clinic.selectors.reminders import appointments_to_tell, horizon, stage_of, to_tell, untold, way_to
from clinic.selectors.settings import clinic_settings
from clinic.services.consent import end_link

GIVE_UP_AFTER = timedelta(days=365)
Status = Reminder.Status


@dataclass
class Tally:
    """What one run did: messages sent and failed, reminders given up after a year, owners left for the next day."""

    sent: int = 0
    failed: int = 0
    given_up: int = 0
    left: int = 0


def refresh_reminder(actor: Actor, pet: Pet, group: str) -> Optional[Reminder]:
    """Make the reminders of a pet and group agree with its vaccinations; returns the pending one, if any is due."""
    counting = pet.vaccinations.filter(vaccine__group=group, entered_in_error=False)
    newest = counting.order_by("-given_on", "-id").first()
    pending = Reminder.objects.filter(pet=pet, group=group, status=Status.PENDING).select_related("vaccination").first()
    wanted = newest if newest is not None and newest.due_on and not pet.is_deceased else None
    if (
        pending is not None
        and wanted is not None
        and pending.vaccination_id == wanted.pk
        and pending.due_on == wanted.due_on
    ):
        return pending
    if pending is not None:
        superseded = (
            newest is not None and newest.pk != pending.vaccination_id and not pending.vaccination.entered_in_error
        )
        _close(actor, pending, Status.COMPLETED if superseded else Status.CANCELLED)
    if wanted is None or wanted.due_on is None:
        return None
    reminder = Reminder.objects.create(pet=pet, group=group, vaccination=wanted, due_on=wanted.due_on)
    record(actor, AuditEntry.Action.CREATE, reminder, {"due_on": [None, wanted.due_on]})
    return reminder


def cancel_reminders(actor: Actor, pet: Pet) -> None:
    """Cancel all pending reminders of a pet."""
    for reminder in Reminder.objects.filter(pet=pet, status=Status.PENDING):
        _close(actor, reminder, Status.CANCELLED)


def _close(actor: Actor, reminder: Reminder, status: str) -> None:
    old, reminder.status = reminder.status, status
    reminder.save(update_fields=["status", "updated_at"])
    record(actor, AuditEntry.Action.STATUS, reminder, {"status": [old, status]})


def send_due(actor: Actor, today: date, went_on: Callable[[Tally], bool] = lambda _tally: True) -> Tally:
    """Write one e-mail to each owner who is told by e-mail and has reminders at a stage not written about yet.

    Then one for each appointment of the next days, if the clinic reminds of them. Safe to run twice, or in parallel.
    No more owners than the clinic's limit are written to in a day; `tally.left` is how many that leaves. `went_on`
    hears what was done after each owner, and ends it by False.
    """
    tally = Tally(given_up=_give_up(actor, today))
    waiting = untold(to_tell(horizon(today)), today, Owner.Contact.EMAIL)
    room = _room_today()
    for number, (owner, _reminders) in enumerate(waiting):
        if room is not None and tally.sent + tally.failed >= room:
            tally.left = len(waiting) - number
            break
        notices = _claim(owner.pk, today)
        if notices:
            _send(actor, owner.pk, notices, tally)
        if not went_on(tally):
            return tally
    for appointment in appointments_to_tell(today):
        if way_to(appointment.pet.owner) == Owner.Contact.EMAIL:  # type: ignore[union-attr]
            _send_of_appointment(actor, appointment, tally)
            if not went_on(tally):
                break
    return tally


def _room_today() -> Optional[int]:
    """How many more owners may be written to today; None for no limit."""
    most = clinic_settings().reminders_a_day
    if most is None:
        return None
    since = bounds(timezone.localdate())[0]
    told = ReminderNotice.objects.filter(channel="email", updated_at__gte=since, status=ReminderNotice.Status.SENT)
    return max(most - told.values("reminder__pet__owner").distinct().count(), 0)


def _give_up(actor: Actor, today: date) -> int:
    with transaction.atomic():
        skip = connection.features.has_select_for_update_skip_locked
        old = Reminder.objects.select_for_update(skip_locked=skip)
        late = list(old.filter(status=Status.PENDING, due_on__lt=today - GIVE_UP_AFTER))
        for reminder in late:
            _close(actor, reminder, Status.CANCELLED)
    return len(late)


def _claim(owner_id: int, today: date) -> List[ReminderNotice]:
    """Write the notices of one owner as `sending`, unless another run holds the owner; failed ones are tried again."""
    with transaction.atomic():
        skip = connection.features.has_select_for_update_skip_locked
        if Owner.objects.select_for_update(skip_locked=skip).filter(pk=owner_id).first() is None:
            return []
        notices = []
        for reminder in to_tell(horizon(today)).filter(pet__owner=owner_id):
            stage = stage_of(reminder, today)
            if stage is None:
                continue
            notice, new = ReminderNotice.objects.get_or_create(reminder=reminder, stage=stage)
            if new or notice.status == ReminderNotice.Status.FAILED:
                notice.status, notice.error = ReminderNotice.Status.SENDING, ""
                notice.save(update_fields=["status", "error", "updated_at"])
                notices.append(notice)
    return notices


def _send(actor: Actor, owner_id: int, notices: List[ReminderNotice], tally: Tally) -> None:
    owner = Owner.objects.get(pk=owner_id)
    link = end_link(owner)
    subject, text = letter(owner, [notice.reminder for notice in notices], link)
    try:
        mail(subject, text, owner.email, link)
        status, error = ReminderNotice.Status.SENT, ""
        tally.sent += 1
    except OSError as problem:  # smtplib's errors and the network's
        status, error = ReminderNotice.Status.FAILED, f"{type(problem).__name__}: {problem}"[:200]
        tally.failed += 1
    _finish(actor, notices, status, error)


def mail(subject: str, text: str, to: str, end_link: str = "") -> None:
    """Hand a message to the mail server; answers go where the clinic reads them.

    Mail programs show a button for the link that ends the reminders (RFC 2369, RFC 8058); a message that is none has
    no such link.
    """
    headers = {}
    if end_link:
        headers = {"List-Unsubscribe": f"<{end_link}>", "List-Unsubscribe-Post": "List-Unsubscribe=One-Click"}
    EmailMessage(subject, text, None, [to], reply_to=[settings.EMAIL_REPLY_TO], headers=headers).send()


def _finish(actor: Actor, notices: List[ReminderNotice], status: str, error: str = "") -> None:
    with transaction.atomic():
        for notice in notices:
            notice.status, notice.error = status, error
            notice.save(update_fields=["status", "error", "channel", "updated_at"])
            outcome: Dict[str, List[object]] = {"stage": [None, notice.stage], "status": [None, status]}
            if notice.channel != "email":
                outcome["channel"] = [None, notice.channel]
            record(actor, AuditEntry.Action.SEND, notice.reminder, outcome)


def _send_of_appointment(actor: Actor, appointment: Appointment, tally: Tally) -> None:
    """Write about one appointment, unless another run has; a failed one is tried again."""
    notice = _claim_appointment(appointment, "email")
    if notice is None or appointment.pet is None:
        return
    owner = appointment.pet.owner
    link = end_link(owner)
    subject, text = appointment_letter(appointment, link)
    try:
        mail(subject, text, owner.email, link)
        notice.status, notice.error = ReminderNotice.Status.SENT, ""
        tally.sent += 1
    except OSError as problem:
        notice.status, notice.error = ReminderNotice.Status.FAILED, f"{type(problem).__name__}: {problem}"[:200]
        tally.failed += 1
    _finish_appointment(actor, notice)


def _claim_appointment(appointment: Appointment, channel: str) -> Optional[AppointmentNotice]:
    with transaction.atomic():
        if Appointment.objects.select_for_update().filter(pk=appointment.pk).first() is None:
            return None
        notice, new = AppointmentNotice.objects.get_or_create(
            appointment=appointment, starts_at=appointment.starts_at, defaults={"channel": channel}
        )
        if not new and notice.status != ReminderNotice.Status.FAILED:
            return None
        notice.status, notice.error, notice.channel = ReminderNotice.Status.SENDING, "", channel
        notice.save()
    return notice


def _finish_appointment(actor: Actor, notice: AppointmentNotice) -> None:
    with transaction.atomic():
        notice.save()
        outcome: Dict[str, List[object]] = {"channel": [None, notice.channel], "status": [None, notice.status]}
        record(actor, AuditEntry.Action.SEND, notice.appointment, outcome)


def told_by_hand(actor: Actor, owner_ids: Iterable[int], today: date, channel: str) -> int:
    """Record that these owners were told otherwise than by e-mail: "post" or "phone"; returns how many.

    Their reminders count as sent at their present stage, so nothing else follows for it.
    """
    actor.require(Right.FRONT_DESK)
    count = 0
    for owner_id in owner_ids:
        notices = _claim(owner_id, today)
        for notice in notices:
            notice.channel = channel
        _finish(actor, notices, ReminderNotice.Status.SENT)
        count += bool(notices)
    return count


def told_of_appointment(actor: Actor, appointment_id: int) -> None:
    """Record that the owner was called about an appointment."""
    actor.require(Right.FRONT_DESK)
    notice = _claim_appointment(Appointment.objects.get(pk=appointment_id), "phone")
    if notice is not None:
        notice.status = ReminderNotice.Status.SENT
        _finish_appointment(actor, notice)


def release_held(actor: Actor, *, overdue: bool) -> int:
    """Let owners be reminded of what an import brought; without `overdue` that is cancelled which was due before today.

    Returns how many reminders were released.
    """
    actor.require(Right.MANAGE)
    with transaction.atomic():
        waiting = Reminder.objects.select_for_update().filter(held=True, status=Status.PENDING)
        if not overdue:
            for late in waiting.filter(due_on__lt=timezone.localdate()):
                _close(actor, late, Status.CANCELLED)
        pks = list(waiting.values_list("pk", flat=True))
        Reminder.objects.filter(pk__in=pks).update(held=False)
        record_event(actor, AuditEntry.Action.SEND, "export", "import", {"released": [None, len(pks)]})
    return len(pks)


def letter(owner: Owner, reminders: List[Reminder], end_link: str = "") -> Tuple[str, str]:
    """Subject and text of the message about some reminders of one owner, in the clinic's language for every sender.

    An e-mail has the clinic's address, which a letter has at its head, and the link that ends the reminders.
    """
    names = ", ".join(sorted({reminder.pet.name for reminder in reminders}))
    clinic = clinic_settings()
    context = {"owner": owner, "reminders": reminders, "clinic": clinic, "phone": clinic.phone, "end_link": end_link}
    with override(clinic.language or settings.LANGUAGE_CODE):
        subject = _("Vaccination reminder for %(pets)s") % {"pets": names}
        return subject, render_to_string("clinic/reminder.txt", context)


def appointment_letter(appointment: Appointment, end_link: str) -> Tuple[str, str]:
    """Subject and text of the e-mail about an appointment, in the clinic's language and at the clinic's time.

    It ends with the link that ends the reminders, as that of `letter` does.
    """
    clinic, pet = clinic_settings(), appointment.pet
    if pet is None:
        raise TypeError("an appointment without a pet has nobody to write to")
    context = {
        "owner": pet.owner, "pet": pet, "appointment": appointment, "starts": timezone.localtime(appointment.starts_at),
        "clinic": clinic, "phone": clinic.phone, "end_link": end_link,
    }  # fmt: skip
    with override(clinic.language or settings.LANGUAGE_CODE):
        subject = _("Appointment for %(pet)s") % {"pet": pet.name}
        return subject, render_to_string("clinic/appointment.txt", context)
