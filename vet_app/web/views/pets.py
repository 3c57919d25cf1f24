"""Pets: their pages, creating, changing and handing them over."""

from __future__ import annotations

from typing import Any, List, Tuple

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from accounts.roles import Right
from audit.actor import Actor
from clinic.models import Owner, Pet, Weighing
from clinic.selectors.history import History, before, history
from clinic.services import weighing
from clinic.services.pets import (
    RecordedAlready,
    create_pet,
    mark_deceased,
    take_back_death,
    transfer_pet,
    update_pet,
)
from web.forms.base import ClinicForm, ReasonForm
from web.forms.pets import DeceasedForm, OtherOwnerForm, PetForm
from web.forms.visits import WeightForm
from web.support import data_of, form_page, needs


def known_pet(pk: int) -> Pet:
    """The pet with owner, species and breed; 404 where there is none or it was merged away."""
    rows = Pet.objects.select_related("owner", "species", "breed")
    return get_object_or_404(rows, pk=pk, merged_into=None)


def _timeline(known: History) -> List[Tuple[str, Any, Any]]:
    """Visits, vaccinations and files as (kind, day, record), the newest first."""
    events = [("visit", timezone.localtime(visit.at).date(), visit) for visit in known.visits]
    events += [("vaccination", each.given_on, each) for each in known.vaccinations]  # type: ignore[misc]
    events += [("file", timezone.localtime(each.created_at).date(), each) for each in known.attachments]  # type: ignore[misc]
    return sorted(events, key=lambda event: event[1], reverse=True)


@needs(Right.VIEW)
def pet(request: HttpRequest, pk: int) -> HttpResponse:
    """One pet: facts, alert, what is due, and its history."""
    record = get_object_or_404(Pet.objects.select_related("owner", "species", "breed"), pk=pk)
    if record.merged_into_id:
        return redirect("pet", record.merged_into_id)
    known = history(record)
    context = {"pet": record, "known": known, "timeline": _timeline(known), "weights": known.weights[:8],
               "today": timezone.localdate()}  # fmt: skip
    return render(request, "web/pets/pet.html", context)


@needs(Right.FRONT_DESK)
def pet_new(request: HttpRequest, owner_pk: int) -> HttpResponse:
    """Add a pet to an owner."""
    owner = get_object_or_404(Owner, pk=owner_pk, merged_into=None)
    form = PetForm(data_of(request))
    if request.method == "POST" and form.is_valid():
        another = form.cleaned_data["another"]
        created = form.attempt(create_pet, Actor.of(request), owner.pk, form.fields_given, another=another)
        if isinstance(form.conflict, RecordedAlready):
            form.ask_whether_another()
        if created is not None:
            messages.success(request, _("%(name)s was recorded.") % {"name": created.name})
            return redirect(created)
    heading = _("New pet of %(owner)s") % {"owner": owner.full_name}
    return form_page(request, form, heading, _("Save"), owner.get_absolute_url())


@needs(Right.FRONT_DESK)
def pet_edit(request: HttpRequest, pk: int) -> HttpResponse:
    """Change a pet."""
    record = known_pet(pk)
    form = PetForm.of(record, data_of(request))
    if request.method == "POST" and form.is_valid():
        version = form.based_on
        if form.attempt(update_pet, Actor.of(request), pk, version, form.fields_given) is not None:
            messages.success(request, _("Saved."))
            return redirect(record)
    heading = _("Change %(name)s") % {"name": record.name}
    return form_page(request, form, heading, _("Save"), record.get_absolute_url(), pet=record)


@needs(Right.FRONT_DESK)
def pet_deceased(request: HttpRequest, pk: int) -> HttpResponse:
    """Record a death."""
    record = known_pet(pk)
    form = DeceasedForm(data_of(request), initial={"version": record.version})
    if request.method == "POST" and form.is_valid():
        version, day = form.based_on, form.cleaned_data["deceased_on"]
        if form.attempt(mark_deceased, Actor.of(request), pk, version, day) is not None:
            messages.success(request, _("The death of %(name)s was recorded.") % {"name": record.name})
            return redirect(record)
    intro = _("No more reminders will be sent, and future appointments are cancelled.")
    heading = _("%(name)s has died") % {"name": record.name}
    submit = pgettext("verb", "Record")
    return form_page(request, form, heading, submit, record.get_absolute_url(), intro=intro, pet=record)


@needs(Right.FRONT_DESK)
def pet_alive(request: HttpRequest, pk: int) -> HttpResponse:
    """Take back a death that was recorded for the wrong animal."""
    record = known_pet(pk)
    form = ClinicForm(data_of(request), initial={"version": record.version})
    if form.is_valid() and form.attempt(take_back_death, Actor.of(request), pk, form.based_on) is not None:
        messages.success(request, _("%(name)s is alive. Reminders are due again.") % {"name": record.name})
        return redirect(record)
    intro = _("The date of death is removed and reminders are due again. Cancelled appointments stay cancelled.")
    heading = _("Undo the recorded death of %(name)s") % {"name": record.name}
    submit = _("Undo the recorded death")
    return form_page(request, form, heading, submit, record.get_absolute_url(), intro=intro, pet=record)


@needs(Right.FRONT_DESK)
def pet_transfer(request: HttpRequest, pk: int) -> HttpResponse:
    """Hand a pet to another owner."""
    record = known_pet(pk)
    form = OtherOwnerForm(data_of(request), initial={"version": record.version})
    if request.method == "POST" and form.is_valid():
        version, new_owner = form.based_on, form.cleaned_data["owner"]
        if form.attempt(transfer_pet, Actor.of(request), pk, version, new_owner.pk) is not None:
            messages.success(request, _("%(name)s now belongs to %(owner)s.") % {
                "name": record.name, "owner": new_owner.full_name})  # fmt: skip
            return redirect(record)
    intro = _("The records go with %(name)s; bills stay with the previous owner.") % {"name": record.name}
    return form_page(request, form, _("New owner"), _("Transfer"), record.get_absolute_url(), intro=intro, pet=record)


@needs(Right.WEIGH)
def pet_weigh(request: HttpRequest, pk: int) -> HttpResponse:
    """Keep a weight that was taken without a visit."""
    record = known_pet(pk)
    form = WeightForm(data_of(request))
    if form.is_valid():
        weight = form.cleaned_data["weight_kg"]
        if form.attempt(weighing.weigh, Actor.of(request), pk, weight) is not None:
            messages.success(request, _("The weight of %(name)s was recorded.") % {"name": record.name})
            return redirect(record)
    heading = _("Weigh %(name)s") % {"name": record.name}
    back = record.get_absolute_url()
    return form_page(request, form, heading, pgettext("verb", "Record"), back, pet=record, before=before(record))


@needs(Right.WEIGH)
def weight_error(request: HttpRequest, pk: int) -> HttpResponse:
    """Take a wrong weight back."""
    row = get_object_or_404(Weighing, pk=pk)
    record = known_pet(row.pet_id)
    form = ReasonForm(data_of(request))
    if form.is_valid():
        reason = form.cleaned_data["reason"]
        if form.attempt(weighing.mark_entered_in_error, Actor.of(request), pk, reason):
            messages.success(request, _("The weight is marked as entered in error."))
            return redirect(record)
    heading = _("This weight was entered in error")
    submit = _("Mark as entered in error")
    return form_page(request, form, heading, submit, record.get_absolute_url(), danger=True, pet=record)
