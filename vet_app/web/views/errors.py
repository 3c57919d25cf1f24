"""The page for what went wrong in the application itself."""

from __future__ import annotations

import sys

from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string

from clinic.selectors.settings import name_without_database

RETRY_SECONDS = "30"


def server_error(request: HttpRequest) -> HttpResponse:
    """500, or 503 while the database is unavailable. The page asks nothing of the database or of the session."""
    away = isinstance(sys.exc_info()[1], (OperationalError, InterfaceError))
    context = {"CLINIC_NAME": name_without_database(), "away": away, "number": getattr(request, "request_id", "")}
    response = HttpResponse(render_to_string("500.html", context), status=503 if away else 500)
    if away:
        response["Retry-After"] = RETRY_SECONDS
    return response
