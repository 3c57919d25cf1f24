"""Forms about appointments."""

from __future__ import annotations

from datetime import datetime, timedelta
from datetime import timezone as fixed_zone
from typing import Any, ClassVar, Dict, Sequence, Tuple

from django import forms
from django.conf import settings
from django.utils import timezone
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from clinic.models import Appointment, Pet, Vet
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

    TIME: ClassVar = frozenset({"version", "vet", "day", "time", "minutes", "override_reason"})
    control_fields: ClassVar = TIME

    vet = forms.ModelChoiceField(label=_("vet"), queryset=Vet.objects.filter(active=True))
    day = forms.DateField(label=_("day"), widget=DateInput)
    time = forms.TimeField(label=_("time"), widget=TimeInput)
    minutes = forms.TypedChoiceField(label=_("length"), coerce=int, choices=lengths)
    override_reason = forms.CharField(
        label=_("reason for double booking"), max_length=200, required=False,
        help_text=_("Fill this in only to book the time twice on purpose; it is kept in the audit trail."),
    )  # fmt: skip

    def clean(self) -> Dict[str, Any]:
        """Add `starts_at` and `ends_at`, refusing a time that the change of the clocks leaves out."""
        given: Dict[str, Any] = super().clean() or {}
        if {"day", "time", "minutes"} <= given.keys():
            wall = datetime.combine(given["day"], given["time"])
            start = timezone.make_aware(wall)
            if timezone.localtime(start.astimezone(UTC)).replace(tzinfo=None) != wall:
                self.add_error("time", gettext("This time does not exist on the day the clocks change."))
            self.starts_at, self.ends_at = start, start + timedelta(minutes=given["minutes"])
        return given

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
        label=_("new client"), max_length=200, required=False, help_text=_("Who is coming, if not recorded yet.")
    )
    kind = forms.ChoiceField(label=_("kind"), choices=Appointment.Kind.choices)
    reason = forms.CharField(label=_("reason"), max_length=200, required=False)


class DetailsForm(ClinicForm):
    """What an appointment is about."""

    client_note = forms.CharField(label=_("new client"), max_length=200, required=False)
    kind = forms.ChoiceField(label=_("kind"), choices=Appointment.Kind.choices)
    reason = forms.CharField(label=_("reason"), max_length=200, required=False)
