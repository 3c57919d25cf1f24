"""Bills: writing, issuing, paying, and taking back."""

from __future__ import annotations

from typing import Any, Callable, Dict, List, Optional, Tuple

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import pgettext
from django.views.decorators.http import require_POST

from accounts.roles import Right
from audit.actor import Actor
from clinic.models import Invoice, InvoiceLine, Owner, Payment, Visit
from clinic.models.account import method_names
from clinic.selectors.invoices import credit_of, listed, matching
from clinic.selectors.legal import missing
from clinic.selectors.settings import clinic_settings
from clinic.services.billing import (
    amount_due,
    discard_draft,
    draft_invoice,
    issue_invoice,
    replace_lines,
    taxes,
    void_invoice,
)
from clinic.services.crediting import credit_invoice, quantities_left
from clinic.services.estimates import bill_estimate
from clinic.services.payments import refund, reverse_payment, rounded, take_payment
from vetclinic.errors import Locked
from web.forms.base import ReasonForm
from web.forms.invoices import (
    CreditForm,
    EstimateForm,
    InvoiceFilter,
    InvoiceForm,
    PaymentForm,
    initial_lines,
    lines_of,
    lines_to_bill,
    new_key,
)
from web.support import data_of, form_page, needs, paged, version_of


def _invoice(pk: int) -> Invoice:
    related = listed().select_related("owner", "credit_of", "from_estimate").prefetch_related("bills")
    return get_object_or_404(related, pk=pk)


@needs(Right.VIEW)
def invoices(request: HttpRequest) -> HttpResponse:
    """All bills, or those that the filters ask for, unpaid ones first."""
    form = InvoiceFilter(request.GET)
    form.is_valid()
    asked = form.cleaned_data.get("q")
    page = paged(request, (matching(asked) if asked else listed()).filter(form.condition))
    for bill in page:
        bill.due = amount_due(bill)
    owner = form.cleaned_data.get("owner")
    heading = _("Bills of %(owner)s") % {"owner": owner.full_name} if owner else _("Bills")
    context = {"page": page, "form": form, "heading": heading, "filtered": any(form.cleaned_data.values()),
               "today": timezone.localdate()}  # fmt: skip
    return render(request, "web/invoices/list.html", context, status=422 if form.errors else 200)


@needs(Right.VIEW)
def invoice(request: HttpRequest, pk: int) -> HttpResponse:
    """A bill to read, to print and to pay."""
    return _show(request, _invoice(pk))


def _show(request: HttpRequest, bill: Invoice, form: Optional[PaymentForm] = None) -> HttpResponse:
    due = amount_due(bill)
    lines = list(bill.lines.select_related("pet__species"))
    context = {
        "bill": bill,
        "lines": lines,
        "due": due,
        "owed": -due if due < 0 else None,
        "taxes": taxes(lines),
        "missing": missing(bill) if bill.status == Invoice.Status.DRAFT else [],
        **_service_dates(lines),
        "reversed": {payment.reverses_id for payment in bill.payments.all()},
        "methods": method_names(),
        "in_cash": rounded(due),
        "credit": credit_of(bill.owner),
        "to_bill": bill.is_estimate and all(issued.status == Invoice.Status.VOID for issued in bill.bills.all()),
        "form": form or PaymentForm(initial={"amount": abs(due)}, account=credit_of(bill.owner) > 0, owed=due < 0),
    }
    return render(request, "web/invoices/invoice.html", context, status=form.status if form else 200)


def _service_dates(lines: List[InvoiceLine]) -> Dict[str, Any]:
    """The one day of all services, for the head of the bill, or else that each line shows its own."""
    days = {line.service_on for line in lines if line.service_on}
    return {"served_on": next(iter(days)) if len(days) == 1 else None, "many_days": len(days) > 1}


@needs(Right.DRAFT_INVOICE)
def invoice_new(request: HttpRequest, owner_pk: int, *, estimate: bool = False) -> HttpResponse:
    """Write a draft for an owner, or an estimate."""
    owner = get_object_or_404(Owner, pk=owner_pk, merged_into=None)
    wanted = request.GET.get("pet", "")
    pet = owner.pets.filter(pk=int(wanted)).first() if wanted.isdecimal() else None
    visit = _visit(request, owner)
    initial = {"diagnosis": " ".join(visit.assessment.split())[:300]} if visit else {}
    form = (EstimateForm if estimate else InvoiceForm)(data_of(request), initial=initial)
    if visit is not None:
        pet = visit.pet
    lines = lines_of(owner, data_of(request), lines_to_bill(visit) if visit else None, pet)
    form.lines = lines
    if request.method == "POST" and form.is_valid() and lines.is_valid():
        draft = form.attempt(draft_invoice, Actor.of(request), owner.pk, lines.lines, **form.fields_given)
        if draft is not None:
            return redirect(draft)
    heading, submit = _words(estimate)
    return form_page(
        request, form, heading % {"owner": owner.full_name}, submit, owner.get_absolute_url(),
        template="web/invoices/edit.html",
        lines=lines, gross=clinic_settings().prices_include_tax,
    )  # fmt: skip


def _words(estimate: bool) -> Tuple[str, str]:
    """The heading of the editor, with a place for the owner, and what stands on its button."""
    if estimate:
        return _("Estimate for %(owner)s"), _("Save the estimate")
    return _("Bill for %(owner)s"), _("Save the draft")


def _visit(request: HttpRequest, owner: Owner) -> Optional[Visit]:
    """The visit that the address names, None for none; one of another owner's pet is not found."""
    visit_pk = request.GET.get("visit", "")
    visits = Visit.objects.select_related("pet", "vet").filter(pet__owner=owner, entered_in_error=False)
    return get_object_or_404(visits, pk=visit_pk) if visit_pk.isdecimal() else None


@needs(Right.DRAFT_INVOICE)
def invoice_edit(request: HttpRequest, pk: int) -> HttpResponse:
    """Change a draft's lines."""
    bill = _invoice(pk)
    if bill.status != Invoice.Status.DRAFT:
        raise Locked(_("This bill has been issued. Void or credit it instead."))
    initial = {
        name: getattr(bill, name) for name in ("version", "notes", "discount_reason", "valid_until", "diagnosis")
    }
    form = (EstimateForm if bill.is_estimate else InvoiceForm)(data_of(request), initial=initial)
    lines = lines_of(bill.owner, data_of(request), initial_lines(bill))
    form.lines = lines
    if request.method == "POST" and form.is_valid() and lines.is_valid():
        actor, fields = Actor.of(request), form.fields_given
        if form.attempt(replace_lines, actor, pk, form.based_on, lines.lines, **fields) is not None:
            messages.success(request, _("Saved."))
            return redirect(bill)
    heading, submit = _words(bill.is_estimate)
    return form_page(
        request, form, heading % {"owner": bill.owner.full_name}, submit, bill.get_absolute_url(),
        template="web/invoices/edit.html",
        lines=lines, gross=bill.prices_include_tax,
    )  # fmt: skip


@require_POST
@needs(Right.BILLING)
def invoice_issue(request: HttpRequest, pk: int) -> HttpResponse:
    """Number a draft and make it final."""
    bill = issue_invoice(Actor.of(request), pk, version_of(request))
    messages.success(request, _("Bill %(number)s was issued.") % {"number": bill})
    return redirect(bill)


@require_POST
@needs(Right.DRAFT_INVOICE)
def estimate_bill(request: HttpRequest, pk: int) -> HttpResponse:
    """Make a bill of an estimate; it is a draft that can be changed before it is issued."""
    bill = bill_estimate(Actor.of(request), pk, version_of(request))
    messages.success(request, _("The bill has the lines and prices of the estimate."))
    return redirect(bill)


@require_POST
@needs(Right.DRAFT_INVOICE)
def invoice_discard(request: HttpRequest, pk: int) -> HttpResponse:
    """Throw a draft away."""
    bill = _invoice(pk)
    discard_draft(Actor.of(request), pk, version_of(request))
    messages.success(request, _("The estimate was discarded.") if bill.is_estimate else _("The draft was discarded."))
    return redirect(bill.owner)


@needs(Right.BILLING)
def invoice_void(request: HttpRequest, pk: int) -> HttpResponse:
    """Declare a bill void."""
    bill = _invoice(pk)
    heading, intro = _("Void bill %(number)s"), _("The bill keeps its number and can still be read.")
    return _with_reason(request, bill, void_invoice, heading % {"number": bill}, pgettext("verb", "Void"), intro)


@needs(Right.BILLING)
def invoice_credit(request: HttpRequest, pk: int) -> HttpResponse:
    """Take a bill back by a credit note, all of it or some of its lines."""
    bill = _invoice(pk)
    left = quantities_left(bill)
    lines = [(line, left[line.pk]) for line in bill.lines.select_related("pet") if left[line.pk]]
    form = CreditForm(lines, data_of(request), initial={"version": bill.version})
    if request.method == "POST" and form.is_valid():
        note = form.attempt(
            credit_invoice, Actor.of(request), pk, form.based_on, form.cleaned_data["reason"],
            quantities=form.quantities,
        )  # fmt: skip
        if note is not None:
            messages.success(request, _("Done."))
            return redirect(note)
    heading = _("Credit bill %(number)s") % {"number": bill}
    intro = _(
        "Creates a credit note with its own number for everything not yet credited. Reduce"
        " the quantities to credit less."
    )
    return form_page(request, form, heading, _("Credit"), bill.get_absolute_url(), intro=intro, danger=True)


def _with_reason(
    request: HttpRequest, bill: Invoice, service: Callable[..., Invoice], heading: str, submit: str, intro: str
) -> HttpResponse:
    form = ReasonForm(data_of(request), initial={"version": bill.version})
    if request.method == "POST" and form.is_valid():
        version, reason = form.cleaned_data["version"] or 0, form.cleaned_data["reason"]
        result = form.attempt(service, Actor.of(request), bill.pk, version, reason)
        if result is not None:
            messages.success(request, _("Done."))
            return redirect(result)
    return form_page(request, form, heading, submit, bill.get_absolute_url(), intro=intro, danger=True)


@require_POST
@needs(Right.BILLING)
def invoice_pay(request: HttpRequest, pk: int) -> HttpResponse:
    """Take a payment, or give back what the clinic owes."""
    bill = _invoice(pk)
    owed = amount_due(bill) < 0
    form = PaymentForm(request.POST, account=credit_of(bill.owner) > 0, owed=owed)
    if form.is_valid():
        paid = form.attempt(refund if owed else take_payment, Actor.of(request), pk, **form.fields_given)
        if paid is not None:
            messages.success(request, _("The payment was recorded."))
            return redirect(bill)
        if form.conflict is not None:
            form.data = {**request.POST.dict(), "key": new_key()}  # the person has been told and may take it after all
    return _show(request, bill, form)


@needs(Right.BILLING)
def payment_reverse(request: HttpRequest, pk: int) -> HttpResponse:
    """Undo a payment that was typed wrong."""
    payment = get_object_or_404(Payment.objects.select_related("invoice"), pk=pk)
    form, back = ReasonForm(data_of(request)), reverse("invoice", args=[payment.invoice_id])
    if request.method == "POST" and form.is_valid():
        undone = form.attempt(reverse_payment, Actor.of(request), pk, form.cleaned_data["reason"])
        if undone is not None:
            messages.success(request, _("The payment was undone."))
            return redirect(back)
    return form_page(request, form, _("Undo this payment"), _("Undo"), back, danger=True)
