"""Roles and what they may do. This table is the only place that knows; services ask `actor.require(Right.X)`."""

from __future__ import annotations

import enum
from typing import Dict, FrozenSet, Tuple

from django.db import models
from django.utils.translation import gettext_lazy as _


class Right(enum.Enum):
    """One thing that a role may or may not do."""

    VIEW = "view"  # look at owners, pets, calendar, vaccinations, invoices
    READ_NOTES = "read_notes"  # read the notes of visits
    WHOLE_RECORD = "whole_record"  # read, print and download the whole record of a pet
    FRONT_DESK = "front_desk"  # owners, pets, appointments, waiting room
    WEIGH = "weigh"  # weigh animals, at the desk as well
    FILES = "files"  # add files to a record
    MEASURE = "measure"  # begin visits and take measurements
    VACCINATE = "vaccinate"  # record vaccinations that a vet has ordered
    CLINICAL = "clinical"  # notes of visits, prescriptions, and taking wrong entries back
    DRAFT_INVOICE = "draft_invoice"  # write invoices that are not issued yet
    BILLING = "billing"  # issue, void, credit, payments
    TAKINGS = "takings"  # read the takings and who owes what, and take them as CSV
    MANAGE = "manage"  # users, tokens, prices, merging, import and export
    AUDIT = "audit"  # read the audit trail


class Role(models.TextChoices):
    """The roles of a small clinic."""

    RECEPTION = "reception", _("Reception")
    TECHNICIAN = "technician", _("Technician")
    VET = "vet", _("Vet")
    MANAGER = "manager", _("Manager")
    READONLY = "readonly", _("Read only")
    ACCOUNTANT = "accountant", _("Accountant")


RIGHTS: Dict[str, FrozenSet[Right]] = {
    Role.RECEPTION: frozenset(
        {
            Right.VIEW, Right.FRONT_DESK, Right.WEIGH, Right.FILES, Right.DRAFT_INVOICE, Right.BILLING, Right.TAKINGS,
        }
    ),
    Role.TECHNICIAN: frozenset(
        {
            Right.VIEW, Right.READ_NOTES, Right.WHOLE_RECORD, Right.FRONT_DESK, Right.WEIGH, Right.FILES, Right.MEASURE,
            Right.VACCINATE,
        }
    ),
    Role.VET: frozenset(
        {
            Right.VIEW, Right.READ_NOTES, Right.WHOLE_RECORD, Right.FRONT_DESK, Right.WEIGH, Right.FILES, Right.MEASURE,
            Right.VACCINATE, Right.CLINICAL, Right.DRAFT_INVOICE,
        }
    ),
    Role.MANAGER: frozenset(Right),
    Role.READONLY: frozenset({Right.VIEW, Right.READ_NOTES}),
    Role.ACCOUNTANT: frozenset({Right.VIEW, Right.TAKINGS}),
}  # fmt: skip
BY_SETTING: Dict[str, Tuple[str, FrozenSet[Right]]] = {
    Role.VET: ("vets_may_bill", frozenset({Right.BILLING, Right.TAKINGS})),
    Role.READONLY: ("readonly_may_take_records", frozenset({Right.WHOLE_RECORD})),
}
"""What a role may do besides where the clinic lets it: the switch of `ClinicSettings`, and the rights that it gives."""
