"""What the law of the clinic's country wants on a bill and is not there yet; told while the bill is a draft.

Germany: UStG section 14(4) (supplier's tax number, date of service), UStDV section 33 (bills up to 250 euros need no
address of whom they are for), and the fee schedule for vets (GOT: date, species, diagnosis, service, amount, tax).
France: Code de commerce R123-237 (SIREN or SIRET), CGI annexe II article 242 nonies A (VAT number).
"""

from __future__ import annotations

import re
from decimal import Decimal
from typing import List

from django.conf import settings
from django.db.models import Q
from django.utils.translation import gettext as _

from clinic.models import Invoice, Product
from clinic.normalization import digits
from clinic.selectors.settings import clinic_settings

WITHOUT_ADDRESS = Decimal(250)  # euros, with tax (UStDV section 33)
SIRET_DIGITS, SIREN_DIGITS = 14, 9


def missing(bill: Invoice) -> List[str]:
    """Sentences about a draft; none in countries whose law is not known here."""
    if bill.is_estimate or settings.COUNTRY not in {"DE", "FR"}:
        return []
    clinic, problems = clinic_settings(), []
    if not clinic.tax_number:
        problems.append(_("The clinic's tax number is missing. A manager enters it on the page Clinic."))
    if settings.COUNTRY == "FR":
        return problems + _missing_in_france(clinic.legal_details)
    if bill.total > WITHOUT_ADDRESS and not bill.owner.postal_address:
        problems.append(_("Above 250 euros a bill needs the owner's address."))
    if not bill.diagnosis:
        problems.append(_("The diagnosis is missing."))
    treated = bill.lines.filter(Q(product=None) | Q(product__kind=Product.Kind.SERVICE), pet=None)
    if treated.exists():
        problems.append(_("No pet, so the species is missing: %(lines)s.") % {"lines": ", ".join(map(str, treated))})
    lines = bill.lines.filter(product__kind=Product.Kind.SERVICE, fee_code="")
    if lines.exists():
        names = ", ".join(line.text for line in lines)
        problems.append(_("No GOT number: %(lines)s.") % {"lines": names})
    return problems


def _missing_in_france(details: str) -> List[str]:
    numbers = [digits(each) for each in re.findall(r"\d[\d .]{7,}\d", details)]
    if any(len(each) in (SIRET_DIGITS, SIREN_DIGITS) for each in numbers):
        return []
    return [_("The SIRET is missing. A manager enters it under legal details on the page Clinic.")]
