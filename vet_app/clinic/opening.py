"""Opening hours of a week as people write them: `Mo-Fr 08:00-12:00, 14:00-18:00; Sa 09:00-12:00`.

The days are OpenStreetMap's, whose way of writing this is (https://wiki.openstreetmap.org/wiki/Key:opening_hours).
"""

from __future__ import annotations

import re
from datetime import time
from typing import Dict, List, Tuple

from django.core.exceptions import ValidationError
from django.utils.translation import get_language
from django.utils.translation import gettext as _

DAYS = ("mo", "tu", "we", "th", "fr", "sa", "su")
GERMAN = {"di": "tu", "mi": "we", "do": "th", "so": "su"}
FRENCH = {"lu": "mo", "ma": "tu", "me": "we", "je": "th", "ve": "fr", "di": "su"}
ONLY_FRENCH = FRENCH.keys() - GERMAN.keys()
Span = Tuple[time, time]
Week = Dict[int, List[Span]]
RULE = re.compile(r"(?P<days>[a-z]{2}(?:\s*[-,]\s*[a-z]{2})*)\s+(?P<spans>[\d:\s,-]+)")


def week(text: str) -> Week:
    """The spans of each day of the week, Monday is 0; days that are not named are closed. Raises ValidationError.

    Days may be German or French; `Di` is Sunday beside another French day, and Tuesday otherwise.
    """
    spans_by_day: Week = {day: [] for day in range(7)}
    names = FRENCH if _is_french(text) else GERMAN
    for rule in text.lower().split(";"):
        if not rule.strip():
            continue
        match = RULE.fullmatch(rule.strip())
        if match is None:
            raise _wrong(rule)
        spans = [_span(part, rule) for part in match["spans"].split(",")]
        if any(one[1] > other[0] for one, other in zip(spans, spans[1:])):
            raise _wrong(rule)
        for day in _days(match["days"], rule, names):
            spans_by_day[day] = spans
    return spans_by_day


def check(text: str) -> None:
    """Raise ValidationError where these are no opening hours, or where a French reader's `Di` would be Tuesday."""
    week(text)
    if (get_language() or "")[:2] == "fr" and re.search(r"\bdi\b", text.lower()) and not _is_french(text):
        raise ValidationError(_("“Di” could be Tuesday or Sunday. Write Tu or Su."))


def _is_french(text: str) -> bool:
    return any(name in ONLY_FRENCH for name in re.findall(r"[a-z]{2}", text.lower()))


def _days(text: str, rule: str, names: Dict[str, str]) -> List[int]:
    days: List[int] = []
    for part in text.split(","):
        ends = [names.get(name.strip(), name.strip()) for name in part.split("-")]
        if len(ends) > 2 or not set(ends) <= set(DAYS):
            raise _wrong(rule)
        first, last = DAYS.index(ends[0]), DAYS.index(ends[-1])
        days += range(first, last + 1) if first <= last else [*range(first, 7), *range(last + 1)]
    return days


def _span(text: str, rule: str) -> Span:
    try:
        opens, closes = (time.fromisoformat(part.strip().zfill(5)) for part in text.split("-"))
    except ValueError as problem:
        raise _wrong(rule) from problem
    if closes <= opens:
        raise _wrong(rule)
    return opens, closes


def _wrong(rule: str) -> ValidationError:
    example = "Mo-Fr 08:00-12:00, 14:00-18:00; Sa 09:00-12:00"
    placeholders = {"rule": rule.strip(), "example": example}
    return ValidationError(_("“%(rule)s” cannot be read. Write the hours like this: %(example)s") % placeholders)
