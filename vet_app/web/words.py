"""The clinic's words for what the audit trail names in the code's: kinds of records and their fields."""

from __future__ import annotations

import json
from typing import Any, Dict, Iterable, Iterator, Tuple

from django.apps import apps
from django.core.exceptions import FieldDoesNotExist
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

OURS = ("accounts", "clinic", "exchange")


def _records() -> Dict[str, Any]:
    models = (model for label in OURS for model in apps.get_app_config(label).get_models())
    return {str(model._meta.model_name): model._meta.verbose_name for model in models}


RECORDS: Dict[str, Any] = {**_records(), "export": gettext_lazy("export")}
"""What `object_type` may be, with the words for it."""
MODELS = {str(model._meta.model_name): model for label in OURS for model in apps.get_app_config(label).get_models()}


def field_word(kind: str, name: str) -> str:
    """The label of a record's field; its name in the code where it has none."""
    try:
        field: Any = MODELS[kind]._meta.get_field(name)
    except (KeyError, FieldDoesNotExist):
        return capfirst(name.replace("_", " "))
    return str(capfirst(getattr(field, "verbose_name", name)))


def value_word(kind: str, name: str, value: Any) -> str:
    """A value as the trail keeps it, in words: choices by their names, yes and no, an en dash for nothing."""
    if value is None or value == "":
        return "–"
    if isinstance(value, bool):
        return str(_("yes") if value else _("no"))
    if isinstance(value, (dict, list)):
        return json.dumps(value, ensure_ascii=False)
    try:
        choices = dict(MODELS[kind]._meta.get_field(name).flatchoices)  # type: ignore[union-attr]
    except (KeyError, FieldDoesNotExist, AttributeError):
        choices = {}
    return str(choices.get(value, value))


def told(kind: str, changes: Dict[str, Iterable[Any]]) -> Iterator[Tuple[str, str, str]]:
    """Each change of an entry as label, old value, new value."""
    for name, pair in changes.items():
        old, new = list(pair)
        yield field_word(kind, name), value_word(kind, name, old), value_word(kind, name, new)
