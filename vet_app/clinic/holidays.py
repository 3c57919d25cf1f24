"""Public holidays of the clinic's country or region, by the library `holidays`."""

from __future__ import annotations

from datetime import date
from functools import lru_cache
from typing import Any

from django.core.exceptions import ValidationError
from django.utils.translation import get_language
from django.utils.translation import gettext as _


def check(region: str) -> None:
    """Raise ValidationError where no holidays are known for a region such as `US`, `US-CA` or `DE-BY`."""
    try:
        _of(region, 2026, "en")
    except (NotImplementedError, ValueError) as problem:
        raise ValidationError(
            _("No holidays are known for “%(region)s”. Write a country or one with its region, such as US-CA or DE-BY.")
            % {"region": region}
        ) from problem


def named(region: str, day: date) -> str:
    """What is celebrated on a day, in the present language where the library has it; nothing on other days."""
    if not region:
        return ""
    return str(_of(region, day.year, (get_language() or "en")[:2]).get(day) or "")


@lru_cache(maxsize=32)
def _of(region: str, year: int, language: str) -> Any:
    import holidays  # it is large, and only a calendar needs it

    country, _dash, part = region.partition("-")
    known = holidays.list_localized_countries().get(country, [])
    spoken = next((each for each in known if each[:2] == language), None)
    return holidays.country_holidays(country, subdiv=part or None, years=year, expand=False, language=spoken)
