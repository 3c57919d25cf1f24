"""Exchange with the world outside of the clinic."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class ExchangeConfig(AppConfig):
    """Import, export and recovery."""

    name = "exchange"
    verbose_name = _("Import and export")
