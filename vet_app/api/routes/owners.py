"""Owners and their telephone numbers."""

from typing import Any, List, Optional

from django.http import HttpRequest
from ninja import Router, Schema, Status
from pydantic import Field

from accounts.roles import Right
from api.access import actor
from api.lists import listed
from api.types import Day, Document, Id, Moment, Text, Version
from clinic.models import Owner
from clinic.services import owners

router = Router()


class PhoneOut(Schema):
    """A telephone number as it was typed."""

    label: str
    number: str


class OwnerOut(Schema):
    """An owner. `merged_into_id` names the record that a duplicate became."""

    id: int
    version: int
    first_name: str
    last_name: str
    email: str
    address: str
    postal_code: str
    city: str
    state: str
    contact_preference: str
    reminder_consent: bool
    notes: str
    phones: List[PhoneOut]
    merged_into_id: Optional[int]
    erased_on: Optional[Day]
    created_at: Moment
    updated_at: Moment


class PhoneIn(Document):
    """A telephone number, with a label such as `mobile`."""

    number: Text
    label: Text = ""


class OwnerFields(Document):
    """What can be changed; what is left out stays."""

    first_name: Text = ""
    last_name: Text = ""
    email: Text = ""
    address: Text = Field("", description="Street and number; the whole address where the town is not kept apart.")
    postal_code: Text = ""
    city: Text = ""
    state: Text = ""
    contact_preference: Text = Field("", description="any, phone, email or post")
    reminder_consent: bool = Field(False, description="Only where the owner has said so.")
    notes: Text = ""
    phones: List[PhoneIn] = Field([], description="The whole list, at most six.")


class OwnerIn(OwnerFields):
    """A new owner."""

    last_name: Text
    allow_duplicate: bool = Field(False, description="Create the owner although somebody similar is recorded.")


class OwnerChange(OwnerFields):
    """A change of an owner."""

    version: Version


def _numbers(phones: List[PhoneIn]) -> List[owners.PhoneNumber]:
    return [owners.PhoneNumber(phone.number, phone.label) for phone in phones]


@router.get("", response=List[OwnerOut])
@listed
def list_owners(request: HttpRequest) -> Any:
    """All owners by name; duplicates that were merged away are left out."""
    actor(request)
    return Owner.objects.filter(merged_into=None).prefetch_related("phones")


@router.post("", response={201: OwnerOut})
def create_owner(request: HttpRequest, given: OwnerIn) -> Any:
    """Create an owner. 409 `possible_duplicate` where somebody similar is known, unless `allow_duplicate` is set."""
    who = actor(request, Right.FRONT_DESK)
    fields = given.dict(exclude_unset=True, exclude={"allow_duplicate", "phones"})
    numbers = _numbers(given.phones)
    return Status(201, owners.create_owner(who, fields, numbers, other_than=None if given.allow_duplicate else ()))


@router.get("/{owner_id}", response=OwnerOut)
def get_owner(request: HttpRequest, owner_id: Id) -> Any:
    """One owner."""
    actor(request)
    return Owner.objects.get(pk=owner_id)


@router.patch("/{owner_id}", response=OwnerOut)
def change_owner(request: HttpRequest, owner_id: Id, given: OwnerChange) -> Any:
    """Change an owner; `phones`, where given, replaces the whole list."""
    fields = given.dict(exclude_unset=True, exclude={"version", "phones"})
    numbers = _numbers(given.phones) if "phones" in given.model_fields_set else None
    return owners.update_owner(actor(request), owner_id, given.version, fields, numbers)
