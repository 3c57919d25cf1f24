"""Owners who may be the same person."""

from __future__ import annotations

from typing import List, Sequence

from django.db.models import Prefetch, Q

from clinic.folding import digits, fold
from clinic.models import Owner, Pet


def similar_owners(first_name: str, last_name: str, email: str, phones: Sequence[str]) -> List[Owner]:
    """Owners with the same name, e-mail or telephone number (its last seven digits); for a warning, never a refusal."""
    same = Q(search_name=fold(f"{first_name} {last_name}"))
    if email:
        same |= Q(email__iexact=email)
    for phone in phones:
        number = digits(phone)
        if len(number) >= 7:
            same |= Q(phones__digits__endswith=number[-7:])
    known = Prefetch("pets", Pet.objects.filter(merged_into=None))
    return list(Owner.objects.filter(same, merged_into=None).distinct().prefetch_related("phones", known)[:5])
