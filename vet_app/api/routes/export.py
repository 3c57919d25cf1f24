"""What leaves the clinic as a file. Each export is in the audit trail."""

from typing import Iterator

from django.http import HttpRequest, StreamingHttpResponse
from ninja import Router

from accounts.roles import Right
from api.access import actor
from api.types import Day, Id
from exchange import accounting, exporting

router = Router()


def _file(pieces: Iterator[bytes], kind: str, name: str) -> StreamingHttpResponse:
    response = StreamingHttpResponse(pieces, content_type=kind)
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    return response


@router.get("/clients.csv", include_in_schema=False)
def export_clients(request: HttpRequest) -> StreamingHttpResponse:
    """Owners, pets and vaccinations in the columns of the import."""
    return _file(exporting.clients(actor(request, Right.MANAGE)), exporting.CSV_TYPE, "clients.csv")


@router.get("/takings.csv", include_in_schema=False)
def export_takings(request: HttpRequest, since: Day, until: Day) -> StreamingHttpResponse:
    """Bills by tax rate and payments of a span, for the accountant."""
    who = actor(request, Right.TAKINGS)
    return _file(accounting.takings_csv(who, since, until), exporting.CSV_TYPE, "takings.csv")


@router.get("/pets/{pet_id}.zip", include_in_schema=False)
def export_record(request: HttpRequest, pet_id: Id) -> StreamingHttpResponse:
    """One patient's whole record, for another clinic."""
    who = actor(request, Right.WHOLE_RECORD)
    return _file(exporting.patient_record(who, pet_id), exporting.ZIP_TYPE, exporting.patient_record_name(pet_id))
