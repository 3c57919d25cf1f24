"""The pages."""

from django.apps import AppConfig


class WebConfig(AppConfig):
    """Views, forms, templates and static files of the clinic's pages."""

    name = "web"
