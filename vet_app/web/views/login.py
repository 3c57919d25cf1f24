"""Logging in."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib.auth.forms import AuthenticationForm
from django.contrib.auth.views import LoginView
from django.http import HttpResponse
from django.utils.translation import gettext as _

from accounts.middleware import public


class ClinicLoginForm(AuthenticationForm):
    """User name and password, with a word about the throttle when it is closed."""

    def get_invalid_login_error(self) -> forms.ValidationError:
        """The usual error, or that one has to wait."""
        if getattr(self.request, "login_blocked", False):
            return forms.ValidationError(
                _("Too many failed attempts. Please wait 15 minutes or ask a manager."), code="blocked"
            )
        return super().get_invalid_login_error()


class ClinicLoginView(LoginView):
    """The log-in page."""

    template_name = "web/login.html"
    authentication_form = ClinicLoginForm
    redirect_authenticated_user = True

    def form_invalid(self, form: Any) -> HttpResponse:
        """The page again, with status 429 while the throttle is closed."""
        response = super().form_invalid(form)
        if getattr(self.request, "login_blocked", False):
            response.status_code = 429
        return response

    @classmethod
    def as_view(cls, **initkwargs: Any) -> Any:
        """The view, marked as open to everybody."""
        return public(super().as_view(**initkwargs))
