"""Types that the routes share. Their bounds keep out what no record can hold, so the database is never asked for it."""

import re
from datetime import date, datetime, timezone
from decimal import Decimal
from typing import Any

from ninja import Schema
from pydantic import AfterValidator, AwareDatetime, BeforeValidator, ConfigDict, Field
from typing_extensions import Annotated

FIRST, LAST = date(1900, 1, 1), date(2199, 12, 31)


def _storable(text: str) -> str:
    if "\x00" in text:
        raise ValueError("contains a character that cannot be stored")
    return text


def _in_range(moment: datetime) -> datetime:
    if not FIRST < moment.astimezone(timezone.utc).date() < LAST:
        raise ValueError(f"must lie between {FIRST} and {LAST}")
    return moment


def _day_in_range(day: date) -> date:
    if not FIRST <= day <= LAST:
        raise ValueError(f"must lie between {FIRST} and {LAST}")
    return day


def _as_written(pattern: str, example: str) -> BeforeValidator:
    """Take a date or time only as it is written in a document; a number would be seconds since 1970, a slip."""
    written = re.compile(pattern)

    def check(value: Any) -> Any:
        if isinstance(value, str) and not written.fullmatch(value):
            raise ValueError(f"must be written like {example}")
        if isinstance(value, (int, float, Decimal)):
            raise ValueError(f"must be a text like {example}")
        return value

    return BeforeValidator(check)


_DAY = _as_written(r"\d{4}-\d{2}-\d{2}", "2026-03-05")
_MOMENT = _as_written(
    r"\d{4}-\d{2}-\d{2}[Tt]\d{2}:\d{2}:\d{2}(\.\d+)?([Zz]|[+-]\d{2}:\d{2})", "2026-03-05T09:00:00+01:00"
)
Id = Annotated[int, Field(ge=1, le=2**63 - 1)]
Version = Annotated[int, Field(ge=1, le=2**31 - 1, description="The version that the change is based on.")]
Day = Annotated[date, _DAY, AfterValidator(_day_in_range)]
Moment = Annotated[AwareDatetime, _MOMENT, AfterValidator(_in_range), Field(description="With its offset from UTC.")]
Text = Annotated[str, AfterValidator(_storable), Field(max_length=8000)]
Reason = Annotated[str, AfterValidator(_storable), Field(max_length=200, description="Is kept in the audit trail.")]
Price = Annotated[Decimal, Field(ge=0, max_digits=11, decimal_places=4)]
Amount = Annotated[
    Decimal,
    Field(gt=0, max_digits=13, decimal_places=3, description="With as many decimals as the clinic's currency has."),
]


class Document(Schema):
    """What a program sends. A field that nobody knows is refused: it is a slip, and leaving it out would hide that."""

    model_config = ConfigDict(extra="forbid")


class Named(Schema):
    """A record that is chosen by its id, with its name."""

    id: int
    name: str


class ReasonIn(Document):
    """A change of a version that needs a reason."""

    version: Version
    reason: Reason


class WhyIn(Document):
    """Why something is taken back that has no versions."""

    reason: Reason


class VersionIn(Document):
    """A change of a version."""

    version: Version
