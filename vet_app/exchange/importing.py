"""Import of owners, pets and vaccinations from one CSV file: stage it, preview it, then apply or discard it.

An import only adds. An owner, pet or vaccination that is recorded already is left as it is, so importing a file twice
changes nothing the second time. With an error in any row nothing is imported at all.
"""

from __future__ import annotations

from audit.actor import Actor
from exchange.models import ImportFile
from exchange.report import Report

MOST_BYTES = 2 * 1024 * 1024
MOST_ROWS = 5000


def stage(
    actor: Actor,
    name: str,
    content: bytes,
    *,
    dates: str = ImportFile.Dates.AUTO,
    duplicates: str = ImportFile.Duplicates.SKIP,
) -> ImportFile:
    """Keep an uploaded file until it is applied or discarded.

    Raises ValidationError beside `file` where it is empty or larger than MOST_BYTES (check the upload's size before
    reading it), beside `dates` or `duplicates` for an unknown word, PermissionDenied without Right.MANAGE.
    """
    raise NotImplementedError


def preview(actor: Actor, import_id: int) -> Report:
    """The dry run: what `apply` would do, row by row; nothing is changed. Raises Conflict once applied or discarded."""
    raise NotImplementedError


def apply(actor: Actor, import_id: int) -> Report:
    """Import a staged file in one transaction and empty its content.

    Raises Conflict where it was applied or discarded already (a second click), was not previewed, or would now do
    something else than its preview said. Returns a report with `applied` False where the file has errors.
    """
    raise NotImplementedError


def discard(actor: Actor, import_id: int) -> None:
    """Throw a staged file away. Raises Conflict once applied or discarded."""
    raise NotImplementedError


def template() -> bytes:
    """A CSV file with all headings and one example row, to start from."""
    raise NotImplementedError
