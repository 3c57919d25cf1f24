"""Files of a pet's record."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils.http import content_disposition_header
from django.utils.translation import gettext as _

from accounts.roles import Right
from audit.actor import Actor
from clinic.models import Attachment, Visit
from clinic.models.attachment import MAX_BYTES
from clinic.services.attachments import attach
from web.forms.visits import AttachmentForm
from web.support import data_of, form_page, needs
from web.views.pets import known_pet


@needs(Right.CLINICAL)
def new(request: HttpRequest, pet_id: int) -> HttpResponse:
    """Keep a file with a pet's record, at a visit where the address names one."""
    pet = known_pet(pet_id)
    given = request.GET.get("visit", "")
    visit = get_object_or_404(Visit, pk=given, pet=pet) if given.isdecimal() else None
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


@needs(Right.READ_NOTES)
def download(request: HttpRequest, attachment_id: int) -> HttpResponse:
    """The file itself, always saved and never opened as a page of this clinic."""
    attachment = get_object_or_404(Attachment, pk=attachment_id)
    response = HttpResponse(bytes(attachment.content), content_type=attachment.content_type)
    response["Content-Disposition"] = str(content_disposition_header(as_attachment=True, filename=attachment.name))
    return response
