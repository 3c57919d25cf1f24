"""Forms of logging in: a second step, a locked screen, a password that was forgotten, a PIN."""

from __future__ import annotations

from typing import Any, List

from django import forms
from django.contrib.auth.forms import AuthenticationForm
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from accounts.models import Passkey, User
from web.forms.base import ClinicForm


class ClinicLoginForm(AuthenticationForm):
    """User name and password, with a word about the throttle when it is closed."""

    def get_invalid_login_error(self) -> forms.ValidationError:
        """The usual error, or that one has to wait."""
        if getattr(self.request, "login_blocked", False):
            return forms.ValidationError(
                gettext("Too many failed attempts. Please wait 15 minutes or ask a manager."), code="blocked"
            )
        return super().get_invalid_login_error()


class CodeForm(ClinicForm):
    """A code of an app, or one that was kept on paper."""

    code = forms.CharField(
        label=_("code"), max_length=16,
        widget=forms.TextInput(attrs={"autocomplete": "one-time-code", "inputmode": "text", "autofocus": True}),
    )  # fmt: skip


class AnswerForm(ClinicForm):
    """What the browser answers with a passkey; passkeys.js fills it in and sends it."""

    credential = forms.CharField(widget=forms.HiddenInput, max_length=20_000)


class NewPasskeyForm(AnswerForm):
    """A new passkey and what to call it."""

    name = forms.CharField(
        label=_("name"), max_length=Passkey._meta.get_field("name").max_length, help_text=_("For example: my phone.")
    )


class UnlockForm(ClinicForm):
    """Who is there now, and the PIN or password."""

    person = forms.TypedChoiceField(label=_("who is there?"), coerce=int, widget=forms.RadioSelect)
    secret = forms.CharField(
        label=_("PIN or password"), strip=False, max_length=128,
        widget=forms.PasswordInput(attrs={"autocomplete": "current-password", "autofocus": True}),
    )  # fmt: skip

    def __init__(self, people: List[User], *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        choice: Any = self.fields["person"]
        choice.choices = [(person.pk, person.display_name) for person in people]


class ConfirmForm(ClinicForm):
    """The password, once more."""

    confirm_password = forms.CharField(
        label=_("your password"), strip=False, max_length=128,
        widget=forms.PasswordInput(attrs={"autocomplete": "current-password", "autofocus": True}),
    )  # fmt: skip


class ForgottenForm(ClinicForm):
    """Who has forgotten the password."""

    who = forms.CharField(
        label=_("user name or e-mail"), max_length=254, widget=forms.TextInput(attrs={"autocomplete": "username"})
    )


class PinForm(ClinicForm):
    """A PIN."""

    pin = forms.CharField(
        label=_("PIN"), max_length=8, required=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "off", "inputmode": "numeric"}),
        help_text=_(
            "Four to eight digits. It unlocks a screen where you have logged in. Empty: only the password does."
        ),
    )  # fmt: skip
