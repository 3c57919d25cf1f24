"""Vaccinations; the reminder of their group follows by itself."""

from typing import Any, List, Optional

from django.http import HttpRequest
from ninja import Router, Schema, Status
from pydantic import Field

from accounts.roles import Right
from api.access import actor
from api.lists import chosen, listed, replaced
from api.types import Day, Document, Id, Named, ReasonIn, Text, Version
from clinic.models import Pet, Vaccination, Vaccine, Vet, Visit
from clinic.services import vaccination

router = Router()


class VaccinationOut(Schema):
    """One injection. One that was entered in error stays readable and counts for nothing."""

    id: int
    version: int
    pet_id: int
    vaccine: Named
    given_on: Day
    vet_id: Optional[int]
    given_by: str
    given_elsewhere: bool
    first_dose: Optional[bool] = Field(description="Null where it follows from what is recorded.")
    trade_name: str
    manufacturer: str
    lot: str
    lot_expiry: Optional[Day]
    tag: str
    due_on: Optional[Day]
    visit_id: Optional[int]
    entered_in_error: bool
    error_reason: str


class VaccinationIn(Document):
    """An injection. What was given here needs the vet and the lot."""

    pet_id: Id
    vaccine_id: Id
    given_on: Day
    due_on: Optional[Day] = Field(None, description="Follows from the vaccine's interval where it is left out.")
    vet_id: Optional[Id] = None
    given_elsewhere: bool = False
    first_dose: Optional[bool] = Field(None, description="Follows from what is recorded where it is left out.")
    trade_name: Text = Field("", description="The vaccine's, where it is left out.")
    manufacturer: Text = ""
    lot: Text = ""
    lot_expiry: Optional[Day] = None
    tag: Text = ""
    visit_id: Optional[Id] = None
    again: bool = Field(False, description="Record it although the pet has got this vaccine on this day already.")


class DueDate(Document):
    """When the next one is due, null for never."""

    version: Version
    due_on: Optional[Day]


@router.get("", response=List[VaccinationOut])
@listed
def list_vaccinations(request: HttpRequest, pet_id: Optional[Id] = None) -> Any:
    """All vaccinations, or those of a pet, the newest first."""
    actor(request)
    rows = Vaccination.objects.select_related("vaccine")
    return rows if pet_id is None else rows.filter(pet=pet_id)


@router.post("", response={201: VaccinationOut})
def record_vaccination(request: HttpRequest, given: VaccinationIn) -> Any:
    """Record an injection. 409 `given_already` for the same vaccine on the same day, unless `again` is set."""
    who = actor(request, Right.VACCINATE)
    pet, vaccine = chosen(Pet, given.pet_id, "pet"), chosen(Vaccine, given.vaccine_id, "vaccine")
    fields = given.dict(exclude_unset=True, exclude={"pet_id", "vaccine_id", "given_on", "due_on", "again"})
    details = replaced(replaced(fields, Vet, "vet"), Visit, "visit")
    recorded = vaccination.record_vaccination(
        who, pet.pk, vaccine.pk, given.given_on, details, due_on=given.due_on, again=given.again
    )
    return Status(201, recorded)


@router.get("/{vaccination_id}", response=VaccinationOut)
def get_vaccination(request: HttpRequest, vaccination_id: Id) -> Any:
    """One vaccination."""
    actor(request)
    return Vaccination.objects.select_related("vaccine").get(pk=vaccination_id)


@router.post("/{vaccination_id}/due-date", response=VaccinationOut)
def change_due_date(request: HttpRequest, vaccination_id: Id, given: DueDate) -> Any:
    """Set when the next one is due."""
    return vaccination.change_due_date(actor(request), vaccination_id, given.version, given.due_on)


@router.post("/{vaccination_id}/entered-in-error", response=VaccinationOut)
def mark_entered_in_error(request: HttpRequest, vaccination_id: Id, given: ReasonIn) -> Any:
    """Take back a wrong entry."""
    return vaccination.mark_entered_in_error(actor(request), vaccination_id, given.version, given.reason)
