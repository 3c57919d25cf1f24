"""Owners who may be the same person."""

from __future__ import annotations

from typing import Dict, List, Sequence

from django.db.models import Prefetch, Q

from clinic.models import Owner, Pet
from clinic.normalization import digits, national_digits, spellings
from clinic.selectors.names import nearest

MOST = 5
FEWEST_DIGITS = 7
ALIKE = 0.75  # `Jon Smith` and `John Smith` have 0.80


def similar_owners(first_name: str, last_name: str, email: str, phones: Sequence[str]) -> List[Owner]:
    """Owners who may be the one described, the newest first; for a warning, never a refusal.

    They have the same e-mail, the same telephone number (its last seven digits), or a name that is the same in another
    spelling, in another order or but for a typing error.
    """
    names = spellings(f"{first_name} {last_name}") | spellings(f"{last_name} {first_name}")
    same = Q(search_name__in=names)
    if email:
        same |= Q(email__iexact=email)
    for phone in phones:
        number = national_digits(phone)
        if len(number) >= FEWEST_DIGITS:
            same |= Q(phones__digits__endswith=number[-FEWEST_DIGITS:])
        elif len(digits(phone)) >= FEWEST_DIGITS:
            same |= Q(phones__digits__endswith=digits(phone)[-FEWEST_DIGITS:])
    known = Prefetch("pets", Pet.objects.filter(merged_into=None).select_related("species"))
    rows = Owner.objects.filter(merged_into=None, erased_on=None).prefetch_related("phones", known)
    certain: Dict[int, Owner] = {owner.pk: owner for owner in rows.filter(same).distinct().order_by("-pk")[:MOST]}
    likely = nearest(rows.exclude(pk__in=certain), f"{first_name} {last_name}", MOST, least=ALIKE)
    return [*certain.values(), *likely][:MOST]
