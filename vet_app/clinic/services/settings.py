"""Changing the clinic's settings, and the limits that they set."""

from __future__ import annotations

from decimal import Decimal

from django.core.exceptions import PermissionDenied
from django.utils.translation import gettext as _

from accounts.roles import Right
from audit.actor import Actor
from clinic.models import ClinicSettings
from clinic.money import shown_money
from clinic.selectors.settings import clinic_settings
from clinic.services import records
from vetclinic.errors import Changed

FIELDS = set(ClinicSettings.FIELDS)
ONLY_ROW = 1


def change_settings(actor: Actor, version: int, fields: records.Fields) -> ClinicSettings:
    """Save the page of the clinic. Raises Changed where it was saved since `version` (0: never), or ValidationError."""
    actor.require(Right.MANAGE)
    if version:
        return records.update(actor, ClinicSettings, ONLY_ROW, version, fields, FIELDS)
    if ClinicSettings.objects.exists():
        raise Changed(_("Somebody has saved these settings meanwhile. Look at them again and repeat your change."))
    return records.create(actor, ClinicSettings(pk=ONLY_ROW), fields, FIELDS)


def require_within(actor: Actor, limit: str, amount: Decimal) -> None:
    """Raise PermissionDenied where `amount`, of either sign, is above a limit of the clinic and no manager acts."""
    most = getattr(clinic_settings(), limit)
    if most is None or abs(amount) <= most or actor.may(Right.MANAGE):
        return
    if not most:
        raise PermissionDenied(_("At this clinic only a manager does this. Please ask one."))
    shown = shown_money(most)
    raise PermissionDenied(_("Above %(limit)s a manager does this. Please ask one.") % {"limit": shown})
