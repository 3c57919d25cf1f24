"""Make text and telephone numbers comparable: what a person types is rarely written the way it was recorded."""

from __future__ import annotations

import unicodedata


def fold(text: str) -> str:
    """Lower case without accents and with single spaces, so that `muller` finds `Müller`."""
    plain = unicodedata.normalize("NFKD", text.casefold())
    return " ".join("".join(letter for letter in plain if not unicodedata.combining(letter)).split())


def digits(text: str) -> str:
    """The ASCII digits of a text; `+1 (555) 010-0123` becomes `15550100123`."""
    return "".join(character for character in text if character in "0123456789")
