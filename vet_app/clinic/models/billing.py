"""Prices, invoices, their lines and payments. Amounts are in the clinic's currency."""

from __future__ import annotations

from decimal import Decimal
from typing import Any, ClassVar

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Case, F, IntegerField, Q, Value, When
from django.urls import reverse
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from clinic.models.base import Record, VersionedRecord
from clinic.models.calendar import Vet
from clinic.models.owner import Owner
from clinic.models.pet import Pet
from clinic.money import MoneyField, PriceField, QuantityField, round_money
from vetclinic.constraints import check
from vetclinic.errors import Locked


class Product(VersionedRecord):
    """A thing or a service with a price, before tax or with it as the clinic has set; the tax rate is in percent."""

    class Kind(models.TextChoices):
        """For the price list."""

        SERVICE = "service", _("Service")
        MEDICINE = "medicine", _("Medicine")
        GOODS = "goods", _("Goods")

    code = models.CharField(_("code"), max_length=20, unique=True)
    name = models.CharField(_("name"), max_length=120)
    kind = models.CharField(_("kind"), max_length=10, choices=Kind.choices, default=Kind.SERVICE)
    unit_price = PriceField(_("price"), validators=[MinValueValidator(0)])
    tax_rate = models.DecimalField(
        _("tax (%)"),
        max_digits=5,
        decimal_places=2,
        default=Decimal(0),
        validators=[MinValueValidator(0), MaxValueValidator(100)],
    )
    fee_code = models.CharField(
        _("GOT number"), max_length=20, blank=True, default="",
        help_text=_("In Germany: the number in the fee schedule for vets. The price is then that of factor 1."),
    )  # fmt: skip
    active = models.BooleanField(_("active"), default=True)

    class Meta:
        ordering: ClassVar = ["name"]
        verbose_name = _("product")
        verbose_name_plural = _("products")

    def __str__(self) -> str:
        return self.name


class InvoiceCounter(models.Model):
    """The last invoice number given out: one row, locked while an invoice is issued, so numbers have no gaps."""

    last_number = models.PositiveBigIntegerField(default=0)

    def __str__(self) -> str:
        return str(self.last_number)


UNPAID_FIRST = Case(
    When(status="issued", then=Value(0)),
    When(status="draft", then=Value(1)),
    default=Value(2),
    output_field=IntegerField(),
)
"""Where a bill stands in a list: those that are issued, then drafts, then what is settled. An index has this order."""


class Invoice(VersionedRecord):
    """A bill, or with `credit_of` the credit note that takes one back. Its lines and totals are final once issued.

    A draft that says until when it holds is an estimate: it gets no number, and a bill is made of it (`from_estimate`).
    """

    class Status(models.TextChoices):
        """Draft, then issued, then paid, credited (taken back by a credit note) or void."""

        DRAFT = "draft", _("Draft")
        ISSUED = "issued", _("Unpaid")
        PAID = "paid", _("Paid")
        CREDITED = "credited", _("Credited")
        VOID = "void", _("Void")

    owner = models.ForeignKey(Owner, on_delete=models.PROTECT, related_name="invoices", verbose_name=_("owner"))
    number = models.PositiveBigIntegerField(_("number"), null=True, blank=True, unique=True, editable=False)
    status = models.CharField(_("status"), max_length=10, choices=Status.choices, default=Status.DRAFT, editable=False)
    issued_at = models.DateTimeField(_("issued"), null=True, blank=True, editable=False)
    due_on = models.DateField(_("due on"), null=True, blank=True)
    net = MoneyField(_("net"), default=Decimal(0), editable=False)
    tax = MoneyField(_("tax"), default=Decimal(0), editable=False)
    total = MoneyField(_("total"), default=Decimal(0), editable=False)
    credit_of = models.ForeignKey(
        "self", null=True, blank=True, editable=False, on_delete=models.PROTECT, related_name="credits"
    )
    void_reason = models.CharField(_("reason"), max_length=200, blank=True, editable=False)
    notes = models.CharField(_("note"), max_length=200, blank=True)
    prices_include_tax = models.BooleanField(_("prices include tax"), default=False, editable=False)
    """Whether prices, discounts and amounts of the lines include tax; the clinic's setting when the bill was begun."""
    discount_reason = models.CharField(_("reason for the discount"), max_length=200, blank=True, default="")
    valid_until = models.DateField(_("valid until"), null=True, blank=True)
    """Of an estimate."""
    recipient = models.TextField(_("recipient"), max_length=700, blank=True, default="", editable=False)
    """Name and address as they were when it was issued: a bill that is out does not change with them."""
    diagnosis = models.CharField(_("diagnosis"), max_length=300, blank=True, default="")
    """What the treatment was for, as German bills say it."""
    from_estimate = models.ForeignKey(
        "self", null=True, blank=True, editable=False, on_delete=models.PROTECT, related_name="bills"
    )

    refusals: ClassVar = {
        "invoice_number": ("number", _("An issued bill has a number, and a draft has none.")),
        "estimate_is_draft": ("valid_until", _("An estimate cannot be issued. Turn it into a bill first.")),
    }

    class Meta:
        ordering: ClassVar = ["-id"]
        verbose_name = _("bill")
        verbose_name_plural = _("bills")
        constraints: ClassVar = [
            check(
                Q(status="draft", number__isnull=True) | (~Q(status="draft") & Q(number__isnull=False)),
                "invoice_number",
            ),
            check(Q(valid_until__isnull=True) | Q(status="draft"), "estimate_is_draft"),
        ]
        indexes: ClassVar = [
            models.Index(UNPAID_FIRST, F("id").desc(), name="invoice_unpaid_first"),
            models.Index(fields=["owner"], condition=Q(status="issued"), name="invoice_issued"),
        ]

    def __str__(self) -> str:
        return f"{self.number:06d}" if self.number else f"{self.status_word} {self.pk}"

    @property
    def addressee(self) -> str:
        """Whom it is for, in lines; bills of earlier releases name the owner as recorded now."""
        return self.recipient or self.owner.letter_head

    @property
    def is_estimate(self) -> bool:
        """Whether this says what something will cost, and asks for nothing yet."""
        return self.valid_until is not None

    @property
    def status_word(self) -> str:
        """Where it stands, for people."""
        return gettext("Estimate") if self.is_estimate else str(self.get_status_display())

    def get_absolute_url(self) -> str:
        """The invoice's page."""
        return reverse("invoice", args=[self.pk])


class InvoiceLine(Record):
    """A line with copies of name, price and tax, so that a new price list never changes an old bill."""

    invoice = models.ForeignKey(Invoice, on_delete=models.PROTECT, related_name="lines", verbose_name=_("bill"))
    pet = models.ForeignKey(
        Pet, null=True, blank=True, on_delete=models.PROTECT, related_name="+", verbose_name=_("pet")
    )
    product = models.ForeignKey(
        Product, null=True, blank=True, on_delete=models.PROTECT, related_name="+", verbose_name=_("product")
    )
    vet = models.ForeignKey(
        Vet, null=True, blank=True, on_delete=models.PROTECT, related_name="+", verbose_name=_("vet")
    )
    """Whose work it is, for the production of each vet."""
    visit = models.ForeignKey(
        "clinic.Visit", null=True, blank=True, on_delete=models.PROTECT, related_name="invoice_lines",
        verbose_name=_("visit"),
    )  # fmt: skip
    """The visit that the line bills, which is of the line's pet."""
    service_on = models.DateField(_("date of service"), null=True, blank=True)
    fee_code = models.CharField(_("GOT number"), max_length=20, blank=True, default="")
    fee_factor = models.DecimalField(
        _("GOT factor"), max_digits=4, decimal_places=2, null=True, blank=True,
        validators=[MinValueValidator(Decimal("0.01")), MaxValueValidator(4)],
    )  # fmt: skip
    """What the simple fee was multiplied by; the price of the line has it in it."""
    text = models.CharField(_("text"), max_length=200)
    quantity = QuantityField(_("quantity"), default=Decimal(1))
    unit_price = PriceField(_("price"))
    tax_rate = models.DecimalField(_("tax (%)"), max_digits=5, decimal_places=2, default=Decimal(0))
    discount = MoneyField(_("discount"), default=Decimal(0))
    """What is taken off quantity times price; negative on a credit note, as its quantity is."""
    tax_rounding = MoneyField(default=Decimal(0), editable=False)
    """On credit notes over a part: what their tax differs by, so that all notes take back what was billed."""
    credits = models.ForeignKey(
        "self", null=True, blank=True, editable=False, on_delete=models.PROTECT, related_name="credited_by"
    )
    """On credit notes: the line of the bill that is taken back."""

    class Meta:
        ordering: ClassVar = ["id"]
        verbose_name = _("line of a bill")
        verbose_name_plural = _("lines of bills")

    def __str__(self) -> str:
        return self.text

    @property
    def amount(self) -> Decimal:
        """Quantity times price, rounded for this line, less its discount; with tax where the bill's prices have it."""
        amount: Decimal = round_money(self.quantity * self.unit_price) - self.discount
        return amount

    def _require_draft(self) -> None:
        if not Invoice.objects.filter(pk=self.invoice_id, status=Invoice.Status.DRAFT).exists():
            raise Locked(_("This bill has been issued. Void or credit it instead."))

    def save(self, *args: Any, **kwargs: Any) -> None:
        """Save a line of a draft; raises Locked for an issued invoice."""
        self._require_draft()
        super().save(*args, **kwargs)

    def delete(self, *args: Any, **kwargs: Any) -> Any:
        """Delete a line of a draft; raises Locked for an issued invoice."""
        self._require_draft()
        return super().delete(*args, **kwargs)


class Payment(Record):
    """Money taken, or given back where the amount is negative. A mistake is undone by its reversal, not by deletion."""

    class Internal(models.TextChoices):
        """Codes of what is no money that changes hands; all others are of the clinic's `PaymentMethod`."""

        ACCOUNT = "account", _("Credit on account")
        ROUNDING = "rounding", _("Cash rounding")

    invoice = models.ForeignKey(Invoice, on_delete=models.PROTECT, related_name="payments", verbose_name=_("bill"))
    amount = MoneyField(_("amount"))
    method = models.CharField(_("method"), max_length=10, default="card")
    at = models.DateTimeField(_("at"))
    reference = models.CharField(_("reference"), max_length=80, blank=True)
    reverses = models.OneToOneField(
        "self", null=True, blank=True, editable=False, on_delete=models.PROTECT, related_name="reversed_by"
    )
    rounds = models.OneToOneField(
        "self", null=True, blank=True, editable=False, on_delete=models.PROTECT, related_name="rounding"
    )
    """Of a cash rounding: the payment whose bill it settles to the smallest coin."""
    reason = models.CharField(_("reason"), max_length=200, blank=True)
    key = models.CharField(_("key"), max_length=64, null=True, blank=True, unique=True, editable=False)
    """What the form or program that sent the payment calls it: the same payment sent again is this one."""

    refusals: ClassVar = {"payment_not_zero": ("amount", _("The amount cannot be zero."))}

    class Meta:
        ordering: ClassVar = ["at", "id"]
        verbose_name = _("payment")
        verbose_name_plural = _("payments")
        constraints: ClassVar = [check(~Q(amount=0), "payment_not_zero")]

    def __str__(self) -> str:
        return f"{self.amount} ({self.method})"
