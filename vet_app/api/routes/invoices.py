"""Invoices from draft to payment, void and credit."""

from decimal import Decimal
from typing import Any, List, Optional

from django.http import HttpRequest
from ninja import Header, Query, Router, Schema, Status
from pydantic import Field, model_validator
from typing_extensions import Annotated

from accounts.roles import Right
from api.access import actor
from api.lists import chosen, listed
from api.types import Amount, Day, Document, Id, Moment, Price, Reason, ReasonIn, Text, Version, VersionIn
from clinic.models import Invoice, Owner, Pet, Product, Vet, Visit
from clinic.money import round_money
from clinic.selectors import invoices
from clinic.services import billing, crediting, estimates, payments

router = Router()


class LineOut(Schema):
    """A line; name, price and tax are copies, final once the invoice is issued."""

    id: int
    pet_id: Optional[int]
    vet_id: Optional[int]
    visit_id: Optional[int]
    product_id: Optional[int]
    service_on: Optional[Day]
    fee_code: str = Field(description="The number in the German fee schedule for vets (GOT).")
    fee_factor: Optional[Decimal]
    text: str
    quantity: Decimal
    unit_price: Decimal
    discount: Decimal
    tax_rate: Decimal
    amount: Decimal = Field(description="Quantity times price less discount; with tax if prices_include_tax.")
    net: Decimal = Field(description="The amount before tax, rounded for this line alone.")

    @staticmethod
    def resolve_net(line: Any) -> Decimal:
        """Taken out of the amount where the bill's prices include tax."""
        gross = line.invoice.prices_include_tax
        return round_money(line.amount * 100 / (100 + line.tax_rate)) if gross else line.amount


class PaymentOut(Schema):
    """Money taken, or given back where the amount is negative."""

    id: int
    amount: Decimal
    method: str
    at: Moment
    reference: str
    reverses_id: Optional[int]
    reason: str


class InvoiceOut(Schema):
    """A bill, or with `credit_of_id` the credit note that takes one back."""

    id: int
    version: int
    owner_id: int
    number: Optional[int]
    status: str
    issued_at: Optional[Moment]
    due_on: Optional[Day]
    net: Decimal
    tax: Decimal
    total: Decimal
    amount_due: Decimal
    credit_of_id: Optional[int]
    void_reason: str
    notes: str
    discount_reason: str
    diagnosis: str
    prices_include_tax: bool
    valid_until: Optional[Day] = Field(description="Of an estimate, which is a draft; null for a bill.")
    from_estimate_id: Optional[int] = Field(description="The estimate that the bill was made of.")
    lines: List[LineOut]
    payments: List[PaymentOut]

    @staticmethod
    def resolve_amount_due(invoice: Any) -> Decimal:
        """What is still to be paid; negative where money is owed to the owner."""
        return billing.amount_due(invoice)


class DiscountIn(Document):
    """A percentage or an amount, one of both."""

    percent: Optional[Annotated[Decimal, Field(gt=0, le=100, max_digits=5, decimal_places=2)]] = None
    amount: Optional[Amount] = None

    @model_validator(mode="after")
    def one_of_both(self) -> Any:
        """Exactly one of them is given."""
        if (self.percent is None) == (self.amount is None):
            raise ValueError("give either percent or amount")
        return self


class LineIn(Document):
    """One line. With a product, what is left out is copied from the price list."""

    product_id: Optional[Id] = None
    text: Text = ""
    quantity: Annotated[Decimal, Field(gt=0, max_digits=10, decimal_places=4)] = Decimal(1)
    unit_price: Optional[Price] = None
    tax_rate: Optional[Annotated[Decimal, Field(ge=0, le=100, max_digits=5, decimal_places=2)]] = None
    pet_id: Optional[Id] = None
    vet_id: Optional[Id] = Field(None, description="Whose work it is; the vet of the pet's visit today, if left out.")
    discount: Optional[DiscountIn] = None
    visit_id: Optional[Id] = Field(None, description="The visit that is billed; it is of the same pet.")
    service_on: Optional[Day] = Field(None, description="The day of the visit that is billed, or today, if left out.")
    fee_code: Annotated[str, Field(max_length=20)] = Field(
        "", description="The number in the GOT; the product's, else."
    )
    fee_factor: Optional[Annotated[Decimal, Field(gt=0, le=4, max_digits=4, decimal_places=2)]] = None


Lines = Annotated[List[LineIn], Field(max_length=100)]
Key = Annotated[Optional[str], Header(None, alias="Idempotency-Key", max_length=64, pattern=r"^[!-~]+$")]


class DraftIn(Document):
    """A new invoice that can still be changed."""

    owner_id: Id
    lines: Lines = Field(default_factory=list)
    notes: Text = ""
    discount: Optional[DiscountIn] = Field(None, description="On the whole bill, besides those of the lines.")
    discount_reason: Text = Field("", description="Needed where anything is discounted.")
    diagnosis: Text = Field("", description="Printed on the bill.")
    valid_until: Optional[Day] = Field(None, description="Makes it an estimate, which cannot be issued.")


class LinesIn(Document):
    """Other lines for a draft."""

    version: Version
    lines: Lines
    discount: Optional[DiscountIn] = None
    discount_reason: Text = ""
    diagnosis: Optional[Text] = Field(None, description="Stays as it is where it is left out.")


class CreditedIn(Document):
    """How much of a line is taken back."""

    line_id: Id
    quantity: Annotated[Decimal, Field(gt=0, max_digits=10, decimal_places=4)]


class CreditIn(ReasonIn):
    """Why a bill is taken back, and what of it; all that is left, if no lines are named."""

    lines: Optional[Annotated[List[CreditedIn], Field(min_length=1, max_length=100)]] = None


class PaymentIn(Document):
    """Money, at most what is due."""

    amount: Amount
    method: Text = Field(
        "card", max_length=10, description="The code of a way to pay, such as cash, card or transfer, or account."
    )
    reference: Text = ""


class TakingIn(PaymentIn):
    """Money for a bill."""

    keep_rest: bool = Field(False, description="What is above what is due becomes the owner's credit on account.")


class ReversalIn(Document):
    """Why a payment is undone."""

    reason: Reason


def _discount(discount: Optional[DiscountIn]) -> Optional[billing.Discount]:
    return None if discount is None else billing.Discount(discount.percent, discount.amount)


def _lines(bodies: List[LineIn]) -> List[billing.Line]:
    lines = []
    for line in bodies:
        product = None if line.product_id is None else chosen(Product, line.product_id, "lines")
        pet = None if line.pet_id is None else chosen(Pet, line.pet_id, "lines").pk
        vet = None if line.vet_id is None else chosen(Vet, line.vet_id, "lines").pk
        visit = None if line.visit_id is None else chosen(Visit, line.visit_id, "lines").pk
        lines.append(billing.Line(
            product, line.text, line.quantity, line.unit_price, line.tax_rate, pet, _discount(line.discount), visit,
            line.service_on, line.fee_code, line.fee_factor, vet,
        ))  # fmt: skip
    return lines


def _whole(invoice_id: int) -> Invoice:
    return invoices.listed().prefetch_related("lines").get(pk=invoice_id)


@router.get("", response=List[InvoiceOut])
@listed
def list_invoices(
    request: HttpRequest, owner_id: Optional[Id] = None, status: Optional[str] = Query(None, max_length=10)
) -> Any:
    """All invoices, unpaid first; of an owner, or of a status: draft, issued (unpaid), paid, credited or void."""
    actor(request)
    rows = invoices.listed().prefetch_related("lines")
    if owner_id is not None:
        rows = rows.filter(owner=owner_id)
    return rows if status is None else rows.filter(status=status.replace("\x00", ""))


@router.post("", response={201: InvoiceOut})
def draft_invoice(request: HttpRequest, given: DraftIn) -> Any:
    """Start an invoice."""
    who = actor(request, Right.DRAFT_INVOICE)
    owner = chosen(Owner, given.owner_id, "owner")
    draft = billing.draft_invoice(
        who, owner.pk, _lines(given.lines), notes=given.notes,
        discount=_discount(given.discount), discount_reason=given.discount_reason, diagnosis=given.diagnosis,
        valid_until=given.valid_until,
    )  # fmt: skip
    return Status(201, _whole(draft.pk))


@router.get("/{invoice_id}", response=InvoiceOut)
def get_invoice(request: HttpRequest, invoice_id: Id) -> Any:
    """One invoice."""
    actor(request)
    return _whole(invoice_id)


@router.put("/{invoice_id}/lines", response=InvoiceOut)
def replace_lines(request: HttpRequest, invoice_id: Id, given: LinesIn) -> Any:
    """Give a draft other lines; 409 `locked` once it is issued."""
    who = actor(request, Right.DRAFT_INVOICE)
    billing.replace_lines(
        who, invoice_id, given.version, _lines(given.lines),
        discount=_discount(given.discount), discount_reason=given.discount_reason, diagnosis=given.diagnosis,
    )  # fmt: skip
    return _whole(invoice_id)


@router.post("/{invoice_id}/discard", response={204: None})
def discard_draft(request: HttpRequest, invoice_id: Id, given: VersionIn) -> Any:
    """Throw a draft away."""
    billing.discard_draft(actor(request), invoice_id, given.version)
    return Status(204, None)


@router.post("/{invoice_id}/issue", response=InvoiceOut)
def issue_invoice(request: HttpRequest, invoice_id: Id, given: VersionIn) -> Any:
    """Number a draft and make it final."""
    billing.issue_invoice(actor(request), invoice_id, given.version)
    return _whole(invoice_id)


@router.post("/{invoice_id}/bill", response={201: InvoiceOut})
def bill_estimate(request: HttpRequest, invoice_id: Id, given: VersionIn) -> Any:
    """Draft a bill with the lines and prices of an estimate; 409 where that was done already."""
    return Status(201, _whole(estimates.bill_estimate(actor(request), invoice_id, given.version).pk))


@router.post("/{invoice_id}/void", response=InvoiceOut)
def void_invoice(request: HttpRequest, invoice_id: Id, given: ReasonIn) -> Any:
    """Declare an issued invoice void; it keeps its number."""
    billing.void_invoice(actor(request), invoice_id, given.version, given.reason)
    return _whole(invoice_id)


@router.post("/{invoice_id}/credit", response={201: InvoiceOut})
def credit_invoice(request: HttpRequest, invoice_id: Id, given: CreditIn) -> Any:
    """Take an issued invoice back, as a whole or in part; the answer is the credit note."""
    wanted = None if given.lines is None else {line.line_id: line.quantity for line in given.lines}
    note = crediting.credit_invoice(actor(request), invoice_id, given.version, given.reason, quantities=wanted)
    return Status(201, _whole(note.pk))


@router.post("/{invoice_id}/payments", response={201: PaymentOut})
def take_payment(request: HttpRequest, invoice_id: Id, given: TakingIn, idempotency_key: Key = None) -> Any:
    """Take money for an issued invoice; the same `Idempotency-Key` again is the same payment."""
    payment = payments.take_payment(
        actor(request), invoice_id, given.amount, given.method,
        reference=given.reference, key=idempotency_key, keep_rest=given.keep_rest,
    )  # fmt: skip
    return Status(201, payment)


@router.post("/{invoice_id}/refunds", response={201: PaymentOut})
def refund_payment(request: HttpRequest, invoice_id: Id, given: PaymentIn, idempotency_key: Key = None) -> Any:
    """Give back money that an invoice owes its owner, for instance after a credit note; the key as for payments."""
    payment = payments.refund(
        actor(request), invoice_id, given.amount, given.method, reference=given.reference, key=idempotency_key
    )
    return Status(201, payment)


@router.post("/payments/{payment_id}/reversal", response={201: PaymentOut})
def reverse_payment(request: HttpRequest, payment_id: Id, given: ReversalIn) -> Any:
    """Undo a payment by its opposite."""
    return Status(201, payments.reverse_payment(actor(request), payment_id, given.reason))
