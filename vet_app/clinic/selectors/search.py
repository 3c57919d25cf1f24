"""The one search box: names, telephone digits, microchip and tag, and the numbers of owners, pets and bills."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import List

from django.db.models import Prefetch, Q

from clinic.folding import digits, fold
from clinic.models import Invoice, Owner, Pet, Vaccination
from clinic.selectors.invoices import whole_number

LIMIT = 25
FEWEST_DIGITS = 3


@dataclass(frozen=True)
class Found:
    """Owners, pets and bills for one query, at most LIMIT of each."""

    owners: List[Owner]
    pets: List[Pet]
    bills: List[Invoice] = field(default_factory=list)

    @property
    def may_be_more(self) -> bool:
        """Whether something was left out."""
        return LIMIT in (len(self.owners), len(self.pets))


def search(query: str) -> Found:
    """Find by every word in an owner's name, or in a pet's and its owner's together; by digits; or by an exact tag.

    The tag is the pet's own or one that went with a vaccination, which is what a found animal wears. Leading zeros are
    dropped before telephone numbers are compared, because +44 7700 900123 is dialled 07700 900123 at home. Digits alone
    may also be the number of an owner, a pet or a bill, as it stands on their pages and on paper.
    """
    folded = fold(query.replace("\x00", ""))[:100]
    if not folded:
        return Found([], [])
    owners, pets = Q(), Q()
    for word in folded.split():
        owners &= Q(search_name__contains=word)
        pets &= Q(search_name__contains=word) | Q(owner__search_name__contains=word)
    tagged = Vaccination.objects.filter(tag__iexact=folded, entered_in_error=False)
    pets |= Q(tag__iexact=folded) | Q(pk__in=tagged.values("pet")) | Q(microchip__iexact=folded)
    number = digits(query)
    if len(number) >= FEWEST_DIGITS and not any(letter.isalpha() for letter in query):
        owners |= Q(phones__digits__contains=number.lstrip("0") or number)
        pets |= Q(microchip__startswith=number)
    own_number, bills = whole_number(query), Invoice.objects.none()
    if own_number is not None:
        owners |= Q(pk=own_number)
        pets |= Q(pk=own_number)
        bills = Invoice.objects.filter(number=own_number).select_related("owner")
    return Found(
        owners=list(
            Owner.objects.filter(owners, merged_into=None)
            .distinct()
            .prefetch_related("phones", Prefetch("pets", Pet.objects.filter(merged_into=None)))[:LIMIT]
        ),
        pets=list(
            Pet.objects.filter(pets, merged_into=None)
            .select_related("owner", "species", "breed")
            .order_by("deceased_on", "name", "pk")[:LIMIT]
        ),
        bills=list(bills),
    )
