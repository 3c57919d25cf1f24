"""What an American rabies certificate says beside the vaccination itself.

The fields are those of the National Association of State Public Health Veterinarians' Form 51
(https://www.nasphv.org/documentsCompendiaRabies.html).
"""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import NamedTuple, Optional

from django.conf import settings

from clinic.models import Vaccination
from clinic.selectors.history import last_weighed
from clinic.units import POUND

RABIES = "rabies"
SMALL, MEDIUM = 20, 50  # pounds
YEARS = {12: 1, 36: 3, 48: 4}


class Form51(NamedTuple):
    """The boxes of the form; None where nothing is known."""

    months: Optional[int]
    pounds: Optional[Decimal]
    first_dose: bool
    licensed_years: Optional[int]

    @property
    def size(self) -> str:
        """Which of the three boxes, `small`, `medium` or `large`; nothing for an animal that was never weighed."""
        if self.pounds is None:
            return ""
        return "small" if self.pounds < SMALL else "medium" if self.pounds <= MEDIUM else "large"


def is_form_51(vaccination: Vaccination) -> bool:
    """Whether the certificate of a vaccination has this form."""
    return settings.COUNTRY == "US" and vaccination.vaccine.group == RABIES


def form_51(vaccination: Vaccination) -> Form51:
    """Age and size on the day of the vaccination, and whether it was the first that is recorded."""
    pet, day = vaccination.pet, vaccination.given_on
    last = last_weighed(pet, until=day + timedelta(days=1))
    months = None
    if pet.birth_date:
        months = (day.year - pet.birth_date.year) * 12 + day.month - pet.birth_date.month
        months = max(0, months - (day.day < pet.birth_date.day))
    return Form51(
        months=months,
        pounds=last.weight_kg / POUND if last and last.weight_kg else None,
        first_dose=_is_first(vaccination) if vaccination.first_dose is None else vaccination.first_dose,
        licensed_years=YEARS.get(vaccination.vaccine.interval_months or 0),
    )


def _is_first(vaccination: Vaccination) -> bool:
    earlier = vaccination.pet.vaccinations.filter(vaccine__group=vaccination.vaccine.group, entered_in_error=False)
    return not earlier.filter(given_on__lt=vaccination.given_on).exists()
