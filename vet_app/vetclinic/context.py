"""What every template may name."""

from __future__ import annotations

from typing import Any, Dict

from django.conf import settings
from django.http import HttpRequest


def clinic(request: HttpRequest) -> Dict[str, Any]:
    """The clinic's name, address, telephone and currency."""
    return {
        "CLINIC_NAME": settings.CLINIC_NAME,
        "CLINIC_ADDRESS": settings.CLINIC_ADDRESS,
        "CLINIC_PHONE": settings.CLINIC_PHONE,
        "CURRENCY": settings.CURRENCY,
    }
