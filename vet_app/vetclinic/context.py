"""What every template may name."""

from __future__ import annotations

from typing import Any, Dict

from django.conf import settings
from django.http import HttpRequest
from django.urls import reverse
from django.utils.functional import SimpleLazyObject

from clinic.selectors.settings import clinic_settings, papers_language


def clinic(request: HttpRequest) -> Dict[str, Any]:
    """The clinic's name, address, telephone, tax number, currency, logo, and the language of its papers."""
    saved: Any = SimpleLazyObject(clinic_settings)
    return {
        "CLINIC_NAME": lambda: saved.name,
        "CLINIC_ADDRESS": lambda: saved.address,
        "CLINIC_PHONE": lambda: saved.phone,
        "CLINIC_TAX_NUMBER": lambda: saved.tax_number,
        "CLINIC_LEGAL_DETAILS": lambda: saved.legal_details,
        "COUNTRY": settings.COUNTRY,
        "CLINIC_LOGO": lambda: f"{reverse('logo')}?v={saved.logo_digest[:12]}" if saved.logo_digest else "",
        "CLINIC_LANGUAGE": papers_language,
        "CURRENCY": settings.CURRENCY,
    }
