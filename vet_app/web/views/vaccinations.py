"""Vaccinations: recording, correcting, and the papers that an owner takes along."""

from __future__ import annotations

from typing import Any, Dict, Optional

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from accounts.roles import Right
from audit.actor import Actor
from clinic.models import Pet, Vaccination, Visit
from clinic.selectors.rabies import form_51, is_form_51
from clinic.services import vaccination as service
from web.forms.base import ReasonForm
from web.forms.vaccinations import DueDateForm, VaccinationForm
from web.support import data_of, form_page, needs
from web.views.pets import known_pet
from web.views.visits import own_vet

RELATED = ("vaccine", "vet", "visit", "pet__owner", "pet__species", "pet__breed")


@needs(Right.VACCINATE)
def new(request: HttpRequest, pet_id: int) -> HttpResponse:
    """Record an injection, at a visit where the address names one."""
    pet = known_pet(pet_id)
    visit = _visit(request, pet)
    vet = visit.vet if visit else own_vet(request)
    form = VaccinationForm(data_of(request), pet=pet, initial={"given_on": timezone.localdate(), "vet": vet})
    if not Actor.of(request).may(Right.CLINICAL):
        form.fields["vet"].label = _("ordered by")
    back = visit.get_absolute_url() if visit else pet.get_absolute_url()
    if form.is_valid():
        details = form.fields_given
        vaccine, given_on, due_on = (details.pop(name) for name in ("vaccine", "given_on", "due_on"))
        details["visit"] = visit
        recorded = form.attempt(
            service.record_vaccination, Actor.of(request), pet.pk, vaccine.pk, given_on, details, due_on=due_on,
            again=form.cleaned_data["again"],
        )  # fmt: skip
        if isinstance(form.conflict, service.GivenAlready):
            form.ask_whether_again()
        if recorded is not None:
            messages.success(request, _("%(vaccine)s was recorded.") % {"vaccine": vaccine})
            return redirect(back if visit else recorded.get_absolute_url())
    heading = _("Vaccinate %(pet)s") % {"pet": pet}
    return form_page(request, form, heading, pgettext("verb", "Record"), back, pet=pet)


@needs(Right.VIEW)
def certificate(request: HttpRequest, vaccination_id: int) -> HttpResponse:
    """The certificate of one vaccination, made to be printed."""
    vaccination = get_object_or_404(Vaccination.objects.select_related(*RELATED), pk=vaccination_id)
    context: Dict[str, Any] = {"vaccination": vaccination, "pet": vaccination.pet}
    if is_form_51(vaccination):
        context["form51"] = form_51(vaccination)
    return render(request, "web/vaccinations/certificate.html", context)


@needs(Right.VIEW)
def history(request: HttpRequest, pet_id: int) -> HttpResponse:
    """A pet's vaccinations and nothing else, for boarding and grooming."""
    pet = known_pet(pet_id)
    rows = pet.vaccinations.filter(entered_in_error=False).select_related("vaccine", "vet")
    context = {"pet": pet, "vaccinations": rows, "today": timezone.localdate()}
    return render(request, "web/vaccinations/history.html", context)


@needs(Right.CLINICAL)
def due_date(request: HttpRequest, vaccination_id: int) -> HttpResponse:
    """Change when the next one is due."""
    row = get_object_or_404(Vaccination.objects.select_related(*RELATED), pk=vaccination_id)
    form = DueDateForm(data_of(request), instance=row, initial={"version": row.version})
    if form.is_valid():
        due_on = form.cleaned_data["due_on"]
        if form.attempt(service.change_due_date, Actor.of(request), vaccination_id, form.based_on, due_on):
            messages.success(request, _("The due date and its reminder were changed."))
            return redirect(row.get_absolute_url())
    heading = _("When is %(vaccine)s due again?") % {"vaccine": row.vaccine}
    return form_page(request, form, heading, _("Save"), row.get_absolute_url(), pet=row.pet)


@needs(Right.CLINICAL)
def entered_in_error(request: HttpRequest, vaccination_id: int) -> HttpResponse:
    """Take back a wrong entry."""
    row = get_object_or_404(Vaccination.objects.select_related(*RELATED), pk=vaccination_id)
    form = ReasonForm(data_of(request), initial={"version": row.version})
    if form.is_valid():
        reason = form.cleaned_data["reason"]
        if form.attempt(service.mark_entered_in_error, Actor.of(request), vaccination_id, form.based_on, reason):
            messages.success(
                request, _("The entry was marked as entered in error. It stays readable, with your reason.")
            )
            return redirect(row.get_absolute_url())
    heading = _("%(vaccine)s was entered in error") % {"vaccine": row.vaccine}
    return form_page(
        request, form, heading, _("Mark as entered in error"), row.get_absolute_url(), danger=True, pet=row.pet
    )


def _visit(request: HttpRequest, pet: Pet) -> Optional[Visit]:
    visit_pk = request.GET.get("visit", "")
    return get_object_or_404(Visit, pk=visit_pk, pet=pet) if visit_pk.isdecimal() else None
