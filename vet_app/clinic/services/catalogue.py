"""What a manager keeps up to date: vets, the price list, vaccines, species and breeds.

Entries are switched off, never deleted: records point at them. Their own copies (the price on a bill, the due date of a
vaccination) do not change with them.
"""

from __future__ import annotations

from typing import Dict, Optional, Set, Type

from django.db import transaction

from accounts.roles import Right
from audit.actor import Actor
from audit.services import snapshot
from clinic.models import Breed, Product, Species, Vaccine, Vet
from clinic.models.base import Record
from clinic.services import records

FIELDS: Dict[Type[Record], Set[str]] = {
    Vet: {"name", "licence", "user", "active"},
    Product: {"code", "name", "kind", "unit_price", "tax_rate", "active"},
    Vaccine: {"name", "group", "species", "interval_months", "manufacturer", "active"},
    Species: {"name"},
    Breed: {"species", "name"},
}


def save_entry(actor: Actor, model: Type[records.Row], pk: Optional[int], fields: records.Fields) -> records.Row:
    """Create an entry (`pk` None) or change one. Raises DoesNotExist, or ValidationError by field."""
    actor.require(Right.MANAGE)
    if pk is None:
        return records.create(actor, model(), fields, FIELDS[model])
    with transaction.atomic():
        row = records.lock(model, pk)
        before = snapshot(row)
        records.assign(row, fields, FIELDS[model])
        return records.save_changes(actor, row, before)
