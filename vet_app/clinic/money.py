"""Money in the clinic's currency, and the finer prices and quantities: rounding, columns, how they are read.

Amounts are stored with three places, which every currency of ISO 4217 that is in use fits into, and are read and
accepted with as many as the clinic's has: two for USD, none for JPY, three for KWD. Prices of one unit and quantities
have up to four: 0.125 ml at 1.2345.
"""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal
from typing import Any, List, Optional

from babel.numbers import format_currency, get_currency_precision
from django.conf import settings
from django.core.validators import DecimalValidator
from django.db import models
from django.utils import formats
from django.utils.translation import get_language, to_locale

STORED_PLACES, FINEST_PLACES = 3, 4
SMALLEST_COINS = {
    "AUD": Decimal("0.05"), "CAD": Decimal("0.05"), "CHF": Decimal("0.05"), "CZK": Decimal(1), "NZD": Decimal("0.10"),
    "SEK": Decimal(1),
}  # fmt: skip
"""Of currencies whose smallest coin is above their smallest amount."""


def currency_places() -> int:
    """How many decimals an amount of the clinic's currency has."""
    return int(get_currency_precision(settings.CURRENCY))


def smallest_coin() -> Optional[Decimal]:
    """What cash is rounded to where the clinic has not said; None where each amount can be paid."""
    return SMALLEST_COINS.get(settings.CURRENCY)


def round_money(amount: Decimal) -> Decimal:
    """Round half away from zero to the clinic's currency, as a till does."""
    return amount.quantize(Decimal(1).scaleb(-currency_places()), ROUND_HALF_UP)


def shown_money(amount: Decimal) -> str:
    """An amount in the language's own form, without the currency."""
    return str(formats.number_format(amount, currency_places(), use_l10n=True, force_grouping=True))


def with_currency(amount: Decimal) -> str:
    """An amount, or a finer price, with the currency where the language puts it: `$51.96`, in German `51,96 €`."""
    locale = to_locale(get_language() or settings.LANGUAGE_CODE)
    return str(format_currency(amount, settings.CURRENCY, locale=locale, decimal_quantization=False))


def shown_price(price: Decimal) -> str:
    """The price of one unit: as an amount, with more places where it has them."""
    return str(formats.number_format(trimmed(price, currency_places()), use_l10n=True, force_grouping=True))


def trimmed(value: Decimal, least: int) -> Decimal:
    """A number without the zeros that its column adds, but with at least so many places."""
    exponent = value.normalize().as_tuple().exponent
    places = max(least, -exponent if isinstance(exponent, int) else 0)
    return value.quantize(Decimal(1).scaleb(-places), ROUND_HALF_UP)


class _DecimalField(models.DecimalField):
    """A decimal whose places differ from those of its column; migrations see the column alone."""

    @property
    def places(self) -> int:
        """How many decimals are accepted."""
        return FINEST_PLACES

    @property
    def validators(self) -> List[Any]:
        """Django's, with the places that are accepted in place of the column's."""
        others = [each for each in super().validators if not isinstance(each, DecimalValidator)]
        return [*others, DecimalValidator(self.max_digits, self.places)]

    def deconstruct(self) -> Any:
        """As Django's own field, so that no migration depends on this file."""
        name, _path, arguments, options = super().deconstruct()
        return name, "django.db.models.DecimalField", arguments, options

    def formfield(self, form_class: Any = None, choices_form_class: Any = None, **options: Any) -> Any:
        """A field that takes any decimals; the record refuses too many of them in the clinic's words."""
        classes = {"form_class": form_class, "choices_form_class": choices_form_class}
        chosen_classes = {name: value for name, value in classes.items() if value is not None}
        return super().formfield(**{"decimal_places": None, **chosen_classes, **options})

    def from_db_value(self, value: Any, _expression: Any, _connection: Any) -> Any:
        """What the column holds, with the places that people see."""
        return None if value is None else self.read(value)

    def read(self, value: Decimal) -> Decimal:
        """The stored value as it is used."""
        return trimmed(value, 2)


class MoneyField(_DecimalField):
    """An amount in the clinic's currency, below a thousand million."""

    def __init__(self, *labels: Any, **options: Any) -> None:
        super().__init__(*labels, **{"max_digits": 13, "decimal_places": STORED_PLACES, **options})

    @property
    def places(self) -> int:
        """Those of the currency."""
        return currency_places()

    def read(self, value: Decimal) -> Decimal:
        """The amount with the currency's places."""
        return round_money(value)


class PriceField(_DecimalField):
    """The price of one unit, up to four decimals."""

    def __init__(self, *labels: Any, **options: Any) -> None:
        super().__init__(*labels, **{"max_digits": 11, "decimal_places": FINEST_PLACES, **options})

    def read(self, value: Decimal) -> Decimal:
        """The price with at least the currency's places."""
        return trimmed(value, currency_places())


class QuantityField(_DecimalField):
    """How many or how much, up to four decimals."""

    def __init__(self, *labels: Any, **options: Any) -> None:
        super().__init__(*labels, **{"max_digits": 10, "decimal_places": FINEST_PLACES, **options})
