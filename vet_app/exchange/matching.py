"""Which owners and pets of a file are recorded already, here or earlier in the file.

Owners are the same where the name is the same and a telephone number (its last seven digits) or the e-mail; without
either in both, where the address is. Same names alone, or the same number or e-mail under another name, make a possible
duplicate. Numbers of the file's own ("Owner number") keep apart what the file keeps apart.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import date
from typing import DefaultDict, Dict, FrozenSet, Iterable, List, Optional, Sequence, Set, Tuple

from django.db.models import Q
from django.utils.translation import gettext as _

from clinic.models import Owner, Pet, Phone, Vaccination
from clinic.normalization import fold
from exchange.drafts import Draft
from exchange.report import Similar

TAIL = 7
MOST_SIMILAR = 5


@dataclass
class KnownOwner:
    """An owner by what tells people apart; `pk` is None until the row is saved."""

    name: str
    shown: str
    tails: FrozenSet[str]
    email: str
    address: str
    pk: Optional[int] = None
    recorded: bool = False
    number: str = ""


@dataclass
class KnownPet:
    """A pet of a known owner."""

    name: str
    species_id: int
    microchip: str
    pk: Optional[int] = None
    number: str = ""


def tails(phones: Iterable[str]) -> FrozenSet[str]:
    """The last digits of telephone numbers, which are the same with and without a country's code."""
    return frozenset(digits[-TAIL:] for digits in phones if len(digits) >= TAIL)


class Owners:
    """All owners, those recorded and those of the file so far."""

    def __init__(self) -> None:
        self._by_name: DefaultDict[str, List[KnownOwner]] = defaultdict(list)
        self._by_contact: DefaultDict[str, List[KnownOwner]] = defaultdict(list)
        self._by_number: Dict[str, KnownOwner] = {}
        phones: DefaultDict[int, List[str]] = defaultdict(list)
        for owner_id, digits in Phone.objects.values_list("owner_id", "digits").iterator():
            phones[owner_id].append(digits)
        owners = Owner.objects.filter(merged_into=None).order_by("pk")
        for pk, name, first, last, email, *address in owners.values_list(
            "pk", "search_name", "first_name", "last_name", "email", "address", "postal_code", "city", "state"
        ).iterator():
            shown = f"{first} {last}".strip()
            self._add(
                KnownOwner(name, shown, tails(phones[pk]), email.lower(), fold(" ".join(address)), pk=pk, recorded=True)
            )

    def of(self, draft: Draft) -> Tuple[Optional[KnownOwner], List[Similar]]:
        """The owner of a row if known, else those recorded who may be the same.

        Raises ValueError where the file has one owner number for two names.
        """
        wanted = self._known(draft)
        bound = self._by_number.get(draft.owner_number) if draft.owner_number else None
        if bound is not None:
            if bound.name != wanted.name:
                raise ValueError(_("This owner number is also used for “%(name)s”.") % {"name": bound.shown})
            return bound, []
        namesakes = [item for item in self._by_name[wanted.name] if not (wanted.number and item.number)]
        for item in namesakes:
            if _same(item, wanted):
                self._bind(item, wanted.number)
                return item, []
        near = namesakes + [item for key in _contacts(wanted) for item in self._by_contact[key]]
        similar = {item.pk: item for item in near if item.recorded and item.pk and not item.number}
        return None, [Similar(pk, item.shown) for pk, item in list(similar.items())[:MOST_SIMILAR] if pk]

    def add(self, draft: Draft) -> KnownOwner:
        """Remember the owner of a row as a new one."""
        known = self._known(draft)
        self._add(known)
        self._bind(known, known.number)
        return known

    @staticmethod
    def _known(draft: Draft) -> KnownOwner:
        owner = draft.owner
        phone_tails = tails(phone_digits(draft.phones))
        return KnownOwner(
            owner.search_name, owner.full_name, phone_tails, owner.email.lower(),
            fold(f"{owner.address} {owner.postal_code} {owner.city} {owner.state}"),
            number=draft.owner_number,
        )  # fmt: skip

    def _add(self, known: KnownOwner) -> None:
        self._by_name[known.name].append(known)
        for key in _contacts(known):
            self._by_contact[key].append(known)

    def _bind(self, known: KnownOwner, number: str) -> None:
        if number:
            known.number = number
            self._by_number[number] = known


def phone_digits(phones: Sequence[Phone]) -> List[str]:
    """The digits of numbers that are not saved yet."""
    for phone in phones:
        phone.derive()
    return [phone.digits for phone in phones]


def _contacts(known: KnownOwner) -> Set[str]:
    return set(known.tails) | ({known.email} if known.email else set())


def _same(one: KnownOwner, other: KnownOwner) -> bool:
    if _contacts(one) and _contacts(other):
        return bool(_contacts(one) & _contacts(other))
    return not _contacts(one) and not _contacts(other) and one.address == other.address


class Pets:
    """Pets, their microchips and vaccinations, read for the owners of a batch at a time."""

    def __init__(self) -> None:
        self._by_owner: DefaultDict[int, List[KnownPet]] = defaultdict(list)
        self._by_chip: Dict[str, KnownPet] = {}
        self._by_pk: Dict[int, KnownPet] = {}
        self._read: Set[int] = set()
        self._given: DefaultDict[int, Set[Tuple[int, date]]] = defaultdict(set)

    def read(self, owner_ids: Set[int], chips: Set[str], numbers: Set[int]) -> None:
        """Read what is recorded about these owners, under these microchips, and under these numbers of ours."""
        wanted = owner_ids - self._read
        self._read |= wanted
        columns = ("pk", "owner_id", "name", "species_id", "microchip")
        named = Q(owner_id__in=wanted) | Q(pk__in=numbers - set(self._by_pk))
        mine = Pet.objects.filter(named, merged_into=None).order_by("pk").values_list(*columns)
        pet_ids: List[int] = []
        for pk, owner_id, name, species_id, chip in mine:
            if pk in self._by_pk:
                continue
            known = self._by_pk[pk] = KnownPet(fold(name), species_id, chip, pk)
            self._by_owner[owner_id].append(known)
            self._by_chip.update({chip: known} if chip else {})
            pet_ids.append(pk)
        for pk, _owner, name, species_id, chip in Pet.objects.filter(
            microchip__in=chips - set(self._by_chip) - {""}
        ).values_list(*columns):
            self._by_chip[chip] = KnownPet(fold(name), species_id, chip, pk)
        vaccinations = Vaccination.objects.filter(pet_id__in=pet_ids, entered_in_error=False)
        for pet_id, vaccine_id, given_on in vaccinations.values_list("pet_id", "vaccine_id", "given_on"):
            self._given[pet_id].add((vaccine_id, given_on))

    def of(self, owner_id: int, pet: Pet, number: str, *, ours: bool = False) -> Optional[KnownPet]:
        """The pet of a row if known. Raises ValueError where its microchip is another pet's.

        `ours` says that the row is of our own export: its number is then the pet's, no matter who owns it now. Numbers
        of another program say nothing about the pets of other owners.
        """
        name = fold(pet.name)
        handed_on = self._by_pk.get(int(number)) if ours and number.isdecimal() else None
        if handed_on is not None and (handed_on.name, handed_on.species_id) == (name, pet.species_id):
            return handed_on
        for item in self._by_owner[owner_id]:
            if (
                number
                and str(item.pk) == number
                and (item.name == name or (pet.microchip and item.microchip == pet.microchip))
            ):
                return item  # our own export, whatever a spreadsheet made of its other cells
        for item in self._by_owner[owner_id]:
            chips_agree = not item.microchip or not pet.microchip or item.microchip == pet.microchip
            numbers_agree = not item.number or not number or item.number == number
            if item.name == name and item.species_id == pet.species_id and chips_agree and numbers_agree:
                item.number = number or item.number
                return item
        if pet.microchip and pet.microchip in self._by_chip:
            raise ValueError(_("This microchip belongs to another pet."))
        return None

    def add(self, owner_id: int, pet: Pet, number: str) -> KnownPet:
        """Remember the pet of a row as a new one."""
        known = KnownPet(fold(pet.name), pet.species_id, pet.microchip, number=number)
        self._read.add(owner_id)
        self._by_owner[owner_id].append(known)
        if known.microchip:
            self._by_chip[known.microchip] = known
        return known

    def is_given(self, pet_id: int, vaccination: Vaccination) -> bool:
        """Whether this injection is recorded already; from now on it is."""
        key = (vaccination.vaccine_id, vaccination.given_on)
        known = key in self._given[pet_id]
        self._given[pet_id].add(key)
        return known
