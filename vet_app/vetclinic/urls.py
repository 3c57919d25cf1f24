"""Addresses of the whole clinic: pages, administration and, once they exist, the API and the health checks."""

from __future__ import annotations

from django.contrib import admin
from django.urls import include, path

urlpatterns = [
    path("admin/", admin.site.urls),
    path("", include("web.urls")),
]
