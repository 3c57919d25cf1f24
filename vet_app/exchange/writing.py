"""Writing a batch of drafts: what is new is created and audited, what is known is left as it is."""

from __future__ import annotations

from datetime import date
from typing import Callable, Counter, Dict, List, Optional, Sequence, Set, Tuple

from django.utils import timezone
from django.utils.translation import gettext as _

from audit.actor import Actor
from clinic.models import AccountEntry, Pet, Phone, Reminder, Vaccination, Visit, Weighing
from clinic.selectors.invoices import brought_forward
from clinic.services import records
from clinic.services.reminders import refresh_reminder
from exchange.drafts import Draft
from exchange.matching import KnownOwner, KnownPet, Owners, Pets
from exchange.models import ImportFile
from exchange.report import Outcome, Problem, Row, Similar

LARGEST_NUMBER = 2**63


class Writer:
    """Writes the drafts of one import, batch after batch, and tells for each row what became of it."""

    def __init__(self, actor: Actor, duplicates: str, heading: Callable[[str], str]) -> None:
        self._actor = actor
        self._skip = duplicates == ImportFile.Duplicates.SKIP
        self._heading = heading
        self._owners, self._pets = Owners(), Pets()
        self.created: Counter[str] = Counter()

    def write(self, drafts: Sequence[Draft]) -> List[Row]:
        """Create what is new in these rows. Call it inside of a transaction."""
        batch = [Pending(draft) for draft in drafts]
        self._write_owners([item for item in batch if item.usable])
        self._write_pets([item for item in batch if item.usable and item.draft.pet is not None])
        self._write_balances([item for item in batch if item.usable and item.draft.balance])
        self._write_vaccinations([item for item in batch if item.usable and item.draft.vaccination is not None])
        self._write_weighings([item for item in batch if item.usable and item.draft.weighing is not None])
        self._write_visits([item for item in batch if item.usable and item.draft.visit is not None])
        for item in batch:
            if item.usable:
                self.created.update(item.created)
        return [item.row() for item in batch]

    def _write_owners(self, batch: List[Pending]) -> None:
        new: List[Tuple[KnownOwner, Draft]] = []
        for item in batch:
            try:
                item.owner, item.similar = self._owners.of(item.draft)
            except ValueError as problem:
                item.refuse(self._heading("owner_number"), str(problem))
                continue
            if item.owner is None and not (item.similar and self._skip):
                item.owner = self._owners.add(item.draft)
                item.created.append("owner")
                new.append((item.owner, item.draft))
        records.create_many(self._actor, [draft.owner for _known, draft in new])
        phones: List[Phone] = []
        for known, draft in new:
            known.pk = draft.owner.pk
            for phone in draft.phones:
                phone.owner = draft.owner
                phones.append(phone)
        Phone.objects.bulk_create(phones, batch_size=200)

    def _write_pets(self, batch: List[Pending]) -> None:
        chips = {item.draft.pet.microchip for item in batch if item.draft.pet is not None}
        numbers = {int(item.draft.pet_number) for item in batch if item.is_ours and item.draft.pet_number.isdecimal()}
        owners = {item.owner.pk for item in batch if item.owner is not None and item.owner.pk}
        self._pets.read(owners, chips, {number for number in numbers if number < LARGEST_NUMBER})
        new: List[Tuple[KnownPet, Pet]] = []
        for item in batch:
            pet, owner = item.draft.pet, item.owner
            if pet is None or owner is None or owner.pk is None:
                continue
            pet.owner_id = owner.pk
            try:
                item.pet = self._pets.of(owner.pk, pet, item.draft.pet_number, ours=item.is_ours)
            except ValueError as problem:
                item.refuse(self._heading("microchip"), str(problem))
                continue
            if item.pet is None:
                item.pet = self._pets.add(owner.pk, pet, item.draft.pet_number)
                item.created.append("pet")
                new.append((item.pet, pet))
        records.create_many(self._actor, [pet for _known, pet in new])
        for known, pet in new:
            known.pk = pet.pk

    def _write_vaccinations(self, batch: List[Pending]) -> None:
        new: List[Vaccination] = []
        for item in batch:
            vaccination, pet = item.draft.vaccination, item.pet
            if vaccination is None or pet is None or pet.pk is None or item.draft.pet is None:
                continue
            item.draft.pet.pk = pet.pk  # stands for the recorded pet from here on, and is not saved again
            vaccination.pet = item.draft.pet
            if not self._pets.is_given(pet.pk, vaccination):
                item.created.append("vaccination")
                new.append(vaccination)
        records.create_many(self._actor, new)
        self._write_reminders(new)

    def _write_balances(self, batch: List[Pending]) -> None:
        """What owners owed elsewhere is a debt of their account here, what they had there a credit; once an owner."""
        owners = {item.owner.pk for item in batch if item.owner is not None}
        known = set(brought_forward().filter(owner__in=owners).values_list("owner", flat=True))
        new = []
        for item in batch:
            if item.owner is not None and item.owner.pk is not None and item.owner.pk not in known:
                known.add(item.owner.pk)
                item.created.append("balance")
                new.append(AccountEntry(
                    owner_id=item.owner.pk, amount=-item.draft.balance, at=timezone.now(),
                    reason=_("Balance brought forward"),
                ))  # fmt: skip
        records.create_many(self._actor, new)

    def _write_weighings(self, batch: List[Pending]) -> None:
        """Of each pet one weight a day: what is there stays."""
        pets = {item.pet.pk for item in batch if item.pet is not None}
        known: Set[Tuple[Optional[int], date]] = {(pet, timezone.localtime(at).date())
                 for pet, at in Weighing.objects.filter(pet__in=pets).values_list("pet", "at")}  # fmt: skip
        new = []
        for item in batch:
            weighing, pet = item.draft.weighing, item.pet
            if weighing is None or pet is None or item.draft.pet is None:
                continue
            day = (pet.pk, timezone.localtime(weighing.at).date())
            if day not in known:
                known.add(day)
                item.draft.pet.pk = pet.pk
                weighing.pet, weighing.by = item.draft.pet, self._actor.name
                item.created.append("weight")
                new.append(weighing)
        records.create_many(self._actor, new)

    def _write_visits(self, batch: List[Pending]) -> None:
        """Visits of another program, locked; the same notes on the same day are the same visit."""
        pets = {item.pet.pk for item in batch if item.pet is not None}
        rows = Visit.objects.filter(pet__in=pets).values_list("pet", "at", "subjective", "assessment", "plan")
        known = {(pet, timezone.localtime(at).date(), *notes) for pet, at, *notes in rows}
        new = []
        for item in batch:
            visit, pet = item.draft.visit, item.pet
            if visit is None or pet is None or item.draft.pet is None:
                continue
            same = (pet.pk, timezone.localtime(visit.at).date(), visit.subjective, visit.assessment, visit.plan)
            if same not in known:
                known.add(same)
                item.draft.pet.pk = pet.pk
                visit.pet, visit.locked_by_id = item.draft.pet, self._actor.user_id
                item.created.append("visit")
                new.append(visit)
        records.create_many(self._actor, new)

    def _write_reminders(self, new: Sequence[Vaccination]) -> None:
        """What `refresh_reminder` would do for each pet and group; it is asked itself where a reminder is pending."""
        pets: Dict[int, Pet] = {row.pet_id: row.pet for row in new}
        groups: Dict[Tuple[int, str], Optional[Vaccination]] = {(row.pet_id, row.vaccine.group): None for row in new}
        recorded = Vaccination.objects.filter(pet_id__in=pets, entered_in_error=False).select_related("vaccine")
        for row in recorded.order_by("given_on", "id"):
            if (row.pet_id, row.vaccine.group) in groups:
                groups[row.pet_id, row.vaccine.group] = row
        pending = Reminder.objects.filter(pet_id__in=pets, status=Reminder.Status.PENDING)
        busy: Set[Tuple[int, str]] = set(pending.values_list("pet_id", "group"))
        dead = set(Pet.objects.filter(pk__in=pets, deceased_on__isnull=False).values_list("pk", flat=True))
        reminders = []
        for (pet_id, group), newest in groups.items():
            if (pet_id, group) in busy:
                refresh_reminder(self._actor, Pet.objects.get(pk=pet_id), group, held=True)
            elif newest is not None and newest.due_on and pet_id not in dead:
                reminder = Reminder(pet=pets[pet_id], group=group, vaccination=newest, due_on=newest.due_on, held=True)
                reminders.append(reminder)
        records.create_many(self._actor, reminders)


class Pending:
    """A draft on its way to a row of the report."""

    def __init__(self, draft: Draft) -> None:
        self.draft = draft
        self.owner: Optional[KnownOwner] = None
        self.pet: Optional[KnownPet] = None
        self.similar: Sequence[Similar] = ()
        self.created: List[str] = []

    @property
    def usable(self) -> bool:
        """Whether nothing is wrong with the row so far."""
        return not self.draft.problems

    @property
    def is_ours(self) -> bool:
        """Whether the row is of our own export: the number of its owner is that of the owner here."""
        owner, number = self.owner, self.draft.owner_number
        return owner is not None and owner.recorded and number == str(owner.pk)

    def refuse(self, column: str, message: str) -> None:
        """Add a problem; the row is left alone from here on."""
        self.draft.problems.append(Problem(column, message))

    def row(self) -> Row:
        """The row of the report."""
        draft = self.draft
        if draft.problems:
            outcome = Outcome.ERROR
        elif self.owner is None:
            outcome = Outcome.DUPLICATE
        else:
            outcome = Outcome.NEW if self.created else Outcome.KNOWN
        return Row(
            line=draft.line,
            outcome=outcome,
            owner=draft.owner.full_name,
            pet=str(draft.pet) if draft.pet is not None else "",
            vaccination=str(draft.vaccination) if draft.vaccination is not None else "",
            created=tuple(self.created) if outcome is Outcome.NEW else (),
            problems=tuple(draft.problems),
            similar=tuple(self.similar),
        )
