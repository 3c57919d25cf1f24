"""Export: all clients as CSV, the vaccinations due as CSV, and one patient's whole record for another clinic.

The CSV opens in Excel and LibreOffice as it is (UTF-8 with a byte order mark) and no cell can be taken for a formula.
What `clients` writes, `importing` reads.
"""

from __future__ import annotations

from datetime import date
from typing import Iterator

from audit.actor import Actor

CSV_TYPE = "text/csv; charset=utf-8"
ZIP_TYPE = "application/zip"


def clients(actor: Actor, *, delimiter: str = ",") -> Iterator[bytes]:
    """Owners, pets and vaccinations in the columns of the import, for a StreamingHttpResponse of type CSV_TYPE.

    The right (Right.MANAGE) is checked and the export audited at the call, before the first byte is read.
    """
    raise NotImplementedError


def reminders_due(actor: Actor, until: date, *, delimiter: str = ",") -> Iterator[bytes]:
    """Vaccinations due by a day with the owner's address, for letters or another mail program. Needs Right.FRONT_DESK."""
    raise NotImplementedError


def patient_record(actor: Actor, pet_id: int) -> bytes:
    """A ZIP of type ZIP_TYPE with everything recorded about one pet, to hand to another clinic.

    It holds `record.html` to read and print, `record.json` for programs, `vaccinations.csv`, and the attachments.
    Needs Right.READ_NOTES, because the notes of visits are in it; invoices and the clinic's own remarks on the owner
    are not. Audited. Raises Pet.DoesNotExist.
    """
    raise NotImplementedError


def patient_record_name(pet_id: int) -> str:
    """The file name for `patient_record`, ASCII only, e.g. `record-biscuit-42.zip`."""
    raise NotImplementedError
