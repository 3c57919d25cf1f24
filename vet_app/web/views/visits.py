"""Visits: writing the notes, closing them, and adding to what is closed."""

from __future__ import annotations

from typing import Any, Dict, Optional

from django.contrib import messages
from django.db.models import Prefetch
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from accounts.roles import Right
from audit.actor import Actor
from clinic.models import Appointment, Attachment, Pet, Vaccination, Vet, Visit
from clinic.selectors.billable import bills_of
from clinic.selectors.history import before
from clinic.services import visits
from clinic.services.booking import change_status
from vetclinic.errors import Locked
from web.forms.base import ClinicForm, ReasonForm
from web.forms.visits import NOTES, AmendmentForm, VisitForm
from web.support import data_of, form_page, needs
from web.views.pets import known_pet

ARRIVED = Appointment.Status.ARRIVED


@needs(Right.READ_NOTES)
def show(request: HttpRequest, visit_id: int) -> HttpResponse:
    """One visit with all that belongs to it."""
    return _page(request, visit_id)


@needs(Right.MEASURE)
def new(request: HttpRequest, pet_id: int) -> HttpResponse:
    """Begin a visit, of an appointment where the address names one; a visit that has begun is opened instead."""
    pet = known_pet(pet_id)
    appointment = _appointment(request, pet)
    if appointment is not None and request.method == "GET":
        begun = Visit.objects.filter(appointment=appointment).first()
        if begun is not None:
            return redirect("visit", begun.pk)
    actor = Actor.of(request)
    form = VisitForm(data_of(request), initial=_initial(request, appointment), notes=actor.may(Right.CLINICAL))
    if form.is_valid():
        chosen = appointment.pk if appointment else None
        visit = form.attempt(visits.start_visit, actor, pet.pk, form.fields_given, appointment_id=chosen)
        if visit is not None:
            if appointment is not None and appointment.status == ARRIVED and actor.may(Right.CLINICAL):
                change_status(actor, appointment.pk, appointment.version, Appointment.Status.WITH_VET)
            return redirect(visit)
    heading = _("New visit of %(pet)s") % {"pet": pet}
    back = pet.get_absolute_url()
    return form_page(request, form, heading, _("Save the visit"), back, pet=pet, before=before(pet))


@needs(Right.MEASURE)
def edit(request: HttpRequest, visit_id: int) -> HttpResponse:
    """Change the notes of an open visit, or for those who may not write notes its measurements."""
    visit = get_object_or_404(Visit.objects.select_related("pet__owner", "pet__species", "pet__breed"), pk=visit_id)
    if visit.is_locked:
        raise Locked(_("This visit is locked. Add an amendment instead."))
    if visit.entered_in_error:
        raise Locked(_("This visit is marked as entered in error. Start a new visit instead."))
    pet, back = visit.pet, visit.get_absolute_url()
    notes = Actor.of(request).may(Right.CLINICAL)
    form = VisitForm(data_of(request), instance=visit, initial={"version": visit.version}, notes=notes)
    if form.is_valid():
        fields = form.fields_given
        if form.attempt(visits.update_visit, Actor.of(request), visit_id, form.based_on, fields):
            messages.success(request, _("The visit was saved."))
            return redirect(back)
    heading = _("Visit of %(pet)s") % {"pet": pet}
    return form_page(request, form, heading, _("Save the visit"), back, pet=pet, before=before(pet, visit))


@needs(Right.CLINICAL)
def lock(request: HttpRequest, visit_id: int) -> HttpResponse:
    """Ask once more, and close the notes permanently."""
    visit = get_object_or_404(Visit.objects.select_related("pet__owner", "pet__species", "pet__breed"), pk=visit_id)
    form = ClinicForm(data_of(request), initial={"version": visit.version})
    if form.is_valid() and form.attempt(visits.lock_visit, Actor.of(request), visit_id, form.based_on) is not None:
        messages.success(request, _("The notes are locked. Add later remarks as an amendment."))
        return redirect(visit)
    intro = _("Locked notes can no longer be changed; amendments are signed and dated.")
    if not any(getattr(visit, name) for name in NOTES):
        intro = _("This visit has no notes yet.") + " " + intro
    heading = _("Lock the notes of this visit?")
    return form_page(request, form, heading, _("Lock the notes"), visit.get_absolute_url(), intro=intro, pet=visit.pet)


@needs(Right.CLINICAL)
def entered_in_error(request: HttpRequest, visit_id: int) -> HttpResponse:
    """Take back a visit, such as one of the wrong animal."""
    visit = get_object_or_404(Visit.objects.select_related("pet__owner", "pet__species", "pet__breed"), pk=visit_id)
    form = ReasonForm(data_of(request), initial={"version": visit.version})
    if form.is_valid():
        reason = form.cleaned_data["reason"]
        if form.attempt(visits.mark_entered_in_error, Actor.of(request), visit_id, form.based_on, reason):
            messages.success(request, _("The visit is marked as entered in error and stays readable."))
            return redirect(visit)
    heading = _("This visit was entered in error")
    back = visit.get_absolute_url()
    intro = _("It stays readable but struck through and no longer counts; its weight is removed from the list.")
    submit = _("Mark as entered in error")
    return form_page(request, form, heading, submit, back, danger=True, pet=visit.pet, intro=intro)


@require_POST
@needs(Right.CLINICAL)
def amend(request: HttpRequest, visit_id: int) -> HttpResponse:
    """Add a signed text to a closed visit."""
    form = AmendmentForm(request.POST)
    if form.is_valid():
        added = form.attempt(visits.amend_visit, Actor.of(request), visit_id, form.cleaned_data["text"])
        if added is not None:
            messages.success(request, _("The amendment was signed with your name."))
            return redirect("visit", visit_id)
    return _page(request, visit_id, amendment_form=form)


def _page(
    request: HttpRequest,
    visit_id: int,
    *,
    amendment_form: Optional[AmendmentForm] = None,
) -> HttpResponse:
    rows = Visit.objects.select_related("vet", "locked_by", "pet__owner", "pet__species", "pet__breed")
    rows = rows.prefetch_related(
        "amendments",
        "prescriptions",
        Prefetch("vaccinations", Vaccination.objects.select_related("vaccine")),
        Prefetch("attachments", Attachment.objects.listed()),
    )
    visit = get_object_or_404(rows, pk=visit_id)
    amendment_form = amendment_form or AmendmentForm()
    context: Dict[str, Any] = {
        "visit": visit,
        "pet": visit.pet,
        "bills": bills_of(visit),
        "amendment_form": amendment_form,
        "form": amendment_form,
    }
    return render(request, "web/visits/visit.html", context, status=amendment_form.status)


def _appointment(request: HttpRequest, pet: Pet) -> Optional[Appointment]:
    """The appointment that the address names, None for none; one of another pet is not found."""
    appointment_pk = request.GET.get("appointment", "")
    return get_object_or_404(Appointment, pk=appointment_pk, pet=pet) if appointment_pk.isdecimal() else None


def _initial(request: HttpRequest, appointment: Optional[Appointment]) -> Dict[str, Any]:
    """Who examines: the vet of the appointment, else the person who is logged in."""
    if appointment is not None:
        return {"vet": appointment.vet_id, "subjective": appointment.reason}
    return {"vet": own_vet(request)}


def own_vet(request: HttpRequest) -> Optional[Vet]:
    """The vet that the person who is logged in is, if any."""
    return Vet.objects.filter(user=request.user.pk, active=True).first()
