"""Prescriptions and the label on the bottle."""

from __future__ import annotations

from typing import Dict, List

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _

from accounts.roles import Right
from audit.actor import Actor
from clinic.models import Prescription, Visit
from clinic.selectors.history import before
from clinic.services import prescriptions
from web.forms.base import ReasonForm
from web.forms.visits import PrescriptionForm
from web.support import data_of, form_page, needs


@needs(Right.CLINICAL)
def new(request: HttpRequest, visit_id: int) -> HttpResponse:
    """Prescribe a drug at a visit."""
    visit = get_object_or_404(Visit.objects.select_related("pet__owner", "pet__species"), pk=visit_id)
    form = PrescriptionForm(data_of(request))
    if form.is_valid():
        prescription = form.attempt(prescriptions.prescribe, Actor.of(request), visit_id, form.fields_given)
        if prescription is not None:
            messages.success(request, _("%(drug)s was prescribed.") % {"drug": prescription})
            return redirect("visit", visit_id)
    heading = _("Prescribe for %(pet)s") % {"pet": visit.pet}
    back = reverse("visit", args=[visit_id])
    return form_page(request, form, heading, _("Prescribe"), back, pet=visit.pet, before=before(visit.pet, visit))


@needs(Right.READ_NOTES)
def label(request: HttpRequest, prescription_id: int) -> HttpResponse:
    """The label to print; a void prescription has none."""
    rows = Prescription.objects.select_related("visit__vet", "visit__pet__owner", "visit__pet__species")
    prescription = get_object_or_404(rows, pk=prescription_id)
    context = {"prescription": prescription, "pet": prescription.visit.pet}
    return render(request, "web/prescriptions/label.html", context)


@needs(Right.READ_NOTES)
def paper(request: HttpRequest, visit_id: int) -> HttpResponse:
    """What was prescribed at a visit, on a paper for each number, to take to a pharmacy."""
    visit = get_object_or_404(
        Visit.objects.select_related("vet", "pet__owner", "pet__species", "pet__breed"), pk=visit_id
    )
    papers: Dict[str, List[Prescription]] = {}
    for row in visit.prescriptions.filter(voided_at=None).order_by("id"):
        papers.setdefault(f"{row.number:06d}" if row.number else "", []).append(row)
    context = {"visit": visit, "pet": visit.pet, "papers": list(papers.items())}
    return render(request, "web/prescriptions/paper.html", context)


@needs(Right.CLINICAL)
def void(request: HttpRequest, prescription_id: int) -> HttpResponse:
    """Declare a prescription void."""
    prescription = get_object_or_404(
        Prescription.objects.select_related("visit__pet__owner", "visit__pet__species"), pk=prescription_id
    )
    form = ReasonForm(data_of(request))
    if form.is_valid():
        reason = form.cleaned_data["reason"]
        if form.attempt(prescriptions.void_prescription, Actor.of(request), prescription_id, reason):
            messages.success(request, _("%(drug)s is void.") % {"drug": prescription})
            return redirect("visit", prescription.visit_id)
    heading = _("Void %(drug)s") % {"drug": prescription}
    back = reverse("visit", args=[prescription.visit_id])
    return form_page(request, form, heading, _("Void the prescription"), back, danger=True, pet=prescription.visit.pet)
