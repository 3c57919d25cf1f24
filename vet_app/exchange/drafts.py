"""From the cells of a row to an owner, a pet and a vaccination, checked but not saved, without asking the database.

Fields are checked by the models' and services' own rules; `drafts` names each problem beside its column.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime, time
from decimal import Decimal
from typing import Any, Callable, Dict, Iterable, List, Optional, Tuple

from django.core.exceptions import ValidationError
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext as _

from audit.actor import Actor
from clinic.models import Breed, Owner, Pet, Phone, Species, Vaccination, Vaccine, Vet, Visit, Weighing
from clinic.normalization import fold
from clinic.reference import forms
from clinic.services import records
from clinic.services.owners import MOST_PHONES, new_phone
from clinic.services.vaccination import add_months, check
from exchange import columns
from exchange.csv_in import Line, Table
from exchange.report import Problem
from exchange.values import Dates, amount, neutered, weight, yes_or_no

CHOICES: Dict[str, str] = {
    "f": "female", "w": "female", "weiblich": "female", "m": "male", "mannlich": "male", "u": "unknown", "?": "unknown",
    "unbekannt": "unknown", "femelle": "female", "inconnu": "unknown", "telephone": "phone", "tel": "phone",
    "telefon": "phone", "e-mail": "email", "mail": "email", "courriel": "email", "letter": "post", "brief": "post",
    "courrier": "post",
}  # fmt: skip
SPECIES: Dict[str, str] = {
    "canine": "dog", "k9": "dog", "canis": "dog", "hund": "dog", "chien": "dog", "feline": "cat", "felis": "cat",
    "katze": "cat", "chat": "cat", "rabbit/lagomorph": "rabbit", "lagomorph": "rabbit", "kaninchen": "rabbit",
    "lapin": "rabbit", "cavy": "guinea pig", "meerschweinchen": "guinea pig", "avian": "bird", "vogel": "bird",
    "oiseau": "bird", "reptilian": "reptile", "reptil": "reptile", "frettchen": "ferret", "furet": "ferret",
}  # fmt: skip
"""What practice programs and people call the species that a clinic begins with."""
SEXES: Dict[str, Tuple[str, bool]] = {
    "mn": ("male", True), "nm": ("male", True), "cm": ("male", True), "mc": ("male", True), "m/n": ("male", True),
    "male neutered": ("male", True), "neutered male": ("male", True), "male castrated": ("male", True),
    "castrated male": ("male", True), "gelding": ("male", True), "mk": ("male", True),
    "mannlich kastriert": ("male", True), "male castre": ("male", True), "male sterilise": ("male", True),
    "mi": ("male", False), "im": ("male", False), "male intact": ("male", False), "intact male": ("male", False),
    "me": ("male", False), "male entire": ("male", False),
    "fs": ("female", True), "sf": ("female", True), "fn": ("female", True), "f/s": ("female", True),
    "female spayed": ("female", True), "spayed female": ("female", True), "wk": ("female", True),
    "female neutered": ("female", True), "weiblich kastriert": ("female", True),
    "fi": ("female", False), "if": ("female", False), "female intact": ("female", False),
    "intact female": ("female", False), "fe": ("female", False), "female entire": ("female", False),
    "femelle sterilisee": ("female", True),
}  # fmt: skip
"""Sex and whether neutered, in the one word that practice programs have for both."""
OWNER_COLUMNS = {"notes": "owner_notes"}
PET_COLUMNS = {"name": "pet", "notes": "pet_notes"}
VACCINATION_COLUMNS = {"tag": "vaccination_tag"}


@dataclass
class Draft:
    """What a row is about. With problems, nothing of it is used."""

    line: int
    owner: Owner
    owner_number: str = ""
    phones: List[Phone] = field(default_factory=list)
    pet: Optional[Pet] = None
    pet_number: str = ""
    vaccination: Optional[Vaccination] = None
    weighing: Optional[Weighing] = None
    visit: Optional[Visit] = None
    balance: Decimal = Decimal(0)
    problems: List[Problem] = field(default_factory=list)


class Reference:
    """Species, breeds, vaccines and vets by name, read once for an import."""

    def __init__(self, actor: Actor) -> None:
        self._actor = actor
        self.species: Dict[str, Species] = _by_name(Species.objects.all())
        self.breeds = {(row.species_id, form): row for row in Breed.objects.all() for form in forms(row.name)}
        self.vaccines: Dict[str, Vaccine] = _by_name(Vaccine.objects.select_related("species"))
        self.vets = {fold(row.name): row for row in Vet.objects.all()}
        self.new_breeds: List[str] = []

    def species_named(self, name: str) -> Species:
        """The species; raises ValueError with those there are."""
        species = self.species.get(fold(name)) or self.species.get(SPECIES.get(fold(name), ""))
        if species is None:
            raise ValueError(_unknown(name, {str(row) for row in self.species.values()}))
        return species

    def vaccine_named(self, name: str, species: Optional[Species]) -> Vaccine:
        """The vaccine; raises ValueError with those there are for the species."""
        vaccine = self.vaccines.get(fold(name))
        if vaccine is None:
            fitting = {str(row) for row in self.vaccines.values() if species is None or row.species_id == species.pk}
            raise ValueError(_unknown(name, fitting))
        return vaccine

    def vet_named(self, name: str) -> Optional[Vet]:
        """The vet, None for an empty name; raises ValueError for somebody who never worked here."""
        if not name:
            return None
        vet = self.vets.get(fold(name))
        if vet is None:
            raise ValueError(
                _("No vet of this clinic is called “%(name)s”. Leave the cell empty if it was given elsewhere.")
                % {"name": name[:40]}
            )
        return vet

    def breed_named(self, name: str, species: Species) -> Optional[Breed]:
        """The breed of a species; one that is not known yet is added, because no rule hangs on it."""
        if not name:
            return None
        key = (species.pk, fold(name))
        if key not in self.breeds:
            try:
                self.breeds[key] = records.create(self._actor, Breed(species=species, name=name), {}, set())
            except ValidationError as problem:
                raise ValueError(" ".join(problem.messages)) from problem
            self.new_breeds.append(f"{name} ({species})")
        return self.breeds[key]


def _by_name(rows: Iterable[Any]) -> Dict[str, Any]:
    """Rows by their names in each language; a name that a clinic has given itself wins."""
    named = list(rows)
    return {**{form: row for row in named for form in forms(row.name)}, **{fold(row.name): row for row in named}}


def _unknown(name: str, known: Iterable[str]) -> str:
    if not name:
        return _("This cell is empty. Known: %(known)s.") % {"known": ", ".join(sorted(known)) or "-"}
    return _("“%(name)s” is not known here. Known: %(known)s. A manager can add it under Lists.") % {
        "name": name[:40],
        "known": ", ".join(sorted(known)) or "-",
    }


class Drafter:
    """Makes the drafts of one file."""

    def __init__(self, table: Table, reference: Reference, dates: Dates) -> None:
        self._table = table
        self._reference = reference
        self._dates = dates
        self._line = Line(0, {})
        self._problems: List[Problem] = []

    def draft(self, line: Line) -> Draft:
        """The draft of a row."""
        self._line, self._problems = line, list(line.problems)
        draft = Draft(line.number, Owner(), problems=self._problems)
        draft.owner_number, draft.pet_number = self._text("owner_number"), self._text("pet_number")
        self._owner(draft)
        pet_cells = any(self._text(column.key) for column in columns.PET)
        vaccination_cells = any(self._text(column.key) for column in columns.VACCINATION)
        weight_cells = any(self._text(column.key) for column in columns.WEIGHT)
        visit_cells = any(self._text(column.key) for column in columns.VISIT)
        if pet_cells or vaccination_cells or weight_cells or visit_cells:
            self._pet(draft)
        if vaccination_cells and draft.pet is not None:
            self._vaccination(draft, draft.pet)
        if weight_cells and draft.pet is not None:
            self._weighing(draft, draft.pet)
        if visit_cells and draft.pet is not None:
            self._visit(draft, draft.pet)
        return draft

    def _text(self, key: str) -> str:
        return self._line.cells.get(key, "")

    def _wrong(self, key: str, message: str) -> None:
        self._problems.append(Problem(self._table.heading(key), message))

    def _read(self, key: str, read: Callable[[str], Any], default: Any = None) -> Any:
        """A cell through `read`; its ValueError becomes a problem beside the column, an empty result the default."""
        try:
            value = read(self._text(key))
        except ValueError as problem:
            self._wrong(key, str(problem))
            return default
        return default if value is None else value

    def _choice(self, key: str, choices: Any, default: str) -> str:
        text = fold(self._text(key))
        value = CHOICES.get(text, text) or default
        if value not in choices.values:
            self._wrong(key, _unknown(self._text(key), choices.values))
        return value

    def _check(self, row: models.Model, names: Dict[str, str], unchecked: Tuple[str, ...]) -> None:
        """The model's own rules for its fields, except for relations, which come from the reference."""
        try:
            row.clean_fields(exclude=unchecked)
            row.clean()
        except ValidationError as problem:
            self._take_over(problem, names)

    def _take_over(self, problem: ValidationError, names: Dict[str, str]) -> None:
        for name, messages in problem.message_dict.items():
            for message in messages:
                self._wrong(names.get(name, name), message)

    def _owner(self, draft: Draft) -> None:
        owner = draft.owner
        for name in ("last_name", "first_name", "email", "address", "postal_code", "city", "state"):
            setattr(owner, name, self._text(name))
        owner.notes = self._text("owner_notes")
        owner.contact_preference = self._choice("contact_preference", Owner.Contact, Owner.Contact.ANY)
        owner.reminder_consent = self._read("reminder_consent", yes_or_no, default=False)
        for position in range(1, MOST_PHONES + 1):
            number = self._text(f"phone_{position}")
            if not number:
                continue
            try:
                draft.phones.append(new_phone(owner, number, self._text(f"phone_label_{position}")))
            except ValidationError as problem:
                for message in problem.messages:
                    self._wrong(f"phone_{position}", message)
        draft.balance = self._read("balance", amount, default=Decimal(0))
        self._check(owner, OWNER_COLUMNS, ("merged_into",))
        owner.derive()

    def _pet(self, draft: Draft) -> None:
        pet = Pet(owner=draft.owner)
        for name in ("colour", "microchip", "tag", "alert"):
            setattr(pet, name, self._text(name))
        pet.name, pet.notes = self._text("pet"), self._text("pet_notes")
        species = self._read("species", self._reference.species_named)
        if species is not None:
            pet.species = species
            pet.breed = self._read("breed", lambda text: self._reference.breed_named(text, species))
        both = SEXES.get(fold(self._text("sex")))
        pet.sex = both[0] if both else self._choice("sex", Pet.Sex, Pet.Sex.UNKNOWN)
        pet.neutered = self._read("neutered", neutered, default=both[1] if both else None)
        pet.birth_date = self._read("birth_date", self._dates.read)
        pet.birth_date_estimated = self._read("birth_date_estimated", yes_or_no, default=False)
        pet.deceased_on = self._read("deceased_on", self._dates.read)
        if pet.birth_date and pet.deceased_on and pet.deceased_on < pet.birth_date:
            self._wrong("deceased_on", _("The date of death is before the date of birth."))
        self._check(pet, PET_COLUMNS, ("owner", "species", "breed", "merged_into"))
        pet.derive()
        draft.pet = pet if species is not None else None

    def _vaccination(self, draft: Draft, pet: Pet) -> None:
        vaccine = self._read("vaccine", lambda text: self._reference.vaccine_named(text, pet.species))
        given_on: Optional[date] = self._read("given_on", self._dates.read)
        if not self._text("given_on"):
            self._wrong("given_on", _("When was it given?"))
        if vaccine is None or given_on is None:
            return
        row = Vaccination(pet=pet, vaccine=vaccine, given_on=given_on)
        for name in ("manufacturer", "lot"):
            setattr(row, name, self._text(name))
        row.manufacturer = row.manufacturer or vaccine.manufacturer
        row.tag = self._text("vaccination_tag")
        row.vet = self._read("vet", self._reference.vet_named)
        row.lot_expiry = self._read("lot_expiry", self._dates.read)
        row.given_elsewhere = self._read("given_elsewhere", yes_or_no, default=not (row.vet and row.lot))
        row.due_on = self._due_on(vaccine, given_on)
        if row.due_on is not None and row.due_on <= given_on:
            self._wrong("due_on", _("The next due date must be after the date given."))
        self._check(row, VACCINATION_COLUMNS, ("pet", "vaccine", "vet", "visit"))
        try:
            check(row)
        except ValidationError as problem:
            self._take_over(problem, VACCINATION_COLUMNS)
        draft.vaccination = row

    def _day(self, key: str) -> datetime:
        """Noon of the day in a cell, today where it is empty: the hour is not known."""
        day: date = self._read(key, self._dates.read, default=timezone.localdate())
        if day > timezone.localdate():
            self._wrong(key, _("This date is in the future."))
        return timezone.make_aware(datetime.combine(day, time(12)))

    def _weighing(self, draft: Draft, pet: Pet) -> None:
        kilograms = self._read("weight", weight)
        if kilograms is None:
            if not self._problems:
                self._wrong("weight", _("This cell is empty."))
            return
        row = Weighing(pet=pet, weight_kg=kilograms, at=self._day("weighed_on"))
        self._check(row, {"weight_kg": "weight"}, ("pet",))
        draft.weighing = row

    def _visit(self, draft: Draft, pet: Pet) -> None:
        if not self._text("visit_on"):
            self._wrong("visit_on", _("When was it?"))
            return
        vet = self._read("visit_vet", self._reference.vet_named)
        if vet is None:
            if not self._text("visit_vet"):
                self._wrong("visit_vet", _("Whose visit was it? Name a vet of this clinic."))
            return
        at = self._day("visit_on")
        row = Visit(pet=pet, vet=vet, at=at, locked_at=timezone.now(), billing_closed_at=timezone.now())
        for name in ("subjective", "objective", "assessment", "plan"):
            setattr(row, name, self._text(name))
        self._check(row, {}, ("pet", "vet", "appointment", "locked_by"))
        draft.visit = row

    def _due_on(self, vaccine: Vaccine, given_on: date) -> Optional[date]:
        text = self._text("due_on")
        if text.lower() == columns.NEVER:
            return None
        if text or not vaccine.interval_months:
            due_on: Optional[date] = self._read("due_on", self._dates.read)
            return due_on
        return add_months(given_on, vaccine.interval_months)
