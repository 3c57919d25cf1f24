"""manage.py send_reminders: write to owners whose pets are due or expected. Meant to run once a night."""

from __future__ import annotations

import time
from datetime import date
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from accounts.sessions import clear_sessions
from audit.actor import Actor
from clinic.selectors.reminders import horizon, to_tell
from clinic.services.erasure import forget_recipients
from clinic.services.sending import begin, carry_out
from exchange.importing import forget_old

LOOK_AGAIN = 5  # seconds


class Command(BaseCommand):
    """Sends each reminder at most once per stage, all of an owner in one mail.

    The stages are 30 and 7 days before, the day itself, and 30 days after.
    """

    help = "E-mail the vaccination reminders that are due. Without EMAIL_URL they are only listed."

    def add_arguments(self, parser: CommandParser) -> None:
        """For which day."""
        parser.add_argument(
            "--date", type=date.fromisoformat, default=None, help="act as on this day, YYYY-MM-DD (today)"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Send, and end with code 1 where a mail could not be handed over, so that the night's job shows as failed."""
        today = options["date"] or timezone.localdate()
        try:
            self._forget(today)
        finally:
            if settings.EMAIL_PROBLEM:
                raise CommandError(settings.EMAIL_PROBLEM)
        if not settings.EMAIL_ENABLED:
            count = to_tell(horizon(today)).count()
            self.stdout.write(
                f"{count} reminders are due. EMAIL_URL is not set, so nothing is sent; print them from the list."
            )
            return
        actor = Actor.system("send_reminders")
        run = begin(actor)
        while run is None:  # somebody pressed the button; a run whose process has died gives way by itself
            time.sleep(LOOK_AGAIN)
            run = begin(actor)
        tally = carry_out(actor, run, today)
        self.stdout.write(
            f"Owners written to: {tally.sent}. Failed: {tally.failed}. Given up after a year: {tally.given_up}."
            f" Left for the next day: {tally.left}."
        )
        if tally.failed:
            raise CommandError("Some mails could not be handed over; they are tried again in the next run.")

    def _forget(self, today: date) -> None:
        """Empty what is kept for a time only. It needs no mail, so a wrong EMAIL_URL does not stop it."""
        actor = Actor.system("send_reminders")
        forgotten = forget_recipients(actor, today)
        if forgotten:
            self.stdout.write(f"Bills of erased owners whose years are over: {forgotten}.")
        files = forget_old(actor)
        if files:
            self.stdout.write(f"Files that waited for an import for more than a day: {files}.")
        sessions = clear_sessions()
        self.stdout.write(f"Sessions that had ended: {sessions}.")
