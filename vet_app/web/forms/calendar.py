"""Forms about appointments."""

from __future__ import annotations

import hashlib
from datetime import datetime, timedelta
from datetime import timezone as fixed_zone
from typing import Any, ClassVar, Dict, Optional, Sequence, Tuple

from django import forms
from django.conf import settings
from django.utils import timezone
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from clinic.models import Appointment, Pet, Vet
from clinic.selectors.opening import doubts, usual_minutes
from web.forms.base import ClinicForm, DateInput, TimeInput

UTC = fixed_zone.utc


def lengths() -> Sequence[Tuple[int, str]]:
    """How long an appointment may be, in steps of the grid up to two hours, then half days."""
    step = settings.SLOT_MINUTES
    choices = [*range(step, 121, step), 180, 240, 480]
    return [(minutes, ngettext("%(count)d minute", "%(count)d minutes", minutes) % {"count": minutes})
            for minutes in choices]  # fmt: skip


class TimeForm(ClinicForm):
    """A stretch of a vet's time, typed as a day, a time of the clinic and a length."""

    TIME: ClassVar = frozenset({"version", "vet", "day", "time", "minutes", "override_reason", "seen"})
    control_fields: ClassVar = TIME

    doubts: Sequence[str] = ()
    """What speaks against this time, for the person to look at before it is booked all the same."""

    vet = forms.ModelChoiceField(label=_("vet"), queryset=Vet.objects.filter(active=True))
    day = forms.DateField(label=_("day"), widget=DateInput)
    time = forms.TimeField(label=_("time"), widget=TimeInput)
    minutes = forms.TypedChoiceField(label=_("length"), coerce=int, choices=lengths)
    seen = forms.CharField(widget=forms.HiddenInput, required=False)
    override_reason = forms.CharField(
        label=_("reason for double booking"), max_length=200, required=False,
        help_text=_("Only needed to double-book on purpose. It is kept in the audit trail."),
    )  # fmt: skip

    def clean(self) -> Dict[str, Any]:
        """Add `starts_at` and `ends_at`, refusing a time that the change of the clocks leaves out."""
        cleaned: Dict[str, Any] = super().clean() or {}
        if {"day", "time", "minutes"} <= cleaned.keys():
            wall = datetime.combine(cleaned["day"], cleaned["time"])
            start = timezone.make_aware(wall)
            if timezone.localtime(start.astimezone(UTC)).replace(tzinfo=None) != wall:
                self.add_error("time", gettext("This time does not exist on the day the clocks change."))
            # A length is real time, also in the night in which the clocks change.
            end = start.astimezone(UTC) + timedelta(
                minutes=cleaned["minutes"] or usual_minutes(cleaned.get("kind", ""))
            )
            self.starts_at, self.ends_at = start, timezone.localtime(end)
        return cleaned

    def gives_to_think(self, pet_id: Optional[int], moved_id: Optional[int] = None) -> bool:
        """Whether something speaks against the time that the person has not been told yet."""
        reasons = doubts(self.cleaned_data["vet"], self.starts_at, self.ends_at, pet_id=pet_id, moved_id=moved_id)
        digest = hashlib.sha256("\n".join(reasons).encode()).hexdigest()[:16]
        if not reasons or self.cleaned_data["seen"] == digest:
            return False
        self.doubts = reasons
        self.data = {**dict(self.data.items()), "seen": digest}
        return True

    @property
    def status(self) -> int:
        """A page that asks once more is no success."""
        return 409 if self.doubts else super().status

    @property
    def asks_for_override(self) -> bool:
        """Whether the field for the reason is shown: once the time was found taken."""
        taken = self.conflict is not None and self.conflict.code == "slot_taken"
        return taken or bool(self.is_bound and self.data.get("override_reason"))


class BookingForm(TimeForm):
    """A new appointment."""

    pet = forms.ModelChoiceField(
        label=_("pet"), required=False, queryset=Pet.objects.filter(merged_into=None), widget=forms.HiddenInput
    )
    client_note = forms.CharField(
        label=_("new client"), max_length=200, required=False, help_text=_("Name of a client who is not recorded yet.")
    )
    kind = forms.ChoiceField(label=_("kind"), choices=Appointment.Kind.choices)
    reason = forms.CharField(label=_("reason"), max_length=200, required=False)
    minutes = forms.TypedChoiceField(
        label=_("length"), coerce=int, empty_value=None, required=False,
        choices=lambda: [("", _("usual length for this kind")), *lengths()],
    )  # fmt: skip

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        kinds = [(kind, label) for kind, label in Appointment.Kind.choices if kind != Appointment.Kind.BLOCK]
        usual = ", ".join(f"{label} {usual_minutes(kind)}" for kind, label in kinds)
        self.fields["minutes"].help_text = gettext("Usual minutes: %(kinds)s.") % {"kinds": usual}

    def gives_to_think(self, pet_id: Optional[int] = None, moved_id: Optional[int] = None) -> bool:
        """As above, with the pet that the form names; time that is not for an animal needs no thought."""
        pet = self.cleaned_data["pet"]
        return self.cleaned_data["kind"] != Appointment.Kind.BLOCK and super().gives_to_think(pet and pet.pk, moved_id)


class DetailsForm(ClinicForm):
    """What an appointment is about."""

    client_note = forms.CharField(label=_("new client"), max_length=200, required=False)
    kind = forms.ChoiceField(label=_("kind"), choices=Appointment.Kind.choices)
    reason = forms.CharField(label=_("reason"), max_length=200, required=False)
