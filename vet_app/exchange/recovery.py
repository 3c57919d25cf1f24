"""One patient's record from a backup: what the backup has and the clinic lost goes back, and nothing else changes.

The backup is a second database, restored beside the clinic's (alias BACKUP). A row that is missing is put back under
its own number. A row that differs was changed since, mostly with a reason; it is only shown, unless `changed` asks
for its old values. Invoices belong to owners and have numbers without gaps; they are not part of it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Dict, Iterator, List, Set, Tuple, Type

from django.core.exceptions import ValidationError
from django.db import models, transaction
from django.db.models import QuerySet
from django.utils import timezone

from accounts.roles import Right
from audit.actor import Actor
from audit.models import AuditEntry
from audit.services import record
from clinic.models import (
    Appointment,
    Attachment,
    Owner,
    Pet,
    Phone,
    Prescription,
    Reminder,
    ReminderNotice,
    Vaccination,
    Visit,
    VisitAmendment,
    Weighing,
)
from clinic.services import records
from clinic.services.reminders import refresh_reminder

BACKUP = "backup"
UNCOMPARED = {"id", "version", "updated_at", "search_name", "search_contact"}
UNREADABLE = {"content"}


@dataclass
class Finding:
    """A row of the backup that is not as it is in the clinic. `obstacle` says why it cannot go back."""

    row: models.Model
    missing: bool
    changes: Dict[str, List[Any]] = field(default_factory=dict)
    obstacle: str = ""

    def __str__(self) -> str:
        name = f"{self.row._meta.verbose_name} {self.row.pk} ({self.row})"
        if self.obstacle:
            return f"blocked  {name}: {self.obstacle}"
        if self.missing:
            return f"missing  {name}"
        readable = ", ".join(
            f"{key} is {now!r}, was {then!r}" for key, (now, then) in self.changes.items() if key not in UNREADABLE
        )
        return f"changed  {name}: {readable or 'its content'}"

    def readable_changes(self) -> Dict[str, List[Any]]:
        """The changes that people can read."""
        return {name: both for name, both in self.changes.items() if name not in UNREADABLE}


def compare(pet_id: int) -> List[Finding]:
    """Everything in the backup's record of a pet that is missing or different now. Raises Pet.DoesNotExist."""
    pet = Pet.objects.using(BACKUP).select_related("owner").get(pk=pet_id)
    findings: List[Finding] = []
    returning: Set[Tuple[Type[models.Model], Any]] = set()
    for rows, only_missing in _parts(pet):
        known = rows.model._default_manager.in_bulk([row.pk for row in rows])
        for row in rows:
            finding = _finding(row, known.get(row.pk), returning)
            if finding.missing and not finding.obstacle:
                returning.add((type(row), row.pk))
            if finding.missing or (finding.changes and not only_missing):
                findings.append(finding)
    return findings


def recover(actor: Actor, pet_id: int, reason: str, *, changed: bool = False) -> List[Finding]:
    """Put back what is missing and, with `changed`, the old values of what differs; returns what was done.

    All or nothing: raises ValidationError with every obstacle before anything is written. Each row is audited.
    """
    actor.require(Right.MANAGE)
    reason = records.require_reason("reason", reason)
    with transaction.atomic():
        Pet.objects.select_for_update().filter(pk=pet_id).first()
        findings = [finding for finding in compare(pet_id) if finding.missing or finding.obstacle or changed]
        obstacles = [str(finding) for finding in findings if finding.obstacle]
        if obstacles:
            raise ValidationError(obstacles)
        for finding in findings:
            if finding.missing:
                _put_back(finding.row, reason)
            else:
                _set_back(finding)
            changes = {
                "reason": [None, reason],
                **{name: both for name, both in finding.changes.items() if name not in UNREADABLE},
            }
            record(actor, AuditEntry.Action.RECOVER, finding.row, changes)
        if findings:
            _refresh_reminders(actor, pet_id)
    return findings


def _parts(pet: Pet) -> Iterator[Tuple[QuerySet[Any], bool]]:
    """The rows of a record, each kind after those it points at; True for what is only looked at where it is missing."""
    yield Owner.objects.using(BACKUP).filter(pk=pet.owner_id), True
    if not Owner.objects.filter(pk=pet.owner_id).exists():
        yield Phone.objects.using(BACKUP).filter(owner=pet.owner_id), True
    yield Pet.objects.using(BACKUP).filter(pk=pet.pk), False
    for model in (Appointment, Visit, Vaccination, Attachment, Weighing):
        yield model._default_manager.using(BACKUP).filter(pet=pet.pk), False
    yield VisitAmendment.objects.using(BACKUP).filter(visit__pet=pet.pk), False
    yield Prescription.objects.using(BACKUP).filter(visit__pet=pet.pk), False
    # Reminders follow from vaccinations; only the history of those that are closed is worth anything.
    closed = Reminder.objects.using(BACKUP).filter(pet=pet.pk).exclude(status=Reminder.Status.PENDING)
    yield closed, True
    yield ReminderNotice.objects.using(BACKUP).filter(reminder__in=closed), True


def _finding(row: models.Model, now: Any, returning: Set[Tuple[Type[models.Model], Any]]) -> Finding:
    if now is None:
        return Finding(row, missing=True, obstacle=_lost_relation(row, returning))
    if getattr(now, "created_at", None) != getattr(row, "created_at", None):
        return Finding(row, missing=True, obstacle="this number belongs to another record now")
    changes = {}
    for column in row._meta.concrete_fields:
        old, new = column.value_from_object(row), column.value_from_object(now)
        if isinstance(old, memoryview):
            old, new = bytes(old), bytes(new)
        if column.name not in UNCOMPARED and old != new:
            changes[column.name] = [new, old]
    return Finding(row, missing=False, changes=changes)


def _lost_relation(row: models.Model, returning: Set[Tuple[Type[models.Model], Any]]) -> str:
    for column in row._meta.concrete_fields:
        target = column.related_model
        key = column.value_from_object(row)
        if column.is_relation and key is not None and isinstance(target, type):
            known = (target, key) in returning or target._default_manager.filter(pk=key).exists()
            if not known:
                return f"it names {target._meta.verbose_name} {key}, who or which is not in the clinic any more"
    return ""


def _put_back(row: models.Model, reason: str) -> None:
    """Insert the row as it was, number and times included. An appointment whose time is taken now is double booked."""
    if isinstance(row, Appointment) and row.status not in Appointment.FREE:
        same_time = Appointment.objects.occupying().filter(
            vet=row.vet_id, starts_at__lt=row.ends_at, ends_at__gt=row.starts_at
        )
        if same_time.exists():
            row.overbooked, row.overbook_reason = True, reason
    row._state.adding, row._state.db = True, None
    row.save_base(raw=True, using="default", force_insert=True)


def _set_back(finding: Finding) -> None:
    """Write the old values over the new ones, below the guards of locked records, as the next version."""
    model = type(finding.row)
    values: Dict[str, Any] = {name: then for name, (_now, then) in finding.changes.items()}
    values = {model._meta.get_field(name).attname: value for name, value in values.items()}  # type: ignore[union-attr]
    if hasattr(finding.row, "updated_at"):
        values["updated_at"] = timezone.now()
    if hasattr(finding.row, "version"):
        values["version"] = models.F("version") + 1
    model._default_manager.filter(pk=finding.row.pk).update(**values)


def _refresh_reminders(actor: Actor, pet_id: int) -> None:
    pet = Pet.objects.get(pk=pet_id)
    for group in pet.vaccinations.order_by().values_list("vaccine__group", flat=True).distinct():
        refresh_reminder(actor, pet, group)
