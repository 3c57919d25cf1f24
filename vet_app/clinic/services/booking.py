"""Booking, moving and cancelling appointments, and the way through the waiting room.

Whatever takes up a vet's time goes through `_claim`: it takes the vet's row lock with the first statement, so that all
bookings of one vet form a queue, and then looks for a clash. PostgreSQL's exclusion constraint guards the same rule.
"""

from __future__ import annotations

from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Dict, Iterator, Optional, Set

from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.db.models import Count, F, Q
from django.utils import timezone
from django.utils.formats import time_format
from django.utils.translation import gettext as _

from accounts.roles import Right
from audit.actor import Actor
from audit.models import AuditEntry
from audit.services import record, snapshot
from clinic.models import Appointment, Pet, Vet
from clinic.selectors.calendar import bounds
from clinic.selectors.opening import days_off, usual_minutes, vets_on
from clinic.services import records
from vetclinic.errors import Conflict, SlotTaken

LONGEST = timedelta(hours=12)
OVERLAP_CONSTRAINT = "appointment_no_overlap"
DETAILS = {"pet", "client_note", "kind", "reason"}
Status = Appointment.Status
# A status can be corrected backwards as well: people press the wrong button.
NEXT: Dict[str, Set[str]] = {
    Status.BOOKED: {Status.CONFIRMED, Status.ARRIVED, Status.CANCELLED, Status.NO_SHOW},
    Status.CONFIRMED: {Status.BOOKED, Status.ARRIVED, Status.CANCELLED, Status.NO_SHOW},
    Status.ARRIVED: {Status.BOOKED, Status.WITH_VET, Status.CANCELLED},
    Status.WITH_VET: {Status.ARRIVED, Status.DONE},
    Status.DONE: {Status.WITH_VET},
    Status.CANCELLED: {Status.BOOKED},
    Status.NO_SHOW: {Status.BOOKED, Status.ARRIVED},
}


def book(
    actor: Actor,
    vet_id: int,
    starts_at: datetime,
    ends_at: datetime,
    details: records.Fields,
    *,
    override_reason: str = "",
) -> Appointment:
    """Book a vet's time. Raises SlotTaken where it is taken, unless `override_reason` says why it is double booked.

    The times are aware; the end is not part of the appointment, so one may start when another ends.
    """
    actor.require(Right.FRONT_DESK)
    appointment = Appointment(vet_id=vet_id, starts_at=starts_at, ends_at=ends_at)
    records.assign(appointment, details, DETAILS)
    _check(appointment)
    with _overlap_refused(), transaction.atomic():
        _claim(appointment, override_reason)
        records.create(actor, appointment, {}, DETAILS)
        if appointment.overbooked:
            record(actor, AuditEntry.Action.OVERBOOK, appointment, {"reason": [None, appointment.overbook_reason]})
    return appointment


def walk_in(actor: Actor, pet_id: int, vet_id: Optional[int] = None) -> Appointment:
    """Take in an animal that stands at the desk: an appointment now, waiting already, double booked where need be.

    Without `vet_id` with the vet who works today and has the fewest waiting. Raises ValidationError without any vet.
    """
    actor.require(Right.FRONT_DESK)
    now = timezone.now().replace(second=0, microsecond=0)
    with transaction.atomic():
        vet = _least_busy(vet_id)
        length = timedelta(minutes=usual_minutes(Appointment.Kind.CONSULTATION))
        appointment = book(
            actor, vet.pk, now, now + length, {"pet_id": pet_id},
            override_reason=_("Came without an appointment"),
        )  # fmt: skip
        return change_status(actor, appointment.pk, appointment.version, Status.ARRIVED)


def _least_busy(vet_id: Optional[int]) -> Vet:
    today = timezone.localdate()
    off = days_off(today, today)
    here = Q(appointments__status__in=(Status.ARRIVED, Status.WITH_VET), appointments__arrived_at__gte=bounds(today)[0])
    vets = (
        Vet.objects.filter(active=True).annotate(waiting=Count("appointments", filter=here)).order_by("waiting", "pk")
    )
    if vet_id is not None:
        vets = vets.filter(pk=vet_id)
    vet = vets.filter(vets_on(today, off)).first() or vets.first()
    if vet is None:
        raise ValidationError({"vet": [_("Choose a vet who is working here.")]})
    return vet


def move(
    actor: Actor,
    appointment_id: int,
    version: int,
    starts_at: datetime,
    ends_at: datetime,
    *,
    vet_id: Optional[int] = None,
    override_reason: str = "",
) -> Appointment:
    """Give an appointment another time or vet, under the same rules as a new one."""
    actor.require(Right.FRONT_DESK)
    with _overlap_refused(), transaction.atomic():
        appointment = records.lock(Appointment, appointment_id, version)
        if appointment.status not in (Status.BOOKED, Status.CONFIRMED):
            raise Conflict(_("Only an appointment that is still to come can be moved."))
        before = snapshot(appointment)
        appointment.starts_at, appointment.ends_at = starts_at, ends_at
        appointment.vet_id = vet_id or appointment.vet_id
        _check(appointment)
        _claim(appointment, override_reason)
        records.save_changes(actor, appointment, before)
        if appointment.overbooked:
            record(actor, AuditEntry.Action.OVERBOOK, appointment, {"reason": [None, appointment.overbook_reason]})
    return appointment


def update_details(actor: Actor, appointment_id: int, version: int, details: records.Fields) -> Appointment:
    """Change pet, note, kind or reason; the time stays."""
    actor.require(Right.FRONT_DESK)
    with transaction.atomic():
        appointment = records.lock(Appointment, appointment_id, version)
        before = snapshot(appointment)
        records.assign(appointment, details, DETAILS)
        _check(appointment)
        return records.save_changes(actor, appointment, before)


def change_status(
    actor: Actor, appointment_id: int, version: int, status: str, *, override_reason: str = ""
) -> Appointment:
    """Take an appointment a step on or back. Reviving a cancelled one needs its time to be free again."""
    actor.require(Right.FRONT_DESK)
    with _overlap_refused(), transaction.atomic():
        appointment = records.lock(Appointment, appointment_id, version)
        if status not in NEXT[appointment.status]:
            raise Conflict(
                _("An appointment cannot go from “%(old)s” to “%(new)s”.")
                % {"old": appointment.get_status_display(), "new": dict(Status.choices).get(status, status)}
            )
        before = snapshot(appointment)
        revived = appointment.status in Appointment.FREE
        appointment.status = status
        _stamp(appointment)
        if revived:
            _claim(appointment, override_reason)
        records.save_changes(actor, appointment, before, AuditEntry.Action.STATUS)
    return appointment


def _stamp(appointment: Appointment) -> None:
    """Keep the time of each step that has been reached, and forget those of steps taken back."""
    steps = {Status.ARRIVED: "arrived_at", Status.WITH_VET: "started_at", Status.DONE: "done_at"}
    reached = appointment.status in steps
    for step, field in steps.items():
        if not reached:
            setattr(appointment, field, None)
        elif step == appointment.status:
            setattr(appointment, field, getattr(appointment, field) or timezone.now())
            reached = False


def _check(appointment: Appointment) -> None:
    """Raise ValidationError by field for times or a pet that make no sense."""
    errors = {}
    if timezone.is_naive(appointment.starts_at) or timezone.is_naive(appointment.ends_at):
        raise TypeError("appointments need aware times")
    if appointment.ends_at <= appointment.starts_at:
        errors["ends_at"] = [_("The appointment ends before it starts.")]
    elif appointment.ends_at - appointment.starts_at > LONGEST:
        errors["ends_at"] = [_("An appointment lasts twelve hours at most.")]
    if appointment.kind != Appointment.Kind.BLOCK and not appointment.pet_id and not appointment.client_note.strip():
        errors["pet"] = [_("Choose a pet, or enter who is coming.")]
    if appointment.pet_id and Pet.objects.filter(pk=appointment.pet_id, deceased_on__isnull=False).exists():
        errors["pet"] = [_("This pet has died.")]
    if errors:
        raise ValidationError(errors)


def _claim(appointment: Appointment, override_reason: str) -> None:
    """Queue up for the vet's time and raise SlotTaken where it is taken and no reason is given."""
    if not Vet.objects.filter(pk=appointment.vet_id, active=True).update(booking_seq=F("booking_seq") + 1):
        raise ValidationError({"vet": [_("Choose a vet who is working here.")]})
    others = Appointment.objects.occupying().exclude(pk=appointment.pk).filter(vet_id=appointment.vet_id)
    clash = others.filter(starts_at__lt=appointment.ends_at, ends_at__gt=appointment.starts_at).first()
    if clash is not None and not override_reason.strip():
        raise _slot_taken(clash)
    appointment.overbooked = clash is not None
    appointment.overbook_reason = records.require_reason("override_reason", override_reason) if clash else ""


def _slot_taken(clash: Optional[Appointment]) -> SlotTaken:
    if clash is None:
        return SlotTaken(_("This time has just been taken. Choose another one."))
    start, end = timezone.localtime(clash.starts_at), timezone.localtime(clash.ends_at)
    return SlotTaken(
        _("%(vet)s already has an appointment from %(start)s to %(end)s (%(who)s).")
        % {"vet": clash.vet, "start": time_format(start), "end": time_format(end), "who": clash.who}
    )


@contextmanager
def _overlap_refused() -> Iterator[None]:
    """Turn a violation of the database's own rule into SlotTaken, whichever way it came about."""
    try:
        yield
    except IntegrityError as problem:
        if OVERLAP_CONSTRAINT in str(problem):
            raise _slot_taken(None) from problem
        raise
