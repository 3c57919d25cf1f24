"""Small files that belong to a pet: a referral, a laboratory sheet, a photograph."""

from __future__ import annotations

from typing import Any, ClassVar, Dict

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from clinic.models.base import Record
from clinic.models.pet import Pet
from clinic.models.visit import Visit
from vetclinic.constraints import check

MAX_BYTES = 2 * 1024 * 1024
SIGNATURES: Dict[bytes, str] = {
    b"%PDF-": "application/pdf",
    b"\xff\xd8\xff": "image/jpeg",
    b"\x89PNG\r\n\x1a\n": "image/png",
}


class AttachmentQuerySet(models.QuerySet["Attachment"]):
    """Attachments, mostly without their bytes."""

    def listed(self) -> AttachmentQuerySet:
        """Everything but the content, for lists."""
        return self.defer("content")


class Attachment(Record):
    """A file of at most 2 MiB, kept in the database, so that it is in the same backup and both replicas see it.

    Where the clinic has a bucket for files it is kept there. One of another animal is marked as entered in error.
    """

    pet = models.ForeignKey(Pet, on_delete=models.PROTECT, related_name="attachments", verbose_name=_("pet"))
    visit = models.ForeignKey(
        Visit, null=True, blank=True, on_delete=models.PROTECT, related_name="attachments", verbose_name=_("visit")
    )
    name = models.CharField(_("name"), max_length=120)
    content_type = models.CharField(_("type"), max_length=40, editable=False)
    size = models.PositiveIntegerField(_("size (bytes)"), editable=False)
    sha256 = models.CharField(max_length=64, editable=False)
    content = models.BinaryField()
    location = models.CharField(max_length=200, blank=True, default="", editable=False)
    """Where the content is in the bucket of `clinic.files`; empty where it is in `content`."""
    entered_in_error = models.BooleanField(_("entered in error"), default=False, editable=False)
    error_reason = models.CharField(_("reason"), max_length=200, blank=True, default="", editable=False)

    refusals: ClassVar = {"attachment_size": ("file", _("This file is larger than 2 MB."))}

    objects = AttachmentQuerySet.as_manager()

    class Meta:
        ordering: ClassVar = ["-created_at", "-id"]
        verbose_name = _("attachment")
        verbose_name_plural = _("attachments")
        constraints: ClassVar = [check(Q(size__lte=MAX_BYTES), "attachment_size")]

    def __str__(self) -> str:
        return self.name

    @property
    def is_picture(self) -> bool:
        """Whether a page can show it."""
        return self.content_type.startswith("image/")

    def get_absolute_url(self) -> Any:
        """The pet's page."""
        return self.pet.get_absolute_url()
