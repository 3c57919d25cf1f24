"""Export: all clients as CSV, the vaccinations due as CSV, and one patient's whole record for another clinic.

The CSV opens in Excel and LibreOffice as it is (UTF-8 with a byte order mark) and no cell can be taken for a formula.
What `clients` writes, `importing` reads.
"""

from __future__ import annotations

from datetime import date
from typing import Any, Dict, Iterable, Iterator, List

from django.db import transaction
from django.db.models import Prefetch
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.roles import Right
from audit.actor import Actor
from audit.models import AuditEntry
from audit.services import record_event
from clinic.models import Breed, Owner, Pet, Species, Vaccination, Vaccine
from clinic.selectors.reminders import due
from exchange import columns, csv_out
from exchange.patient import ZIP_TYPE, patient_record, patient_record_name

__all__ = ["CSV_TYPE", "ZIP_TYPE", "audit_export", "clients", "patient_record", "patient_record_name", "reminders_due"]

CSV_TYPE = "text/csv; charset=utf-8"
OWNERS_A_QUERY = 200


def clients(actor: Actor, *, delimiter: str = ",") -> Iterator[bytes]:
    """Owners, pets and vaccinations in the columns of the import, for a StreamingHttpResponse of type CSV_TYPE.

    The right (Right.MANAGE) is checked and the export audited at the call, before the first byte is read.
    """
    actor.require(Right.MANAGE)
    audit_export(actor, "clients.csv", {})
    return csv_out.pieces(_client_rows(), delimiter)


def reminders_due(actor: Actor, until: date, *, delimiter: str = ",") -> Iterator[bytes]:
    """Vaccinations due by a day with the owner's address, for letters or a mail program. Needs Right.FRONT_DESK."""
    actor.require(Right.FRONT_DESK)
    audit_export(actor, "reminders.csv", {"until": [None, until]})
    return csv_out.pieces(_reminder_rows(until), delimiter)


def audit_export(actor: Actor, name: str, changes: Dict[str, List[Any]]) -> None:
    """Write that somebody took data out of the clinic: the file's name, and what was asked for."""
    with transaction.atomic():
        record_event(actor, AuditEntry.Action.EXPORT, "export", name, changes)


def _client_rows() -> Iterator[List[Any]]:
    yield [column.heading for column in columns.ALL]
    vaccinations = (
        Vaccination.objects.filter(entered_in_error=False).select_related("vaccine", "vet").order_by("given_on", "pk")
    )
    pets = Pet.objects.filter(merged_into=None).select_related("species", "breed").order_by("pk")
    pets = pets.prefetch_related(Prefetch("vaccinations", queryset=vaccinations))
    owners = Owner.objects.filter(merged_into=None, erased_on=None).order_by("pk")
    owners = owners.prefetch_related("phones", Prefetch("pets", queryset=pets))
    for owner in owners.iterator(chunk_size=OWNERS_A_QUERY):
        first = _owner_cells(owner)
        for pet in owner.pets.all():
            middle = {**first, **_pet_cells(pet)}
            for vaccination in pet.vaccinations.all():
                yield _row({**middle, **_vaccination_cells(vaccination)})
            if not pet.vaccinations.all():
                yield _row(middle)
        if not owner.pets.all():
            yield _row(first)


def _row(cells: Dict[str, Any]) -> List[Any]:
    return [cells.get(column.key) for column in columns.ALL]


def _owner_cells(owner: Owner) -> Dict[str, Any]:
    cells = _same_names(owner, columns.OWNER)
    cells.update(owner_number=owner.pk, owner_notes=owner.notes)
    for position, phone in enumerate(owner.phones.all(), start=1):
        cells[f"phone_{position}"], cells[f"phone_label_{position}"] = phone.number, phone.label
    return cells


def _pet_cells(pet: Pet) -> Dict[str, Any]:
    cells = _same_names(pet, columns.PET)
    cells.update(pet_number=pet.pk, pet=pet.name, pet_notes=pet.notes)
    return cells


def _vaccination_cells(vaccination: Vaccination) -> Dict[str, Any]:
    cells = _same_names(vaccination, columns.VACCINATION)
    cells.update(vaccination_tag=vaccination.tag, due_on=vaccination.due_on or columns.NEVER)
    return cells


def _same_names(row: Any, wanted: Iterable[columns.Column]) -> Dict[str, Any]:
    """The columns that are called like the field."""
    return {column.key: _as_stored(getattr(row, column.key)) for column in wanted if hasattr(row, column.key)}


def _as_stored(value: Any) -> Any:
    """What species, breeds and vaccines are called in every language's file."""
    return value.name if isinstance(value, (Species, Breed, Vaccine)) else value


def _reminder_rows(until: date) -> Iterator[List[Any]]:
    yield [
        _("Due on"), _("Pet"), _("Species"), _("Vaccine"), _("Given on"), _("Last name"), _("First name"), _("Address"),
        _("Phone"), _("E-mail"), _("Agrees to reminders"), _("Last message"),
    ]  # fmt: skip
    for reminder in due(until):
        pet, owner = reminder.pet, reminder.pet.owner
        moments = [notice.updated_at for notice in reminder.notices.all() if notice.status == notice.Status.SENT]
        sent = [timezone.localtime(at).date() for at in moments]
        yield [
            reminder.due_on, pet.name, pet.species, reminder.vaccination.vaccine, reminder.vaccination.given_on,
            owner.last_name, owner.first_name, owner.postal_address,
            next((str(phone) for phone in owner.phones.all()), ""), owner.email, owner.reminder_consent,
            max(sent, default=None),
        ]  # fmt: skip
