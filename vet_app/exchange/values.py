"""The values of cells: dates in the ways people write them, and yes or no."""

from __future__ import annotations

import re
from datetime import date
from decimal import Decimal
from typing import Iterable, List, Optional

from django.utils import timezone
from django.utils.translation import gettext as _

from clinic import units
from clinic.money import round_money
from clinic.normalization import fold
from exchange.models import ImportFile

MIDNIGHT = r"(?:[T ]0?0:00(?::00(?:\.0+)?)?Z?)?"
ISO = re.compile(r"(\d{4})[-/](\d{1,2})[-/](\d{1,2})" + MIDNIGHT)
DOTTED = re.compile(r"(\d{1,2})\.\s?(\d{1,2})\.\s?(\d{4}|\d{2})" + MIDNIGHT)
SLASHED = re.compile(r"(\d{1,2})[/-](\d{1,2})[/-](\d{4}|\d{2})" + MIDNIGHT)
ZERO = {("1899", "12", "30"), ("1899", "12", "31"), ("1900", "01", "00"), ("0000", "00", "00"), ("1753", "01", "01")}
"""The day that spreadsheets and databases write for "no date"."""
LARGEST = Decimal(10) ** 9
YEARS_AHEAD = 10  # 5/1/36 may be due; 5/1/40 was 1940
YES = {"yes", "y", "true", "t", "1", "x", "ja", "j", "wahr", "oui", "o", "vrai"}
NO = {"no", "n", "false", "f", "0", "nein", "falsch", "non", "faux"}
NEUTERED = {
    "neutered", "spayed", "castrated", "altered", "fixed", "sterilised", "sterilized", "desexed", "gelded", "kastriert",
    "sterilisiert", "castre", "castree", "sterilise", "sterilisee",
}  # fmt: skip
INTACT = {"intact", "entire", "unaltered", "not neutered", "not spayed", "unkastriert", "nicht kastriert", "entier"}


class Dates:
    """Reads dates; whether 3/4/2024 is in March or April is told, or found out from all dates of a file."""

    def __init__(self, order: str = ImportFile.Dates.AUTO, cells: Iterable[str] = ()) -> None:
        self.order = order if order != ImportFile.Dates.AUTO else _order(cells)

    def read(self, text: str) -> Optional[date]:
        """The date, or None for an empty cell. Raises ValueError with a sentence for people."""
        if not text:
            return None
        if match := ISO.fullmatch(text):
            year, month, day = match.groups()
        elif match := DOTTED.fullmatch(text):
            day, month, year = match.groups()
        elif match := SLASHED.fullmatch(text):
            if self.order == ImportFile.Dates.AUTO:
                raise ValueError(_("Day or month first? Choose how this file writes dates."))
            day, month, year = match.groups()
            if self.order == ImportFile.Dates.MONTH_FIRST:
                day, month = month, day
        else:
            raise ValueError(_("“%(text)s” is not a date. Write 2024-12-31 or 31.12.2024.") % {"text": text[:40]})
        if (year.zfill(4), month.zfill(2), day.zfill(2)) in ZERO:
            return None
        try:
            return date(_year(year), int(month), int(day))
        except ValueError as problem:
            raise ValueError(_("The date %(text)s does not exist.") % {"text": text}) from problem


def _year(written: str) -> int:
    """A year of two digits is of this century, unless that is further ahead than anything is planned."""
    if len(written) == 4:
        return int(written)
    year = 2000 + int(written)
    return year if year <= timezone.localdate().year + YEARS_AHEAD else year - 100


def _order(cells: Iterable[str]) -> str:
    """Day or month first, where some date tells and none speaks against it."""
    first: List[int] = []
    second: List[int] = []
    for text in cells:
        if match := SLASHED.fullmatch(text):
            first.append(int(match.group(1)))
            second.append(int(match.group(2)))
    day_first, month_first = max(first, default=0) > 12, max(second, default=0) > 12
    if day_first == month_first:
        return ImportFile.Dates.AUTO
    return ImportFile.Dates.DAY_FIRST if day_first else ImportFile.Dates.MONTH_FIRST


def neutered(text: str) -> Optional[bool]:
    """Whether an animal is neutered, also in the words that say which way. Raises ValueError for any other."""
    word = fold(text)
    return True if word in NEUTERED else False if word in INTACT else yes_or_no(text)


def yes_or_no(text: str) -> Optional[bool]:
    """True, False, or None for an empty cell. Raises ValueError with a sentence for people."""
    word = text.lower()
    if not word:
        return None
    if word not in YES | NO:
        raise ValueError(_("“%(text)s” is neither yes nor no.") % {"text": text[:40]})
    return word in YES


def number(text: str) -> Optional[Decimal]:
    """A number in the ways people write it: 1,234.50, 1.234,50, $12.00, (12.00) for -12.00; None for an empty cell."""
    plain = re.sub(r"[^\d.,()-]", "", text)
    if not text:
        return None
    negative = plain.startswith(("(", "-")) or plain.endswith("-")
    plain = plain.strip("()-")
    mark = max(plain.rfind("."), plain.rfind(","))
    thousands = re.fullmatch(r"\d{1,3}(,\d{3})+|\d{1,3}(\.\d{3}){2,}", plain)
    split = len(plain) if mark < 0 or thousands else mark
    whole, decimals = re.sub(r"[.,]", "", plain[:split]), plain[split + 1 :]
    if not (whole + decimals).isdecimal():
        raise ValueError(_("“%(text)s” is not a number.") % {"text": text[:40]})
    value = Decimal(f"{whole or 0}.{decimals or 0}")
    return -value if negative else value


def amount(text: str) -> Optional[Decimal]:
    """An amount of the clinic's currency."""
    value = number(text)
    if value is not None and (value != round_money(value) or abs(value) >= LARGEST):
        raise ValueError(_("“%(text)s” is not an amount of money.") % {"text": text[:40]})
    return value


def weight(text: str) -> Optional[Decimal]:
    """Kilograms, from a number in the clinic's unit or with its own: 12.4 kg, 27 lbs."""
    value = number(re.sub(r"(?i)kgs?|lbs?\.?|pounds?", "", text))
    if value is None:
        return None
    if re.search(r"(?i)kg", text):
        return value
    pounds = bool(re.search(r"(?i)lb|pound", text))
    return (value * units.POUND).quantize(Decimal("0.001")) if pounds else units.entered("weight_kg", value)
