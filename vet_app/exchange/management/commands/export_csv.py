"""manage.py export_csv: all owners, pets and vaccinations as the CSV that import_csv reads."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from audit.actor import Actor
from exchange.exporting import clients


class Command(BaseCommand):
    """The file is readable by its owner alone: it holds the addresses of all clients."""

    help = "Export all owners, pets and vaccinations to a new CSV file (mode 600)."

    def add_arguments(self, parser: CommandParser) -> None:
        """Where to, and which separator."""
        parser.add_argument("file", type=Path, help="the file to make; it must not exist")
        parser.add_argument("--semicolon", action="store_true", help="separate by semicolons, for European Excel")

    def handle(self, *args: Any, **options: Any) -> None:
        """Write piece by piece."""
        write_new(options["file"], clients(Actor.system("export_csv"), delimiter=";" if options["semicolon"] else ","))
        self.stdout.write(f"Written: {options['file']}")


def write_new(file: Path, pieces: Any) -> None:
    """Write a file that did not exist, with mode 600. Raises CommandError in plain words."""
    try:
        handle = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError as problem:
        raise CommandError(f"{file} exists already; name a new file.") from problem
    except OSError as problem:
        raise CommandError(f"{file} cannot be written: {problem.strerror}.") from problem
    with os.fdopen(handle, "wb") as target:
        for piece in pieces:
            target.write(piece)
