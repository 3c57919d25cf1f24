"""Creating and changing owners with their telephone numbers."""

from __future__ import annotations

from typing import NamedTuple, Optional, Sequence

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.translation import gettext as _

from accounts.roles import Right
from audit.actor import Actor
from audit.services import snapshot
from clinic.folding import digits
from clinic.models import Owner, Phone
from clinic.services import records

EDITABLE = {"first_name", "last_name", "email", "address", "contact_preference", "reminder_consent", "notes"}
MOST_PHONES = 6


class PhoneNumber(NamedTuple):
    """A number as it was typed, with an optional label such as `mobile`."""

    number: str
    label: str = ""


def create_owner(actor: Actor, fields: records.Fields, phones: Sequence[PhoneNumber] = ()) -> Owner:
    """Create an owner. Look at `selectors.duplicates.similar_owners` first and let the person decide."""
    actor.require(Right.FRONT_DESK)
    with transaction.atomic():
        owner = records.create(actor, Owner(), fields, EDITABLE)
        _replace_phones(owner, phones)
    return owner


def update_owner(
    actor: Actor, owner_id: int, version: int, fields: records.Fields, phones: Optional[Sequence[PhoneNumber]] = None
) -> Owner:
    """Change an owner; `phones`, where given, replaces the whole list. Raises Changed for an old `version`."""
    actor.require(Right.FRONT_DESK)
    with transaction.atomic():
        owner = records.lock(Owner, owner_id, version)
        before = snapshot(owner)
        records.assign(owner, fields, EDITABLE)
        note = None
        if phones is not None:
            old = [phone.number for phone in owner.phones.all()]
            _replace_phones(owner, phones)
            new = [phone.number for phone in phones]
            note = {"phones": {"old": old, "new": new}} if old != new else None
        return records.save_changes(actor, owner, before, note=note)


def _replace_phones(owner: Owner, phones: Sequence[PhoneNumber]) -> None:
    if len(phones) > MOST_PHONES:
        raise ValidationError({"phones": [_("At most six telephone numbers can be kept.")]})
    owner.phones.all().delete()
    for number, label in phones:
        new_phone(owner, number, label).save()


def new_phone(owner: Owner, number: str, label: str) -> Phone:
    """A checked number that is not saved yet. Raises ValidationError beside `phones`."""
    if len(digits(number)) < 3:
        raise ValidationError({"phones": [_("“%(number)s” is not a telephone number.") % {"number": number[:40]}]})
    phone = Phone(owner=owner, number=number.strip(), label=label.strip())
    try:
        phone.clean_fields(exclude={"owner"})
    except ValidationError as problem:
        raise ValidationError({"phones": problem.messages}) from problem
    return phone
