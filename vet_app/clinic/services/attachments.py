"""Keeping small files with a pet's record, and taking back what is another animal's."""

from __future__ import annotations

import hashlib
from typing import Optional

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.translation import gettext as _

from accounts.roles import Right
from audit.actor import Actor
from audit.models import AuditEntry
from audit.services import snapshot
from clinic import files
from clinic.models import Attachment, Pet
from clinic.models.attachment import MAX_BYTES, SIGNATURES
from clinic.services import records
from vetclinic.errors import Conflict


def attach(actor: Actor, pet_id: int, name: str, content: bytes, *, visit_id: Optional[int] = None) -> Attachment:
    """Keep a PDF, JPEG or PNG of at most 2 MiB; what it is, its first bytes say, not its name.

    Raises ValidationError beside `file`, also where all files together would be larger than the clinic's quota.
    """
    actor.require(Right.FILES)
    kind = next((kind for mark, kind in SIGNATURES.items() if content.startswith(mark)), None)
    if kind is None:
        raise ValidationError({"file": [_("Only PDF, JPEG and PNG files can be kept.")]})
    if len(content) > MAX_BYTES:
        raise ValidationError({"file": [_("This file is larger than 2 MB.")]})
    if files.bytes_used() + len(content) > settings.ATTACHMENTS_QUOTA:
        raise ValidationError({"file": [_("There is no space left for files. Ask whoever operates the application.")]})
    attachment = Attachment(
        visit_id=visit_id, name=name[:120], content_type=kind, size=len(content),
        sha256=hashlib.sha256(content).hexdigest(),
    )  # fmt: skip
    files.keep(attachment, content)
    try:
        with transaction.atomic():
            attachment.pet = records.lock(Pet, pet_id)
            if attachment.visit is not None and attachment.visit.pet_id != pet_id:
                raise ValidationError({"visit": [_("This visit is of another pet.")]})
            return records.create(actor, attachment, {}, set())
    except BaseException:
        files.forget(attachment)
        raise


def mark_entered_in_error(actor: Actor, attachment_id: int, reason: str) -> Attachment:
    """Take back a file that was put with the wrong animal: it is struck through and leaves the whole record's ZIP.

    Raises Conflict where it was taken back already.
    """
    actor.require(Right.FILES)
    reason = records.require_reason("reason", reason)
    with transaction.atomic():
        attachment = records.lock(Attachment, attachment_id)
        if attachment.entered_in_error:
            raise Conflict(_("This entry is marked as entered in error already."))
        before = snapshot(attachment)
        attachment.entered_in_error, attachment.error_reason = True, reason
        return records.save_changes(actor, attachment, before, AuditEntry.Action.VOID)
