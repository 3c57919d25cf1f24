"""The domain of the clinic: models, the services that change them, the selectors that read them."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class ClinicConfig(AppConfig):
    """Owners, pets, calendar, records and bills."""

    name = "clinic"
    verbose_name = _("Clinic")
