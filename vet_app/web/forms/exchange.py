"""The form that takes a CSV file."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from exchange.importing import MOST_BYTES
from exchange.models import ImportFile
from web.forms.base import ClinicForm


class ImportForm(ClinicForm):
    """A file and how to read it."""

    file = forms.FileField(
        label=_("CSV file"),
        widget=forms.FileInput(attrs={"accept": ".csv,.txt,text/csv"}),
        help_text=_("At most 2 MB and 5000 rows. Saved by Excel, LibreOffice or another program of a clinic."),
        allow_empty_file=True,  # the service says it in its own words
    )
    dates = forms.ChoiceField(
        label=_("dates"),
        choices=ImportFile.Dates.choices,
        help_text=_("How 03/04/2024 is meant. Dates such as 2024-04-03 and 3.4.2024 are always understood."),
    )
    duplicates = forms.ChoiceField(
        label=_("possible duplicates"),
        choices=ImportFile.Duplicates.choices,
        help_text=_("Owners who look like somebody recorded already."),
    )

    def clean_file(self) -> Any:
        """Refuse what is too large before it is read into memory."""
        file = self.cleaned_data["file"]
        if file.size > MOST_BYTES:
            raise forms.ValidationError(_("This file is larger than 2 MB. Import it in several parts."))
        return file
