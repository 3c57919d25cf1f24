"""manage.py demo: fill an empty clinic with a small, believable day."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from clinic.demo.data import PASSWORD, USERS
from clinic.demo.loader import load_day, load_people


class Command(BaseCommand):
    """People and records are made once, the day's calendar again for each day the command runs."""

    help = "Load the demonstration clinic (invented people and animals). Refuses in production."

    def handle(self, *args: Any, **options: Any) -> None:
        """Load, and say how to log in."""
        if settings.PRODUCTION:
            raise CommandError("The demonstration clinic has known passwords and is not for VET_ENV=production.")
        load_people()
        load_day(timezone.localdate())
        names = ", ".join(f"{user.username} ({user.role})" for user in USERS)
        self.stdout.write(f"Log in at {settings.PUBLIC_URL}/ as {names}; the password is {PASSWORD}")
