"""The clinic's logo."""

from __future__ import annotations

from django import forms
from django.utils.translation import gettext_lazy as _

from web.forms.base import ClinicForm


class LogoForm(ClinicForm):
    """A picture from the computer in front of the person."""

    file = forms.FileField(
        label=_("logo"), help_text=_("PNG or JPEG, up to 256 KB. Printed at the head of papers."),
        widget=forms.FileInput(attrs={"accept": "image/png,image/jpeg"}),
    )  # fmt: skip
