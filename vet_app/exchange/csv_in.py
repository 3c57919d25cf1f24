"""Reading CSV as clinics have it: Excel's and LibreOffice's separators, encodings and habits."""

from __future__ import annotations

import codecs
import csv
import io
import re
from dataclasses import dataclass
from itertools import islice
from typing import Any, Dict, Iterator, List, Mapping, Optional, Tuple

from django.conf import settings
from django.utils.translation import gettext as _

from clinic.normalization import fold, lost_its_zero
from exchange.columns import IDENTIFIERS, PHONES, READ, Column, by_heading, plain
from exchange.csv_out import NOTHING, is_guarded
from exchange.report import Problem

DELIMITERS = (";", ",", "\t")
OLD = ("cp1252", "cp1250", "mac_roman")
CENTRAL_EUROPE = {"PL", "CZ", "SK", "HU", "SI", "HR", "RO"}  # where what looks like either is rather cp1250
UTF8_LETTER = re.compile(rb"[\xc2-\xdf][\x80-\xbf]|[\xe0-\xef][\x80-\xbf]{2}|[\xf0-\xf4][\x80-\xbf]{3}")
NAMES = {";": "semicolon", ",": "comma", "\t": "tab"}
LITERAL = re.compile(r'="([^"]*)"')  # how Excel keeps the zeros of ="00123"
Cells = Dict[str, str]
BAD_BYTE = re.compile(r"[\udc80-\udcff\ufffd]")
TOTAL = re.compile(
    r"(grand )?(total|totals|sum|count|summe|gesamt|anzahl)( (records?|rows?|clients?|patients?))?\s*:?\s*[\d.,]*", re.I
)
SCIENTIFIC = re.compile(r"\d+(?:[.,]\d+)?E[+-]?\d+", re.I)
WHOLE_NUMBER = re.compile(r"(\d+)\.0+")


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
    return text[1:] if text.startswith("'") and is_guarded(text[1:]) else text


def encoding_of(content: bytes) -> str:
    """The encoding by its byte order mark, else UTF-8 where it is valid, else the one of Western European Excel."""
    marks = ((codecs.BOM_UTF8, "utf-8-sig"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))
    for mark, name in marks:
        if content.startswith(mark):
            return name
    zeros = content[1:2000:2].count(0), content[0:2000:2].count(0)
    if max(zeros) * 5 > min(len(content), 2000):  # UTF-16 without its mark: every second byte of plain letters is 0
        return "utf-16-le" if zeros[0] > zeros[1] else "utf-16-be"
    try:
        content.decode("utf-8")
    except UnicodeDecodeError:
        good = len(UTF8_LETTER.findall(content))
        bad = len(BAD_BYTE.findall(content.decode("utf-8", "surrogateescape")))
        return "utf-8" if good > bad else _guessed(content)
    return "utf-8"


def _guessed(content: bytes) -> str:
    """Which of the old encodings the letters of a file make sense in; Western European where none says more."""
    likely = sorted(OLD, key=lambda name: (name == "cp1250") != (settings.COUNTRY in CENTRAL_EUROPE))
    return min(likely, key=lambda name: _nonsense(content, name))


def _nonsense(content: bytes, encoding: str) -> int:
    """How many letters make no sense where they stand: signs within words, and capitals after small letters."""
    try:
        text = content.decode(encoding)
    except UnicodeDecodeError:
        return len(content)
    return len(re.findall(r"\w[^\W\x00-\x7f]*[^\w\x00-\x7f’\xa0]|[^\w\x00-\x7f“„«’\xa0]\w", text)) + sum(
        one.islower() and other.isupper() and not other.isascii() for one, other in zip(text, text[1:])
    )


def sample_of(content: bytes, encoding: str) -> str:
    """Some words with letters that tell whether the encoding is right; nothing where there are none."""
    try:
        words = content.decode(encoding, "replace").split()
    except LookupError:
        return ""
    cells = {part.strip('",;') for word in words for part in re.split("[,;\t]", word)}
    return ", ".join(sorted(cell for cell in cells if not cell.isascii())[:6])


def is_total(cells: List[str]) -> bool:
    """Whether a row only counts the rows above it: its first text says so, and the others are numbers."""
    texts = [cell.strip() for cell in cells if cell.strip()]
    return bool(TOTAL.fullmatch(texts[0])) and all(re.fullmatch(r"[\d.,\s]+", text) for text in texts[1:])


def unspoilt(text: str, *, whole: bool = True) -> str:
    """An identifier as it was before a spreadsheet took it for a number. Raises ValueError where that is lost.

    A `whole` number has no decimals, so that 985112000000001.0 is one; a lot may be called 12.0.
    """
    if SCIENTIFIC.fullmatch(text):
        raise ValueError(
            _(
                "A spreadsheet has turned this into the number “%(text)s” and lost digits. Copy it"
                " from the source again,"
                " with this column formatted as text."
            )
            % {"text": text}
        )
    number = WHOLE_NUMBER.fullmatch(text) if whole else None
    return number[1] if number else text


class Table:
    """A CSV file with its headings understood; iterate over it for the rows, as often as needed. Raises Unreadable."""

    def __init__(
        self,
        content: bytes,
        encoding: str = "",
        *,
        wanted: Tuple[Column, ...] = READ,
        needed: str = "last_name",
        mapping: Optional[Mapping[str, Any]] = None,
    ) -> None:
        """`encoding` is what a person chose; without it the bytes tell.

        `wanted` are the columns to look for, of which one is `needed`. `mapping` is what a person has said about
        headings and words (`exchange.mapping`); without it the headings speak for themselves.
        """
        self._content = content
        self._known_headings, self._needed = by_heading(wanted), needed
        self._by_key = {column.key: column for column in wanted}
        self._mapping: Mapping[str, Any] = mapping or {}
        self.encoding = encoding or encoding_of(content)
        self.skip, first = self._first_line()
        self.delimiter = max(DELIMITERS, key=lambda mark: (self._known(first, mark), first.count(mark)))
        self._understood: Optional[Tuple[List[Tuple[str, Optional[Column]]], List[str]]] = None

    @property
    def columns(self) -> List[Tuple[str, Optional[Column]]]:
        """Each heading with its column, None for one that nobody knows. Raises Unreadable without the needed one."""
        return self._headings_once()[0]

    @property
    def ignored(self) -> List[str]:
        """Headings that nobody knows."""
        return self._headings_once()[1]

    def _headings_once(self) -> Tuple[List[Tuple[str, Optional[Column]]], List[str]]:
        self._understood = self._understood or self._headings()
        return self._understood

    def samples(self, most: int = 3, within: int = 200) -> Dict[str, List[str]]:
        """Some different texts of each heading, from the first rows."""
        headings = self.headings()
        texts: Dict[str, List[str]] = {heading: [] for heading in headings}
        for _number, cells in islice(self._records(), within):
            for heading, text in zip(headings, cells):
                seen = texts[heading]
                if text.strip() and len(seen) < most and text.strip() not in seen:
                    seen.append(text.strip())
        return texts

    def __iter__(self) -> Iterator[Line]:
        """The rows with any text in them; the cells of columns that the file lacks are empty."""
        for number, cells in self._records():
            if not any(cell.strip() for cell in cells) or is_total(cells):
                continue
            meanings: Cells = {}
            problems: List[Problem] = []
            for (heading, column), text in zip(self.columns, cells):
                if column is None:
                    continue
                try:
                    meanings[column.key] = self._meant(column.key, clean(text))
                    if column.key in IDENTIFIERS:
                        meanings[column.key] = unspoilt(meanings[column.key], whole=column.key != "lot")
                except ValueError as problem:
                    problems.append(Problem(heading, str(problem)))
            if any(cell.strip() for cell in cells[len(self.columns) :]):
                problems.append(
                    Problem(
                        "",
                        _(
                            "This row has more cells than there are headings. Put text that contains the"
                            " separator in quotes."
                        ),
                    )
                )
            yield Line(number, meanings, tuple(problems))

    def _meant(self, key: str, text: str) -> str:
        """What a person has said that a word of this column means; the word itself where nobody has."""
        meaning: str = self._mapping.get("values", {}).get(key, {}).get(fold(text), text)
        return meaning

    def headings(self) -> List[str]:
        """The headings of the file."""
        _number, cells = next(self._records(headings=True), (1, []))
        return [cell.strip() for cell in cells]

    def choices(self) -> List[Tuple[str, str]]:
        """The columns that a heading may be said to mean."""
        return [(column.key, column.heading) for column in self._by_key.values()]

    def column_of(self, heading: str) -> Optional[Column]:
        """The column that a heading means: what a person has said, else what the heading says."""
        key = self._mapping.get("columns", {}).get(plain(heading))
        return self._known_headings.get(plain(heading)) if key is None else self._by_key.get(key)

    def without_zeros(self) -> List[str]:
        """Headings of telephone numbers that have all lost the 0 in front, as a spreadsheet makes it."""
        columns: Dict[str, List[bool]] = {}
        for line in self:
            for key in PHONES & line.cells.keys():
                if line.cells[key]:
                    columns.setdefault(key, []).append(lost_its_zero(line.cells[key]))
        return sorted(self.heading(key) for key, lost in columns.items() if all(lost))

    @property
    def sample(self) -> str:
        """Words that tell whether the encoding is right."""
        return sample_of(self._content, self.encoding)

    def heading(self, key: str) -> str:
        """The heading of a column as the file has it, nothing where it is not in the file."""
        return next((text for text, column in self.columns if column is not None and column.key == key), "")

    def _text(self) -> io.TextIOWrapper:
        # A bad byte in UTF-8 becomes a mark that `clean` refuses, so it is the problem of its line alone.
        errors = "surrogateescape" if self.encoding.startswith("utf-8") else "strict"
        return io.TextIOWrapper(io.BytesIO(self._content), self.encoding, errors, newline="")

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

    def _known(self, line: str, delimiter: str) -> int:
        try:
            cells = next(csv.reader([line], delimiter=delimiter), [])
        except csv.Error:
            return 0
        return sum(plain(cell) in self._known_headings for cell in cells)

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
        pairs = [(heading, self.column_of(heading)) for heading in self.headings()]
        known = [column.key for _heading, column in pairs if column is not None]
        if self._needed not in known:
            placeholders = {"column": self._by_key[self._needed].heading}
            raise Unreadable(
                _("No column is named “%(column)s”. Say which column it is, or write headings into the first line.")
                % placeholders
            )
        for heading, column in pairs:
            if column is not None and known.count(column.key) > 1:
                raise Unreadable(_("Two columns are mapped to the same field."), heading)
        return pairs, [heading for heading, column in pairs if column is None and heading]


def clean(text: str) -> str:
    """A cell as it is meant. Raises ValueError for a formula or a character that no text has."""
    if "\x00" in text:
        raise ValueError(_("This text contains a character that cannot be stored."))
    if BAD_BYTE.search(text):
        raise ValueError(
            _("This cell contains an unreadable character: %(text)s. Retype it.")
            % {"text": BAD_BYTE.sub("\ufffd", text)[:40]}
        )
    if text.strip().casefold() in NOTHING:
        return ""
    literal = LITERAL.fullmatch(text.strip())
    if literal:
        return literal.group(1).strip()
    if text.lstrip()[:1] in {"=", "@"}:
        raise ValueError(
            _("This is a formula, not a value. Put an apostrophe (') in front of it if it is meant as a text.")
        )
    return unguard(text).strip().replace("\r\n", "\n")
