"""The clinic's own page: what its papers say about it, and who may do what with bills."""

from __future__ import annotations

from typing import Type

from django.contrib import messages
from django.forms.models import fields_for_model
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from accounts.roles import Right
from audit.actor import Actor
from clinic.models import ClinicLogo, ClinicSettings
from clinic.selectors.settings import clinic_settings
from clinic.services.settings import change_logo, change_settings
from web.forms.base import ClinicForm
from web.forms.settings import LogoForm
from web.support import data_of, form_page, needs, sensitive


@needs(Right.MANAGE)
@sensitive
def clinic_page(request: HttpRequest) -> HttpResponse:
    """Show and change the settings; before the first save they are the environment's."""
    form_class: Type[ClinicForm] = type(
        "SettingsForm", (ClinicForm,), dict(fields_for_model(ClinicSettings, fields=ClinicSettings.FIELDS))
    )
    now = clinic_settings()
    form = form_class(
        data_of(request), initial={name: getattr(now, name) for name in (*ClinicSettings.FIELDS, "version")}
    )
    if request.method == "POST" and form.is_valid():
        saved = form.attempt(change_settings, Actor.of(request), form.based_on, form.fields_given)
        if saved is not None:
            messages.success(request, _("Saved."))
            return redirect("settings")
    return form_page(
        request, form, _("Clinic"), _("Save"), reverse("today"), template="web/settings.html", logo_form=LogoForm()
    )


@require_POST
@needs(Right.MANAGE)
def logo_change(request: HttpRequest) -> HttpResponse:
    """Take a new logo, or with `remove` none."""
    form = LogoForm(request.POST, request.FILES)
    if "remove" in request.POST:
        change_logo(Actor.of(request), None)
    elif form.is_valid():
        change_logo(Actor.of(request), form.cleaned_data["file"].read(ClinicLogo.MAX_BYTES + 1))
    else:
        messages.error(request, _("Choose a file first."))
        return redirect("settings")
    messages.success(request, _("Saved."))
    return redirect("settings")


@needs(Right.VIEW)
def logo(request: HttpRequest) -> HttpResponse:
    """The logo itself; its address names the digest, so that a browser may keep it."""
    picture = get_object_or_404(ClinicLogo)
    return HttpResponse(
        bytes(picture.content), content_type=picture.content_type,
        headers={"Cache-Control": "private, max-age=31536000, immutable"},
    )  # fmt: skip
