"""Counting the till."""

from __future__ import annotations

from decimal import Decimal

from django import forms
from django.utils.translation import gettext_lazy as _

from web.forms.base import AmountField, ClinicForm


class CountForm(ClinicForm):
    """What the till held in the morning and in the evening; `corrects` is the count that this one replaces."""

    opening = AmountField(label=_("opening cash"), min_value=0)
    withdrawn = AmountField(label=_("bank deposit"), min_value=0, initial=Decimal(0))
    counted = AmountField(label=_("cash counted"), min_value=0)
    reason = forms.CharField(
        label=_("reason"),
        max_length=200,
        required=False,
        help_text=_("Required if the count differs from the expected amount."),
    )
    corrects = forms.IntegerField(widget=forms.HiddenInput, required=False)
