"""Forms about bills."""

from __future__ import annotations

import uuid
from collections import Counter
from datetime import date
from decimal import Decimal
from typing import Any, Callable, Dict, Iterable, List, Optional, Tuple, cast

from django import forms
from django.db.models import Q
from django.utils import formats, timezone
from django.utils.translation import gettext_lazy as _

from clinic.country import has_fee_schedule, shows_service_date
from clinic.models import Invoice, InvoiceLine, Owner, Payment, PaymentMethod, Pet, Product, Vet, Visit
from clinic.money import currency_places
from clinic.normalization import fold
from clinic.selectors.billable import to_bill
from clinic.selectors.days import days_between
from clinic.services.billing import Discount, Line
from clinic.services.estimates import HOLDS_FOR
from web.forms.base import AmountField, ClinicForm, DateInput, ReasonForm, as_people_write, ungrouped

EMPTY_LINES = 4
ESTIMATE = "estimate"
"""What the list of bills calls drafts that are estimates, in place of their status."""


def new_key() -> str:
    """A name that no other payment has."""
    return uuid.uuid4().hex


class Offer:
    """What the lines of one bill may name, read once for all of them: products, the owner's pets, vets."""

    def __init__(self, owner: Owner, present_lines: Iterable[Dict[str, Any]]) -> None:
        """`present_lines` are lines that there are already; what they name stays on offer."""
        known = list(Product.objects.filter(active=True))
        known += [line["product"] for line in present_lines if line.get("product") and line["product"] not in known]
        names = Counter(fold(product.name) for product in known)
        self.products: Dict[str, Product] = {}
        for product in known:
            alone = names[fold(product.name)] == 1
            self.products[product.name if alone else f"{product.name} · {product.code}"] = product
        self.by_words = {fold(words): product for words, product in self.products.items()}
        self.by_words.update(
            {fold(product.code): product for product in known if fold(product.code) not in self.by_words}
        )
        self.words = {product.pk: words for words, product in self.products.items()}
        self.pets = {pet.pk: pet for pet in owner.pets.filter(merged_into=None).select_related("species")}
        self.vets = {vet.pk: vet for vet in Vet.objects.filter(active=True)}
        self.vets.update({line["vet"].pk: line["vet"] for line in present_lines if line.get("vet")})


class ProductField(forms.CharField):
    """A product by its name or code; the browser offers the price list as one types."""

    offer: Offer

    def prepare_value(self, value: Any) -> Any:
        """The words that stand for a product."""
        return self.offer.words.get(value.pk, str(value)) if isinstance(value, Product) else value

    def clean(self, value: Any) -> Any:
        """The product, None where nothing was typed."""
        typed = super().clean(value)
        if not typed:
            return None
        product = self.offer.by_words.get(fold(typed))
        if product is None:
            raise forms.ValidationError(
                _("“%(typed)s” is not on the price list. Choose from the list, or enter it as text."),
                params={"typed": typed},
            )
        return product


class OneOfField(forms.TypedChoiceField):
    """One of a few records that were read already; None where none is chosen."""

    def offer(self, records: Dict[int, Any], words: Callable[[Any], str] = str) -> None:
        """Offer these, under these words."""
        self.choices = [("", "–"), *((pk, words(record)) for pk, record in records.items())]
        self.coerce, self.empty_value = lambda value: records[int(value)], None

    def prepare_value(self, value: Any) -> Any:
        """The record's id."""
        return getattr(value, "pk", value)


class DiscountField(forms.Field):
    """A percentage, written with its sign, or an amount of money; None where it is empty."""

    def __init__(self, **options: Any) -> None:
        super().__init__(required=False, **options)

    def to_python(self, value: Any) -> Any:
        """The discount that was typed."""
        typed = str(value or "").strip()
        if not typed:
            return None
        percent = typed.endswith("%")
        number = (
            forms.DecimalField(max_digits=5, decimal_places=2, min_value=0) if percent else AmountField(min_value=0)
        )
        try:
            amount = number.clean(formats.sanitize_separators(ungrouped(typed.rstrip("% "))))
        except forms.ValidationError as problem:
            raise forms.ValidationError(_("Enter an amount, or a percentage such as 10 %.")) from problem
        return Discount(percent=amount) if percent else Discount(amount=amount)

    def prepare_value(self, value: Any) -> Any:
        """An amount as the language writes it."""
        return formats.number_format(value, currency_places()) if isinstance(value, Decimal) else value


class LineForm(forms.Form):
    """One line; empty ones are left out, and what is empty beside a product comes from the price list."""

    product = ProductField(label=_("product"), required=False, max_length=150)
    text = forms.CharField(label=_("text"), max_length=200, required=False)
    quantity = forms.DecimalField(label=_("quantity"), required=False, max_digits=10, decimal_places=4, initial=1)
    unit_price = forms.DecimalField(label=_("price"), required=False, max_digits=11, decimal_places=4, min_value=0)
    tax_rate = forms.DecimalField(
        label=_("tax (%)"), required=False, max_digits=5, decimal_places=2, min_value=0, max_value=100
    )
    discount = DiscountField(label=_("discount"))
    fee_code = forms.CharField(label=_("GOT no."), max_length=20, required=False)
    fee_factor = forms.DecimalField(
        label=_("GOT factor"), required=False, max_digits=4, decimal_places=2, min_value=Decimal("0.01"), max_value=4
    )
    service_on = forms.DateField(label=_("date of service"), widget=DateInput, required=False)
    pet = OneOfField(label=_("pet"), required=False)
    vet = OneOfField(label=_("vet"), required=False)
    visit = forms.IntegerField(widget=forms.HiddenInput, required=False, min_value=1, max_value=2**63 - 1)

    def __init__(self, *args: Any, offer: Offer, pet: Optional[Pet] = None, **kwargs: Any) -> None:
        """`pet` stands on lines that say nothing yet."""
        super().__init__(*args, **kwargs)
        fields: Any = self.fields
        fields["product"].offer = offer
        fields["product"].widget.attrs.update({"list": "products", "autocomplete": "off"})
        fields["pet"].offer(offer.pets, lambda each: f"{each.name} ({each.species}, {each.pk})")
        fields["vet"].offer(offer.vets)
        fields["pet"].initial = pet
        for name, field in fields.items():
            if name in ("quantity", "unit_price", "tax_rate", "fee_factor"):
                as_people_write(field)
                field.widget.attrs["class"] = "number"
        if not has_fee_schedule():
            del fields["fee_code"], fields["fee_factor"]
        if not shows_service_date():
            fields["service_on"].widget = forms.HiddenInput()

    @property
    def line(self) -> Line:
        """What the service bills."""
        cleaned = self.cleaned_data
        return Line(
            product=cleaned["product"], text=cleaned["text"],
            quantity=Decimal(1) if cleaned["quantity"] is None else cleaned["quantity"],
            unit_price=cleaned["unit_price"], tax_rate=cleaned["tax_rate"], discount=cleaned["discount"],
            pet_id=cleaned["pet"].pk if cleaned["pet"] else None,
            vet_id=cleaned["vet"].pk if cleaned["vet"] else None, visit_id=cleaned["visit"],
            service_on=cleaned["service_on"], fee_code=cleaned.get("fee_code", ""),
            fee_factor=cleaned.get("fee_factor"),
        )  # fmt: skip


class BaseLines(forms.BaseFormSet):
    """All lines of a bill."""

    products: Dict[str, Product]
    """The price list, by the words for each product."""

    @property
    def lines(self) -> List[Line]:
        """The lines that say something."""
        return [form.line for form in self.forms if form.cleaned_data.get("product") or form.cleaned_data.get("text")]


Lines = forms.formset_factory(LineForm, formset=BaseLines, extra=EMPTY_LINES, max_num=60)


def lines_of(owner: Owner, data: Any, initial: Any = None, pet: Optional[Pet] = None) -> BaseLines:
    """The lines as forms: what is there, and some empty ones, for `pet` where it is given."""
    offer = Offer(owner, initial or ())
    lines = cast(BaseLines, Lines(data, initial=initial, prefix="lines", form_kwargs={"offer": offer, "pet": pet}))
    lines.products = offer.products
    return lines


def initial_lines(invoice: Invoice) -> List[Dict[str, Any]]:
    """A draft's lines for `lines_of`."""
    names = (
        "product", "text", "quantity", "unit_price", "tax_rate", "pet", "vet", "service_on", "fee_code", "fee_factor",
    )  # fmt: skip
    lines = invoice.lines.select_related("product", "pet", "vet")
    return [
        {**{name: getattr(line, name) for name in names}, "discount": line.discount or None, "visit": line.visit_id}
        for line in lines
    ]


def lines_to_bill(visit: Visit) -> List[Dict[str, Any]]:
    """What a visit's bill begins with, for `lines_of`; nothing where it is billed already."""
    common = {
        "pet": visit.pet, "vet": visit.vet, "visit": visit.pk, "service_on": timezone.localtime(visit.at).date()
    }  # fmt: skip
    return [{**each._asdict(), **common} for each in to_bill(visit)]


class InvoiceForm(ClinicForm):
    """What concerns the bill as a whole; a service's complaint about lines stands here as well."""

    lines: Optional[BaseLines] = None
    """The lines that the page shows beside it."""

    @property
    def status(self) -> int:
        """422 where a line is wrong, too."""
        wrong = self.lines is not None and self.lines.is_bound and not self.lines.is_valid()
        return 422 if wrong else super().status

    diagnosis = forms.CharField(
        label=_("diagnosis"), max_length=300, required=False, help_text=_("Printed on the bill.")
    )
    notes = forms.CharField(label=_("note"), max_length=200, required=False)
    discount = DiscountField(
        label=_("discount on the whole bill"),
        help_text=_("An amount, or a percentage such as 10 %; each line may have its own."),
    )
    discount_reason = forms.CharField(
        label=_("reason for the discount"), max_length=200, required=False,
        help_text=_("Required with any discount; printed on the bill."),
    )  # fmt: skip

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if not has_fee_schedule():
            del self.fields["diagnosis"]


def holds_until() -> date:
    """The last day of an estimate that is written today."""
    return timezone.localdate() + HOLDS_FOR


class EstimateForm(InvoiceForm):
    """What concerns an estimate as a whole."""

    valid_until = forms.DateField(label=_("valid until"), widget=DateInput, initial=holds_until)


class CreditForm(ReasonForm):
    """Why a bill is taken back, and how much of each line."""

    def __init__(self, lines: List[Tuple[InvoiceLine, Decimal]], *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for line, left in lines:
            text = f"{line.text} ({line.pet.name})" if line.pet else line.text
            shown = formats.number_format(f"{left.normalize():f}")
            self.fields[f"line_{line.pk}"] = forms.DecimalField(
                label=_("%(text)s: credit, of %(left)s") % {"text": text, "left": shown},
                initial=left, required=False, min_value=0, max_value=left, max_digits=10, decimal_places=4,
            )  # fmt: skip
            as_people_write(self.fields[f"line_{line.pk}"])

    @property
    def quantities(self) -> Optional[Dict[int, Decimal]]:
        """How much of each line, by its id; None, which is all, where the form was sent without its lines."""
        cleaned = self.cleaned_data.items()
        if not any(name in self.data for name in self.fields if name.startswith("line_")):
            return None
        return {int(name[5:]): value for name, value in cleaned if name.startswith("line_") and value}


class InvoiceFilter(ClinicForm):
    """Which bills to list: by number, owner or amount, by status, and by the days they were issued on."""

    q = forms.CharField(label=_("number, owner or amount"), max_length=100, required=False)
    # The address says `status`; Django takes the field out of the class, so the property of that name stays.
    status = forms.ChoiceField(  # type: ignore[assignment]
        label=_("status"), choices=[("", _("all")), *Invoice.Status.choices, (ESTIMATE, _("Estimate"))], required=False
    )
    since = forms.DateField(label=_("from"), widget=DateInput, required=False)
    until = forms.DateField(label=_("to"), widget=DateInput, required=False)
    owner = forms.ModelChoiceField(Owner.objects.all(), widget=forms.HiddenInput, required=False)

    @property
    def condition(self) -> Q:
        """What the filters besides `q` ask for; one that is wrong asks for nothing."""
        cleaned, condition = self.cleaned_data, Q()
        status = cleaned.get("status")
        if status in (ESTIMATE, Invoice.Status.DRAFT):
            condition &= Q(status=Invoice.Status.DRAFT, valid_until__isnull=status != ESTIMATE)
        elif status:
            condition &= Q(status=status)
        if cleaned.get("owner"):
            condition &= Q(owner=cleaned["owner"])
        return condition & days_between("issued_at", cleaned.get("since"), cleaned.get("until"))


class PaymentForm(ClinicForm):
    """Money taken, or given back where the clinic owes it."""

    amount = AmountField(label=_("amount"), min_value=Decimal("0.001"))
    method = forms.ChoiceField(label=_("method"), initial="card")
    reference = forms.CharField(label=_("reference"), max_length=80, required=False)
    keep_rest = forms.BooleanField(label=_("keep the excess as credit for the owner"), required=False)
    key = forms.CharField(widget=forms.HiddenInput, max_length=64, required=False, initial=new_key)
    """Names this one payment, however often it is sent."""

    def __init__(self, *args: Any, account: bool = False, owed: bool = False, **kwargs: Any) -> None:
        """With `account` credit on account is offered; where money is `owed` to the owner, nothing can be above it."""
        super().__init__(*args, **kwargs)
        ways = [(way.code, str(way)) for way in PaymentMethod.objects.filter(active=True)]
        internal = [(Payment.Internal.ACCOUNT.value, Payment.Internal.ACCOUNT.label)] if account or owed else []
        self.fields["method"].choices = ways + internal  # type: ignore[attr-defined]
        if owed:
            del self.fields["keep_rest"]


class DepositForm(PaymentForm):
    """Money that is kept for an owner, or paid back to them."""

    back = forms.ChoiceField(
        label=_("what"), choices=[("", _("Take a deposit")), ("back", _("Pay credit back"))], required=False
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        del self.fields["keep_rest"]
        self.order_fields(["back", "amount", "method", "reference"])
