"""What becomes of a service's refusal where there is no form, and of people who have to change their password."""

from __future__ import annotations

from typing import Any, Callable, ClassVar, Optional

from django.core.exceptions import ObjectDoesNotExist, ValidationError
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render

from vetclinic.errors import Conflict

GetResponse = Callable[[HttpRequest], HttpResponse]


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


class OwnPasswordMiddleware:
    """Leads people whose password somebody else made to the page where they change it, before anything else."""

    FREE: ClassVar = {"own_password", "logout", "login"}

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Pass the request on; the decision needs the view's name."""
        return self.get_response(request)

    def process_view(self, request: HttpRequest, view: Any, args: Any, kwargs: Any) -> Optional[HttpResponse]:
        """Redirect, or None to go on. The API refuses by itself, except a manager's gift: its tokens."""
        if request.path.startswith("/api/") or not getattr(request.user, "must_change_password", False):
            return None
        name = request.resolver_match.view_name if request.resolver_match else ""
        return None if name in self.FREE else redirect("own_password")
