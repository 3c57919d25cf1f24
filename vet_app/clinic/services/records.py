"""The moves that every use case is made of: create, lock and change a record, each with its audit entry."""

from __future__ import annotations

from typing import Any, Dict, Mapping, Optional, Sequence, Set, Type, TypeVar

from django.core.exceptions import ValidationError
from django.db import models, transaction
from django.utils import formats, timezone
from django.utils.translation import gettext as _

from audit.actor import Actor
from audit.models import AuditEntry
from audit.services import Changes, record, record_many, snapshot
from clinic.models.base import Record, VersionedRecord
from vetclinic.errors import Changed
from vetclinic.persistence import store

Row = TypeVar("Row", bound=Record)
Versioned = TypeVar("Versioned", bound=VersionedRecord)
Fields = Mapping[str, Any]


def assign(row: models.Model, fields: Fields, allowed: Set[str]) -> None:
    """Set `fields` (by name, or a foreign key's `name_id`); a name outside of `allowed` is a programmer's TypeError."""
    for name, value in fields.items():
        plain = name[:-3] if name.endswith("_id") else name
        if plain not in allowed:
            raise TypeError(f"{type(row).__name__}.{name} is not changed this way")
        setattr(row, name, value)


def create(actor: Actor, row: Row, fields: Fields, allowed: Set[str]) -> Row:
    """Fill, check and save a new row, and write that it was created. Raises ValidationError by field."""
    assign(row, fields, allowed)
    with transaction.atomic():
        store(row)
        record(actor, AuditEntry.Action.CREATE, row, _created(row))
    return row


def create_many(actor: Actor, rows: Sequence[models.Model]) -> None:
    """Save rows of one kind that the caller has checked, in few statements, and write that each was created."""
    if not rows:
        return
    for row in rows:
        if isinstance(row, Record):
            row.derive()
    type(rows[0])._default_manager.bulk_create(rows, batch_size=200)
    record_many(actor, AuditEntry.Action.CREATE, [(row, _created(row)) for row in rows])


def _created(row: models.Model) -> Changes:
    return {name: [None, value] for name, value in snapshot(row).items() if value not in (None, "", False)}


def lock(model: Type[Row], pk: int, version: Optional[int] = None) -> Row:
    """The row, locked until the transaction ends.

    Raises DoesNotExist, or Changed where `version` is given and no longer current.
    """
    row = model._default_manager.select_for_update().get(pk=pk)
    if version is not None and getattr(row, "version", version) != version:
        when = formats.date_format(timezone.localtime(row.updated_at), "SHORT_DATETIME_FORMAT")
        raise Changed(
            _("Somebody changed this record at %(when)s. Check the current values and make your change again.")
            % {"when": when}
        )
    return row


def save_changes(
    actor: Actor,
    row: Row,
    before: Dict[str, Any],
    action: AuditEntry.Action = AuditEntry.Action.UPDATE,
    note: Optional[Dict[str, Any]] = None,
) -> Row:
    """Check and save a locked row with the next version, and write what differs from `before`."""
    if isinstance(row, VersionedRecord):
        row.version += 1
    store(row)
    record(actor, action, row, {name: [None, value] for name, value in (note or {}).items()}, before=before)
    return row


def update(actor: Actor, model: Type[Versioned], pk: int, version: int, fields: Fields, allowed: Set[str]) -> Versioned:
    """Change fields of one row. Raises DoesNotExist, Changed, or ValidationError by field."""
    with transaction.atomic():
        row = lock(model, pk, version)
        before = snapshot(row)
        assign(row, fields, allowed)
        return save_changes(actor, row, before)


def require_reason(field: str, reason: str) -> str:
    """The reason without outer spaces; raises ValidationError beside `field` when there is none or it is too long."""
    reason = reason.strip()
    if not reason:
        raise ValidationError({field: [_("Please give a reason.")]})
    if len(reason) > 200:
        raise ValidationError({field: [_("Please keep the reason under 200 characters.")]})
    return reason
