"""Log-in by default: a view is closed unless it says that it is public."""

from __future__ import annotations

from typing import Any, Callable, Optional, TypeVar
from urllib.parse import urlsplit, urlunsplit

from django.conf import settings
from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponse
from django.shortcuts import resolve_url
from django_htmx.http import HttpResponseClientRefresh

View = TypeVar("View", bound=Callable[..., Any])


def public(view: View) -> View:
    """Mark a view that people may open without logging in."""
    view.is_public = True  # type: ignore[attr-defined]
    return view


class LoginRequiredMiddleware:
    """Sends visitors who are not logged in to the log-in page, except from views marked `public`.

    Addresses below LOGIN_EXEMPT_PREFIXES ask for a log-in themselves, in their own way.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Pass the request on; the decision needs the view and falls in process_view."""
        return self.get_response(request)

    def process_view(self, request: HttpRequest, view: Any, args: Any, kwargs: Any) -> Optional[HttpResponse]:
        """Redirect, or None to go on."""
        if request.user.is_authenticated or getattr(view, "is_public", False):
            return None
        if request.path.startswith(tuple(settings.LOGIN_EXEMPT_PREFIXES)):
            return None
        if request.headers.get("HX-Request"):  # a part of a page that outlived its session: not the log-in in its place
            return HttpResponseClientRefresh()
        return redirect_to_login(page_of(request), resolve_url(settings.LOGIN_URL))


def page_of(request: HttpRequest) -> str:
    """The page to come back to: what was asked for, or the page whose form was sent.

    What the form held is lost with a redirect, but the browser has kept it and gives it back on that page.
    """
    if request.method == "GET":
        return request.get_full_path()
    sent_from = urlsplit(request.headers.get("Referer", ""))
    if sent_from.netloc != request.get_host():
        return "/"
    return urlunsplit(("", "", sent_from.path, sent_from.query, ""))
