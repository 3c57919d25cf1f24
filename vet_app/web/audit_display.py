"""The clinic's words for what the audit trail names in the code's: kinds of records, their fields, and the values."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from typing import Any, Callable, Dict, Iterable, Iterator, List, NamedTuple, Optional, Set, Tuple

from django.apps import apps
from django.core.exceptions import FieldDoesNotExist
from django.db import models
from django.urls import NoReverseMatch, reverse
from django.utils import formats, timezone
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from audit.models import AuditEntry
from clinic.models.account import FIRST
from clinic.money import currency_places, trimmed, with_currency
from web.templatetags.clinic import measure, money

OURS = ("accounts", "clinic", "exchange")
NOTHING = "–"
MODELS: Dict[str, Any] = {
    str(model._meta.model_name): model for label in OURS for model in apps.get_app_config(label).get_models()
}
PARTS = {
    "appointmentnotice",
    "cliniclogo",
    "invoicecounter",
    "invoiceline",
    "loginattempt",
    "passkey",
    "phone",
    "remindernotice",
    "reminderrun",
    "visitamendment",
}
"""Models whose rows the trail describes as part of another record, or not at all."""
RECORDS: Dict[str, Any] = {
    **{name: model._meta.verbose_name for name, model in MODELS.items() if name not in PARTS},
    "export": gettext_lazy("export"),
}
"""What `object_type` may be, with the words for it."""
PAGES = {"owner": "owner", "pet": "pet", "visit": "visit", "invoice": "invoice", "vaccination": "certificate",
         "prescription": "prescription", "appointment": "appointment", "user": "person"}  # fmt: skip
"""The page of a record, by what it is."""
MONEY = {
    "net", "tax", "total", "amount", "opening", "taken", "withdrawn", "counted", "difference",
    "void_limit", "credit_limit", "refund_limit", "discount_limit", "discount",
}  # fmt: skip
DATES = {"since", "until"}
NUMBERS = {("payment", "invoice"), ("invoice", "credit_note")}  # kept as the number that stands on the invoice
NOTES: Dict[str, Any] = {
    "amendment": gettext_lazy("amendment"),
    "created": gettext_lazy("created"),
    "credit_note": gettext_lazy("credit note"),
    "discount": gettext_lazy("discount"),
    "draft": gettext_lazy("draft"),
    "duplicate": gettext_lazy("duplicate"),
    "invoices": gettext_lazy("bills"),
    "erased": gettext_lazy("erased"),
    "lines": gettext_lazy("lines"),
    "moved": gettext_lazy("moved"),
    "paper_codes": gettext_lazy("codes on paper"),
    "passkey": gettext_lazy("passkey"),
    "password": gettext_lazy("password"),
    "pets": gettext_lazy("pets"),
    "phones": gettext_lazy("telephone numbers"),
    "reason": gettext_lazy("reason"),
    "released": gettext_lazy("reminders released"),
    "since": gettext_lazy("from"),
    "second_factor": gettext_lazy("second step at log-in"),
    "sha256": gettext_lazy("fingerprint"),
    "stage": gettext_lazy("days from the due date"),
    "channel": gettext_lazy("channel"),
    "status": gettext_lazy("status"),
    "until": gettext_lazy("due by"),
    "unlocked": gettext_lazy("screen unlocked"),
    "whole_record": gettext_lazy("visits in the record"),
}
"""What services note beside the fields of a record."""
VALUES: Dict[str, Dict[Any, Any]] = {
    "channel": {"email": gettext_lazy("E-mail"), "phone": gettext_lazy("Telephone"), "post": gettext_lazy("Post")},
    "draft": {"kept": gettext_lazy("kept"), "discarded": gettext_lazy("discarded")},
    "password": {"changed": gettext_lazy("changed")},
    "pin": {"changed": gettext_lazy("changed")},
    "second_factor": {"app": gettext_lazy("app"), "set up": gettext_lazy("set up")},
    "method": {name: gettext_lazy(word) for name, word in FIRST.items()},
    "status": {"sent": gettext_lazy("Sent"), "failed": gettext_lazy("Failed")},
}
"""What such notes may say."""


class Said(NamedTuple):
    """A value in words, and the page of the record that it names, if any."""

    text: str
    address: str = ""


class Told(NamedTuple):
    """An entry of the trail as people read it."""

    entry: AuditEntry
    kind: str
    address: str
    changes: List[Tuple[str, Said, Said]]


def tell(entries: Iterable[AuditEntry]) -> List[Told]:
    """Entries in the clinic's words, language and time; the records that they name are read once for each kind."""
    known = list(entries)
    named = _named(known)
    return [
        Told(entry, str(RECORDS.get(entry.object_type, entry.object_type)), address(entry.object_type, entry.object_id),
             list(_changes(entry, named)))
        for entry in known
    ]  # fmt: skip


def address(kind: str, key: Any) -> str:
    """The page of a record, where there is one."""
    if kind not in PAGES or not str(key).isdecimal():
        return ""
    try:
        return reverse(PAGES[kind], args=[int(key)])
    except NoReverseMatch:
        return ""


def _field(kind: str, name: str) -> Optional[Any]:
    try:
        return MODELS[kind]._meta.get_field(name)
    except (KeyError, FieldDoesNotExist):
        return None


def _target(kind: str, name: str) -> str:
    """The kind of record that a field names; empty for every other field."""
    if name == "duplicate":
        return kind
    field = _field(kind, name)
    if (kind, name) in NUMBERS or not isinstance(field, models.ForeignKey):
        return ""
    target: Any = field.related_model
    return str(target._meta.model_name)


def _pairs(entry: AuditEntry) -> Iterator[Tuple[str, Any, Any]]:
    """Name, old and new value of each change."""
    for name, (old, new) in entry.changes.items():
        inner = new if isinstance(new, dict) and set(new) == {"old", "new"} else {"old": old, "new": new}
        yield name, inner["old"], inner["new"]


def _named(entries: Iterable[AuditEntry]) -> Dict[str, Dict[int, Any]]:
    """All records that the entries name, by kind and id."""
    wanted: Dict[str, Set[int]] = {}
    for entry in entries:
        for name, *both in _pairs(entry):
            target = _target(entry.object_type, name)
            if target in MODELS:
                wanted.setdefault(target, set()).update(key for key in both if type(key) is int)
    return {kind: MODELS[kind]._default_manager.select_related().in_bulk(keys) for kind, keys in wanted.items() if keys}


def _changes(entry: AuditEntry, named: Dict[str, Dict[int, Any]]) -> Iterator[Tuple[str, Said, Said]]:
    kind = entry.object_type
    for name, old, new in _pairs(entry):
        yield field_word(kind, name), _said(kind, name, old, named), _said(kind, name, new, named)


def field_word(kind: str, name: str) -> str:
    """The label of a record's field or of a note."""
    field = _field(kind, name)
    model = MODELS.get(name)
    kind_word = model._meta.verbose_name if model else name.replace("_", " ")
    return str(capfirst(str(getattr(field, "verbose_name", None) or NOTES.get(name) or kind_word)))


def _said(kind: str, name: str, value: Any, named: Dict[str, Dict[int, Any]]) -> Said:
    target = _target(kind, name)
    if not target or type(value) is not int:
        return Said(value_word(kind, name, value))
    found = named.get(target, {}).get(value)
    if found is None:
        return Said(_("no. %(number)d") % {"number": value})
    return Said(str(found), address(target, value))


def value_word(kind: str, name: str, value: Any) -> str:
    """A value as the trail keeps it, in words: times at the clinic, money, choices by their names, yes and no."""
    if value is None or value == "":
        return NOTHING
    if isinstance(value, bool):
        return str(_("yes") if value else _("no"))
    if isinstance(value, dict):
        return ", ".join(f"{field_word(kind, key)}: {value_word(kind, key, each)}" for key, each in value.items())
    if isinstance(value, list):
        return ", ".join(value_word(kind, name, each) for each in value) or NOTHING
    choices = {**dict(getattr(_field(kind, name), "flatchoices", None) or ()), **VALUES.get(name, {})}
    return str(choices[value]) if value in choices else _written(kind, name, value)


def _written(kind: str, name: str, value: Any) -> str:
    """A time, a date, an amount or a number as the language writes it; as it is where it is none of these."""
    field = _field(kind, name)
    write: Callable[[Any], str] = str
    if (kind, name) in NUMBERS:
        write = "{:06d}".format
    elif name in MONEY:
        write = _money
    elif name == "unit_price":
        write = _price
    elif isinstance(field, models.DecimalField):
        write = _amount
    elif isinstance(field, models.DateTimeField):
        write = _moment
    elif isinstance(field, models.DateField) or name in DATES:
        write = _day
    try:
        return write(value)
    except (ValueError, TypeError, InvalidOperation):
        return str(value)


def _money(value: str) -> str:
    return money(Decimal(value))


def _price(value: str) -> str:
    return with_currency(trimmed(Decimal(value), currency_places()))


def _amount(value: str) -> str:
    return measure(Decimal(value))


def _moment(value: str) -> str:
    at = timezone.localtime(datetime.fromisoformat(value.replace("Z", "+00:00")))
    return str(formats.date_format(at, "SHORT_DATETIME_FORMAT"))


def _day(value: str) -> str:
    return str(formats.date_format(date.fromisoformat(value), "SHORT_DATE_FORMAT"))
