"""What a person says about a file: which column each heading means, and what words in it mean.

It is kept with the file, and remembered for the next file with the same headings, so that it is said once for each
program that files come from: `{"columns": {heading: column or ""}, "values": {column: {word: what it means}}}`, with
headings and words in the form in which they are compared.
"""

from __future__ import annotations

import hashlib
from typing import Any, Dict, List, Mapping, NamedTuple, Set, Tuple

from django.db import transaction
from django.utils.translation import gettext

from accounts.roles import Right
from audit.actor import Actor
from clinic.models import Owner, Pet, Product, Species, Vaccine, Vet
from clinic.normalization import fold
from clinic.reference import forms
from exchange import columns
from exchange.columns import Column, plain
from exchange.csv_in import Table
from exchange.drafts import CHOICES, SEXES, SPECIES
from exchange.models import HeadingMapping, ImportFile
from exchange.price_list import KINDS
from exchange.values import INTACT, NEUTERED, NO, YES

MOST_WORDS = 40


class Words(NamedTuple):
    """Words of a column that mean nothing here yet, and what they may mean."""

    column: Column
    words: List[str]
    choices: List[Tuple[str, str]]


def table_of(staged: ImportFile) -> Table:
    """The file with what was said about it."""
    content, encoding = bytes(staged.content), staged.encoding
    if staged.kind == ImportFile.Kind.PRICES:
        return Table(content, encoding, wanted=columns.PRICES, needed="code", mapping=staged.mapping)
    return Table(content, encoding, mapping=staged.mapping)


def remembered(staged: ImportFile) -> Dict[str, Any]:
    """What was said about the last file with these headings."""
    known = HeadingMapping.objects.filter(kind=staged.kind, headings=_fingerprint(table_of(staged))).first()
    return dict(known.mapping) if known else {}


def save(actor: Actor, staged: ImportFile, mapping: Mapping[str, Any]) -> None:
    """Keep what was said, with the file and for the next one. The caller has locked the file."""
    actor.require(Right.MANAGE)
    with transaction.atomic():
        staged.mapping, staged.previewed = dict(mapping), ""
        staged.save(update_fields=["mapping", "previewed", "updated_at"])
        HeadingMapping.objects.update_or_create(
            kind=staged.kind, headings=_fingerprint(table_of(staged)), defaults={"mapping": dict(mapping)}
        )


def _fingerprint(table: Table) -> str:
    return hashlib.sha256("\n".join(sorted(plain(heading) for heading in table.headings())).encode()).hexdigest()


def unknown_words(table: Table) -> List[Words]:
    """The words of the file that nobody here knows, column by column; none while a needed column is missing."""
    known = _known()
    words_by_key: Dict[str, Dict[str, str]] = {}
    for line in table:
        for key in columns.VALUES & line.cells.keys():
            word = line.cells[key]
            if word and fold(word) not in known[key][0]:
                words_by_key.setdefault(key, {}).setdefault(fold(word), word)
    by_key = {column.key: column for column in (*columns.READ, *columns.PRICES)}
    return [
        Words(by_key[key], sorted(words.values())[:MOST_WORDS], known[key][1]) for key, words in words_by_key.items()
    ]


def _known() -> Dict[str, Tuple[Set[str], List[Tuple[str, str]]]]:
    """For each column of `VALUES` the words that are understood, and what others may be said to mean."""
    species = [(row.name, str(row)) for row in Species.objects.all()]
    vaccines = [(row.name, f"{row} ({row.species})") for row in Vaccine.objects.select_related("species")]
    vets = [(row.name, str(row)) for row in Vet.objects.all()]
    sexes = [(value, str(label)) for value, label in Pet.Sex.choices]
    sexes += [("fs", f"{Pet.Sex.FEMALE.label} +"), ("mn", f"{Pet.Sex.MALE.label} +")]
    contacts = [(value, str(label)) for value, label in Owner.Contact.choices]
    kinds = [(value, str(label)) for value, label in Product.Kind.choices]
    answers = [("yes", gettext("yes")), ("no", gettext("no"))]

    def words(choices: List[Tuple[str, str]], *more: Any) -> Set[str]:
        return {form for value, _label in choices for form in forms(value)}.union(*more)

    return {
        "species": (words(species, SPECIES), species),
        "sex": (words(sexes, SEXES, CHOICES), sexes),
        "vaccine": (words(vaccines), vaccines),
        "vet": (words(vets), vets),
        "visit_vet": (words(vets), vets),
        "contact_preference": (words(contacts, CHOICES), contacts),
        "kind": (words(kinds, KINDS), kinds),
        **{key: (words(answers, YES, NO), answers) for key in columns.YES_OR_NO},
        "neutered": (words(answers, YES, NO, NEUTERED, INTACT), answers),
    }
