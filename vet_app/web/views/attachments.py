"""Files of a pet's record."""

from __future__ import annotations

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils.http import content_disposition_header
from django.utils.translation import gettext as _

from accounts.roles import Right
from audit.actor import Actor
from clinic import files
from clinic.models import Attachment, Visit
from clinic.models.attachment import MAX_BYTES
from clinic.services.attachments import attach, mark_entered_in_error
from web.forms.base import ReasonForm
from web.forms.visits import AttachmentForm
from web.support import data_of, form_page, needs, needs_one_of
from web.views.pets import known_pet


@needs(Right.FILES)
def new(request: HttpRequest, pet_id: int) -> HttpResponse:
    """Keep a file with a pet's record, at a visit where the address names one."""
    pet = known_pet(pet_id)
    visit_pk = request.GET.get("visit", "")
    visit = get_object_or_404(Visit, pk=visit_pk, pet=pet) if visit_pk.isdecimal() else None
    form = AttachmentForm(data_of(request), request.FILES or None)
    back = visit.get_absolute_url() if visit else pet.get_absolute_url()
    if form.is_valid():
        file = form.cleaned_data["file"]
        name = form.cleaned_data["name"] or file.name
        content = file.read(MAX_BYTES + 1)  # one byte too many is enough for the refusal
        chosen = visit.pk if visit else None
        if form.attempt(attach, Actor.of(request), pet.pk, name, content, visit_id=chosen):
            messages.success(request, _("%(name)s was added.") % {"name": name})
            return redirect(back)
    heading = _("Add a file to the record of %(pet)s") % {"pet": pet}
    return form_page(request, form, heading, _("Add"), back, pet=pet, multipart=True)


@needs_one_of(Right.READ_NOTES, Right.FILES)
def download(request: HttpRequest, attachment_id: int) -> HttpResponse:
    """The file itself, always saved and never opened as a page of this clinic."""
    attachment = get_object_or_404(Attachment, pk=attachment_id)
    address = files.address_of(attachment)
    if address:
        return redirect(address)
    return _answer(attachment, as_attachment=True)


@needs_one_of(Right.READ_NOTES, Right.FILES)
def picture(request: HttpRequest, attachment_id: int) -> HttpResponse:
    """A photograph, to be shown within a page; it may neither run nor load anything."""
    attachment = get_object_or_404(Attachment, pk=attachment_id)
    if not attachment.is_picture:
        raise Http404
    response = _answer(attachment, as_attachment=False)
    response["Content-Security-Policy"] = "default-src 'none'; sandbox"
    return response


def _answer(attachment: Attachment, *, as_attachment: bool) -> HttpResponse:
    response = HttpResponse(files.content_of(attachment), content_type=attachment.content_type)
    shown = content_disposition_header(as_attachment=as_attachment, filename=attachment.name)
    response["Content-Disposition"] = str(shown)
    return response


@needs(Right.FILES)
def entered_in_error(request: HttpRequest, attachment_id: int) -> HttpResponse:
    """Take back a file that was put with the wrong animal."""
    row = get_object_or_404(Attachment.objects.listed(), pk=attachment_id)
    pet = known_pet(row.pet_id)
    form = ReasonForm(data_of(request))
    if form.is_valid():
        marked = form.attempt(mark_entered_in_error, Actor.of(request), attachment_id, form.cleaned_data["reason"])
        if marked is not None:
            messages.success(request, _("%(name)s is marked as entered in error.") % {"name": row.name})
            return redirect(pet)
    heading = _("%(name)s was entered in error") % {"name": row.name}
    intro = _("It is struck through and left out of the record for other clinics.")
    submit = _("Mark as entered in error")
    return form_page(request, form, heading, submit, pet.get_absolute_url(), danger=True, pet=pet, intro=intro)
