"""manage.py api_token: issue a token of the API for a user."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from accounts.models import User
from accounts.services import issue_token
from audit.actor import Actor


class Command(BaseCommand):
    """The token has its user's rights, and stops with it."""

    help = "Issue a token of the API. It is printed once and kept nowhere."

    def add_arguments(self, parser: CommandParser) -> None:
        """Whose token, what for, and how long."""
        parser.add_argument("username")
        parser.add_argument("name", help="what the token is for, for example laboratory")
        parser.add_argument("--days", type=int, default=90, help="how long it lasts (90)")

    def handle(self, *args: Any, **options: Any) -> None:
        """Issue and print it."""
        user = User.objects.filter(username=options["username"], is_active=True).first()
        if user is None:
            raise CommandError(f"There is no active user {options['username']!r}.")
        if not 1 <= options["days"] <= 3650:
            raise CommandError(f"--days {options['days']} must lie between 1 and 3650.")
        expires = timezone.now() + timedelta(days=options["days"])
        token, secret = issue_token(Actor.system("api_token"), user, options["name"], expires)
        self.stderr.write(f"Token {token} of {user}, valid until {token.expires_at:%Y-%m-%d}. Keep it safe:")
        self.stdout.write(secret)
