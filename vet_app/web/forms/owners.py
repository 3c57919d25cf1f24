"""Forms about owners."""

from __future__ import annotations

import re
from typing import Any, ClassVar, Dict, List, Set

from django import forms
from django.conf import settings
from django.utils.translation import gettext_lazy as _

from clinic.country import has_states
from clinic.models import Owner
from clinic.services.owners import EDITABLE, PhoneNumber
from web.forms.base import ClinicForm

TELEPHONE = re.compile(r"\+?[\d\s()/.-]+")
CHIP_DIGITS = 15  # as on microchips (ISO 11784); no telephone number within a country has so many


def begun_with(typed: str) -> Dict[str, str]:
    """The fields of a new owner that the words of a search give: an e-mail, a telephone number, or else a name."""
    words = " ".join(typed.split())
    if "@" in words:
        return {"email": words}
    if TELEPHONE.fullmatch(words):
        return {} if words.isdecimal() and len(words) == CHIP_DIGITS else {"phones": words}
    last, comma, first = words.partition(",")
    if not comma:
        first, _space, last = words.rpartition(" ")
    return {"last_name": last.strip(), "first_name": first.strip()}


class OwnerForm(ClinicForm):
    """An owner with telephone numbers, one a line."""

    control_fields: ClassVar = frozenset({"version", "phones", "other_than"})

    last_name = forms.CharField(label=_("last name"), max_length=80)
    first_name = forms.CharField(label=_("first name"), max_length=80, required=False)
    phones = forms.CharField(
        label=_("telephone numbers"),
        required=False,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text=_("One per line. A label may follow after a comma: 555-0142, mobile"),
    )
    email = forms.EmailField(label=_("e-mail"), required=False)
    address = forms.CharField(
        label=_("address"), max_length=500, required=False,
        widget=forms.Textarea(attrs={"rows": 2, "autocomplete": "off"}),
    )  # fmt: skip
    postal_code = forms.CharField(label=_("postal code"), max_length=12, required=False)
    city = forms.CharField(label=_("town"), max_length=80, required=False)
    state = forms.CharField(label=_("state"), max_length=40, required=False)
    contact_preference = forms.ChoiceField(label=_("prefers"), choices=Owner.Contact.choices)
    reminder_consent = forms.BooleanField(label=_("agrees to reminders"), required=False)
    notes = forms.CharField(label=_("notes"), max_length=4000, required=False, widget=forms.Textarea)
    other_than = forms.CharField(required=False, max_length=400, widget=forms.HiddenInput)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if settings.COUNTRY == "US":
            self.fields["postal_code"].label, self.fields["city"].label = _("ZIP code"), _("city")
            self.order_fields(["last_name", "first_name", "phones", "email", "address", "city", "state", "postal_code"])
        if not has_states() and not self.initial.get("state"):
            del self.fields["state"]

    @classmethod
    def of(cls, owner: Owner, data: Any) -> OwnerForm:
        """The form of an owner who is recorded."""
        names = sorted(EDITABLE)
        lines = [f"{phone.number}, {phone.label}" if phone.label else phone.number for phone in owner.phones.all()]
        initial = {name: getattr(owner, name) for name in names}
        return cls(data, initial={**initial, "version": owner.version, "phones": "\n".join(lines)})

    @property
    def owners_seen(self) -> Set[int]:
        """The numbers of the owners that were shown as alike before the person said that this is somebody else."""
        return {int(number) for number in self.cleaned_data["other_than"].split(",") if number.isdecimal()}

    @property
    def phone_numbers(self) -> List[PhoneNumber]:
        """The numbers as they were typed."""
        lines = [line.partition(",") for line in self.cleaned_data["phones"].splitlines() if line.strip()]
        return [PhoneNumber(number.strip(), label.strip()) for number, _comma, label in lines]
