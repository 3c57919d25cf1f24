"""What a person sets up to log in with: an app, passkeys, codes on paper, a PIN."""

from __future__ import annotations

from typing import List

import segno
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from accounts import passkeys, second_factor
from accounts.models import Passkey, User
from accounts.services import set_pin
from audit.actor import Actor
from web.forms.login import CodeForm, NewPasskeyForm, PinForm
from web.support import data_of, form_page, sensitive


def _me(request: HttpRequest) -> User:
    return get_object_or_404(User, pk=request.user.pk)


@sensitive
def overview(request: HttpRequest) -> HttpResponse:
    """What is set up."""
    user = _me(request)
    context = {
        "app": second_factor.app_of(user), "passkeys": user.passkeys.all(),
        "paper_codes": second_factor.paper_codes_left(user), "missing": second_factor.is_missing(user),
        "has_pin": bool(user.pin), "heading": _("How you log in"),
    }  # fmt: skip
    return render(request, "web/second_factor/overview.html", context)


@sensitive
def app(request: HttpRequest) -> HttpResponse:
    """Set up an app: read the picture with it, and type its first code."""
    user = _me(request)
    device = second_factor.begun_app(user)
    form = CodeForm(data_of(request))
    if form.is_valid():
        codes = form.attempt(second_factor.confirm_app, Actor.of(request), user, form.cleaned_data["code"])
        if codes is not None:
            return _paper(request, codes)
    picture = segno.make(device.config_url, error="m").svg_data_uri(scale=5, border=2)
    key = device.bin_key
    context = {"picture": picture, "key": _spoken(key)}
    return form_page(
        request, form, _("Set up an app"), _("It is set up"), reverse("second_factor"),
        template="web/second_factor/app.html", **context,
    )  # fmt: skip


def _spoken(key: bytes) -> str:
    """The secret as people type it, in groups of four."""
    from base64 import b32encode

    text = b32encode(key).decode().rstrip("=")
    return " ".join(text[at : at + 4] for at in range(0, len(text), 4))


def _paper(request: HttpRequest, codes: List[str]) -> HttpResponse:
    """Codes to keep on paper, on the page that answers the POST and nowhere else."""
    return render(request, "web/second_factor/paper.html", {"codes": codes, "heading": _("Your backup codes")})


@require_POST
@sensitive
def paper(request: HttpRequest) -> HttpResponse:
    """New codes for paper."""
    return _paper(request, second_factor.new_paper_codes(Actor.of(request), _me(request)))


@sensitive
def passkey(request: HttpRequest) -> HttpResponse:
    """Create a passkey."""
    user = _me(request)
    form = NewPasskeyForm(data_of(request))
    if form.is_valid():
        cleaned = form.cleaned_data
        added = form.attempt(passkeys.add, Actor.of(request), request, user, cleaned["name"], cleaned["credential"])
        if added is not None:
            messages.success(request, _("The passkey %(name)s is set up.") % {"name": added.name})
            return redirect("second_factor")
    return form_page(
        request, form, _("Create a passkey"), _("Create a passkey"), reverse("second_factor"),
        template="web/second_factor/passkey.html", options=passkeys.creation_options(request, user),
    )  # fmt: skip


@require_POST
@sensitive
def passkey_remove(request: HttpRequest, pk: int) -> HttpResponse:
    """Forget a passkey of one's own."""
    credential = get_object_or_404(Passkey, pk=pk, user=request.user.pk)
    second_factor.remove_passkey(Actor.of(request), credential)
    messages.success(request, _("The passkey %(name)s is removed.") % {"name": credential.name})
    return redirect("second_factor")


@require_POST
@sensitive
def remove(request: HttpRequest) -> HttpResponse:
    """Log in with the password alone from now on."""
    second_factor.remove(Actor.of(request), _me(request))
    messages.success(request, _("You now log in with the password alone."))
    return redirect("second_factor")


@sensitive
def pin(request: HttpRequest) -> HttpResponse:
    """Choose a PIN, or none."""
    user = _me(request)
    form = PinForm(data_of(request))
    if form.is_valid():
        form.attempt(set_pin, Actor.of(request), user, form.cleaned_data["pin"])
        if not form.errors:
            messages.success(request, _("Saved."))
            return redirect("second_factor")
    return form_page(request, form, _("Your PIN"), _("Save"), reverse("second_factor"))
