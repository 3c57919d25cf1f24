"""Prescriptions: written at a visit, void with a reason, never changed."""

from decimal import Decimal
from typing import Any, List, Optional

from django.http import HttpRequest
from ninja import Router, Schema, Status
from pydantic import Field
from typing_extensions import Annotated

from accounts.roles import Right
from api.access import actor
from api.lists import chosen, listed, replaced
from api.types import Day, Document, Id, Moment, Text, WhyIn
from clinic.models import Prescription, Product, Visit
from clinic.services import prescriptions

router = Router()


class PrescriptionOut(Schema):
    """A drug that was prescribed. A void one stays readable."""

    id: int
    visit_id: int
    number: Optional[int] = Field(description="Of the paper: what is prescribed at one visit on one day has the same.")
    drug: str
    strength: str
    dose: str
    route: str
    duration: str
    quantity: Decimal
    unit: str
    refills: int
    instructions: str
    cautions: str
    withdrawal: str
    valid_until: Optional[Day]
    controlled: bool
    product_id: Optional[int]
    created_at: Moment
    voided_at: Optional[Moment]
    void_reason: str


class PrescriptionIn(Document):
    """A drug, how it is given, and how much of it."""

    visit_id: Id
    drug: Text = Field(min_length=1)
    strength: Text = ""
    dose: Text = Field(min_length=1)
    route: Text = ""
    duration: Text = ""
    quantity: Annotated[Decimal, Field(gt=0, max_digits=10, decimal_places=4)]
    unit: Text = "tablets"
    refills: Annotated[int, Field(ge=0, le=1000)] = 0
    instructions: Text = Field(min_length=1)
    cautions: Text = ""
    withdrawal: Text = Field("", description="Withdrawal time, for animals that give food.")
    valid_until: Optional[Day] = None
    controlled: bool = False
    product_id: Optional[Id] = Field(None, description="Goes on the bill of the visit.")


@router.get("", response=List[PrescriptionOut])
@listed
def list_prescriptions(request: HttpRequest, pet_id: Optional[Id] = None, visit_id: Optional[Id] = None) -> Any:
    """All prescriptions, those of a pet or those of a visit, the newest first."""
    actor(request, Right.READ_NOTES)
    rows = Prescription.objects.all()
    if pet_id is not None:
        rows = rows.filter(visit__pet=pet_id)
    return rows if visit_id is None else rows.filter(visit=visit_id)


@router.post("", response={201: PrescriptionOut})
def prescribe(request: HttpRequest, given: PrescriptionIn) -> Any:
    """Prescribe a drug at a visit."""
    who = actor(request, Right.CLINICAL)
    visit = chosen(Visit, given.visit_id, "visit")
    fields = replaced(given.dict(exclude_unset=True, exclude={"visit_id"}), Product, "product")
    return Status(201, prescriptions.prescribe(who, visit.pk, fields))


@router.get("/{prescription_id}", response=PrescriptionOut)
def get_prescription(request: HttpRequest, prescription_id: Id) -> Any:
    """One prescription."""
    actor(request, Right.READ_NOTES)
    return Prescription.objects.get(pk=prescription_id)


@router.post("/{prescription_id}/void", response=PrescriptionOut)
def void_prescription(request: HttpRequest, prescription_id: Id, given: WhyIn) -> Any:
    """Declare a prescription void."""
    return prescriptions.void_prescription(actor(request), prescription_id, given.reason)
