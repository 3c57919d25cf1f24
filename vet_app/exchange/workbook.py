"""An Excel workbook (xlsx) as the CSV that it would be: the first sheet, numbers without a spreadsheet's roundings."""

from __future__ import annotations

import io
import zipfile
from datetime import date, datetime, time
from decimal import Decimal
from typing import Any, Iterator, List

from django.utils.translation import gettext as _

from exchange import csv_out

MARK = b"PK\x03\x04"
MOST_COLUMNS = 200
MOST_UNPACKED = 60 * 1024 * 1024  # a workbook of 2 MB that holds more was made to fill a memory


class NoWorkbook(Exception):
    """A file that looks like a workbook and cannot be read as one, or must not be; says why."""


def as_csv(content: bytes, most_rows: int) -> bytes:
    """The first sheet as CSV, a row in a line. Raises NoWorkbook."""
    _bounded(content)
    return b"".join(csv_out.pieces_as_they_are(_rows(content, most_rows)))


def _bounded(content: bytes) -> None:
    """Refuse what would grow beyond all bounds, and documents that define entities."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            if sum(each.file_size for each in archive.infolist()) > MOST_UNPACKED:
                raise NoWorkbook(_("This workbook is too large. Save the sheet as “CSV UTF-8” and import that file."))
            for each in archive.infolist():
                if each.filename.endswith((".xml", ".rels")) and b"<!DOCTYPE" in archive.open(each).read(4096):
                    raise NoWorkbook(_("This workbook cannot be read. Save the sheet as “CSV UTF-8”."))
    except (zipfile.BadZipFile, RuntimeError, NotImplementedError) as problem:
        raise NoWorkbook(_("This workbook cannot be read. Save the sheet as “CSV UTF-8”.")) from problem


def _rows(content: bytes, most_rows: int) -> Iterator[List[str]]:
    from openpyxl import load_workbook  # only an import needs it, and it takes a while to load

    try:
        book = load_workbook(io.BytesIO(content), read_only=True, data_only=True)
        sheet = book.worksheets[0]
        for cells in sheet.iter_rows(max_row=most_rows, max_col=MOST_COLUMNS, values_only=True):
            yield [_text(value) for value in cells]
    except (KeyError, IndexError, ValueError, TypeError, OSError, SyntaxError) as problem:
        raise NoWorkbook(_("This workbook cannot be read. Save the sheet as “CSV UTF-8”.")) from problem


def _text(value: Any) -> str:
    """A cell as people see it. A number is what the workbook holds and not what the column was wide enough for."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, datetime):
        return value.date().isoformat() if value.time() == time(0) else value.isoformat(" ")
    if isinstance(value, (date, time)):
        return value.isoformat()
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() and abs(value) < 2**53 else format(Decimal(repr(value)), "f")
    return ", ".join(str(value).splitlines())
