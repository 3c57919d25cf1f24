"""Forms about reminders."""

from __future__ import annotations

from datetime import date

from django import forms
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from clinic.selectors import reminders
from web.forms.base import ClinicForm, DateInput


def horizon() -> date:
    """The last day whose reminders have reached their first stage today."""
    return reminders.horizon(timezone.localdate())


class DueForm(ClinicForm):
    """Which reminders: all that are due by a day."""

    until = forms.DateField(label=_("due by"), widget=DateInput)

    @property
    def day(self) -> date:
        """The day that was asked for; the first stage's horizon where none, or none that can be read, was given."""
        return self.cleaned_data["until"] if self.is_bound and self.is_valid() else horizon()
