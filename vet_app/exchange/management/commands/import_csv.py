"""manage.py import_csv: bring owners, pets and vaccinations in from a CSV file. A dry run unless told to apply."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError, CommandParser

from audit.actor import Actor
from exchange import importing
from exchange.models import ImportFile
from exchange.report import Outcome, Report, Row
from vetclinic.errors import Conflict


class Command(BaseCommand):
    """Shows each row that needs a look, then the counts. Ends with code 1 where the file has errors."""

    help = "Import owners, pets and vaccinations from a CSV file. Without --apply it only shows what would happen."

    def add_arguments(self, parser: CommandParser) -> None:
        """The file, how to read it, and whether it is meant."""
        parser.add_argument("file", type=Path, nargs="?", help="the CSV file")
        parser.add_argument("--apply", action="store_true", help="import, if the dry run finds no error")
        parser.add_argument(
            "--dates", choices=ImportFile.Dates.values, default="auto", help="how 03/04/2024 is meant (auto)"
        )
        parser.add_argument(
            "--duplicates",
            choices=ImportFile.Duplicates.values,
            default="skip",
            help="possible duplicate owners (skip)",
        )
        parser.add_argument("--template", action="store_true", help="write an example file instead")

    def handle(self, *args: Any, **options: Any) -> None:
        """Preview, then apply or throw away."""
        if options["template"]:
            self.stdout.write(importing.template().decode(), ending="")
            return
        if options["file"] is None:
            raise CommandError("Name the CSV file, or ask for an example: manage.py import_csv --template")
        actor = Actor.system("import_csv")
        try:
            content = self._read(options["file"])
            staged = importing.stage(
                actor, options["file"].name, content, dates=options["dates"], duplicates=options["duplicates"]
            )
        except ValidationError as problem:
            raise CommandError(" ".join(problem.messages)) from problem
        try:
            report = importing.preview(actor, staged.pk, progress=self._progress)
            self._show(report)
            if not report.ok:
                raise CommandError("Nothing was imported. Fix the lines above and try again.")
            if options["apply"]:
                importing.apply(actor, staged.pk, progress=self._progress)
                self.stdout.write(self.style.SUCCESS("Imported."))
            else:
                self.stdout.write("This was a dry run; nothing has changed. Add --apply to import.")
        except Conflict as problem:
            raise CommandError(str(problem)) from problem
        finally:
            staged.refresh_from_db(fields=["status"])
            if staged.status == ImportFile.Status.STAGED:
                importing.discard(actor, staged.pk)

    @staticmethod
    def _read(file: Path) -> bytes:
        try:
            with file.open("rb") as content:
                return content.read(importing.MOST_BYTES + 1)
        except OSError as problem:
            raise CommandError(f"{file} cannot be read: {problem.strerror}.") from problem

    def _progress(self, rows: int) -> None:
        if self.stderr.isatty():
            self.stderr.write(f"\r{rows} rows", ending="")
            self.stderr.flush()

    def _show(self, report: Report) -> None:
        if self.stderr.isatty():
            self.stderr.write("")
        if report.delimiter:
            self.stdout.write(f"Read as {report.encoding}, separated by {report.delimiter}.")
        for note in report.notes:
            self.stdout.write(f"Note: {note}")
        for problem in report.problems:
            self.stdout.write(self.style.ERROR(f"{problem.column + ': ' if problem.column else ''}{problem.message}"))
        for row in report.rows:
            self._show_row(row)
        counts = ", ".join(f"{report.counts[outcome.value]} {outcome.label.lower()}" for outcome in Outcome)
        created = ", ".join(f"{count} new {kind}s" for kind, count in sorted(report.created.items())) or "nothing new"
        self.stdout.write(f"{len(report.rows)} rows: {counts}. In them: {created}.")

    def _show_row(self, row: Row) -> None:
        about = ", ".join(part for part in (row.owner, row.pet, row.vaccination) if part)
        for problem in row.problems:
            self.stdout.write(self.style.ERROR(f"Line {row.line} ({about}): {problem.column}: {problem.message}"))
        for similar in row.similar:
            text = f"Line {row.line} ({about}): looks like {similar.name} (owner {similar.owner_id})"
            self.stdout.write(self.style.WARNING(text))
