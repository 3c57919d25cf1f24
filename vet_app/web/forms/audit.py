"""The filters of the audit trail."""

from __future__ import annotations

from typing import Any, Dict, List, Tuple

from django import forms
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from audit.models import AuditEntry
from clinic.selectors.days import days_between
from web.audit_display import RECORDS
from web.forms.base import ClinicForm, DateInput


def _kinds() -> List[Tuple[str, Any]]:
    return [("", _("all")), *sorted(RECORDS.items(), key=lambda item: str(item[1]))]


class AuditFilter(ClinicForm):
    """Who, what, to which record, between which days; empty fields ask for everything."""

    actor = forms.CharField(label=_("who"), max_length=150, required=False)
    action = forms.ChoiceField(label=_("action"), choices=[("", _("all")), *AuditEntry.Action.choices], required=False)
    kind = forms.ChoiceField(label=_("record"), choices=_kinds, required=False)
    number = forms.CharField(label=_("number"), max_length=40, required=False)
    since = forms.DateField(label=_("from"), widget=DateInput, required=False)
    until = forms.DateField(label=_("to"), widget=DateInput, required=False)

    @property
    def condition(self) -> Q:
        """What the filters ask for, the days as the clinic's clock has them."""
        given: Dict[str, Any] = self.cleaned_data
        found = Q()
        if given.get("actor"):
            found &= Q(actor__icontains=given["actor"])
        for field, column in (("action", "action"), ("kind", "object_type"), ("number", "object_id")):
            if given.get(field):
                found &= Q(**{column: given[field]})
        return found & days_between("at", given.get("since"), given.get("until"))
