"""The span of days that the takings are asked for."""

from __future__ import annotations

from datetime import date
from typing import Any, Dict, Tuple

from django import forms
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from web.forms.base import ClinicForm, DateInput

LONGEST = 366  # days; a year's bills are read one by one, because tax is rounded by bill


class SpanForm(ClinicForm):
    """From one day to another, both included."""

    since = forms.DateField(label=_("from"), widget=DateInput)
    until = forms.DateField(label=_("to"), widget=DateInput)

    @classmethod
    def of(cls, query: Any) -> SpanForm:
        """The form of a page's query; what it does not name is today."""
        today = timezone.localdate().isoformat()
        return cls({name: query.get(name) or today for name in ("since", "until")})

    @property
    def days(self) -> Tuple[date, date]:
        """The first and the last day of a form that is valid."""
        return self.cleaned_data["since"], self.cleaned_data["until"]

    def clean(self) -> Dict[str, Any]:
        """The days are in order, and at most a year apart."""
        since, until = self.cleaned_data.get("since"), self.cleaned_data.get("until")
        if since and until and since > until:
            self.add_error("until", _("The last day is before the first."))
        elif since and until and (until - since).days >= LONGEST:
            self.add_error("until", _("The span can be one year at most."))
        return self.cleaned_data
