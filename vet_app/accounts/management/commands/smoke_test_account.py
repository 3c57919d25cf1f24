"""manage.py smoke_test_account: an account that may only read, for the test after a deploy; --close ends it."""

from __future__ import annotations

import json
import secrets
from typing import Any

from django.core.management.base import BaseCommand, CommandParser
from django.db import transaction

from accounts.models import SMOKE_TEST, User
from accounts.roles import Role
from accounts.services import create_user, set_password, update_user
from audit.actor import Actor


class Command(BaseCommand):
    """One account for all such tests, since users are never deleted; each test gives it another password."""

    help = "Open the account of the test after a deploy and print its name and password as JSON; --close ends it."

    def add_arguments(self, parser: CommandParser) -> None:
        """Open or close."""
        parser.add_argument("--close", action="store_true")

    def handle(self, *args: Any, **options: Any) -> None:
        """Open it, audited, or close it; closing what is not there is no mistake."""
        actor = Actor.system("smoke_test")
        with transaction.atomic():
            user = User.objects.filter(username=SMOKE_TEST).first()
            if options["close"]:
                if user is not None:
                    update_user(actor, user, is_active=False)
                return
            password = secrets.token_urlsafe(24)
            if user is None:
                create_user(actor, SMOKE_TEST, password, Role.READONLY, must_change_password=False)
            else:
                set_password(actor, user, password)
                update_user(actor, user, role=Role.READONLY, is_active=True, must_change_password=False)
        self.stdout.write(json.dumps({"username": SMOKE_TEST, "password": password}))
