"""Everything recorded about one pet, for its page, the printed record and the API."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import List, Optional

from clinic.models import Appointment, Attachment, Pet, Prescription, Reminder, Vaccination, Visit


@dataclass(frozen=True)
class History:
    """A pet's records, the newest first; visits and vaccinations include those entered in error, marked as such."""

    visits: List[Visit]
    vaccinations: List[Vaccination]
    prescriptions: List[Prescription]
    appointments: List[Appointment]
    reminders: List[Reminder]
    attachments: List[Attachment]

    def for_others(self) -> History:
        """Without visits that were taken back: what they tell may be of another animal."""
        return replace(self, visits=[visit for visit in self.visits if not visit.entered_in_error])


@dataclass(frozen=True)
class Before:
    """What whoever examines or prescribes wants to know of the time before: the last visit, and the last weight."""

    visit: Optional[Visit]
    weighed: Optional[Visit]


def before(pet: Pet, visit: Optional[Visit] = None) -> Before:
    """The pet's last visit, and its last with a weight, in two queries; those before `visit` where it is given."""
    known = pet.visits.filter(entered_in_error=False)
    earlier = known if visit is None else known.filter(at__lt=visit.at)
    return Before(visit=earlier.first(), weighed=known.exclude(weight_kg=None).first())


def history(pet: Pet) -> History:
    """Read a pet's records in six queries. Whoever shows them checks READ_NOTES for the notes of visits."""
    return History(
        visits=list(pet.visits.select_related("vet").prefetch_related("amendments")),
        vaccinations=list(pet.vaccinations.select_related("vaccine", "vet")),
        prescriptions=list(Prescription.objects.filter(visit__pet=pet).select_related("visit__vet")),
        appointments=list(pet.appointments.select_related("vet").order_by("-starts_at")),
        reminders=list(pet.reminders.filter(status=Reminder.Status.PENDING).select_related("vaccination__vaccine")),
        attachments=list(Attachment.objects.listed().filter(pet=pet)),
    )
