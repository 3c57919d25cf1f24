"""Addresses of the whole clinic: pages and the API. The probes are in health.py."""

from __future__ import annotations

from django.urls import include, path

from api.application import api

urlpatterns = [
    path("api/v1/", api.urls),
    path("", include("web.urls")),
]

handler500 = "web.views.errors.server_error"
