"""Forms about bills."""

from __future__ import annotations

import uuid
from decimal import Decimal
from typing import Any, Dict, List, cast

from django import forms
from django.db.models import Q
from django.utils import formats
from django.utils.translation import gettext_lazy as _

from clinic.models import Invoice, Owner, Payment, Pet, Product, Vet
from clinic.selectors.days import days_between
from clinic.services.billing import Line
from web.forms.base import ClinicForm, DateInput

EMPTY_LINES = 4


def new_key() -> str:
    """A name that no other payment has."""
    return uuid.uuid4().hex


class ProductField(forms.ModelChoiceField):
    """Products with their prices."""

    def label_from_instance(self, product: Any) -> str:
        """Name and price before tax."""
        return f"{product.name} ({formats.number_format(product.unit_price, 2)})"


class LineForm(forms.Form):
    """One line; empty ones are left out, and what is empty beside a product comes from the price list."""

    product = ProductField(label=_("product"), queryset=Product.objects.filter(active=True), required=False)
    text = forms.CharField(label=_("text"), max_length=200, required=False)
    quantity = forms.DecimalField(label=_("quantity"), required=False, max_digits=8, decimal_places=2, initial=1)
    unit_price = forms.DecimalField(label=_("price"), required=False, max_digits=9, decimal_places=2, min_value=0)
    tax_rate = forms.DecimalField(
        label=_("tax (%)"), required=False, max_digits=5, decimal_places=2, min_value=0, max_value=100
    )
    pet = forms.ModelChoiceField(label=_("pet"), queryset=Pet.objects.none(), required=False)
    vet = forms.ModelChoiceField(label=_("vet"), queryset=Vet.objects.filter(active=True), required=False)

    def __init__(self, *args: Any, owner: Owner, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["pet"].queryset = owner.pets.filter(merged_into=None)  # type: ignore[attr-defined]
        for name, field in self.fields.items():
            field.widget.attrs["aria-label"] = str(field.label)
            if name in ("quantity", "unit_price", "tax_rate"):
                field.widget.attrs.update({"step": "0.01", "inputmode": "decimal", "class": "number"})

    @property
    def line(self) -> Line:
        """What the service bills."""
        given = self.cleaned_data
        return Line(
            product=given["product"], text=given["text"],
            quantity=Decimal(1) if given["quantity"] is None else given["quantity"],
            unit_price=given["unit_price"], tax_rate=given["tax_rate"],
            pet_id=given["pet"].pk if given["pet"] else None,
            vet_id=given["vet"].pk if given["vet"] else None,
        )  # fmt: skip


class BaseLines(forms.BaseFormSet):
    """All lines of a bill."""

    @property
    def lines(self) -> List[Line]:
        """The lines that say something."""
        return [form.line for form in self.forms if form.cleaned_data.get("product") or form.cleaned_data.get("text")]


Lines = forms.formset_factory(LineForm, formset=BaseLines, extra=EMPTY_LINES, max_num=60)


def lines_of(owner: Owner, data: Any, initial: Any = None) -> BaseLines:
    """The lines as forms: what is there, and some empty ones."""
    return cast(BaseLines, Lines(data, initial=initial, prefix="lines", form_kwargs={"owner": owner}))


def initial_lines(invoice: Invoice) -> List[Dict[str, Any]]:
    """A draft's lines for `lines_of`."""
    names = ("product", "text", "quantity", "unit_price", "tax_rate", "pet", "vet")
    return [
        {name: getattr(line, name) for name in names} for line in invoice.lines.select_related("product", "pet", "vet")
    ]


class InvoiceForm(ClinicForm):
    """What concerns the bill as a whole; a service's complaint about lines stands here as well."""

    notes = forms.CharField(label=_("note"), max_length=200, required=False)


class InvoiceFilter(ClinicForm):
    """Which bills to list: by number, owner or amount, by status, and by the days they were issued on."""

    q = forms.CharField(label=_("number, owner or amount"), max_length=100, required=False)
    # The address says `status`; Django takes the field out of the class, so the property of that name stays.
    status = forms.ChoiceField(  # type: ignore[assignment]
        label=_("status"), choices=[("", _("all")), *Invoice.Status.choices], required=False
    )
    since = forms.DateField(label=_("from"), widget=DateInput, required=False)
    until = forms.DateField(label=_("to"), widget=DateInput, required=False)
    owner = forms.ModelChoiceField(Owner.objects.all(), widget=forms.HiddenInput, required=False)

    @property
    def condition(self) -> Q:
        """What the filters besides `q` ask for; one that is wrong asks for nothing."""
        given, found = self.cleaned_data, Q()
        for name in ("status", "owner"):
            if given.get(name):
                found &= Q(**{name: given[name]})
        return found & days_between("issued_at", given.get("since"), given.get("until"))


class PaymentForm(ClinicForm):
    """Money taken, or given back where the clinic owes it."""

    amount = forms.DecimalField(
        label=_("amount"), min_value=Decimal("0.01"), max_digits=12, decimal_places=2,
        widget=forms.NumberInput(attrs={"step": "0.01", "inputmode": "decimal"}),
    )  # fmt: skip
    method = forms.ChoiceField(label=_("method"), choices=Payment.Method.choices, initial=Payment.Method.CARD)
    reference = forms.CharField(label=_("reference"), max_length=80, required=False)
    key = forms.CharField(widget=forms.HiddenInput, max_length=64, required=False, initial=new_key)
    """Names this one payment, however often it is sent."""
