"""One patient's whole record: to print, and to hand to another clinic."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_POST

from accounts.roles import Right
from audit.actor import Actor
from clinic.selectors.history import history
from exchange.patient import ZIP_TYPE, patient_record, patient_record_name
from web.support import needs
from web.views.pets import known_pet


@needs(Right.WHOLE_RECORD)
def show(request: HttpRequest, pet_id: int) -> HttpResponse:
    """The record as a page, made to be printed."""
    pet = known_pet(pet_id)
    known = history(pet).for_others()
    valid = [row for row in known.vaccinations if not row.entered_in_error]
    context = {"pet": pet, "history": known, "vaccinations": valid, "at": timezone.localtime()}
    return render(request, "web/record/record.html", context)


@require_POST
@needs(Right.WHOLE_RECORD)
def download(request: HttpRequest, pet_id: int) -> StreamingHttpResponse:
    """The record as a ZIP; that it left the house is in the audit trail."""
    response = StreamingHttpResponse(patient_record(Actor.of(request), pet_id), content_type=ZIP_TYPE)
    response["Content-Disposition"] = f'attachment; filename="{patient_record_name(pet_id)}"'
    return response
