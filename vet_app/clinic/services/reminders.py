"""Reminders: derived from the newest vaccination of a group, and sent in stages by e-mail.

`refresh_reminder` is idempotent: it looks at what is recorded and makes the reminders agree. The newest vaccination
of a group that counts has the pending reminder; older reminders of that group are completed, or cancelled when their
vaccination was entered in error.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Callable, Dict, Iterable, List, Optional, Tuple

from django.conf import settings
from django.core.mail import send_mail
from django.db import connection, transaction
from django.template.loader import render_to_string
from django.utils.translation import gettext as _
from django.utils.translation import override

from accounts.roles import Right
from audit.actor import Actor
from audit.models import AuditEntry
from audit.services import record
from clinic.models import Owner, Pet, Reminder, ReminderNotice
from clinic.selectors.settings import clinic_settings

STAGES = (-30, -7, 0, 30)  # days from the due date
GIVE_UP_AFTER = timedelta(days=365)
Status = Reminder.Status


@dataclass
class Tally:
    """What one run of sending did: owners written to, owners where it failed, reminders given up after a year."""

    sent: int = 0
    failed: int = 0
    given_up: int = 0


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


def stage_on(due_on: date, today: date) -> Optional[int]:
    """The latest stage that has been reached, in days from the due date; None before the first."""
    reached = [stage for stage in STAGES if due_on + timedelta(days=stage) <= today]
    return reached[-1] if reached else None


def send_due(actor: Actor, today: date, went_on: Callable[[Tally], bool] = lambda _tally: True) -> Tally:
    """Write one e-mail to each owner with reminders at a stage not written about yet.

    Safe to run twice, or in parallel. `went_on` hears what was done after each owner, and ends it by False.
    """
    tally = Tally(given_up=_give_up(actor, today))
    horizon = today - timedelta(days=STAGES[0])
    owners = Owner.objects.filter(
        pets__reminders__status=Status.PENDING, pets__reminders__due_on__lte=horizon, reminder_consent=True
    )
    for owner_id in owners.exclude(email="").order_by("pk").values_list("pk", flat=True).distinct():
        notices = _claim(owner_id, today)
        if notices:
            _send(actor, owner_id, notices, tally)
        if not went_on(tally):
            break
    return tally


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
        pending = Reminder.objects.filter(pet__owner_id=owner_id, pet__deceased_on__isnull=True, status=Status.PENDING)
        notices = []
        for reminder in pending.select_related("pet"):
            stage = stage_on(reminder.due_on, today)
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
    subject, text = letter(owner, [notice.reminder for notice in notices])
    try:
        send_mail(subject, text, None, [owner.email])
        status, error = ReminderNotice.Status.SENT, ""
        tally.sent += 1
    except OSError as problem:  # smtplib's errors and the network's
        status, error = ReminderNotice.Status.FAILED, f"{type(problem).__name__}: {problem}"[:200]
        tally.failed += 1
    _finish(actor, notices, status, error)


def _finish(actor: Actor, notices: List[ReminderNotice], status: str, error: str = "") -> None:
    with transaction.atomic():
        for notice in notices:
            notice.status, notice.error = status, error
            notice.save(update_fields=["status", "error", "channel", "updated_at"])
            outcome: Dict[str, List[object]] = {"stage": [None, notice.stage], "status": [None, status]}
            if notice.channel != "email":
                outcome["channel"] = [None, notice.channel]
            record(actor, AuditEntry.Action.SEND, notice.reminder, outcome)


def post_letters(actor: Actor, owner_ids: Iterable[int], today: date) -> int:
    """Record that printed letters to these owners are in the post; returns to how many.

    Their reminders count as written about at their present stage, so no e-mail or second letter follows for it.
    """
    actor.require(Right.FRONT_DESK)
    count = 0
    for owner_id in owner_ids:
        notices = _claim(owner_id, today)
        for notice in notices:
            notice.channel = "post"
        _finish(actor, notices, ReminderNotice.Status.SENT)
        count += bool(notices)
    return count


def letter(owner: Owner, reminders: List[Reminder]) -> Tuple[str, str]:
    """Subject and text of the message about some reminders of one owner, in the clinic's language, whoever sends it."""
    names = ", ".join(sorted({reminder.pet.name for reminder in reminders}))
    clinic = clinic_settings()
    context = {"owner": owner, "reminders": reminders, "clinic": clinic.name, "phone": clinic.phone}
    with override(settings.LANGUAGE_CODE):
        subject = _("Vaccination reminder for %(pets)s") % {"pets": names}
        return subject, render_to_string("clinic/reminder.txt", context)
