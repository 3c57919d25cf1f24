"""Lists, by `limit` and `offset`, and the records that a document names by id."""

from typing import Any, Type, TypeVar

from django.core.exceptions import ValidationError
from django.db import models
from django.utils.translation import gettext as _
from ninja import Field, Schema
from ninja.pagination import LimitOffsetPagination, paginate

MOST = 100
Row = TypeVar("Row", bound=models.Model)


class Page(LimitOffsetPagination):
    """At most 100 records at once, and how many there are in all."""

    class Input(Schema):
        """Which part of the list."""

        limit: int = Field(50, ge=1, le=MOST)
        offset: int = Field(0, ge=0, le=1_000_000)


def listed(view: Any) -> Any:
    """Give a route that returns a query set its `limit` and `offset`."""
    return paginate(Page)(view)


def chosen(model: Type[Row], pk: int, field: str) -> Row:
    """The record that a document names; raises ValidationError beside `field` where there is none."""
    try:
        return model._default_manager.get(pk=pk)
    except model.DoesNotExist as problem:  # type: ignore[attr-defined]
        raise ValidationError({field: [_("There is no such record.")]}) from problem


def replaced(fields: Any, model: Type[models.Model], *names: str) -> Any:
    """In the fields of a document, put the record in the place of each `<name>_id` that is given."""
    for name in names:
        if f"{name}_id" in fields:
            pk = fields.pop(f"{name}_id")
            fields[name] = None if pk is None else chosen(model, pk, name)
    return fields
