"""manage.py clinic_admin: make the first manager of a new clinic, or let one in again who lost the password."""

from __future__ import annotations

import secrets
from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.core.validators import validate_email
from django.db import transaction

from accounts import second_factor
from accounts.models import User
from accounts.roles import Role
from accounts.services import create_user, set_password, update_user
from audit.actor import Actor


class Command(BaseCommand):
    """The user name is the e-mail address. The password is random and has to be changed at the first log-in.

    A second step at log-in is removed, because a person who lost the telephone may be the only manager.
    """

    help = "Make a manager with a new password, which is printed once. Run it again to set another password."

    def add_arguments(self, parser: CommandParser) -> None:
        """Whom."""
        parser.add_argument("email")

    def handle(self, *args: Any, **options: Any) -> None:
        """Create or reset, audited, and print the password."""
        email, password = options["email"].strip().lower(), secrets.token_urlsafe(15)
        try:
            validate_email(email)
        except ValidationError as problem:
            raise CommandError(f"{email!r} is not an e-mail address.") from problem
        actor = Actor.system("clinic_admin")
        with transaction.atomic():
            user = User.objects.filter(username=email).first()
            if user is None:
                user = create_user(actor, email, password, Role.MANAGER, email=email, must_change_password=True)
            else:
                update_user(actor, user, role=Role.MANAGER, is_active=True)
                set_password(actor, user, password)
                second_factor.remove(actor, user)
        self.stderr.write(f"Log in as {email}. The password, to be changed then:")
        self.stdout.write(password)
