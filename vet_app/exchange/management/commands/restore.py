"""manage.py restore: an empty database from a backup."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from exchange.backup import BackupError, restore


class Command(BaseCommand):
    """Point DATABASE_URL (or PGDATABASE) at a new, empty database first. Run migrate_locked afterwards."""

    help = "Fill an empty database from a file that `backup` has written. Refuses a database with tables."
    requires_system_checks = ()

    def add_arguments(self, parser: CommandParser) -> None:
        """Where from."""
        parser.add_argument("file", type=Path)

    def handle(self, *args: Any, **options: Any) -> None:
        """Fill it."""
        try:
            restore(options["file"])
        except BackupError as problem:
            raise CommandError(str(problem)) from problem
        self.stdout.write("Restored. Next: manage.py migrate_locked")
