"""Reading CSV as clinics have it: Excel's and LibreOffice's separators, encodings and habits."""

from __future__ import annotations

import codecs
import csv
import io
import re
from dataclasses import dataclass
from typing import Dict, Iterator, List, Optional, Tuple

from django.utils.translation import gettext as _

from exchange.columns import BY_HEADING, Column, plain
from exchange.csv_out import DANGER
from exchange.report import Problem

DELIMITERS = (";", ",", "\t")
NAMES = {";": "semicolon", ",": "comma", "\t": "tab"}
WORKBOOK = b"PK\x03\x04"
LITERAL = re.compile(r'="([^"]*)"')  # how Excel keeps the zeros of ="00123"
Cells = Dict[str, str]


class Unreadable(Exception):
    """The file as a whole cannot be read; `problem` says why."""

    def __init__(self, message: str, column: str = "") -> None:
        super().__init__(message)
        self.problem = Problem(column, message)


@dataclass(frozen=True)
class Line:
    """A row's number in the file, its cells by column, and what is wrong with it already."""

    number: int
    cells: Cells
    problems: Tuple[Problem, ...] = ()


def unguard(text: str) -> str:
    """A cell as it was before `csv_out.guard`."""
    return text[1:] if text.startswith("'") and DANGER.match(text[1:]) else text


def encoding_of(content: bytes) -> str:
    """The encoding by its byte order mark, else UTF-8 where it is valid, else the one of Western European Excel."""
    marks = ((codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))
    for mark, name in marks:
        if content.startswith(mark):
            return name
    try:
        content.decode("utf-8")
    except UnicodeDecodeError:
        return "cp1252"
    return "utf-8"


class Table:
    """A CSV file with its headings understood; iterate over it for the rows, as often as needed. Raises Unreadable."""

    def __init__(self, content: bytes) -> None:
        if content.startswith(WORKBOOK):
            raise Unreadable(_("This is an Excel workbook. Save it as “CSV UTF-8” and import that file."))
        self._content = content
        self.encoding = encoding_of(content)
        self.skip, first = self._first_line()
        self.delimiter = max(DELIMITERS, key=lambda mark: (self._known(first, mark), first.count(mark)))
        self.columns, self.ignored = self._headings()

    def __iter__(self) -> Iterator[Line]:
        """The rows with any text in them; the cells of columns that the file lacks are empty."""
        for number, cells in self._records():
            if not any(cell.strip() for cell in cells):
                continue
            found: Cells = {}
            problems: List[Problem] = []
            for (heading, column), text in zip(self.columns, cells):
                if column is None:
                    continue
                try:
                    found[column.key] = clean(text)
                except ValueError as problem:
                    problems.append(Problem(heading, str(problem)))
            if any(cell.strip() for cell in cells[len(self.columns) :]):
                problems.append(
                    Problem("", _("There are more cells than headings. Put texts with a separator in them in quotes."))
                )
            yield Line(number, found, tuple(problems))

    def heading(self, key: str) -> str:
        """The heading of a column as the file has it, nothing where it is not in the file."""
        return next((text for text, column in self.columns if column is not None and column.key == key), "")

    def _text(self) -> io.TextIOWrapper:
        return io.TextIOWrapper(io.BytesIO(self._content), self.encoding, newline="")

    def _first_line(self) -> Tuple[int, str]:
        """How many lines to skip, and the line with the headings: Excel may write `sep=;` in front of it."""
        try:
            with self._text() as text:
                first = text.readline(65_536)
                if re.fullmatch(r"sep=.\s*", first):
                    return 1, text.readline(65_536)
                return 0, first
        except UnicodeError as problem:
            raise Unreadable(_("The file is not a text file. Save it as “CSV UTF-8”.")) from problem

    @staticmethod
    def _known(line: str, delimiter: str) -> int:
        try:
            cells = next(csv.reader([line], delimiter=delimiter), [])
        except csv.Error:
            return 0
        return sum(plain(cell) in BY_HEADING for cell in cells)

    def _records(self, *, headings: bool = False) -> Iterator[Tuple[int, List[str]]]:
        """Line number and cells of each record after the headings, or of the headings alone."""
        with self._text() as text:
            for _line in range(self.skip):
                text.readline()
            reader = csv.reader(text, delimiter=self.delimiter, strict=True)
            number = self.skip + 1
            try:
                for position, cells in enumerate(reader):
                    if headings == (position == 0):
                        yield number, cells
                    if headings:
                        return
                    number = self.skip + reader.line_num + 1
            except csv.Error as problem:
                where = self.skip + reader.line_num
                raise Unreadable(
                    _("Line %(line)d cannot be read: %(why)s. Is a quotation mark missing?")
                    % {"line": where, "why": problem}
                ) from problem
            except UnicodeError as problem:
                raise Unreadable(_("The file is not a text file. Save it as “CSV UTF-8”.")) from problem

    def _headings(self) -> Tuple[List[Tuple[str, Optional[Column]]], List[str]]:
        """Each heading with its column, None for one that nobody knows; and those."""
        _number, cells = next(self._records(headings=True), (1, []))
        found = [(cell.strip(), BY_HEADING.get(plain(cell))) for cell in cells]
        known = [column.key for _heading, column in found if column is not None]
        if "last_name" not in known:
            raise Unreadable(_("No column is named “Last name”. The first line has to hold the headings."))
        for heading, column in found:
            if column is not None and known.count(column.key) > 1:
                raise Unreadable(_("Two columns mean the same."), heading)
        return found, [heading for heading, column in found if column is None and heading]


def clean(text: str) -> str:
    """A cell as it is meant. Raises ValueError for a formula or a character that no text has."""
    if "\x00" in text:
        raise ValueError(_("This text contains a character that cannot be stored."))
    literal = LITERAL.fullmatch(text.strip())
    if literal:
        return literal.group(1).strip()
    if text.lstrip()[:1] in {"=", "@"}:
        raise ValueError(
            _("This is a formula, not a value. Put an apostrophe (') in front of it if it is meant as a text.")
        )
    return unguard(text).strip().replace("\r\n", "\n")
