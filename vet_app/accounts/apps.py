"""The people who work with the clinic's records."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class AccountsConfig(AppConfig):
    """Users, roles, tokens and log-in attempts."""

    name = "accounts"
    verbose_name = _("Staff")

    def ready(self) -> None:
        """Have every log-in start the clocks of its session."""
        from accounts import sessions  # noqa: F401 -- its receiver
