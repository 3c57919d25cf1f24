"""Changing the clinic's settings, and the limits that they set."""

from __future__ import annotations

import hashlib
from decimal import Decimal
from typing import Optional

from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.utils.translation import gettext as _

from accounts.roles import Right
from audit.actor import Actor
from audit.services import snapshot
from clinic.models import ClinicLogo, ClinicSettings
from clinic.models.attachment import SIGNATURES
from clinic.money import shown_money
from clinic.selectors.settings import clinic_settings, forget
from clinic.services import records
from vetclinic.errors import Changed
from vetclinic.on_postgresql import one_at_a_time
from vetclinic.persistence import store

FIELDS = set(ClinicSettings.FIELDS)
ONLY_ROW = 1


def change_settings(actor: Actor, version: int, fields: records.Fields) -> ClinicSettings:
    """Save the page of the clinic. Raises Changed where it was saved since `version` (0: never), or ValidationError."""
    actor.require(Right.MANAGE)
    forget()
    if version:
        return records.update(actor, ClinicSettings, ONLY_ROW, version, fields, FIELDS)
    if ClinicSettings.objects.exists():
        raise Changed(
            _("Somebody else has saved these settings in the meantime. Check them and make your change again.")
        )
    return records.create(actor, ClinicSettings(pk=ONLY_ROW), fields, FIELDS)


def change_logo(actor: Actor, content: Optional[bytes]) -> ClinicSettings:
    """Keep a PNG or JPEG for the papers, or take it away (None). Raises ValidationError for anything else.

    What the environment says of the clinic is saved with it where nobody has saved the page yet.
    """
    actor.require(Right.MANAGE)
    kind = "" if content is None else _picture(content)
    with transaction.atomic():
        one_at_a_time("clinic_settings")
        forget()
        now = clinic_settings()
        if not now.version:
            now = change_settings(actor, 0, {name: getattr(now, name) for name in ClinicSettings.FIELDS})
        now = records.lock(ClinicSettings, now.pk)
        before = snapshot(now)
        ClinicLogo.objects.all().delete()
        if content is not None:
            store(ClinicLogo(content_type=kind, content=content))
        now.logo_digest = "" if content is None else hashlib.sha256(content).hexdigest()
        forget()
        return records.save_changes(actor, now, before)


def _picture(content: bytes) -> str:
    kind = next((kind for mark, kind in SIGNATURES.items() if content.startswith(mark)), "")
    if not kind.startswith("image/"):
        raise ValidationError({"file": [_("The logo must be a PNG or JPEG picture.")]})
    if len(content) > ClinicLogo.MAX_BYTES:
        raise ValidationError({"file": [_("The logo can be up to 256 KB.")]})
    return kind


def require_within(actor: Actor, limit: str, amount: Decimal, because: str = "") -> None:
    """Raise PermissionDenied where `amount`, of either sign, is above a limit of the clinic and no manager acts.

    `because` is a sentence that comes first, where it is not plain what the limit has to do with it.
    """
    most = getattr(clinic_settings(), limit)
    if most is None or abs(amount) <= most or actor.may(Right.MANAGE):
        return
    message = _("Above %(limit)s only a manager may do this. Please ask one.") % {"limit": shown_money(most)}
    if not most:
        message = _("At this clinic only a manager may do this. Please ask one.")
    raise PermissionDenied(f"{because} {message}".strip())
