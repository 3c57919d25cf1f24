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
# What a spreadsheet takes for a number or a date and writes back as another one: 985112000000001 as 9.85E+14, 0301 as
# 301, 12E10 as 1.2E+11, and the lots 3-4 and MAR1 as days.
MONTH = r"(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec|mrz|mai|okt|dez)[a-z]*"
REFORMATTED = re.compile(
    r"'*(?:0\d+|\d{12,}|\d+(?:\.\d+)?[eE][+-]?\d+|\d{1,2}[-/.]\d{1,2}(?:[-/.]\d{2,4})?"
    rf"|{MONTH}[-/ ]?\d{{1,4}}|\d{{1,2}}[-/ ]?{MONTH})",
    re.IGNORECASE,
)
# What practice programs write into a cell that has nothing in it. Somebody may be called so all the same.
NOTHING = {"n/a", "#n/a", "na", "null", "none", "nil", "-", "--", "–", "k.a."}
ROWS_A_PIECE = 200


def is_guarded(text: str) -> bool:
    """Whether a text must not stand in a cell as it is."""
    named_nothing = text.lstrip("'").strip().casefold() in NOTHING
    return named_nothing or bool(DANGER.match(text) or REFORMATTED.fullmatch(text))


def guard(text: str) -> str:
    """The text with an apostrophe in front where a spreadsheet would reformat it or an import would read it as empty.

    `csv_in.unguard` takes it off.
    """
    return f"'{text}" if is_guarded(text) else text


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
    return pieces_as_they_are(([cell(value) for value in row] for row in rows), delimiter)


def pieces_as_they_are(rows: Iterable[Sequence[str]], delimiter: str = ",") -> Iterator[bytes]:
    """The same of cells that are texts already, for a file that no spreadsheet opens."""
    buffer = io.StringIO(BOM, newline="")
    buffer.seek(0, io.SEEK_END)
    writer = csv.writer(buffer, delimiter=delimiter)
    for number, row in enumerate(rows, start=1):
        writer.writerow(row)
        if number % ROWS_A_PIECE == 0:
            yield buffer.getvalue().encode()
            buffer.seek(0)
            buffer.truncate()
    yield buffer.getvalue().encode()
