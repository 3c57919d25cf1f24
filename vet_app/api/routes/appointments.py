"""The calendar: booking with and without an override, moving, the waiting room and free times."""

from datetime import timedelta
from typing import Any, List, Optional

from django.http import HttpRequest
from ninja import Query, Router, Schema, Status
from pydantic import Field

from accounts.roles import Right
from api.access import actor
from api.lists import chosen, listed, replaced
from api.types import Day, Document, Id, Moment, Named, Reason, Text, Version
from clinic.models import Appointment, Pet, Vet
from clinic.selectors import calendar
from clinic.selectors.opening import doubts, usual_minutes
from clinic.services import booking

router = Router()
OVERRIDE = Field("", max_length=200, description="Why the vet is double booked on purpose; kept in the audit trail.")


class AppointmentOut(Schema):
    """A stretch of a vet's time. Without a pet it is a block or a new client."""

    id: int
    version: int
    vet: Named
    pet_id: Optional[int]
    client_note: str
    kind: str
    reason: str
    starts_at: Moment
    ends_at: Moment
    status: str
    arrived_at: Optional[Moment]
    started_at: Optional[Moment]
    done_at: Optional[Moment]
    overbooked: bool
    overbook_reason: str


class BookedOut(AppointmentOut):
    """What was booked, with what speaks against the time and forbids nothing."""

    warnings: List[str] = Field(
        default_factory=list, description="Sentences such as that the clinic is closed, or that the time has passed."
    )


class Details(Document):
    """What can be changed without asking for time; what is left out stays."""

    pet_id: Optional[Id] = None
    client_note: Text = ""
    kind: Text = Field("consult", description="consult, vaccination, surgery, follow_up or block")
    reason: Text = ""


class AppointmentIn(Details):
    """A new appointment; it ends before `ends_at`, so that the next may start then."""

    vet_id: Id
    starts_at: Moment
    ends_at: Optional[Moment] = Field(None, description="After the usual length of the kind, if it is left out.")
    override_reason: Reason = OVERRIDE


class DetailsChange(Details):
    """A change of the details."""

    version: Version


class Move(Document):
    """Another time or vet."""

    version: Version
    starts_at: Moment
    ends_at: Moment
    vet_id: Optional[Id] = None
    override_reason: Reason = OVERRIDE


class StatusChange(Document):
    """A step on or back."""

    version: Version
    status: Text = Field(description="booked, confirmed, arrived, with_vet, done, cancelled or no_show")
    override_reason: Reason = OVERRIDE


@router.get("", response=List[AppointmentOut])
@listed
def list_appointments(request: HttpRequest, on: Query[Day], vet_id: Optional[Id] = None) -> Any:
    """The appointments of a day at the clinic, in the order of the clock."""
    actor(request)
    return calendar.day(on, None if vet_id is None else chosen(Vet, vet_id, "vet_id"))


@router.post("", response={201: BookedOut})
def book_appointment(request: HttpRequest, given: AppointmentIn) -> Any:
    """Book a vet's time. 409 `slot_taken` where it is taken and no `override_reason` is given.

    A time outside of the opening hours or of the vet's own is booked, and `warnings` says so.
    """
    without = {"vet_id", "starts_at", "ends_at", "override_reason"}
    details = replaced(given.dict(exclude_unset=True, exclude=without), Pet, "pet")
    who = actor(request, Right.FRONT_DESK)
    ends_at = given.ends_at or given.starts_at + timedelta(minutes=usual_minutes(given.kind))
    appointment = booking.book(
        who, given.vet_id, given.starts_at, ends_at, details, override_reason=given.override_reason
    )
    return Status(201, _with_warnings(appointment))


def _with_warnings(appointment: Appointment) -> Appointment:
    appointment.warnings = doubts(  # type: ignore[attr-defined]  # read by BookedOut
        appointment.vet, appointment.starts_at, appointment.ends_at, pet_id=appointment.pet_id, moved_id=appointment.pk
    )
    return appointment


@router.get("/waiting-room", response=List[AppointmentOut])
@listed
def list_waiting_room(request: HttpRequest, on: Query[Day]) -> Any:
    """Who is here, waiting or with a vet, the first to come on top."""
    actor(request)
    return calendar.waiting_room(on)


@router.get("/free-times", response=List[Moment])
def list_free_times(
    request: HttpRequest, vet_id: Query[Id], on: Query[Day], minutes: int = Query(30, ge=5, le=720)
) -> Any:
    """Starts at which a vet has that many minutes free within the opening hours."""
    actor(request)
    return calendar.free_times(chosen(Vet, vet_id, "vet_id"), on, minutes)


@router.get("/{appointment_id}", response=AppointmentOut)
def get_appointment(request: HttpRequest, appointment_id: Id) -> Any:
    """One appointment."""
    actor(request)
    return Appointment.objects.select_related("vet").get(pk=appointment_id)


@router.patch("/{appointment_id}", response=AppointmentOut)
def change_appointment(request: HttpRequest, appointment_id: Id, given: DetailsChange) -> Any:
    """Change who comes and why."""
    details = replaced(given.dict(exclude_unset=True, exclude={"version"}), Pet, "pet")
    return booking.update_details(actor(request), appointment_id, given.version, details)


@router.post("/{appointment_id}/move", response=BookedOut)
def move_appointment(request: HttpRequest, appointment_id: Id, given: Move) -> Any:
    """Give an appointment another time or vet, under the same rules as a new one."""
    moved = booking.move(
        actor(request), appointment_id, given.version, given.starts_at, given.ends_at,
        vet_id=given.vet_id, override_reason=given.override_reason,
    )  # fmt: skip
    return _with_warnings(moved)


@router.post("/{appointment_id}/status", response=AppointmentOut)
def change_status(request: HttpRequest, appointment_id: Id, given: StatusChange) -> Any:
    """Take an appointment through the waiting room, or cancel it."""
    return booking.change_status(
        actor(request), appointment_id, given.version, given.status, override_reason=given.override_reason
    )
