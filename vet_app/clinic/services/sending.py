"""Sending the reminders that are due: when somebody asks for it, or every day by `manage.py send_reminders`.

One run goes on at a time; the row of ReminderRun is locked to begin one, so this holds for all replicas. That each
message goes out once is not its business: `reminders.send_due` sees to it for every owner. So a run that ends with its
process has lost and repeats nothing, and the next run takes what it left.
"""

from __future__ import annotations

import logging
import threading
from datetime import date
from typing import Optional

from django.db import connections, transaction
from django.utils import timezone

from accounts.roles import Right
from audit.actor import Actor
from clinic.models import ReminderRun
from clinic.services.reminders import Tally, send_due
from vetclinic.health import draining

ONLY_ROW = 1


def last_run() -> Optional[ReminderRun]:
    """The run that goes on, or the one before; None where nothing was ever sent."""
    return ReminderRun.objects.filter(pk=ONLY_ROW).first()


def begin(actor: Actor) -> Optional[ReminderRun]:
    """A new run; None while another goes on."""
    with transaction.atomic():
        row, new = ReminderRun.objects.select_for_update().get_or_create(pk=ONLY_ROW)
        if row.goes_on and not new:
            return None
        row.started_by, row.started_at, row.finished_at = actor.name, timezone.now(), None
        row.sent = row.failed = row.left = 0
        row.save()
    return row


def carry_out(actor: Actor, run: ReminderRun, today: date) -> Tally:
    """Send what is due and write down how far it is after each owner; ends early when the process is told to end."""
    mine = ReminderRun.objects.filter(pk=run.pk, started_at=run.started_at)

    def went_on(tally: Tally) -> bool:
        updated = mine.update(sent=tally.sent, failed=tally.failed, updated_at=timezone.now())
        return bool(updated) and not draining.is_set()

    tally = send_due(actor, today, went_on)
    if not draining.is_set():
        mine.update(finished_at=timezone.now(), left=tally.left)
    return tally


def send_in_background(actor: Actor) -> bool:
    """Begin to send and return at once: a slow mail server must not hold one of the few threads that serve pages.

    False, and nothing begins, while another run goes on.
    """
    actor.require(Right.FRONT_DESK)
    run = begin(actor)
    if run is not None:
        _start(actor, run)
    return run is not None


def _start(actor: Actor, run: ReminderRun) -> None:
    # Not a daemon: a process that ends waits for the mail that is on its way.
    threading.Thread(target=_work, args=(actor, run), name="reminders").start()


def _work(actor: Actor, run: ReminderRun) -> None:
    try:
        carry_out(actor, run, timezone.localdate())
    except Exception:  # the page shows the run as interrupted; the log says why
        logging.getLogger(__name__).exception("Sending reminders was interrupted")
    finally:
        connections.close_all()
