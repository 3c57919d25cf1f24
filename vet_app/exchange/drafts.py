"""From the cells of a row to an owner, a pet and a vaccination, checked but not saved, without asking the database.

Fields are checked by the models' and services' own rules; `drafts` names each problem beside its column.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from typing import Any, Callable, Dict, List, Optional, Tuple

from django.core.exceptions import ValidationError
from django.db import models
from django.utils.translation import gettext as _

from audit.actor import Actor
from clinic.folding import fold
from clinic.models import Breed, Owner, Pet, Phone, Species, Vaccination, Vaccine, Vet
from clinic.services import records
from clinic.services.owners import MOST_PHONES, new_phone
from clinic.services.vaccination import add_months, check
from exchange import columns
from exchange.csv_in import Line, Table
from exchange.report import Problem
from exchange.values import Dates, yes_or_no

CHOICES: Dict[str, str] = {
    "f": "female", "w": "female", "weiblich": "female", "m": "male", "mannlich": "male", "u": "unknown", "?": "unknown",
    "unbekannt": "unknown", "telephone": "phone", "tel": "phone", "telefon": "phone", "e-mail": "email",
    "mail": "email", "letter": "post", "brief": "post",
}  # fmt: skip
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
    problems: List[Problem] = field(default_factory=list)


class Reference:
    """Species, breeds, vaccines and vets by name, read once for an import."""

    def __init__(self, actor: Actor) -> None:
        self._actor = actor
        self.species = {fold(row.name): row for row in Species.objects.all()}
        self.breeds = {(row.species_id, fold(row.name)): row for row in Breed.objects.all()}
        self.vaccines = {fold(row.name): row for row in Vaccine.objects.select_related("species")}
        self.vets = {fold(row.name): row for row in Vet.objects.all()}
        self.new_breeds: List[str] = []

    def species_named(self, name: str) -> Species:
        """The species; raises ValueError with those there are."""
        found = self.species.get(fold(name))
        if found is None:
            raise ValueError(_unknown(name, [row.name for row in self.species.values()]))
        return found

    def vaccine_named(self, name: str, species: Optional[Species]) -> Vaccine:
        """The vaccine; raises ValueError with those there are for the species."""
        found = self.vaccines.get(fold(name))
        if found is None:
            fitting = [row.name for row in self.vaccines.values() if species is None or row.species_id == species.pk]
            raise ValueError(_unknown(name, fitting))
        return found

    def vet_named(self, name: str) -> Optional[Vet]:
        """The vet, None for an empty name; raises ValueError for somebody who never worked here."""
        if not name:
            return None
        found = self.vets.get(fold(name))
        if found is None:
            raise ValueError(
                _("No vet of this clinic is called “%(name)s”. Leave the cell empty if it was given elsewhere.")
                % {"name": name[:40]}
            )
        return found

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


def _unknown(name: str, known: List[str]) -> str:
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
        if pet_cells or vaccination_cells:
            self._pet(draft)
        if vaccination_cells and draft.pet is not None:
            self._vaccination(draft, draft.pet)
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
        for name in ("last_name", "first_name", "email", "address"):
            setattr(owner, name, self._text(name))
        owner.notes = self._text("owner_notes")
        owner.contact_preference = self._choice("contact_preference", Owner.Contact, Owner.Contact.PHONE)
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
        pet.sex = self._choice("sex", Pet.Sex, Pet.Sex.UNKNOWN)
        pet.neutered = self._read("neutered", yes_or_no)
        pet.birth_date = self._read("birth_date", self._dates.read)
        pet.birth_date_estimated = self._read("birth_date_estimated", yes_or_no, default=False)
        pet.deceased_on = self._read("deceased_on", self._dates.read)
        if pet.birth_date and pet.deceased_on and pet.deceased_on < pet.birth_date:
            self._wrong("deceased_on", _("The pet would have died before it was born."))
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
            self._wrong("due_on", _("The next one would be due before this one was given."))
        self._check(row, VACCINATION_COLUMNS, ("pet", "vaccine", "vet", "visit"))
        try:
            check(row)
        except ValidationError as problem:
            self._take_over(problem, VACCINATION_COLUMNS)
        draft.vaccination = row

    def _due_on(self, vaccine: Vaccine, given_on: date) -> Optional[date]:
        text = self._text("due_on")
        if text.lower() == columns.NEVER:
            return None
        if text or not vaccine.interval_months:
            due_on: Optional[date] = self._read("due_on", self._dates.read)
            return due_on
        return add_months(given_on, vaccine.interval_months)
