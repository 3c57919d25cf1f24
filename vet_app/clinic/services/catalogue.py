"""What a manager keeps up to date: vets, days off, the price list, ways to pay, vaccines, species and breeds.

Entries are switched off, never deleted: records point at them. Their own copies (the price on a bill, the due date of a
vaccination) do not change with them.
"""

from __future__ import annotations

from typing import Dict, Optional, Set, Type

from accounts.roles import Right
from audit.actor import Actor
from clinic.models import Breed, ControlledDrug, DaysOff, PaymentMethod, Product, Species, Vaccine, VaccineLot, Vet
from clinic.models.base import VersionedRecord
from clinic.services import records

FIELDS: Dict[Type[VersionedRecord], Set[str]] = {
    Vet: {"name", "licence", "user", "hours", "active"},
    DaysOff: {"vet", "first_day", "last_day", "reason", "active"},
    Product: {"code", "name", "kind", "unit_price", "tax_rate", "fee_code", "active"},
    Vaccine: {"name", "group", "species", "interval_months", "trade_name", "manufacturer", "product", "active"},
    VaccineLot: {"vaccine", "number", "expires_on", "active"},
    ControlledDrug: {"name", "strength", "unit", "active"},
    PaymentMethod: {"name", "is_cash", "active"},
    Species: {"name"},
    Breed: {"species", "name"},
}


def save_entry(
    actor: Actor, model: Type[records.Versioned], pk: Optional[int], version: int, fields: records.Fields
) -> records.Versioned:
    """Create an entry (`pk` None) or change one. Raises DoesNotExist, Changed, or ValidationError by field."""
    actor.require(Right.MANAGE)
    if pk is None:
        return records.create(actor, model(), fields, FIELDS[model])
    return records.update(actor, model, pk, version, fields, FIELDS[model])
