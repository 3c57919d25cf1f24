"""The clinic's settings as they hold now."""

from __future__ import annotations

from django.conf import settings

from clinic.models import ClinicSettings


def clinic_settings() -> ClinicSettings:
    """What the manager saved; until then the environment's values, in a row that is not stored (its version is 0)."""
    saved = ClinicSettings.objects.first()
    return saved or ClinicSettings(
        version=0, name=settings.CLINIC_NAME, address=settings.CLINIC_ADDRESS, phone=settings.CLINIC_PHONE
    )
