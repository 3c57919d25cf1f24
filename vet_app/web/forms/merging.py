"""The last question before two records become one."""

from __future__ import annotations

from typing import Any, Sequence

from django import forms
from django.utils.translation import gettext_lazy as _

from web.forms.base import ClinicForm


class MergeForm(ClinicForm):
    """Which of two records stays; the other is hidden and everything of it moves."""

    keep = forms.TypedChoiceField(label=_("Which record do you keep?"), coerce=int, widget=forms.RadioSelect)

    def __init__(self, *args: Any, records: Sequence[Any], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.records = {record.pk: record for record in records}
        choices = [(record.pk, f"{record} · {_('no.')} {record.pk}") for record in records]
        self.fields["keep"].choices = choices  # type: ignore[attr-defined]
        self.fields["keep"].initial = min(self.records)

    @property
    def kept_and_hidden(self) -> Any:
        """The ids of the record that stays and of the one that is hidden."""
        keep = self.cleaned_data["keep"]
        return keep, next(pk for pk in self.records if pk != keep)
