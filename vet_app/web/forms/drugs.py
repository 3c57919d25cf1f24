"""A line of the log of controlled drugs."""

from __future__ import annotations

from typing import Any, ClassVar, Dict

from django import forms
from django.contrib.auth import authenticate
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from clinic.models import DrugEntry
from web.forms.base import ClinicForm, offer


class DrugEntryForm(ClinicForm):
    """What came in or went out; the witness confirms it with the own password."""

    control_fields: ClassVar = frozenset({"version", "password", "prescription"})

    kind = forms.ChoiceField(label=_("what"), choices=DrugEntry.Kind.choices, initial=DrugEntry.Kind.DISPENSED)
    quantity = forms.DecimalField(
        label=_("quantity"), max_digits=10, decimal_places=4, min_value=0,
        help_text=_("For a count, enter the amount on hand."),
    )  # fmt: skip
    whom = forms.CharField(
        label=_("from whom or for whom"), max_length=300, required=False,
        help_text=_("The supplier with address and DEA number, or the animal with owner and address."),
    )  # fmt: skip
    reference = forms.CharField(
        label=_("reference"), max_length=80, required=False, help_text=_("Such as the number of the order form.")
    )
    reason = forms.CharField(
        label=_("reason"), max_length=200, required=False, help_text=_("For waste, and for a count that differs.")
    )
    witness = forms.ModelChoiceField(
        label=_("witness"), queryset=User.objects.none(), required=False,
        help_text=_("For waste, and for a count that differs."),
    )  # fmt: skip
    password = forms.CharField(
        label=_("password of the witness"), required=False, strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "off"}),
    )  # fmt: skip
    prescription = forms.IntegerField(widget=forms.HiddenInput, required=False, min_value=1, max_value=2**63 - 1)

    def __init__(self, request: HttpRequest, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.request = request
        offer(self, "witness", User.objects.filter(is_active=True).exclude(pk=request.user.pk or 0))

    def clean(self) -> Dict[str, Any]:
        """The witness is who says so: the same throttle as at the log-in counts wrong passwords."""
        cleaned: Dict[str, Any] = super().clean() or {}
        witness = cleaned.get("witness")
        if witness is not None:
            user = authenticate(self.request, username=witness.username, password=cleaned.get("password", ""))
            if user is None or user.pk != witness.pk:
                self.add_error("password", _("This is not the password of the witness."))
        return cleaned
