"""Ending reminders by the link in an e-mail, without logging in: who has the link has the e-mail."""

from __future__ import annotations

from typing import Optional

from django.conf import settings
from django.core import signing
from django.db import transaction
from django.urls import reverse

from audit.actor import Actor
from audit.services import snapshot
from clinic.models import Owner
from clinic.services import records

SIGNER = signing.Signer(salt="clinic.reminders")
MOST_MERGES = 10


def end_link(owner: Owner) -> str:
    """The address that ends the reminders of an owner. It holds the owner's number, signed, and never expires."""
    return settings.PUBLIC_URL + reverse("reminders_end", args=[SIGNER.sign_object(owner.pk)])


def owner_of(token: str) -> Optional[Owner]:
    """Whose reminders a link ends, or who that owner became; None for a link that is not ours."""
    try:
        owner = Owner.objects.filter(pk=SIGNER.unsign_object(token)).first()
    except signing.BadSignature:
        return None
    for _merge in range(MOST_MERGES):
        if owner is None or owner.merged_into is None:
            break
        owner = owner.merged_into
    return owner


def end_reminders(owner: Owner) -> None:
    """Take the consent back; nothing happens where there is none."""
    with transaction.atomic():
        owner = records.lock(Owner, owner.pk)
        if owner.reminder_consent:
            before = snapshot(owner)
            owner.reminder_consent = False
            records.save_changes(Actor.system("link in an e-mail"), owner, before)
