"""Forms about the people of the clinic, their passwords and their API tokens."""

from __future__ import annotations

from typing import Any, ClassVar, Dict

from django import forms
from django.conf import settings
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from accounts.roles import Role
from web.forms.base import ClinicForm

PERSON = ("first_name", "last_name", "email", "role", "is_active")


class NewPersonForm(ClinicForm):
    """Somebody who joins; the password is made by the machine."""

    control_fields: ClassVar = frozenset({"version", "username", "role"})

    username = forms.CharField(
        label=_("user name"), max_length=150, help_text=_("No spaces, for example ada. It cannot be changed later.")
    )
    first_name = forms.CharField(label=_("first name"), max_length=150, required=False)
    last_name = forms.CharField(label=_("last name"), max_length=150, required=False)
    email = forms.EmailField(label=_("e-mail"), required=False)
    role = forms.ChoiceField(label=_("role"), choices=Role.choices, initial=Role.RECEPTION)


class PersonForm(ClinicForm):
    """Somebody who is known."""

    first_name = forms.CharField(label=_("first name"), max_length=150, required=False)
    last_name = forms.CharField(label=_("last name"), max_length=150, required=False)
    email = forms.EmailField(label=_("e-mail"), required=False)
    role = forms.ChoiceField(label=_("role"), choices=Role.choices)
    is_active = forms.BooleanField(
        label=_("may log in"),
        required=False,
        help_text=_(
            "If unchecked, this person is logged out and their API tokens are revoked. The name stays in the records."
        ),
    )

    @classmethod
    def of(cls, person: User, data: Any) -> PersonForm:
        """The form of a person."""
        return cls(data, initial={name: getattr(person, name) for name in (*PERSON, "version")})


class TokenForm(ClinicForm):
    """A new API token."""

    name = forms.CharField(label=_("purpose"), max_length=80, help_text=_("For example: laboratory."))
    days = forms.IntegerField(label=_("valid for (days)"), min_value=1, max_value=366, initial=90)


class LanguageForm(ClinicForm):
    """The language of the pages, for one person."""

    language = forms.ChoiceField(
        label=_("language"), choices=[("", _("As the clinic")), *settings.LANGUAGES], required=False
    )


class NewPasswordForm(ClinicForm):
    """A new password, twice."""

    new = forms.CharField(
        label=_("new password"),
        strip=False,
        max_length=128,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
        help_text=_("Ten characters or more. A few unrelated words work well."),
    )
    again = forms.CharField(
        label=_("new password again"),
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
    )

    def clean(self) -> Dict[str, Any]:
        """Both new ones are the same."""
        cleaned = self.cleaned_data
        if cleaned.get("new") and cleaned.get("again") and cleaned["new"] != cleaned["again"]:
            self.add_error("again", _("The two new passwords differ."))
        return cleaned

    def take(self, problem: ValidationError) -> None:
        """What is wrong with a password belongs beside the new one."""
        self.add_error("new", problem)


class OwnPasswordForm(NewPasswordForm):
    """The present password and a new one."""

    field_order = ("old", "new", "again")

    old = forms.CharField(label=_("current password"), strip=False, widget=forms.PasswordInput)

    def __init__(self, user: User, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.user = user
        self.fields["old"].widget.attrs["autocomplete"] = "current-password"

    def clean_old(self) -> str:
        """Nobody changes the password at a screen that somebody left open."""
        old = str(self.cleaned_data["old"])
        if not self.user.check_password(old):
            raise ValidationError(_("This is not your current password."))
        return old
