"""manage.py export_record: one patient's whole record as a ZIP for another clinic."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from audit.actor import Actor
from clinic.models import Pet
from exchange.exporting import patient_record, patient_record_name
from exchange.management.commands.export_csv import write_new


class Command(BaseCommand):
    """Audited, as on the page."""

    help = "Export everything recorded about one pet to a ZIP file: to read, to print, for programs, with attachments."

    def add_arguments(self, parser: CommandParser) -> None:
        """Which pet, and where to."""
        parser.add_argument("pet", type=int, help="the pet's number, as in the address of its page")
        parser.add_argument("file", type=Path, nargs="?", help="the file to make (record-<name>-<number>.zip)")

    def handle(self, *args: Any, **options: Any) -> None:
        """Write it."""
        try:
            file = options["file"] or Path(patient_record_name(options["pet"]))
            write_new(file, patient_record(Actor.system("export_record"), options["pet"]))
        except Pet.DoesNotExist as problem:
            raise CommandError(f"There is no pet number {options['pet']}.") from problem
        self.stdout.write(f"Written: {file}")
