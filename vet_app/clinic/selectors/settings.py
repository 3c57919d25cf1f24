"""The clinic's settings as they hold now."""

from __future__ import annotations

from contextlib import contextmanager
from contextvars import ContextVar
from typing import Iterator, List, Optional

from django.conf import settings
from django.utils.translation import get_language

from clinic.models import ClinicSettings
from clinic.money import smallest_coin

_last_known: List[str] = []
"""The clinic's name as this process has read it last."""
_held: ContextVar[Optional[List[ClinicSettings]]] = ContextVar("held", default=None)


@contextmanager
def held() -> Iterator[None]:
    """Read the settings at most once for as long as this lasts: one request."""
    token = _held.set([])
    try:
        yield
    finally:
        _held.reset(token)


def forget() -> None:
    """Read them again next time, after they were changed."""
    cache = _held.get()
    if cache is not None:
        cache.clear()


def clinic_settings() -> ClinicSettings:
    """What the manager saved; until then the environment's values, in a row that is not stored (its version is 0)."""
    cache = _held.get()
    if cache:
        return cache[0]
    row = ClinicSettings.objects.first() or _of_environment()
    _last_known[:] = [row.name]
    if cache is not None:
        cache.append(row)
    return row


def name_without_database() -> str:
    """The clinic's name for pages that must ask nothing of the database: the one that was read last."""
    return _last_known[0] if _last_known else str(settings.CLINIC_NAME)


def papers_language() -> str:
    """The language of what is printed or sent: the clinic's, or the reader's where it has chosen none."""
    return clinic_settings().language or get_language() or settings.LANGUAGE_CODE


def _of_environment() -> ClinicSettings:
    units = (ClinicSettings.WeightUnit.POUND, ClinicSettings.TemperatureUnit.FAHRENHEIT)
    if settings.UNITS == "metric":
        units = (ClinicSettings.WeightUnit.KILOGRAM, ClinicSettings.TemperatureUnit.CELSIUS)
    return ClinicSettings(
        version=0, name=settings.CLINIC_NAME, address=settings.CLINIC_ADDRESS, phone=settings.CLINIC_PHONE,
        language=settings.CLINIC_LANGUAGE, weight_unit=units[0], temperature_unit=units[1], cash_coin=smallest_coin(),
    )  # fmt: skip
