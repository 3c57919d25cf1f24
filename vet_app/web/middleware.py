"""A service's refusal of a button without a form becomes a page with its sentence, never a server error."""

from __future__ import annotations

from typing import Callable, Optional

from django.core.exceptions import ObjectDoesNotExist, ValidationError
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render

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
        if isinstance(exception, ObjectDoesNotExist):
            raise Http404(str(exception)) from exception
        if isinstance(exception, Conflict):
            return render(request, "web/refused.html", {"sentences": [str(exception)]}, status=409)
        if isinstance(exception, ValidationError):
            return render(request, "web/refused.html", {"sentences": exception.messages}, status=422)
        return None
