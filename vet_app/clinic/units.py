"""Weights and temperatures as people at the clinic say them; records, the API and files have kilograms and Celsius."""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal
from typing import Any, Callable, Dict, NamedTuple, Optional

from django.utils import formats
from django.utils.translation import gettext_lazy as _

from clinic.selectors.settings import clinic_settings

POUND = Decimal("0.45359237")  # kilograms, exactly (international yard and pound agreement, 1959)


class Unit(NamedTuple):
    """How a measurement is written: its sign, its decimals, and the way from what is stored and back."""

    sign: str
    places: int
    shown: Callable[[Decimal], Decimal]
    stored: Callable[[Decimal], Decimal]


def _same(value: Decimal) -> Decimal:
    return value


UNITS: Dict[str, Unit] = {
    "kg": Unit("kg", 3, _same, _same),
    "lb": Unit("lb", 2, lambda kg: kg / POUND, lambda pounds: pounds * POUND),
    "c": Unit("°C", 1, _same, _same),
    "f": Unit("°F", 1, lambda celsius: celsius * 9 / 5 + 32, lambda fahrenheit: (fahrenheit - 32) * 5 / 9),
}


class Measure(NamedTuple):
    """A kind of measurement: which of the clinic's settings names its unit, and the decimals of its column."""

    setting: str
    places: int
    label: Any


MEASURES: Dict[str, Measure] = {
    "weight_kg": Measure("weight_unit", 3, _("weight")),
    "temp_c": Measure("temperature_unit", 2, _("temperature")),
}


def unit_of(column: str) -> Unit:
    """The clinic's unit for a column of a visit."""
    return UNITS[getattr(clinic_settings(), MEASURES[column].setting)]


def entered(column: str, value: Optional[Decimal]) -> Optional[Decimal]:
    """What to store for a number that was typed in the clinic's unit."""
    return None if value is None else _rounded(unit_of(column).stored(value), MEASURES[column].places)


def written(column: str, value: Optional[Decimal]) -> Optional[Decimal]:
    """What is stored, as a number in the clinic's unit without needless zeros."""
    if value is None:
        return None
    unit = unit_of(column)
    number = _rounded(unit.shown(value), unit.places).normalize()
    whole = number == number.to_integral_value()
    return number.quantize(Decimal(1)) if whole else number  # normalize() makes 1E+1 of ten


def formatted(column: str, value: Optional[Decimal]) -> str:
    """A measurement for people: `101.5 °F`, in German `27,3 kg`; nothing where nothing was measured."""
    number = written(column, value)
    return "" if number is None else f"{formats.number_format(f'{number:f}', use_l10n=True)} {unit_of(column).sign}"


def _rounded(value: Decimal, places: int) -> Decimal:
    return value.quantize(Decimal(1).scaleb(-places), ROUND_HALF_UP)
