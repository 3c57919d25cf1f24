"""Creating and changing owners with their telephone numbers."""

from __future__ import annotations

from typing import Collection, List, NamedTuple, Optional, Sequence

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.translation import gettext as _

from accounts.roles import Right
from audit.actor import Actor
from audit.services import snapshot
from clinic.models import Owner, Phone
from clinic.normalization import digits
from clinic.selectors.duplicates import similar_owners
from clinic.services import records
from vetclinic.errors import Conflict, Locked
from vetclinic.on_postgresql import one_at_a_time

EDITABLE = {
    "first_name", "last_name", "email", "address", "postal_code", "city", "state", "contact_preference",
    "reminder_consent", "notes",
}  # fmt: skip
MOST_PHONES = 6


class PhoneNumber(NamedTuple):
    """A number as it was typed, with an optional label such as `mobile`."""

    number: str
    label: str = ""


class PossibleDuplicate(Conflict):
    """Somebody with this name, e-mail or telephone number is recorded already."""

    code = "possible_duplicate"

    def __init__(self, owners: List[Owner]) -> None:
        names = ", ".join(f"{owner} (id {owner.pk})" for owner in owners)
        super().__init__(_("This may be the same person: %(owners)s.") % {"owners": names})
        self.owners = owners


def create_owner(
    actor: Actor,
    fields: records.Fields,
    phones: Sequence[PhoneNumber] = (),
    *,
    other_than: Optional[Collection[int]] = None,
) -> Owner:
    """Create an owner.

    `other_than` are the numbers of owners who look alike and whom the person has seen; one more raises
    PossibleDuplicate, also one whom somebody else records at the same time. None, for what comes in bulk, asks nothing.
    """
    actor.require(Right.FRONT_DESK)
    with transaction.atomic():
        if other_than is not None:
            one_at_a_time("create_owner")
            identity = [str(fields.get(name, "")) for name in ("first_name", "last_name", "email")]
            alike = similar_owners(identity[0], identity[1], identity[2], [phone.number for phone in phones])
            if not {owner.pk for owner in alike} <= set(other_than):
                raise PossibleDuplicate(alike)
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
        if owner.erased_on:
            raise Locked(_("This owner has been erased. Record a new owner instead."))
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
