"""Visits: notes that lock, and amendments. Reading them needs the right to read notes."""

from decimal import Decimal
from typing import Any, List, Optional

from django.http import HttpRequest
from ninja import Router, Schema, Status
from pydantic import Field
from typing_extensions import Annotated

from accounts.roles import Right
from api.access import actor
from api.lists import chosen, listed, replaced
from api.types import Document, Id, Moment, Named, ReasonIn, Text, Version, VersionIn
from clinic.models import Appointment, Pet, Vet, Visit
from clinic.services import visits

router = Router()
Weight = Annotated[Decimal, Field(gt=0, max_digits=6, decimal_places=3)]
Rate = Annotated[int, Field(ge=1, le=1500)]


class AmendmentOut(Schema):
    """A signed addition to a locked visit."""

    author: str
    text: str
    created_at: Moment


class VisitOut(Schema):
    """One examination. Weight in kilograms, temperature in degrees Celsius, heart and breath per minute.

    One that was entered in error stays readable and counts for nothing.
    """

    id: int
    version: int
    pet_id: int
    vet: Named
    appointment_id: Optional[int]
    at: Moment
    weight_kg: Optional[Decimal]
    temp_c: Optional[Decimal]
    heart_rate: Optional[int]
    resp_rate: Optional[int]
    subjective: str
    objective: str
    assessment: str
    plan: str
    locked_at: Optional[Moment]
    entered_in_error: bool
    error_reason: str
    amendments: List[AmendmentOut]


class VisitFields(Document):
    """What can be changed until the visit is locked; what is left out stays."""

    vet_id: Optional[Id] = None
    at: Optional[Moment] = None
    weight_kg: Optional[Weight] = None
    temp_c: Optional[Annotated[Decimal, Field(ge=20, le=45, max_digits=3, decimal_places=1)]] = None
    heart_rate: Optional[Rate] = None
    resp_rate: Optional[Rate] = None
    subjective: Text = ""
    objective: Text = ""
    assessment: Text = ""
    plan: Text = ""


class VisitIn(VisitFields):
    """A new visit, with or without an appointment of the same pet."""

    pet_id: Id
    vet_id: Id
    appointment_id: Optional[Id] = None


class VisitChange(VisitFields):
    """A change of an open visit."""

    version: Version


class AmendmentIn(Document):
    """What is added."""

    text: Text = Field(min_length=1)


def _fields(body: VisitFields, *without: str) -> Any:
    fields = replaced(body.dict(exclude_unset=True, exclude=set(without)), Vet, "vet")
    if fields.get("at", body) is None:
        del fields["at"]  # a visit has a time; null leaves it as it is
    return fields


@router.get("", response=List[VisitOut])
@listed
def list_visits(request: HttpRequest, pet_id: Optional[Id] = None) -> Any:
    """All visits, or those of a pet, the newest first."""
    actor(request, Right.READ_NOTES)
    rows = Visit.objects.select_related("vet").prefetch_related("amendments")
    return rows if pet_id is None else rows.filter(pet=pet_id)


@router.post("", response={201: VisitOut})
def start_visit(request: HttpRequest, given: VisitIn) -> Any:
    """Begin a visit."""
    who = actor(request, Right.MEASURE)
    pet = chosen(Pet, given.pet_id, "pet")
    if given.appointment_id is not None:
        chosen(Appointment, given.appointment_id, "appointment")
    fields = _fields(given, "pet_id", "appointment_id")
    return Status(201, visits.start_visit(who, pet.pk, fields, appointment_id=given.appointment_id))


@router.get("/{visit_id}", response=VisitOut)
def get_visit(request: HttpRequest, visit_id: Id) -> Any:
    """One visit."""
    actor(request, Right.READ_NOTES)
    return Visit.objects.select_related("vet").get(pk=visit_id)


@router.patch("/{visit_id}", response=VisitOut)
def change_visit(request: HttpRequest, visit_id: Id, given: VisitChange) -> Any:
    """Change an open visit; 409 `locked` for a closed one. Measurements alone need no more than the right `measure`."""
    return visits.update_visit(actor(request, Right.MEASURE), visit_id, given.version, _fields(given, "version"))


@router.post("/{visit_id}/lock", response=VisitOut)
def lock_visit(request: HttpRequest, visit_id: Id, given: VersionIn) -> Any:
    """Close the notes permanently."""
    return visits.lock_visit(actor(request), visit_id, given.version)


@router.post("/{visit_id}/entered-in-error", response=VisitOut)
def mark_visit_entered_in_error(request: HttpRequest, visit_id: Id, given: ReasonIn) -> Any:
    """Take back a visit, such as one of the wrong animal, locked or not."""
    return visits.mark_entered_in_error(actor(request), visit_id, given.version, given.reason)


@router.post("/{visit_id}/amendments", response={201: AmendmentOut})
def amend_visit(request: HttpRequest, visit_id: Id, given: AmendmentIn) -> Any:
    """Add a signed text to a locked visit."""
    return Status(201, visits.amend_visit(actor(request), visit_id, given.text))
