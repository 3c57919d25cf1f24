"""Controlled drugs: what is there, and the log of each."""

from __future__ import annotations

from typing import Any, Dict, Optional

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _

from accounts.roles import Right
from audit.actor import Actor
from clinic.models import ControlledDrug, Prescription
from clinic.selectors.drug_log import balance_of, with_balances
from clinic.services.drug_log import enter
from web.forms.drugs import DrugEntryForm
from web.support import data_of, form_page, needs, paged


@needs(Right.CLINICAL)
def drugs(request: HttpRequest) -> HttpResponse:
    """All controlled drugs; with `prescription` the one is chosen in whose log it is entered."""
    context = {"drugs": with_balances(), "prescription": _prescription(request), "heading": _("Controlled drugs")}
    return render(request, "web/drugs/list.html", context)


@needs(Right.CLINICAL)
def drug_log(request: HttpRequest, drug_id: int) -> HttpResponse:
    """One drug's log, with a form for the next line."""
    drug = get_object_or_404(ControlledDrug, pk=drug_id)
    form = DrugEntryForm(request, data_of(request), initial=_initial(_prescription(request)))
    if request.method == "POST" and form.is_valid():
        entry = form.attempt(
            enter, Actor.of(request), drug_id, prescription_id=form.cleaned_data["prescription"], **form.fields_given
        )
        if entry is not None:
            messages.success(request, _("The entry was recorded."))
            return redirect("drug_log", drug_id)
    return form_page(
        request, form, str(drug), _("Enter"), reverse("drugs"), template="web/drugs/log.html", drug=drug,
        balance=balance_of(drug), page=paged(request, drug.entries.select_related("prescription")),
    )  # fmt: skip


def _prescription(request: HttpRequest) -> Optional[Prescription]:
    prescription_pk = request.GET.get("prescription", "")
    rows = Prescription.objects.select_related("visit__pet").filter(voided_at=None)
    return get_object_or_404(rows, pk=prescription_pk) if prescription_pk.isdecimal() else None


def _initial(prescription: Optional[Prescription]) -> Dict[str, Any]:
    return {} if prescription is None else {"prescription": prescription.pk, "quantity": prescription.quantity}
