"""manage.py backup: the whole database to a file."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from exchange.backup import BackupError, dump


class Command(BaseCommand):
    """The file holds everything, passwords' hashes and personal data included: keep it as you keep the clinic."""

    help = "Write the whole database to a new file (PostgreSQL: pg_dump's custom format)."

    def add_arguments(self, parser: CommandParser) -> None:
        """Where to."""
        parser.add_argument("file", type=Path)

    def handle(self, *args: Any, **options: Any) -> None:
        """Write it."""
        try:
            tables = dump(options["file"])
        except BackupError as problem:
            raise CommandError(str(problem)) from problem
        self.stdout.write(f"Written: {options['file']} ({options['file'].stat().st_size:,} bytes)")
        if tables:
            rows = sum(each.rows for each in tables.values())
            self.stdout.write(f"Compared with the database: {len(tables)} tables, {rows:,} rows, all the same.")
