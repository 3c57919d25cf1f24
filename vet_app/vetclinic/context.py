"""What every template may name."""

from __future__ import annotations

from typing import Any, Dict

from django.conf import settings
from django.http import HttpRequest
from django.utils.functional import SimpleLazyObject

from clinic.selectors.settings import clinic_settings


def clinic(request: HttpRequest) -> Dict[str, Any]:
    """The clinic's name, address, telephone, tax number and currency; a page that names none of them asks nothing."""
    saved: Any = SimpleLazyObject(clinic_settings)
    return {
        "CLINIC_NAME": lambda: saved.name,
        "CLINIC_ADDRESS": lambda: saved.address,
        "CLINIC_PHONE": lambda: saved.phone,
        "CLINIC_TAX_NUMBER": lambda: saved.tax_number,
        "CURRENCY": settings.CURRENCY,
    }
