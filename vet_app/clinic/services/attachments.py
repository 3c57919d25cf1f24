"""Keeping small files with a pet's record."""

from __future__ import annotations

import hashlib
from typing import Optional

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils.translation import gettext as _

from accounts.roles import Right
from audit.actor import Actor
from clinic.models import Attachment, Pet
from clinic.models.attachment import MAX_BYTES, SIGNATURES
from clinic.services import records


def attach(actor: Actor, pet_id: int, name: str, content: bytes, *, visit_id: Optional[int] = None) -> Attachment:
    """Keep a PDF, JPEG or PNG of at most 2 MiB; what it is, its first bytes say, not its name."""
    actor.require(Right.CLINICAL)
    kind = next((kind for mark, kind in SIGNATURES.items() if content.startswith(mark)), None)
    if kind is None:
        raise ValidationError({"file": [_("Only PDF, JPEG and PNG files can be kept.")]})
    if len(content) > MAX_BYTES:
        raise ValidationError({"file": [_("This file is larger than 2 MB.")]})
    attachment = Attachment(
        visit_id=visit_id, name=name[:120], content_type=kind, size=len(content),
        sha256=hashlib.sha256(content).hexdigest(), content=content,
    )  # fmt: skip
    with transaction.atomic():
        attachment.pet = records.lock(Pet, pet_id)
        if attachment.visit is not None and attachment.visit.pet_id != pet_id:
            raise ValidationError({"visit": [_("This visit is of another pet.")]})
        return records.create(actor, attachment, {}, set())
