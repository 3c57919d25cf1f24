"""Columns that follow from others, brought up to date where an older release wrote them."""

from __future__ import annotations

from typing import Any, Dict, Tuple, Type

from clinic.models import Owner, Pet, Phone
from clinic.models.base import Record

COLUMNS: Dict[Type[Record], Tuple[str, ...]] = {
    Owner: ("search_name", "search_contact"),
    Pet: ("search_name",),
    Phone: ("digits",),
}


def refresh() -> int:
    """Derive again what the search looks at, and write what differs; returns how many rows did.

    A row that somebody changed in the meantime is left alone: that change derived it. Nothing that a person recorded is
    touched, so no version grows and the audit trail has nothing to tell.
    """
    changed = 0
    for model, columns in COLUMNS.items():
        for row in model._default_manager.order_by("pk").iterator(chunk_size=500):
            changed += _refresh(row, columns)
    return changed


def _refresh(row: Record, columns: Tuple[str, ...]) -> int:
    before: Dict[str, Any] = {name: getattr(row, name) for name in columns}
    row.derive()
    after = {name: getattr(row, name) for name in columns}
    if after == before:
        return 0
    same = type(row)._default_manager.filter(pk=row.pk, updated_at=row.updated_at)
    return same.update(**after)
