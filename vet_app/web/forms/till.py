"""Counting the till."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from web.forms.base import ClinicForm


def money_field(label: Any, **options: Any) -> forms.DecimalField:
    """An amount of the clinic's currency that is not below zero."""
    widget = forms.NumberInput(attrs={"step": "0.01", "inputmode": "decimal"})
    return forms.DecimalField(
        label=label, min_value=Decimal(0), max_digits=12, decimal_places=2, widget=widget, **options
    )


class CountForm(ClinicForm):
    """What the till held in the morning and in the evening; `corrects` is the count that this one replaces."""

    opening = money_field(_("in the till in the morning"))
    withdrawn = money_field(_("carried to the bank"), initial=Decimal(0))
    counted = money_field(_("counted in the evening"))
    reason = forms.CharField(
        label=_("reason"), max_length=200, required=False, help_text=_("Needed where the till does not agree.")
    )
    corrects = forms.IntegerField(widget=forms.HiddenInput, required=False)
