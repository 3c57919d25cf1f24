"""Import of owners, pets and vaccinations from one CSV file: stage it, preview it, then apply or discard it.

An import only adds. An owner, pet or vaccination that is recorded already is left as it is, so importing a file twice
changes nothing the second time. With an error in any row nothing is imported at all.
"""

from __future__ import annotations

import hashlib
from contextlib import suppress
from datetime import timedelta
from itertools import islice
from typing import Any, Callable, Dict, Iterator

from django.core.exceptions import ValidationError
from django.db import IntegrityError, OperationalError, connection, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.roles import Right
from audit.actor import Actor
from audit.models import AuditEntry
from audit.services import record
from clinic.services import records
from exchange import columns, csv_out, mapping, price_list
from exchange.csv_in import NAMES, Table, Unreadable
from exchange.drafts import Drafter, Reference
from exchange.models import ImportFile
from exchange.report import Report
from exchange.values import Dates
from exchange.workbook import MARK, NoWorkbook, as_csv
from exchange.writing import Writer
from vetclinic.errors import Conflict

MOST_BYTES = 2 * 1024 * 1024
MOST_ROWS = 5000
KEEP = timedelta(days=1)
BATCH = 250
DATE_COLUMNS = ("birth_date", "deceased_on", "given_on", "due_on", "lot_expiry", "weighed_on", "visit_on")
Progress = Callable[[int], None]
Status = ImportFile.Status


def stage(
    actor: Actor,
    name: str,
    content: bytes,
    *,
    dates: str = ImportFile.Dates.AUTO,
    duplicates: str = ImportFile.Duplicates.SKIP,
    kind: str = ImportFile.Kind.CLIENTS,
) -> ImportFile:
    """Keep an uploaded file until it is applied or discarded.

    Raises ValidationError beside `file` where it is empty or larger than MOST_BYTES (check the upload's size before
    reading it), beside `dates` or `duplicates` for an unknown word, PermissionDenied without Right.MANAGE.
    """
    actor.require(Right.MANAGE)
    uploaded = content
    if not content.strip():
        raise ValidationError({"file": [_("This file is empty.")]})
    if len(content) > MOST_BYTES:
        raise ValidationError({"file": [_("This file is larger than 2 MB. Import it in several parts.")]})
    if content.startswith(MARK):
        try:
            content = as_csv(content, MOST_ROWS + 2)
        except NoWorkbook as problem:
            raise ValidationError({"file": [str(problem)]}) from problem
    staged = ImportFile(
        user_id=actor.user_id, name=name.replace("\x00", "")[-120:] or "import.csv", content=content,
        sha256=hashlib.sha256(uploaded).hexdigest(), dates=dates, duplicates=duplicates, kind=kind,
    )  # fmt: skip
    with suppress(Unreadable):  # the preview says so
        staged.mapping = mapping.remembered(staged)
    with transaction.atomic():
        return records.create(actor, staged, {}, set())


def preview(actor: Actor, import_id: int, *, progress: Progress = lambda rows: None) -> Report:
    """The dry run: what `apply` would do, row by row; nothing is changed. Raises Conflict once applied or discarded.

    It does everything and takes it back, so that it can promise what the database will accept.
    """
    actor.require(Right.MANAGE)
    with transaction.atomic():
        staged = _lock(import_id)
        report = _rehearsed(actor, staged, progress)
        staged.previewed = _fingerprint(report)
        staged.save(update_fields=["previewed", "updated_at"])
    return report


def apply(actor: Actor, import_id: int, *, progress: Progress = lambda rows: None) -> Report:
    """Import a staged file in one transaction and empty its content.

    Raises Conflict where it was applied or discarded already (a second click), was not previewed, or would now do
    something else than its preview said. Returns a report with `applied` False where the file has errors.
    """
    actor.require(Right.MANAGE)
    with transaction.atomic():
        staged = _lock(import_id)
        if not staged.previewed:
            raise Conflict(_("Look at the preview of this file first."))
        try:
            report = _read_and_write(actor, staged, progress)
        except _Refused as refused:
            return refused.report
        if _fingerprint(report) != staged.previewed:
            raise Conflict(_("The clinic's records have changed since the preview. Look at it again."))
        report.applied = True
        _finish(actor, staged, Status.APPLIED, AuditEntry.Action.IMPORT, dict(report.created))
    return report


def read_as(actor: Actor, import_id: int, encoding: str) -> None:
    """Read a staged file in another encoding from now on; "" finds out. Raises Conflict once applied or discarded."""
    actor.require(Right.MANAGE)
    with transaction.atomic():
        staged = _lock(import_id)
        staged.encoding, staged.previewed = ImportFile._meta.get_field("encoding").clean(encoding, staged), ""
        staged.save(update_fields=["encoding", "previewed", "updated_at"])


def set_mapping(actor: Actor, import_id: int, answers: Dict[str, Any]) -> None:
    """Keep what a person says about the headings and words of a staged file. Raises Conflict once it is done with."""
    actor.require(Right.MANAGE)
    with transaction.atomic():
        mapping.save(actor, _lock(import_id), answers)


def discard(actor: Actor, import_id: int) -> None:
    """Throw a staged file away. Raises Conflict once applied or discarded."""
    actor.require(Right.MANAGE)
    with transaction.atomic():
        _finish(actor, _lock(import_id), Status.DISCARDED, AuditEntry.Action.VOID, {})


def forget_old(actor: Actor) -> int:
    """Discard the files that have been waiting for longer than KEEP; returns how many.

    One that is being imported at this moment is left to the next time.
    """
    old = ImportFile.objects.filter(status=Status.STAGED, created_at__lt=timezone.now() - KEEP)
    count = 0
    for pk in list(old.values_list("pk", flat=True)):
        with suppress(Conflict):
            discard(actor, pk)
            count += 1
    return count


def template(kind: str = ImportFile.Kind.CLIENTS) -> bytes:
    """A CSV file with all headings that an import reads and one example row, to start from.

    Visits have headings alone: they name a vet of the clinic.
    """
    wanted = columns.PRICES if kind == ImportFile.Kind.PRICES else columns.READ
    rows = ([column.heading for column in wanted], [column.example for column in wanted])
    return b"".join(csv_out.pieces(rows))


class _Refused(Exception):
    """The file has errors; raised to leave, and so take back, the transaction."""

    def __init__(self, report: Report) -> None:
        super().__init__()
        self.report = report


def _lock(import_id: int) -> ImportFile:
    """The staged file. All waiting files are locked, so that one import runs at a time."""
    nowait = connection.features.has_select_for_update_nowait
    try:
        waiting = ImportFile.objects.select_for_update(nowait=nowait).filter(status=Status.STAGED)
        files = {row.pk: row for row in waiting.defer("content").order_by("pk")}
    except OperationalError as problem:
        raise Conflict(_("Another import is running. Try again in a minute.")) from problem
    if import_id not in files:
        ImportFile.objects.only("pk").get(pk=import_id)
        raise Conflict(_("This file has been imported or discarded already."))
    return files[import_id]


def _rehearsed(actor: Actor, staged: ImportFile, progress: Progress) -> Report:
    try:
        with transaction.atomic():
            report = _read_and_write(actor, staged, progress)
            transaction.set_rollback(True)
    except _Refused as refused:
        return refused.report
    return report


def _read_and_write(actor: Actor, staged: ImportFile, progress: Progress) -> Report:
    """Do the import. Raises _Refused with the report where anything is wrong; what was written is taken back then."""
    report = Report()
    try:
        with transaction.atomic():
            table = mapping.table_of(staged)
            report.encoding, report.delimiter = table.encoding, NAMES[table.delimiter]
            report.ignored = table.ignored
            _write_rows(actor, staged, table, report, progress)
            if not report.ok:
                report.created.clear()
                raise _Refused(report)
    except Unreadable as unreadable:
        report.problems.append(unreadable.problem)
        raise _Refused(report) from unreadable
    except IntegrityError as problem:  # somebody recorded the same microchip or breed in the meantime
        raise Conflict(_("The clinic's records have changed since the preview. Look at it again.")) from problem
    return report


def _write_rows(actor: Actor, staged: ImportFile, table: Table, report: Report, progress: Progress) -> None:
    count = sum(1 for _line in table)
    if count > MOST_ROWS:
        raise Unreadable(
            _("The file has %(count)d rows; at most %(most)d can be imported at once.")
            % {"count": count, "most": MOST_ROWS}
        )
    if not count:
        raise Unreadable(_("The file has headings but no rows."))
    if staged.kind == ImportFile.Kind.PRICES:
        report.rows, report.created, report.notes = price_list.rows_of(actor, table)
        return
    reference = Reference(actor)
    dates = Dates(staged.dates, (line.cells.get(key, "") for line in table for key in DATE_COLUMNS))
    drafter = Drafter(table, reference, dates)
    writer = Writer(actor, staged.duplicates, table.heading)
    lines = iter(table)
    while batch := [drafter.draft(line) for line in islice(lines, BATCH)]:
        report.rows += writer.write(batch)
        progress(len(report.rows))
    report.created = writer.created
    report.notes += _notes(table, reference)


def _notes(table: Table, reference: Reference) -> Iterator[str]:
    if not table.encoding.startswith("utf"):
        yield _(
            "The file is not in Unicode, so the character encoding is a guess. Are these words right? %(sample)s"
        ) % {"sample": table.sample or "–"}
    if not table.heading("reminder_consent"):
        yield _("No column says who agrees to reminders, so the new owners get none until somebody asks them.")
    for heading in table.without_zeros():
        yield _(
            "No number in the column “%(column)s” begins with 0; a spreadsheet may have dropped it. The search finds"
            " the numbers all the same. To have them printed with it, format the column as text and save it again."
        ) % {"column": heading}
    if reference.new_breeds:
        yield _("New breeds: %(breeds)s") % {"breeds": ", ".join(reference.new_breeds)}
    if table.ignored:
        yield _("These columns are not used: %(columns)s") % {"columns": ", ".join(table.ignored)}


def _fingerprint(report: Report) -> str:
    """The same for the same outcome of each row, in whatever language it is told."""
    outcomes = [(row.line, row.outcome.value, row.created) for row in report.rows]
    problems = [problem.column for problem in report.problems]
    return hashlib.sha256(repr((outcomes, problems)).encode()).hexdigest()


def _finish(actor: Actor, staged: ImportFile, status: str, action: AuditEntry.Action, created: Dict[str, int]) -> None:
    staged.status, staged.content = status, b""
    staged.save(update_fields=["status", "content", "updated_at"])
    record(actor, action, staged, {"sha256": [None, staged.sha256], "created": [None, created]})
