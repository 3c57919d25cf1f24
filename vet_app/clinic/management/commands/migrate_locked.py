"""manage.py migrate_locked: bring the database up to date, one process at a time."""

from __future__ import annotations

import time
from typing import Any

from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import OperationalError, connection

from clinic.services import derived

LOCK = 0x7665745F617070  # "vet_app", an arbitrary number that all replicas share


class Command(BaseCommand):
    """Two replicas that start together must not migrate together.

    The second waits on an advisory lock and then has nothing left to do. The lock belongs to the session, so it needs a
    direct connection, not one through a pooler of transactions.
    """

    help = "Migrate the database under a lock that all replicas share, after waiting for the database to answer."
    requires_system_checks = ()

    def add_arguments(self, parser: CommandParser) -> None:
        """How long to wait."""
        parser.add_argument(
            "--wait", type=int, default=60, metavar="SECONDS", help="wait this long for the database (60)"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        """Wait, lock, migrate, derive what the search looks at, unlock."""
        self._wait(options["wait"])
        if connection.vendor != "postgresql":
            call_command("migrate", interactive=False, verbosity=options["verbosity"])
            derived.refresh()
            return
        with connection.cursor() as cursor:
            cursor.execute("SET statement_timeout = 0")
            cursor.execute("SET lock_timeout = 0")
            cursor.execute("SELECT pg_advisory_lock(%s)", [LOCK])
            # A migration that needs a busy table gives up rather than stopping the clinic behind it.
            cursor.execute("SET lock_timeout = '5s'")
            try:
                call_command("migrate", interactive=False, verbosity=options["verbosity"])
                derived.refresh()
            finally:
                connection.close()  # ends the session, and with it the lock and the settings above

    def _wait(self, seconds: int) -> None:
        deadline = time.monotonic() + seconds
        while True:
            try:
                connection.ensure_connection()
            except OperationalError as problem:
                if time.monotonic() > deadline:
                    raise CommandError(f"The database did not answer within {seconds} seconds: {problem}") from problem
                self.stderr.write("Waiting for the database ...")
                time.sleep(2)
            else:
                return
