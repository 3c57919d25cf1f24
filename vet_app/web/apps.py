"""The pages."""

from django.apps import AppConfig

from vetclinic import american


class WebConfig(AppConfig):
    """Views, forms, templates and static files of the clinic's pages."""

    name = "web"

    def ready(self) -> None:
        """Load what translations need beside Django's own way."""
        american.load()
