"""What every view needs: who acts, which right a page asks for, and a page for any form."""

from __future__ import annotations

from functools import wraps
from typing import Any, Callable, Optional

from django.core.paginator import Page, Paginator
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render

from accounts.roles import Right
from audit.actor import Actor
from web.forms.base import ClinicForm

View = Callable[..., HttpResponseBase]
PER_PAGE = 40


def needs(*rights: Right) -> Callable[[View], View]:
    """Close a view to people without these rights, before it reads anything; services check again."""

    def decorate(view: View) -> View:
        @wraps(view)
        def checked(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
            actor = Actor.of(request)
            for right in rights:
                actor.require(right)
            return view(request, *args, **kwargs)

        return checked

    return decorate


def data_of(request: HttpRequest) -> Optional[Any]:
    """What was sent with a POST; None for a form that is only shown."""
    return request.POST if request.method == "POST" else None


def version_of(request: HttpRequest) -> int:
    """The version that a button's form was based on; 0, which no record has, where it names none."""
    sent = request.POST.get("version", "")
    return int(sent) if sent.isdecimal() else 0


def form_page(
    request: HttpRequest,
    form: ClinicForm,
    heading: str,
    submit: str,
    back: str,
    *,
    template: str = "web/form.html",
    **context: Any,
) -> HttpResponse:
    """A page with one form: its heading, the words on its button, and where Cancel leads."""
    return render(
        request,
        template,
        {"form": form, "heading": heading, "submit": submit, "back": back, **context},
        status=form.status,
    )


def paged(request: HttpRequest, rows: QuerySet[Any]) -> Page[Any]:
    """One page of a list, by the query's `page`; what is out of range becomes the nearest."""
    return Paginator(rows, PER_PAGE).get_page(request.GET.get("page"))
