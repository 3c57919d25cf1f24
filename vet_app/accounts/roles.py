"""Roles and what they may do. This table is the only place that knows; services ask `actor.require(Right.X)`."""

from __future__ import annotations

import enum
from typing import Dict, FrozenSet

from django.db import models
from django.utils.translation import gettext_lazy as _


class Right(enum.Enum):
    """One thing that a role may or may not do."""

    VIEW = "view"  # look at owners, pets, calendar, vaccinations, invoices
    READ_NOTES = "read_notes"  # read the notes of visits
    FRONT_DESK = "front_desk"  # owners, pets, appointments, waiting room
    CLINICAL = "clinical"  # visits, vaccinations, prescriptions
    DRAFT_INVOICE = "draft_invoice"  # write invoices that are not issued yet
    BILLING = "billing"  # issue, void, credit, payments
    MANAGE = "manage"  # users, tokens, prices, merging, import and export
    AUDIT = "audit"  # read the audit trail


class Role(models.TextChoices):
    """The roles of a small clinic."""

    RECEPTION = "reception", _("Reception")
    VET = "vet", _("Vet")
    MANAGER = "manager", _("Manager")
    READONLY = "readonly", _("Read only")


RIGHTS: Dict[str, FrozenSet[Right]] = {
    Role.RECEPTION: frozenset({Right.VIEW, Right.FRONT_DESK, Right.DRAFT_INVOICE, Right.BILLING}),
    Role.VET: frozenset({Right.VIEW, Right.READ_NOTES, Right.FRONT_DESK, Right.CLINICAL, Right.DRAFT_INVOICE}),
    Role.MANAGER: frozenset(Right),
    Role.READONLY: frozenset({Right.VIEW, Right.READ_NOTES}),
}
BY_SETTING: FrozenSet[Right] = frozenset({Right.BILLING})
"""What vets may do besides where the clinic lets them (`ClinicSettings.vets_may_bill`)."""
