"""Where the content of files is: in the database, or in a bucket of S3 where ATTACHMENTS_BUCKET names one.

In the bucket a file has a random name; whose it is, only the database knows. The bucket encrypts it with its own key,
and a browser gets an address that is good for a minute.
"""

from __future__ import annotations

import uuid
from typing import Any

from django.conf import settings
from django.core.files.base import ContentFile
from django.core.files.storage import storages
from django.db.models import Sum
from django.utils.http import content_disposition_header

from clinic.models import Attachment

STORAGE = "attachments"
ADDRESS_SECONDS = 60


def _storage() -> Any:
    return storages[STORAGE]


def keep(attachment: Attachment, content: bytes) -> None:
    """Put the content where files are kept. The row is not saved."""
    if not settings.ATTACHMENTS_BUCKET:
        attachment.content = content
        return
    attachment.content = b""
    attachment.location = _storage().save(f"attachments/{uuid.uuid4().hex}", ContentFile(content))


def forget(attachment: Attachment) -> None:
    """Take the content of a row that was not saved out of the bucket again."""
    if attachment.location:
        _storage().delete(attachment.location)


def content_of(attachment: Attachment) -> bytes:
    """The content, wherever it is."""
    if not attachment.location:
        return bytes(attachment.content)
    with _storage().open(attachment.location) as file:
        return bytes(file.read())


def address_of(attachment: Attachment) -> str:
    """An address of the bucket that is good for a minute and saves the file under its name; "" for the database's."""
    if not attachment.location:
        return ""
    shown = content_disposition_header(as_attachment=True, filename=attachment.name)
    parameters = {"ResponseContentDisposition": shown, "ResponseContentType": attachment.content_type}
    return str(_storage().url(attachment.location, parameters=parameters, expire=ADDRESS_SECONDS))


def bytes_used() -> int:
    """What all files come to."""
    return int(Attachment.objects.aggregate(sum=Sum("size"))["sum"] or 0)
