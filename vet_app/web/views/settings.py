"""The clinic's own page: what its papers say about it, and who may do what with bills."""

from __future__ import annotations

from typing import Type

from django.contrib import messages
from django.forms.models import fields_for_model
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext as _

from accounts.roles import Right
from audit.actor import Actor
from clinic.models import ClinicSettings
from clinic.selectors.settings import clinic_settings
from clinic.services.settings import change_settings
from web.forms.base import ClinicForm
from web.support import data_of, form_page, needs


@needs(Right.MANAGE)
def clinic_page(request: HttpRequest) -> HttpResponse:
    """Show and change the settings; before the first save they are the environment's."""
    made: Type[ClinicForm] = type(
        "SettingsForm", (ClinicForm,), dict(fields_for_model(ClinicSettings, fields=ClinicSettings.FIELDS))
    )
    now = clinic_settings()
    form = made(data_of(request), initial={name: getattr(now, name) for name in (*ClinicSettings.FIELDS, "version")})
    if request.method == "POST" and form.is_valid():
        saved = form.attempt(change_settings, Actor.of(request), form.based_on, form.fields_given)
        if saved is not None:
            messages.success(request, _("Saved."))
            return redirect("settings")
    return form_page(request, form, _("Clinic"), _("Save"), reverse("today"))
