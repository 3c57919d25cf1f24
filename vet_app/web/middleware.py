"""The language of a page; a service's refusal where there is no form; what people have to do before anything else."""

from __future__ import annotations

from typing import Any, Callable, ClassVar, Optional

from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import ObjectDoesNotExist, ValidationError
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import translation
from django_htmx.http import HttpResponseClientRefresh

from accounts import sessions
from accounts.middleware import page_of
from clinic.selectors.settings import clinic_settings, held
from vetclinic.errors import Conflict

GetResponse = Callable[[HttpRequest], HttpResponse]


class ClinicMiddleware:
    """Reads the clinic's settings once a page, and speaks the language that the person or else the clinic has chosen.

    Where neither has, and for programs, the browser's stays.
    """

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Pass the request on."""
        with held():
            if not request.path.startswith("/api/"):
                language = getattr(request.user, "language", "") or clinic_settings().language
                if language:
                    translation.activate(language)
                    request.LANGUAGE_CODE = language
            return self.get_response(request)


class RefusalMiddleware:
    """Pages only; the API has its own documents."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Pass the request on."""
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, exception: Exception) -> Optional[HttpResponse]:
        """Answer for refusals; None for everything else."""
        if request.path.startswith("/api/"):
            return None
        if isinstance(exception, (ObjectDoesNotExist, OverflowError)):  # a number or a day beyond what can be recorded
            raise Http404(str(exception)) from exception
        if isinstance(exception, Conflict):
            return render(request, "web/refused.html", {"sentences": [str(exception)]}, status=409)
        if isinstance(exception, ValidationError):
            return render(request, "web/refused.html", {"sentences": exception.messages}, status=422)
        return None


class FirstPageMiddleware:
    """Leads people to what comes before anything else.

    That is the locked screen, a password that somebody else made, or a second step at log-in that the clinic wants and
    they have not set up.
    """

    FREE: ClassVar = {"locked", "logout", "still_here"}
    BELONG: ClassVar = {"second_factor": {"second_factor", "second_factor_app", "second_factor_passkey"}}
    """Pages that belong to such a page."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Pass the request on; the decision needs the view's name."""
        return self.get_response(request)

    def process_view(self, request: HttpRequest, view: Any, args: Any, kwargs: Any) -> Optional[HttpResponse]:
        """Redirect, or None to go on. The API refuses by itself, except a manager's gift: its tokens."""
        if not request.user.is_authenticated:
            return None
        sessions.touch(request)
        first = None if request.path.startswith("/api/") else sessions.first_page(request)
        name = request.resolver_match.view_name if request.resolver_match else ""
        if first is None or getattr(view, "is_public", False) or name in self.FREE | self.BELONG.get(first, {first}):
            return None
        if getattr(request, "htmx", False):
            return HttpResponseClientRefresh()
        if first != "locked":
            return redirect(first)
        return redirect_to_login(page_of(request), reverse(first))
