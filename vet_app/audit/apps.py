"""The audit trail."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class AuditConfig(AppConfig):
    """Who did what to which record, and when; nobody can change it afterwards."""

    name = "audit"
    verbose_name = _("Audit trail")
