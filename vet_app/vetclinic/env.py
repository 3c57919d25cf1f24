"""Read settings from environment variables, and from the files that `NAME_FILE` variables point to."""

from __future__ import annotations

import os
import re
from datetime import time
from email.utils import parseaddr
from importlib import resources
from pathlib import Path
from typing import Any, Dict, List, Tuple
from urllib.parse import parse_qs, unquote, urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import phonenumbers
from babel.core import get_global
from babel.numbers import get_currency_precision, get_territory_currencies
from django.core.exceptions import ImproperlyConfigured, ValidationError
from django.core.validators import validate_email

YES = {"1", "true", "yes", "on"}
NO = {"0", "false", "no", "off", ""}


def text(name: str, default: str = "") -> str:
    """The value of `name`, else the stripped content of the file that `name_FILE` names, else `default`.

    Raises ImproperlyConfigured when both are set or the file cannot be read.
    """
    value, file = os.environ.get(name), os.environ.get(f"{name}_FILE")
    if value and file:
        raise ImproperlyConfigured(f"{name} and {name}_FILE are both set; keep one of them.")
    if file:
        try:
            return Path(file).read_text(encoding="utf-8").strip()
        except OSError as problem:
            raise ImproperlyConfigured(f"{name}_FILE={file!r} cannot be read: {problem.strerror}.") from problem
    return value or default


def flag(name: str, *, default: bool = False) -> bool:
    """A yes-or-no variable."""
    value = text(name, "yes" if default else "no").lower()
    if value not in YES | NO:
        raise ImproperlyConfigured(f"{name}={value!r} is neither yes nor no.")
    return value in YES


def number(name: str, default: int, *, low: int = 0, high: int = 1_000_000) -> int:
    """A whole number between `low` and `high`."""
    value = text(name, str(default))
    if not value.isascii() or not value.isdigit() or not low <= int(value) <= high:
        raise ImproperlyConfigured(f"{name}={value!r} must be a whole number from {low} to {high}.")
    return int(value)


def choice(name: str, default: str, allowed: Tuple[str, ...]) -> str:
    """One of a few words."""
    value = text(name, default)
    if value not in allowed:
        raise ImproperlyConfigured(f"{name}={value!r} must be one of: {', '.join(allowed)}.")
    return value


def words(name: str) -> List[str]:
    """A comma-separated list."""
    return [word.strip() for word in text(name).split(",") if word.strip()]


def opening_hours(name: str, default: str) -> Tuple[time, time]:
    """Opening and closing time, written `08:00-18:00`."""
    value = text(name, default)
    try:
        opens, closes = (time.fromisoformat(part.strip()) for part in value.split("-"))
    except ValueError as problem:
        raise ImproperlyConfigured(f"{name}={value!r} must look like 08:00-18:00.") from problem
    if closes <= opens:
        raise ImproperlyConfigured(f"{name}={value!r}: the clinic closes before it opens.")
    return opens, closes


def public_url(name: str, default: str) -> Tuple[str, str]:
    """The address of the clinic as browsers see it, without a trailing slash, and its host name."""
    value = text(name, default).rstrip("/")
    parts = urlsplit(value)
    if parts.scheme not in {"http", "https"} or not parts.hostname or parts.path or parts.query:
        raise ImproperlyConfigured(f"{name}={value!r} must look like https://clinic.example.com, without a path.")
    return value, parts.hostname


def time_zone(name: str, default: str) -> str:
    """The name of a time zone that this machine knows, such as Europe/Berlin."""
    value = text(name, default)
    try:
        ZoneInfo(value)
    except (ZoneInfoNotFoundError, ValueError, OSError) as problem:
        raise ImproperlyConfigured(
            f"{name}={value!r} is not a time zone; it must look like Europe/Berlin."
        ) from problem
    return value


def country(name: str, zone: str) -> str:
    """A country by its two letters (ISO 3166), else the one that a time zone lies in, else US as the other defaults.

    Which country a zone lies in is from the zone.tab of the tz database (https://www.iana.org/time-zones).
    """
    value = text(name)
    if value:
        if value not in phonenumbers.SUPPORTED_REGIONS:
            raise ImproperlyConfigured(f"{name}={value!r} must be a country's two capital letters, such as DE.")
        return value
    table = (resources.files("tzdata") / "zoneinfo" / "zone.tab").read_text(encoding="utf-8")
    rows = (line.split("\t") for line in table.splitlines() if not line.startswith("#"))
    return next((row[0] for row in rows if row[2] == zone), "US")


def currency(name: str, default: str) -> str:
    """The three letters (ISO 4217) of a currency that some country pays with today, of at most three decimals."""
    value = text(name, default)
    in_use = {code for territory in get_global("territory_currencies") for code in get_territory_currencies(territory)}
    if value not in in_use or get_currency_precision(value) > 3:
        raise ImproperlyConfigured(
            f"{name}={value!r} is no currency that a country pays with; give its three capital letters, such as EUR."
        )
    return value


# The name and password end at the last @, so that a provider's may hold any of / + # = : and @ as it is.
EMAIL_URL = re.compile(
    r"(smtps?)://(?:(.*)@)?([A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])(?::([0-9]{1,5}))?/?(?:\?(.*))?", re.DOTALL
)


def email(name: str) -> Dict[str, Any]:
    """Django's e-mail settings from `smtp://user:password@host:587?tls=yes`; empty means that no mail is sent.

    A wrong one stops no pod, for the clinic works without: EMAIL_PROBLEM says in a sentence, in which nothing of the
    value is, what has to be fixed.
    """
    off = {"EMAIL_BACKEND": "django.core.mail.backends.dummy.EmailBackend", "EMAIL_ENABLED": False, "EMAIL_PROBLEM": ""}
    try:
        value = text(name)
    except ImproperlyConfigured as problem:
        return {**off, "EMAIL_PROBLEM": str(problem)}
    match = EMAIL_URL.fullmatch(value.strip())
    if match is None or int(match[4] or 587) > 65535:
        sentence = f"{name} must look like smtp://user:password@host:587?tls=yes; a % in a password is written %25."
        return {**off, "EMAIL_PROBLEM": sentence if value.strip() else ""}
    secure = match[1] == "smtps" or match[4] in {"465", "2465"}
    user, _colon, password = (match[2] or "").partition(":")
    return {
        **off,
        "EMAIL_ENABLED": True,
        "EMAIL_BACKEND": "django.core.mail.backends.smtp.EmailBackend",
        "EMAIL_HOST": match[3].strip("[]"),
        "EMAIL_PORT": int(match[4] or (465 if secure else 587)),
        "EMAIL_HOST_USER": unquote(user),
        "EMAIL_HOST_PASSWORD": unquote(password),
        "EMAIL_USE_SSL": secure,
        "EMAIL_USE_TLS": not secure and parse_qs(match[5] or "").get("tls", ["yes"])[0].lower() in YES,
        "EMAIL_TIMEOUT": 10,
    }


def address(name: str, default: str) -> str:
    """An e-mail address, alone or with a name: `Hillside Vets <hello@clinic.example>`."""
    value = text(name)
    if not value:
        return default
    try:
        validate_email(parseaddr(value)[1])
    except ValidationError as problem:
        raise ImproperlyConfigured(f"{name}={value!r} must be an e-mail address.") from problem
    return value
