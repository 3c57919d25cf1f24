"""Everything recorded about one pet, for its page, the printed record and the API."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, datetime
from decimal import Decimal
from typing import List, NamedTuple, Optional, Union

from clinic.models import Appointment, Attachment, Pet, Prescription, Reminder, Vaccination, Visit, Weighing
from clinic.selectors.calendar import bounds


class Weight(NamedTuple):
    """A weight that counts, in kilograms; `weighing` is None where it is of a visit."""

    at: datetime
    weight_kg: Decimal
    weighing: Optional[Weighing] = None


@dataclass(frozen=True)
class History:
    """A pet's records, the newest first; visits and vaccinations include those entered in error, marked as such."""

    visits: List[Visit]
    vaccinations: List[Vaccination]
    prescriptions: List[Prescription]
    appointments: List[Appointment]
    reminders: List[Reminder]
    attachments: List[Attachment]
    weighings: List[Weighing]

    @property
    def weights(self) -> List[Weight]:
        """Weights of visits and those taken without one, the newest first, without what was entered in error."""
        weights = [Weight(each.at, each.weight_kg, each) for each in self.weighings]
        weights += [
            Weight(each.at, each.weight_kg)
            for each in self.visits
            if each.weight_kg is not None and not each.entered_in_error
        ]
        return sorted(weights, key=lambda each: each.at, reverse=True)

    def for_others(self) -> History:
        """Without visits and files that were taken back: what they tell may be of another animal."""
        return replace(
            self,
            visits=[visit for visit in self.visits if not visit.entered_in_error],
            attachments=[each for each in self.attachments if not each.entered_in_error],
        )


@dataclass(frozen=True)
class Before:
    """What an examining or prescribing person needs from earlier visits: the last visit, and the last weight."""

    visit: Optional[Visit]
    weighed: Optional[Union[Visit, Weighing]]


def before(pet: Pet, visit: Optional[Visit] = None) -> Before:
    """The pet's last visit, before `visit` where it is given, and its last weight; in three queries."""
    known = pet.visits.filter(entered_in_error=False)
    earlier = known if visit is None else known.filter(at__lt=visit.at)
    return Before(visit=earlier.first(), weighed=last_weighed(pet))


def last_weighed(pet: Pet, until: Optional[date] = None) -> Optional[Union[Visit, Weighing]]:
    """What has the pet's last weight that counts, up to the end of a day where it is given."""
    candidates: List[Union[Visit, Weighing]] = []
    for rows in (pet.visits.exclude(weight_kg=None), pet.weighings.all()):
        counting = rows.filter(entered_in_error=False)
        candidates += (counting if until is None else counting.filter(at__lt=bounds(until)[1]))[:1]
    return max(candidates, key=lambda each: each.at, default=None)


def history(pet: Pet) -> History:
    """Read a pet's records, each kind in one query. The caller checks READ_NOTES for the notes of visits."""
    return History(
        visits=list(pet.visits.select_related("vet").prefetch_related("amendments")),
        vaccinations=list(pet.vaccinations.select_related("vaccine", "vet")),
        prescriptions=list(Prescription.objects.filter(visit__pet=pet).select_related("visit__vet")),
        appointments=list(pet.appointments.select_related("vet").order_by("-starts_at")),
        reminders=list(pet.reminders.filter(status=Reminder.Status.PENDING).select_related("vaccination__vaccine")),
        attachments=list(Attachment.objects.listed().filter(pet=pet)),
        weighings=list(pet.weighings.filter(entered_in_error=False)),
    )
