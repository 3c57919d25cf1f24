"""One patient's whole record for another clinic: a ZIP to read, to print and to import."""

from __future__ import annotations

import io
import json
import zipfile
from datetime import datetime
from itertools import chain
from typing import Any, Dict, Iterable, Iterator, List, Tuple, Union

from django.core.serializers.json import DjangoJSONEncoder
from django.db import models, transaction
from django.template.loader import render_to_string
from django.utils import timezone
from django.utils.text import slugify
from django.utils.translation import override

from accounts.roles import Right
from audit.actor import Actor
from audit.models import AuditEntry
from audit.services import record
from clinic import files
from clinic.models import Attachment, Breed, Pet, Species, Vaccine
from clinic.selectors.history import History, history
from clinic.selectors.settings import clinic_settings, papers_language
from exchange import csv_out

ZIP_TYPE = "application/zip"
FORMAT = "vet-patient-record/1"
OURS = {
    "id",
    "version",
    "created_at",
    "updated_at",
    "search_name",
    "search_contact",
    "merged_into",
    "content",
    "location",
}
NAMES = {"application/pdf": "pdf", "image/jpeg": "jpg", "image/png": "png"}


def patient_record(actor: Actor, pet_id: int) -> Iterator[bytes]:
    """A ZIP of type ZIP_TYPE, piece by piece, with everything recorded about one pet, to hand to another clinic.

    It holds `record.html` to read and print, `record.json` for programs, `vaccinations.csv`, and the attachments.
    Needs Right.WHOLE_RECORD; invoices and the clinic's own remarks on the owner
    are not. Audited at the call, before the first byte is read, and never more than one file of it is in memory.
    Raises Pet.DoesNotExist.
    """
    actor.require(Right.WHOLE_RECORD)
    with transaction.atomic():
        pet = Pet.objects.select_related("owner", "species", "breed").get(pk=pet_id)
        known = history(pet).for_others()
        record(actor, AuditEntry.Action.EXPORT, pet, {"whole_record": [None, len(known.visits)]})
        return _pack(pet, known, timezone.localtime())


def patient_record_name(pet_id: int) -> str:
    """The file name for `patient_record`, ASCII only, for example `record-biscuit-42.zip`. Raises Pet.DoesNotExist."""
    name = slugify(Pet.objects.only("name").get(pk=pet_id).name)
    return "-".join(part for part in ("record", name, str(pet_id)) if part) + ".zip"


class _Written(io.RawIOBase):
    """What was written since it was last taken; it cannot go back, so a ZIP in it needs no more room than one file."""

    def __init__(self) -> None:
        super().__init__()
        self._pieces: List[bytes] = []

    def writable(self) -> bool:
        """It is for writing alone."""
        return True

    def write(self, piece: Any) -> int:
        """Keep a piece."""
        self._pieces.append(bytes(piece))
        return len(piece)

    def taken(self) -> bytes:
        """What has come since."""
        pieces, self._pieces = self._pieces, []
        return b"".join(pieces)


def zipped(files: Iterable[Tuple[str, Union[str, bytes]]]) -> Iterator[bytes]:
    """A ZIP of files by their names, piece by piece."""
    out = _Written()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files:
            archive.writestr(name, content)
            yield out.taken()
    yield out.taken()


def _pack(pet: Pet, known: History, at: datetime) -> Iterator[bytes]:
    return zipped(files_of(pet, known, at))


def files_of(pet: Pet, known: History, at: datetime) -> Iterator[Tuple[str, Union[str, bytes]]]:
    """All files of a pet's record by their names: what `texts_of` has, and the attachments, one at a time."""
    return chain(texts_of(pet, known, at), _contents(known))


def texts_of(pet: Pet, known: History, at: datetime) -> List[Tuple[str, Union[str, bytes]]]:
    """The record to read, for programs, and its vaccinations as a table, by file name."""
    vaccinations = [row for row in known.vaccinations if not row.entered_in_error]
    clinic = clinic_settings()
    context = {"pet": pet, "owner": pet.owner, "history": known, "vaccinations": vaccinations, "at": at,
               "clinic_name": clinic.name, "clinic_address": clinic.address,
               "clinic_phone": clinic.phone}  # fmt: skip
    with override(papers_language()):
        page = render_to_string("exchange/record.html", context)
    return [
        ("record.html", page),
        ("record.json", json.dumps(document(pet, known, at), cls=DjangoJSONEncoder, indent=2, ensure_ascii=False)),
        ("vaccinations.csv", b"".join(csv_out.pieces(_vaccination_rows(vaccinations)))),
    ]


def _contents(known: History) -> Iterator[Tuple[str, Union[str, bytes]]]:
    for listed in known.attachments:
        attachment = Attachment.objects.get(pk=listed.pk)
        yield _file(attachment), files.content_of(attachment)


def document(pet: Pet, known: History, at: datetime) -> Dict[str, Any]:
    """What record.json holds. Related records appear by their names, because our ids mean nothing elsewhere."""
    owner, clinic = pet.owner, clinic_settings()
    return {
        "format": FORMAT,
        "exported_at": at,
        "clinic": {"name": clinic.name, "address": clinic.address, "phone": clinic.phone},
        "owner": {"name": owner.full_name, "address": owner.postal_address, "email": owner.email,
                  "phones": [phone.number for phone in owner.phones.all()]},
        "pet": _fields(pet, {"owner"}),
        "visits": [
            {
                **_fields(visit, {"pet", "appointment"}),
                "amendments": [_fields(row, {"visit"}) for row in visit.amendments.all()],
            }
            for visit in known.visits
        ],
        "weights": [{"at": row.at, "weight_kg": row.weight_kg} for row in known.weights],
        "vaccinations": [_fields(row, {"pet", "visit"}) for row in known.vaccinations],
        "prescriptions": [_fields(row) for row in known.prescriptions],
        "appointments": [_fields(row, {"pet"}) for row in known.appointments],
        "attachments": [{**_fields(row, {"pet", "visit"}), "file": _file(row)} for row in known.attachments],
    }  # fmt: skip


def _fields(row: models.Model, without: Iterable[str] = ()) -> Dict[str, Any]:
    skipped = OURS.union(without)
    values = {}
    for field in row._meta.concrete_fields:
        if field.name not in skipped:
            value = getattr(row, field.name)
            values[field.name] = _named(value) if isinstance(value, models.Model) else value
    return values


def _named(row: models.Model) -> str:
    """The name of a related record, of species, breeds and vaccines as it is stored: programs read it."""
    return str(row.name) if isinstance(row, (Species, Breed, Vaccine)) else str(row)


def _file(attachment: Attachment) -> str:
    """A name that no archive program takes for a path, with the ending of what the file is."""
    stem = slugify(attachment.name.rsplit(".", 1)[0]) or "file"
    return f"attachments/{attachment.pk}-{stem[:60]}.{NAMES.get(attachment.content_type, 'bin')}"


def _vaccination_rows(vaccinations: List[Any]) -> List[List[Any]]:
    rows = [[row.vaccine, row.given_on, row.due_on, row.manufacturer, row.lot, row.lot_expiry, row.tag, row.vet]
            for row in vaccinations]  # fmt: skip
    return [["Vaccine", "Given on", "Next due", "Manufacturer", "Lot", "Lot expires", "Tag", "Vet"], *rows]
