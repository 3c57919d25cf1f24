"""The lists behind the other pages: vets, prices, vaccines, species, breeds."""

from __future__ import annotations

from decimal import Decimal
from typing import Any, Dict, NamedTuple, Optional, Tuple, Type

from django.contrib import messages
from django.db.models import DecimalField, IntegerField, Model
from django.forms.models import fields_for_model
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.roles import Right
from audit.actor import Actor
from clinic.country import has_fee_schedule
from clinic.models import Breed, ControlledDrug, DaysOff, PaymentMethod, Product, Species, Vaccine, VaccineLot, Vet
from clinic.services.catalogue import save_entry
from web.forms.base import ClinicForm
from web.support import data_of, form_page, needs, paged


class Kind(NamedTuple):
    """One list: its model, its name, the columns that are shown and asked for, and what to know before changing it."""

    model: Type[Any]
    title: Any
    names: Tuple[str, ...]
    intro: Any = ""

    @property
    def translated(self) -> bool:
        """Whether the names that every clinic begins with are shown in the reader's language."""
        return issubclass(self.model, TRANSLATED)


TRANSLATED = (Species, Breed, Vaccine, PaymentMethod)

KINDS: Dict[str, Kind] = {
    "vets": Kind(
        Vet, gettext_lazy("Vets"), ("name", "licence", "user", "hours", "active"),
        gettext_lazy(
            "An active vet has a column in the calendar. The user is the log-in of this vet, if"
            " there is one."
        ),
    ),
    "days_off": Kind(
        DaysOff, gettext_lazy("Days off"), ("first_day", "last_day", "vet", "reason", "active"),
        gettext_lazy("When the clinic is closed or a vet is away. Bookings on these days show a warning."),
    ),
    "prices": Kind(
        Product, gettext_lazy("Price list"), ("code", "name", "kind", "unit_price", "tax_rate", "fee_code", "active"),
        gettext_lazy(
            "Prices are before tax unless the clinic's settings say otherwise."
            " Existing bills keep their prices."
        ),
    ),
    "vaccines": Kind(
        Vaccine, gettext_lazy("Vaccines"),
        ("name", "group", "species", "interval_months", "trade_name", "manufacturer", "product", "active"),
        gettext_lazy("Vaccines of one group, such as rabies, replace one another, with one reminder for all."),
    ),
    "lots": Kind(
        VaccineLot, gettext_lazy("Lots of vaccines"), ("vaccine", "number", "expires_on", "active"),
        gettext_lazy(
            "A lot is added when it is first used. Deactivate lots that are used up; expired lots"
            " are not offered."
        ),
    ),
    "drugs": Kind(
        ControlledDrug, gettext_lazy("Controlled drugs"), ("name", "strength", "unit", "active"),
        gettext_lazy("Each has a log of what came in and went out, under Controlled drugs."),
    ),
    "methods": Kind(
        PaymentMethod, gettext_lazy("Payment methods"), ("name", "is_cash", "active"),
        gettext_lazy("Methods kept in the till are part of the cash count and are rounded to the smallest coin."),
    ),
    "species": Kind(Species, gettext_lazy("Species"), ("name",)),
    "breeds": Kind(Breed, gettext_lazy("Breeds"), ("species", "name")),
}  # fmt: skip


def _kind(name: str) -> Kind:
    if name not in KINDS:
        raise Http404
    return KINDS[name]


def _form(kind: Kind, data: Any, row: Optional[Model]) -> ClinicForm:
    form_class: Type[ClinicForm] = type(
        "EntryForm", (ClinicForm,), dict(fields_for_model(kind.model, fields=kind.names))
    )
    initial = {name: getattr(row, name) for name in (*kind.names, "version")} if row else {}
    form = form_class(data, initial={**initial, "name": str(row)} if row and kind.translated else initial)
    if not has_fee_schedule():
        form.fields.pop("fee_code", None)
    return form


def _fields_to_save(form: ClinicForm, row: Optional[Any]) -> Dict[str, Any]:
    """What to save; a name that was shown in the reader's language and left alone stays as it is stored."""
    fields = form.fields_given
    return {**fields, "name": row.name} if row is not None and fields.get("name") == str(row) != row.name else fields


def _shown(row: Model, name: str) -> Tuple[Any, bool]:
    """A value in words, and whether it is a number."""
    display = getattr(row, f"get_{name}_display", None)
    value = display() if display else getattr(row, name)
    if name == "name" and isinstance(row, TRANSLATED):
        value = str(row)
    return value, isinstance(value, (int, Decimal)) and not isinstance(value, bool)


def _column(kind: Kind, name: str) -> Tuple[str, bool]:
    """A column's heading, and whether its values are numbers."""
    field = kind.model._meta.get_field(name)
    return capfirst(str(field.verbose_name)), isinstance(field, (DecimalField, IntegerField))


@needs(Right.MANAGE)
def lists(request: HttpRequest, name: str = "vets") -> HttpResponse:
    """One list with links to the others."""
    kind = _kind(name)
    related = [field for field in ("species", "user", "product", "vaccine", "vet") if field in kind.names]
    rows = kind.model.objects.all()
    page = paged(request, rows.select_related(*related) if related else rows)
    names = [each for each in kind.names if each != "fee_code" or has_fee_schedule()]
    labels = [_column(kind, each) for each in names]
    context = {
        "heading": _("Lists"), "kinds": [(key, each.title) for key, each in KINDS.items()], "name": name, "kind": kind,
        "labels": labels, "page": page, "table": [(row, [_shown(row, each) for each in names]) for row in page],
    }  # fmt: skip
    return render(request, "web/lists/list.html", context)


@needs(Right.MANAGE)
def entry(request: HttpRequest, name: str, pk: Optional[int] = None) -> HttpResponse:
    """Add an entry, or change one."""
    kind = _kind(name)
    row: Any = None if pk is None else get_object_or_404(kind.model, pk=pk)
    data = data_of(request)
    form = _form(kind, data, row)
    if data is not None and form.is_valid():
        saved = form.attempt(save_entry, Actor.of(request), kind.model, pk, form.based_on, _fields_to_save(form, row))
        if saved is not None:
            messages.success(request, _("Saved."))
            return redirect("lists", name)
    heading = str(row) if row else _("%(list)s: new entry") % {"list": kind.title}
    return form_page(request, form, heading, _("Save"), reverse("lists", args=[name]), intro=kind.intro)
