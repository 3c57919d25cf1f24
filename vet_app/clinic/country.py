"""What differs by the clinic's country: how an address is written, and what the law wants on a bill."""

from __future__ import annotations

from django.conf import settings

WITH_STATES = frozenset({"US", "CA", "AU", "BR", "IN", "MX"})
TOWN_FIRST = frozenset({"US", "CA", "AU", "IN"})
TOWN_ABOVE = frozenset({"GB", "IE"})


KEEPS_BILLS = {"DE": 8, "FR": 10, "US": 7}
"""Years that bills are kept, from the end of theirs; ten in other countries.

UStG section 14b (as of 2025), Code de commerce L123-22, and for the USA the longest period that the IRS names.
"""


def years_bills_are_kept() -> int:
    """For how many years after its own a bill keeps the name of whom it was for."""
    return KEEPS_BILLS.get(settings.COUNTRY, 10)


def has_fee_schedule() -> bool:
    """Whether vets charge by a fee schedule with numbers and factors: in Germany, by the GOT."""
    return bool(settings.COUNTRY == "DE")


def shows_service_date() -> bool:
    """Whether a bill names the day of each service.

    Germany: UStG section 14(4) no. 6; France: CGI annexe II article 242 nonies A.
    """
    return settings.COUNTRY in {"DE", "AT", "FR"}


def has_states() -> bool:
    """Whether addresses of the clinic's country name a state or province."""
    return settings.COUNTRY in WITH_STATES


def postal_lines(street: str, postal_code: str, city: str, state: str) -> str:
    """An address as it stands on a letter: `Springfield, IL 62704`, `12345 Musterstadt`, or the code on its own line.

    The ways of writing are those of the Universal Postal Union
    (https://www.upu.int/en/postal-solutions/programmes-services/addressing-solutions).
    """
    if settings.COUNTRY in TOWN_FIRST:
        town = ", ".join(part for part in (city, " ".join(part for part in (state, postal_code) if part)) if part)
    elif settings.COUNTRY in TOWN_ABOVE:
        town = "\n".join(part for part in (city, postal_code) if part)
    else:
        town = ", ".join(part for part in (" ".join(part for part in (postal_code, city) if part), state) if part)
    return "\n".join(part for part in (street, town) if part)
