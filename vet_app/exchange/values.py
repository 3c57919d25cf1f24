"""The values of cells: dates in the ways people write them, and yes or no."""

from __future__ import annotations

import re
from datetime import date
from typing import Iterable, List, Optional

from django.utils.translation import gettext as _

from exchange.models import ImportFile

ISO = re.compile(r"(\d{4})-(\d{1,2})-(\d{1,2})(?:[T ]00:00(?::00)?)?")
DOTTED = re.compile(r"(\d{1,2})\.\s?(\d{1,2})\.\s?(\d{4})")
SLASHED = re.compile(r"(\d{1,2})[/-](\d{1,2})[/-](\d{4})")
YES = {"yes", "y", "true", "t", "1", "x", "ja", "j", "wahr"}
NO = {"no", "n", "false", "f", "0", "nein", "falsch"}


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
        try:
            return date(int(year), int(month), int(day))
        except ValueError as problem:
            raise ValueError(_("The date %(text)s does not exist.") % {"text": text}) from problem


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


def yes_or_no(text: str) -> Optional[bool]:
    """True, False, or None for an empty cell. Raises ValueError with a sentence for people."""
    word = text.lower()
    if not word:
        return None
    if word not in YES | NO:
        raise ValueError(_("“%(text)s” is neither yes nor no.") % {"text": text[:40]})
    return word in YES
