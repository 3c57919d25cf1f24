"""Files of pets: a PDF, JPEG or PNG of at most 2 MB."""

from typing import Any, List, Optional

from django.http import HttpRequest, HttpResponse
from django.utils.http import content_disposition_header
from ninja import File, Router, Schema, Status, UploadedFile

from accounts.roles import Right
from api.access import actor
from api.lists import chosen, listed
from api.types import Id, Moment, WhyIn
from clinic import files
from clinic.models import Attachment, Pet, Visit
from clinic.models.attachment import MAX_BYTES
from clinic.services import attachments

router = Router()


class AttachmentOut(Schema):
    """A file without its content. One that was entered in error stays readable."""

    id: int
    pet_id: int
    visit_id: Optional[int]
    name: str
    content_type: str
    size: int
    sha256: str
    created_at: Moment
    entered_in_error: bool
    error_reason: str


@router.get("", response=List[AttachmentOut])
@listed
def list_attachments(request: HttpRequest, pet_id: Optional[Id] = None) -> Any:
    """All files, or those of a pet, the newest first."""
    actor(request, Right.READ_NOTES)
    rows = Attachment.objects.listed()
    return rows if pet_id is None else rows.filter(pet=pet_id)


@router.post("", response={201: AttachmentOut})
def attach_file(request: HttpRequest, pet_id: Id, file: File[UploadedFile], visit_id: Optional[Id] = None) -> Any:
    """Keep a file (multipart/form-data) with a pet's record, at a visit where one is named."""
    who = actor(request, Right.FILES)
    pet = chosen(Pet, pet_id, "pet")
    visit = None if visit_id is None else chosen(Visit, visit_id, "visit").pk
    content = file.read(MAX_BYTES + 1)
    return Status(201, attachments.attach(who, pet.pk, file.name or "file", content, visit_id=visit))


@router.get("/{attachment_id}/content", response={200: bytes}, include_in_schema=False)
def get_content(request: HttpRequest, attachment_id: Id) -> HttpResponse:
    """The file itself."""
    who = actor(request)
    if not who.may(Right.FILES):  # anybody who may add one may see it
        who.require(Right.READ_NOTES)
    attachment = Attachment.objects.get(pk=attachment_id)
    response = HttpResponse(files.content_of(attachment), content_type=attachment.content_type)
    shown = content_disposition_header(as_attachment=True, filename=attachment.name)
    response["Content-Disposition"] = str(shown)
    return response


@router.post("/{attachment_id}/entered-in-error", response=AttachmentOut)
def mark_attachment_entered_in_error(request: HttpRequest, attachment_id: Id, given: WhyIn) -> Any:
    """Take back a file that was put with the wrong animal."""
    return attachments.mark_entered_in_error(actor(request), attachment_id, given.reason)
