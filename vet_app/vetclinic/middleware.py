"""Middleware that concerns every request: its id, its largest length, and the security headers of its answer."""

from __future__ import annotations

import re
import uuid
from typing import Callable

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string
from django.utils.translation import gettext as _

GetResponse = Callable[[HttpRequest], HttpResponse]
REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{8,64}")
PERMISSIONS = "camera=(), geolocation=(), microphone=(), payment=(), usb=()"


def client_ip(request: HttpRequest) -> str:
    """The visitor's address: the entry that the outermost trusted proxy added to X-Forwarded-For, else the peer.

    Entries further to the left were sent by the visitor and may be invented.
    """
    forwarded = [part.strip() for part in request.headers.get("X-Forwarded-For", "").split(",") if part.strip()]
    if settings.TRUSTED_PROXIES and len(forwarded) >= settings.TRUSTED_PROXIES:
        return forwarded[-settings.TRUSTED_PROXIES][:45]
    return str(request.META.get("REMOTE_ADDR", ""))


class RequestIdMiddleware:
    """Gives each request an id, `request.request_id`, and returns it; a well-formed X-Request-ID is taken over."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Answer with the id in the X-Request-ID header."""
        header = request.headers.get("X-Request-ID", "")
        request_id = header if REQUEST_ID.fullmatch(header) else uuid.uuid4().hex
        request.request_id = request_id  # type: ignore[attr-defined]
        response = self.get_response(request)
        response["X-Request-ID"] = request_id
        return response


class LargestRequestMiddleware:
    """Refuses a request by its length before anything reads it: a form is kept in memory or /tmp while it is read.

    A request without a length has no body: that is how Django takes one that comes in pieces.
    """

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Pass the request on, or answer 413."""
        length = str(request.META.get("CONTENT_LENGTH") or "0")
        if length.isdecimal() and int(length) <= settings.LARGEST_REQUEST:
            return self.get_response(request)
        from clinic.selectors.settings import name_without_database  # the clinic builds on this package

        most = _("Files and forms can be up to %(most)d MB.") % {"most": settings.LARGEST_REQUEST // 1024**2}
        page = {"CLINIC_NAME": name_without_database(), "sentence": most}
        response = HttpResponse(render_to_string("413.html", page), status=413)
        response.detail = most  # type: ignore[attr-defined]  # for the API's problem document
        return response


class SecurityHeadersMiddleware:
    """Adds the content security policy, and forbids the storing of pages that only people who are logged in may see."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Answer with the headers; a view that sets its own policy keeps it."""
        response = self.get_response(request)
        response.setdefault("Content-Security-Policy", settings.CONTENT_SECURITY_POLICY)
        response.setdefault("Permissions-Policy", PERMISSIONS)
        user = getattr(request, "user", None)
        if user is not None and user.is_authenticated:
            response.setdefault("Cache-Control", "no-store")
        return response
