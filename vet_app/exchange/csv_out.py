"""Writing CSV that a spreadsheet opens as it is and in which no cell is ever run as a formula."""

from __future__ import annotations

import csv
import io
import re
from datetime import date
from decimal import Decimal
from typing import Any, Iterable, Iterator, Sequence

BOM = "\ufeff"
# The characters at which spreadsheets start a formula (https://owasp.org/www-community/attacks/CSV_Injection), with
# their full-width forms; apostrophes before them are the mark itself and so get another one.
DANGER = re.compile(r"'*\s*[=+\-@＝＋－＠]|'*[\t\r\n]")
ROWS_A_PIECE = 200


def guard(text: str) -> str:
    """The text with an apostrophe in front where a spreadsheet would run it; `csv_in.unguard` takes it off again."""
    return f"'{text}" if DANGER.match(text) else text


def cell(value: Any) -> str:
    """A value as text: dates in ISO form, yes and no, nothing for None."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, (int, Decimal)):  # a minus before a number starts no formula
        return str(value)
    return guard(str(value))


def pieces(rows: Iterable[Sequence[Any]], delimiter: str = ",") -> Iterator[bytes]:
    """Rows as UTF-8 CSV with a byte order mark, a few hundred rows at a time."""
    buffer = io.StringIO(BOM, newline="")
    buffer.seek(0, io.SEEK_END)
    writer = csv.writer(buffer, delimiter=delimiter)
    for number, row in enumerate(rows, start=1):
        writer.writerow([cell(value) for value in row])
        if number % ROWS_A_PIECE == 0:
            yield buffer.getvalue().encode()
            buffer.seek(0)
            buffer.truncate()
    yield buffer.getvalue().encode()
