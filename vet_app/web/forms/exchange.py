"""The forms that take a file, and say how its letters are read."""

from __future__ import annotations

from typing import Any, Dict, Mapping, Sequence

from django import forms
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from clinic.normalization import fold
from exchange.columns import plain
from exchange.csv_in import Table
from exchange.importing import MOST_BYTES
from exchange.mapping import Words
from exchange.models import ImportFile
from web.forms.base import ClinicForm


class ImportForm(ClinicForm):
    """A file and how to read it."""

    file = forms.FileField(
        label=_("CSV file or Excel workbook"),
        widget=forms.FileInput(attrs={"accept": ".csv,.txt,.xlsx,text/csv"}),
        help_text=_("Up to 2 MB and 5000 rows, saved from Excel, LibreOffice or another practice program."),
        allow_empty_file=True,  # the service says it in its own words
    )
    kind = forms.ChoiceField(label=_("content"), choices=ImportFile.Kind.choices, required=False)
    dates = forms.ChoiceField(
        label=_("dates"),
        choices=ImportFile.Dates.choices,
        help_text=_("How to read 03/04/2024. Dates such as 2024-04-03 and 3.4.2024 are always understood."),
    )
    duplicates = forms.ChoiceField(
        label=_("possible duplicates"),
        choices=ImportFile.Duplicates.choices,
        help_text=_("Owners who look like an existing owner."),
    )

    def clean_file(self) -> Any:
        """Refuse what is too large before it is read into memory."""
        file = self.cleaned_data["file"]
        if file.size > MOST_BYTES:
            raise forms.ValidationError(_("This file is larger than 2 MB. Import it in several parts."))
        return file


class MappingForm(ClinicForm):
    """Which column each heading of a file means, and what words in it mean that nobody here knows."""

    def __init__(self, table: Table, unknown: Sequence[Words], *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.headings = table.headings()
        samples, choices = table.samples(), [("", _("– not used –")), *table.choices()]
        for number, heading in enumerate(self.headings):
            column = table.column_of(heading)
            shown = ", ".join(samples[heading])[:80]
            self.fields[f"heading_{number}"] = forms.ChoiceField(
                label=heading or gettext("Column %(number)d") % {"number": number + 1}, choices=choices, required=False,
                initial=column.key if column else "", help_text=shown,
            )  # fmt: skip
        self.words = [(each.column.key, word) for each in unknown for word in each.words]
        offered = {each.column.key: each for each in unknown}
        for number, (key, word) in enumerate(self.words):
            self.fields[f"word_{number}"] = forms.ChoiceField(
                label=f"{offered[key].column.heading}: {word}", required=False,
                choices=[("", _("– leave unchanged –")), *offered[key].choices],
            )  # fmt: skip

    def clean(self) -> Dict[str, Any]:
        """Refuse two headings that would mean the same."""
        cleaned = super().clean() or {}
        seen: Dict[str, str] = {}
        for number, heading in enumerate(self.headings):
            key = cleaned.get(f"heading_{number}")
            if key and key in seen:
                message = gettext("“%(other)s” is already mapped to this field.") % {"other": seen[key]}
                self.add_error(f"heading_{number}", message)
            elif key:
                seen[key] = heading
        return cleaned

    def mapping(self, before: Mapping[str, Any]) -> Dict[str, Any]:
        """What was chosen, with the words of which was said earlier what they mean."""
        cleaned = self.cleaned_data
        columns = {plain(heading): cleaned[f"heading_{number}"] for number, heading in enumerate(self.headings)}
        values = {key: dict(words) for key, words in before.get("values", {}).items()}
        for number, (key, word) in enumerate(self.words):
            if cleaned[f"word_{number}"]:
                values.setdefault(key, {})[fold(word)] = cleaned[f"word_{number}"]
        return {"columns": columns, "values": values}


class EncodingForm(ClinicForm):
    """How the letters of a file are read."""

    encoding = forms.ChoiceField(label=_("character encoding"), choices=ImportFile.Encoding.choices, required=False)
