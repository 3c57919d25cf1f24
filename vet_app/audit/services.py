"""Writing the audit trail: the only functions that make an entry, and the comparison of a record before and after."""

from __future__ import annotations

from typing import Any, Dict, Iterable, List, Mapping, Optional, Tuple

from django.db import models, transaction

from audit.actor import Actor
from audit.models import AuditEntry

UNTOLD = {
    "id",
    "created_at",
    "updated_at",
    "version",
    "password",
    "pin",
    "sha256",
    "content",
    "last_login",
    "search_name",
    "search_contact",
}
Changes = Dict[str, List[Any]]


def snapshot(record: models.Model) -> Dict[str, Any]:
    """The present values of a record's own columns, without secrets, file contents and bookkeeping."""
    fields = record._meta.concrete_fields
    return {field.name: field.value_from_object(record) for field in fields if field.name not in UNTOLD}


def differences(before: Mapping[str, Any], record: models.Model) -> Changes:
    """`{field: [old, new]}` of what has changed since `before`."""
    after = snapshot(record)
    return {name: [before.get(name), after[name]] for name in after if before.get(name) != after[name]}


def record(
    actor: Actor,
    action: AuditEntry.Action,
    target: models.Model,
    changes: Optional[Changes] = None,
    *,
    before: Optional[Mapping[str, Any]] = None,
) -> AuditEntry:
    """Write an entry about `target` in the transaction of the change; with `before`, the differences are its changes.

    Raises RuntimeError outside of a transaction: an entry must never outlive, or be outlived by, its change.
    """
    _require_transaction()
    found = differences(before, target) if before is not None else {}
    entry = _entry(actor, action, target, {**found, **(changes or {})})
    entry.save()
    return entry


def record_many(actor: Actor, action: AuditEntry.Action, targets: Iterable[Tuple[models.Model, Changes]]) -> None:
    """Write an entry for each of many records, in few statements; otherwise like `record`."""
    _require_transaction()
    AuditEntry.objects.bulk_create([_entry(actor, action, target, changes) for target, changes in targets], 200)


def record_event(actor: Actor, action: AuditEntry.Action, kind: str, text: str, changes: Changes) -> AuditEntry:
    """Write an entry about something that is no single record, such as the export of all clients."""
    _require_transaction()
    entry = AuditEntry(action=action, object_type=kind, object_text=text[:200], changes=changes, **_author(actor))
    entry.save()
    return entry


def _author(actor: Actor) -> Dict[str, Any]:
    return {"user_id": actor.user_id, "actor": actor.name, "request_id": actor.request_id, "ip": actor.ip}


def _require_transaction() -> None:
    if not transaction.get_connection().in_atomic_block:
        raise RuntimeError("audit.record belongs into the transaction of the change")


def _entry(actor: Actor, action: AuditEntry.Action, target: models.Model, changes: Changes) -> AuditEntry:
    return AuditEntry(
        action=action,
        object_type=target._meta.model_name or "",
        object_id=str(target.pk),
        object_text=str(target)[:200],
        changes=changes,
        **_author(actor),
    )
