"""Pets, their way to another owner, their death and their history."""

from decimal import Decimal
from typing import Any, List, Optional

from django.http import HttpRequest
from ninja import Router, Schema, Status
from pydantic import Field

from accounts.roles import Right
from api.access import actor
from api.lists import chosen, listed, replaced
from api.routes.appointments import AppointmentOut
from api.routes.reminders import ReminderOut
from api.routes.vaccinations import VaccinationOut
from api.routes.visits import VisitOut, Weight
from api.types import Day, Document, Id, Moment, Named, Text, Version, WhyIn
from clinic.models import Breed, Owner, Pet, Species
from clinic.selectors import history
from clinic.services import pets, weighing

router = Router()


class PetOut(Schema):
    """A pet. `alert` (allergies, bites) is for everybody who handles the animal."""

    id: int
    version: int
    owner_id: int
    name: str
    species: Named
    breed: Optional[Named]
    sex: str
    neutered: Optional[bool]
    birth_date: Optional[Day]
    birth_date_estimated: bool
    colour: str
    microchip: str
    tag: str
    alert: str
    deceased_on: Optional[Day]
    notes: str
    merged_into_id: Optional[int]
    created_at: Moment
    updated_at: Moment


class PetFields(Document):
    """What can be changed; what is left out stays."""

    name: Text = ""
    species_id: Optional[Id] = None
    breed_id: Optional[Id] = None
    sex: Text = Field("unknown", description="female, male or unknown")
    neutered: Optional[bool] = None
    birth_date: Optional[Day] = None
    birth_date_estimated: bool = False
    colour: Text = ""
    microchip: Text = ""
    tag: Text = ""
    alert: Text = ""
    notes: Text = ""


class PetIn(PetFields):
    """A new pet."""

    owner_id: Id
    name: Text
    species_id: Id
    another: bool = Field(False, description="Record it although the owner has a pet of this name and species.")


class PetChange(PetFields):
    """A change of a pet."""

    version: Version


class Transfer(Document):
    """Who has the pet now."""

    version: Version
    owner_id: Id


class Death(Document):
    """When the pet died."""

    version: Version
    on: Optional[Day] = Field(description="Null takes a death back that was recorded by mistake.")


class WeightOut(Schema):
    """A weight in kilograms, of a visit or without one."""

    at: Moment
    weight_kg: Decimal


class HistoryOut(Schema):
    """Everything recorded about a pet, the newest first. Visits are left out for roles that may not read notes."""

    weights: List[WeightOut]
    visits: List[VisitOut]
    vaccinations: List[VaccinationOut]
    appointments: List[AppointmentOut]
    reminders: List[ReminderOut]


class WeightIn(Document):
    """A weight that was taken without a visit."""

    weight_kg: Weight
    at: Optional[Moment] = Field(None, description="Now, if it is left out.")


class WeighingOut(Schema):
    """A weight in kilograms that belongs to no visit."""

    id: int
    pet_id: int
    at: Moment
    weight_kg: Decimal
    by: str
    entered_in_error: bool
    error_reason: str


def _fields(body: PetFields, *without: str) -> Any:
    fields = body.dict(exclude_unset=True, exclude=set(without))
    return replaced(replaced(fields, Species, "species"), Breed, "breed")


@router.get("", response=List[PetOut])
@listed
def list_pets(request: HttpRequest, owner_id: Optional[Id] = None) -> Any:
    """All pets by name, or those of an owner; duplicates that were merged away are left out."""
    actor(request)
    rows = Pet.objects.filter(merged_into=None).select_related("species", "breed")
    return rows if owner_id is None else rows.filter(owner=owner_id)


@router.post("", response={201: PetOut})
def create_pet(request: HttpRequest, given: PetIn) -> Any:
    """Create a pet of an owner. 409 `recorded_already` for the same name and species, unless `another` is set."""
    owner = chosen(Owner, given.owner_id, "owner")
    who, fields = actor(request, Right.FRONT_DESK), _fields(given, "owner_id", "another")
    return Status(201, pets.create_pet(who, owner.pk, fields, another=given.another))


@router.get("/{pet_id}", response=PetOut)
def get_pet(request: HttpRequest, pet_id: Id) -> Any:
    """One pet."""
    actor(request)
    return Pet.objects.select_related("species", "breed").get(pk=pet_id)


@router.patch("/{pet_id}", response=PetOut)
def change_pet(request: HttpRequest, pet_id: Id, given: PetChange) -> Any:
    """Change a pet."""
    return pets.update_pet(actor(request), pet_id, given.version, _fields(given, "version"))


@router.post("/{pet_id}/transfer", response=PetOut)
def transfer_pet(request: HttpRequest, pet_id: Id, given: Transfer) -> Any:
    """Hand a pet to another owner; its records go with it, bills stay."""
    who = actor(request, Right.FRONT_DESK)
    return pets.transfer_pet(who, pet_id, given.version, chosen(Owner, given.owner_id, "owner").pk)


@router.post("/{pet_id}/death", response=PetOut)
def record_death(request: HttpRequest, pet_id: Id, given: Death) -> Any:
    """Record a death: reminders end and future appointments are cancelled. Or take one back."""
    if given.on is None:
        return pets.take_back_death(actor(request), pet_id, given.version)
    return pets.mark_deceased(actor(request), pet_id, given.version, given.on)


@router.post("/{pet_id}/weights", response={201: WeighingOut})
def weigh_pet(request: HttpRequest, pet_id: Id, given: WeightIn) -> Any:
    """Keep a weight that was taken without a visit."""
    return Status(201, weighing.weigh(actor(request), pet_id, given.weight_kg, at=given.at))


@router.post("/weights/{weighing_id}/entered-in-error", response=WeighingOut)
def mark_weight_entered_in_error(request: HttpRequest, weighing_id: Id, given: WhyIn) -> Any:
    """Take back a wrong weight."""
    return weighing.mark_entered_in_error(actor(request), weighing_id, given.reason)


@router.get("/{pet_id}/history", response=HistoryOut)
def get_history(request: HttpRequest, pet_id: Id) -> Any:
    """Everything recorded about a pet."""
    who = actor(request)
    known = history.history(Pet.objects.get(pk=pet_id))
    return {
        "weights": known.weights,
        "visits": known.visits if who.may(Right.READ_NOTES) else [],
        "vaccinations": known.vaccinations,
        "appointments": known.appointments,
        "reminders": known.reminders,
    }
