"""Make text and telephone numbers comparable: what a person types is rarely written the way it was recorded."""

from __future__ import annotations

import re
import unicodedata
from typing import Set

import phonenumbers
from django.conf import settings

# Letters that Unicode does not take apart into a plain letter and a mark, unlike `é`.
WITHOUT_STROKES = str.maketrans(
    {"ø": "o", "ł": "l", "đ": "d", "ħ": "h", "ŧ": "t", "ı": "i", "ð": "d", "þ": "th", "æ": "ae", "œ": "oe"}
)
FEWEST_OF_A_NUMBER = 3
UMLAUTS = str.maketrans({"ä": "ae", "ö": "oe", "ü": "ue", "ø": "oe", "å": "aa"})
# Not at the end of a word: `joe` is not `jö`. Nor where it begins one that somebody is still typing.
DIGRAPH = re.compile(r"(?<=\w)([aou])e(?=\w)|\b([ao])e(?=\w\w)")


def fold(text: str) -> str:
    """Lower case without accents and strokes and with single spaces: `muller` finds `Müller`, `oster` finds `Øster`."""
    plain = unicodedata.normalize("NFKD", text.casefold().translate(WITHOUT_STROKES))
    return " ".join("".join(letter for letter in plain if not unicodedata.combining(letter)).split())


def spellings(text: str) -> Set[str]:
    """The folded forms that a text may have been recorded under: `Müller` and `Mueller` both give `muller`, `mueller`.

    Only for what is looked for: `Samuel` gives `samul` too, which costs nothing because nobody is called that.
    """
    folded = fold(text)
    spelt_out = fold(unicodedata.normalize("NFC", text.casefold()).translate(UMLAUTS))
    return {folded, spelt_out, DIGRAPH.sub(lambda match: match[1] or match[2], folded)}


def digits(text: str) -> str:
    """The ASCII digits of a text; `+1 (555) 010-0123` becomes `15550100123`."""
    return "".join(character for character in text if character in "0123456789")


def lost_its_zero(text: str) -> bool:
    """Whether this is a whole telephone number of the clinic's country without the 0 that is written in front there.

    Not in a country that writes none, such as the USA, and not for a number as neighbours write it.
    """
    metadata = phonenumbers.PhoneMetadata.metadata_for_region(settings.COUNTRY)
    has_zero = metadata is not None and metadata.national_prefix == "0"
    if not has_zero or digits(text) != text or text.startswith("0") or len(text) < FEWEST_OF_A_NUMBER:
        return False
    return bool(phonenumbers.is_valid_number(phonenumbers.parse(text, settings.COUNTRY)))


def national_digits(text: str) -> str:
    """The digits that every way of writing a telephone number ends with: without the country's code and the leading 0.

    `+44 (0)20 7946 0123`, `0044 20 7946 0123` and, in Great Britain, `020 7946 0123` all become `2079460123`. What is
    no number of any country is left as its digits. The clinic's country is the setting COUNTRY.
    """
    try:
        number = phonenumbers.parse(text, settings.COUNTRY or None)
    except phonenumbers.NumberParseException:
        return digits(text)
    return phonenumbers.national_significant_number(number)
