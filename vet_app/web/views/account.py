"""The money that the clinic holds for an owner: deposits, overpayments, and what was used or paid back."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _

from accounts.roles import Right
from audit.actor import Actor
from clinic.models import AccountEntry, Owner
from clinic.models.account import method_names
from clinic.selectors.invoices import credit_of
from clinic.services.payments import deposit
from web.forms.invoices import DepositForm
from web.support import data_of, form_page, needs, paged


@needs(Right.BILLING)
def owner_account(request: HttpRequest, pk: int) -> HttpResponse:
    """An owner's credit with all its entries, and a form to take a deposit or to pay credit back."""
    owner = get_object_or_404(Owner, pk=pk, merged_into=None)
    credit = credit_of(owner)
    form = DepositForm(data_of(request), initial={"amount": -credit} if credit < 0 else None)
    if request.method == "POST" and form.is_valid():
        fields = form.fields_given
        amount = -fields["amount"] if fields["back"] else fields["amount"]
        entry = form.attempt(
            deposit, Actor.of(request), pk, amount, fields["method"], reference=fields["reference"], key=fields["key"]
        )
        if entry is not None:
            messages.success(request, _("Saved."))
            return redirect("owner_account", pk)
    return form_page(
        request, form, _("Credit of %(owner)s") % {"owner": owner.full_name}, _("Save"), owner.get_absolute_url(),
        template="web/owners/account.html", credit=credit, debt=-credit, methods=method_names(),
        page=paged(request, owner.account.select_related("payment__invoice")),
    )  # fmt: skip


@needs(Right.BILLING)
def deposit_receipt(request: HttpRequest, pk: int, entry: int) -> HttpResponse:
    """A paper about money that an owner left with the clinic, or got back of it."""
    rows = AccountEntry.objects.exclude(method="").select_related("owner", "payment__invoice")
    row = get_object_or_404(rows, pk=entry, owner=pk)
    context = {
        "entry": row, "owner": row.owner, "amount": abs(row.amount), "back": row.amount < 0,
        "heading": _("Receipt"), "methods": method_names(),
    }  # fmt: skip
    return render(request, "web/owners/receipt.html", context)
