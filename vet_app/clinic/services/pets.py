"""Creating and changing pets, handing them to another owner, and recording their death."""

from __future__ import annotations

from datetime import date

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.translation import gettext as _

from accounts.roles import Right
from audit.actor import Actor
from audit.models import AuditEntry
from audit.services import snapshot
from clinic.models import Appointment, Owner, Pet
from clinic.normalization import fold
from clinic.services import records
from clinic.services.booking import change_status
from clinic.services.reminders import cancel_reminders, refresh_reminder
from vetclinic.errors import Conflict

EDITABLE = {
    "name", "species", "breed", "sex", "neutered", "birth_date", "birth_date_estimated", "colour", "microchip", "tag",
    "alert", "notes",
}  # fmt: skip


class RecordedAlready(Conflict):
    """The owner has a pet of this name and species, which is nearly always the same animal recorded twice."""

    code = "recorded_already"


def create_pet(actor: Actor, owner_id: int, fields: records.Fields, *, another: bool = False) -> Pet:
    """Create a pet of an owner. Raises Owner.DoesNotExist, or ValidationError by field.

    Raises RecordedAlready for the same name and species, unless `another` says that it is another animal. The owner's
    row is locked, so that two people who record the same pet at once are asked, too.
    """
    actor.require(Right.FRONT_DESK)
    with transaction.atomic():
        owner = records.lock(Owner, owner_id)
        if not another:
            _refuse_twin(owner, fields)
        return records.create(actor, Pet(owner=owner), fields, EDITABLE)


def _refuse_twin(owner: Owner, fields: records.Fields) -> None:
    name, species = fold(str(fields.get("name", "")))[:100], fields.get("species")
    known = owner.pets.filter(search_name=name, species=species, merged_into=None).first() if name and species else None
    if known is not None:
        values = {"pet": known.name, "species": known.species, "number": known.pk}
        raise RecordedAlready(_("%(pet)s (%(species)s, no. %(number)d) is already recorded for this owner.") % values)


def update_pet(actor: Actor, pet_id: int, version: int, fields: records.Fields) -> Pet:
    """Change a pet. Raises Changed for an old `version`."""
    actor.require(Right.FRONT_DESK)
    return records.update(actor, Pet, pet_id, version, fields, EDITABLE)


def transfer_pet(actor: Actor, pet_id: int, version: int, new_owner_id: int) -> Pet:
    """Hand a pet to another owner; its records go with it, bills stay with the owner who got them."""
    actor.require(Right.FRONT_DESK)
    with transaction.atomic():
        owner = records.lock(Owner, new_owner_id)
        pet = records.lock(Pet, pet_id, version)
        if owner.merged_into_id or owner.pk == pet.owner_id:
            raise ValidationError({"owner": [_("Choose another owner.")]})
        before = snapshot(pet)
        pet.owner = owner
        return records.save_changes(actor, pet, before, AuditEntry.Action.TRANSFER)


def mark_deceased(actor: Actor, pet_id: int, version: int, on: date) -> Pet:
    """Record a death: no reminder will be sent any more and future appointments are cancelled."""
    actor.require(Right.FRONT_DESK)
    with transaction.atomic():
        pet = records.lock(Pet, pet_id, version)
        before = snapshot(pet)
        pet.deceased_on = on
        records.save_changes(actor, pet, before)
        cancel_reminders(actor, pet)
        waiting = (Appointment.Status.BOOKED, Appointment.Status.CONFIRMED)
        for appointment in pet.appointments.filter(status__in=waiting, starts_at__date__gte=on):
            change_status(actor, appointment.pk, appointment.version, Appointment.Status.CANCELLED)
    return pet


def take_back_death(actor: Actor, pet_id: int, version: int) -> Pet:
    """Undo a death that was recorded for the wrong animal: its reminders are due again; appointments stay cancelled."""
    actor.require(Right.FRONT_DESK)
    with transaction.atomic():
        pet = records.lock(Pet, pet_id, version)
        if not pet.is_deceased:
            raise Conflict(_("No death is recorded for this pet."))
        before = snapshot(pet)
        pet.deceased_on = None
        records.save_changes(actor, pet, before)
        for group in set(pet.vaccinations.values_list("vaccine__group", flat=True)):
            refresh_reminder(actor, pet, group)
    return pet
