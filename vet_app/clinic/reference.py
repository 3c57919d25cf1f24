"""The names of species, breeds, vaccines and colours that every clinic begins with, as each language has them.

What is stored is English (migration 0003), so that a file, the API and another reader's page mean the same by it. A
name that a clinic has given itself stays as it is.
"""

from __future__ import annotations

from typing import Iterator

from django.conf import settings
from django.utils.translation import gettext, gettext_noop, override

from clinic.normalization import fold

NAMES = frozenset((
    gettext_noop("Dog"), gettext_noop("Cat"), gettext_noop("Rabbit"), gettext_noop("Guinea pig"),
    gettext_noop("Hamster"), gettext_noop("Ferret"), gettext_noop("Bird"), gettext_noop("Reptile"),
    gettext_noop("Other"),
    gettext_noop("Mixed breed"), gettext_noop("Dachshund"), gettext_noop("French Bulldog"),
    gettext_noop("German Shepherd"), gettext_noop("Poodle"), gettext_noop("Domestic Shorthair"),
    gettext_noop("Domestic Longhair"), gettext_noop("British Shorthair"), gettext_noop("Persian"),
    gettext_noop("Siamese"), gettext_noop("Lionhead"), gettext_noop("Mini Lop"), gettext_noop("Netherland Dwarf"),
    gettext_noop("Rabies (dog, 1 year)"), gettext_noop("Rabies (dog, 3 years)"), gettext_noop("DHPP (dog)"),
    gettext_noop("Leptospirosis (dog)"), gettext_noop("Kennel cough (dog)"), gettext_noop("Rabies (cat)"),
    gettext_noop("FVRCP (cat)"), gettext_noop("FeLV (cat)"), gettext_noop("Myxomatosis and RHD (rabbit)"),
    gettext_noop("Rabies (ferret)"),
))  # fmt: skip
"""Species, breeds and vaccines. Breeds that are called the same everywhere, such as Beagle, are not among them."""
COLOURS = (
    gettext_noop("black"), gettext_noop("white"), gettext_noop("black and white"), gettext_noop("grey"),
    gettext_noop("blue"), gettext_noop("brown"), gettext_noop("chocolate"), gettext_noop("red"),
    gettext_noop("cream"), gettext_noop("fawn"), gettext_noop("apricot"), gettext_noop("golden"),
    gettext_noop("brindle"), gettext_noop("tricolour"), gettext_noop("merle"), gettext_noop("brown tabby"),
    gettext_noop("orange tabby"), gettext_noop("grey tabby"), gettext_noop("tortoiseshell"), gettext_noop("calico"),
    gettext_noop("seal point"),
)  # fmt: skip
"""What is offered for a pet's colour; anything else may be typed."""


def translated_name(name: str) -> str:
    """A stored name in the reader's language."""
    return gettext(name) if name in NAMES else name


def translated_colour(colour: str) -> str:
    """A stored colour in the reader's language."""
    return gettext(colour) if colour in COLOURS else colour


def read_colour(typed: str) -> str:
    """What to store for a colour that was typed: the English word, where any language has it on its list."""
    wanted = fold(typed)
    return next((colour for colour in COLOURS if wanted in set(forms(colour))), typed)


def forms(name: str) -> Iterator[str]:
    """A name as it is stored and in each language, without case and accents."""
    yield fold(name)
    if name in NAMES or name in COLOURS:
        for language, _label in settings.LANGUAGES:
            with override(language):
                yield fold(gettext(name))
