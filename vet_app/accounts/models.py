"""Users with one role each, their API tokens, and the record of log-in attempts."""

from __future__ import annotations

from typing import ClassVar, FrozenSet

from django.conf import settings
from django.contrib.auth.models import AbstractUser
from django.db import models
from django.utils import timezone
from django.utils.functional import cached_property
from django.utils.translation import gettext_lazy as _

from accounts.roles import BY_SETTING, RIGHTS, Right, Role

SMOKE_TEST = "smoke-test"
"""The name of the account of the test after a deploy, which may only read and is open for as long as the test takes."""


class User(AbstractUser):
    """A member of staff. Users are deactivated, never deleted: the audit trail points at them."""

    role = models.CharField(_("role"), max_length=20, choices=Role.choices, default=Role.READONLY)
    must_change_password = models.BooleanField(_("must change password"), default=False)
    language = models.CharField(
        _("language"), max_length=10, blank=True, choices=[("", _("As the clinic")), *settings.LANGUAGES]
    )
    version = models.PositiveIntegerField(default=1, editable=False)
    pin = models.CharField(_("PIN"), max_length=128, blank=True, default="", editable=False)
    """The hash of a PIN, which unlocks a screen at which the person has logged in before; empty for none."""

    class Meta(AbstractUser.Meta):  # type: ignore[name-defined]
        ordering: ClassVar = ["username"]

    @property
    def rights(self) -> FrozenSet[Right]:
        """What the user may do; nothing while inactive, everything for a superuser."""
        if not self.is_active:
            return frozenset()
        if self.is_superuser:
            return frozenset(Right)
        return RIGHTS[self.role] | self._by_setting

    @cached_property
    def _by_setting(self) -> FrozenSet[Right]:
        """What the clinic's settings add to the role; asked once for each user that is loaded."""
        if self.role not in BY_SETTING:
            return frozenset()
        from clinic.selectors.settings import clinic_settings  # the clinic builds on accounts

        switch, rights = BY_SETTING[self.role]
        return rights if getattr(clinic_settings(), switch) else frozenset()

    @property
    def display_name(self) -> str:
        """The full name, or the user name where there is none."""
        return self.get_full_name() or self.username


class ApiToken(models.Model):
    """A token of the API. Only its SHA-256 is kept: a token has 256 random bits, so a slow hash would add nothing."""

    user = models.ForeignKey(User, on_delete=models.PROTECT, related_name="api_tokens", verbose_name=_("user"))
    name = models.CharField(_("name"), max_length=80)
    prefix = models.CharField(_("prefix"), max_length=12)
    sha256 = models.CharField(max_length=64, unique=True, editable=False)
    created_at = models.DateTimeField(_("created"), auto_now_add=True)
    expires_at = models.DateTimeField(_("expires"))
    revoked_at = models.DateTimeField(_("revoked"), null=True, blank=True)
    last_used_at = models.DateTimeField(_("last used"), null=True, blank=True)

    class Meta:
        ordering: ClassVar = ["-created_at"]
        verbose_name = _("API token")

    def __str__(self) -> str:
        return f"{self.name} ({self.prefix}…)"

    @property
    def is_valid(self) -> bool:
        """Whether the token opens the API now."""
        return self.revoked_at is None and self.expires_at > timezone.now() and self.user.is_active


class Passkey(models.Model):
    """A passkey (WebAuthn credential) of a user: a second step at log-in. Only its public half is known here."""

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="passkeys", verbose_name=_("user"))
    name = models.CharField(_("name"), max_length=80)
    credential_id = models.BinaryField(max_length=1024, unique=True)
    public_key = models.BinaryField()
    sign_count = models.PositiveBigIntegerField(default=0)
    created_at = models.DateTimeField(_("created"), auto_now_add=True)
    last_used_at = models.DateTimeField(_("last used"), null=True, blank=True)

    class Meta:
        ordering: ClassVar = ["created_at"]
        verbose_name = _("passkey")
        verbose_name_plural = _("passkeys")

    def __str__(self) -> str:
        return self.name


class LoginAttempt(models.Model):
    """One try to log in; the throttle counts these rows, so it holds for all replicas together."""

    class Outcome(models.TextChoices):
        """How the try ended. It starts as failed, so that parallel tries count one another."""

        FAILED = "failed", _("Failed")
        BLOCKED = "blocked", _("Blocked")
        OK = "ok", _("Succeeded")

    username = models.CharField(_("user name"), max_length=150)
    ip = models.CharField(_("address"), max_length=45, blank=True)
    at = models.DateTimeField(_("at"), default=timezone.now)
    outcome = models.CharField(_("outcome"), max_length=10, choices=Outcome.choices, default=Outcome.FAILED)

    class Meta:
        indexes: ClassVar = [
            models.Index(fields=["username", "at"], name="login_attempt_username"),
            models.Index(fields=["ip", "at"], name="login_attempt_ip"),
        ]
        verbose_name = _("log-in attempt")

    def __str__(self) -> str:
        return f"{self.username} {self.outcome}"
