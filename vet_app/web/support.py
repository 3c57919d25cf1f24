"""What every view needs: who acts, which right a page asks for, and a page for any form."""

from __future__ import annotations

from functools import wraps
from typing import Any, Callable, Optional, Sequence, Union

from django.core.exceptions import PermissionDenied
from django.core.paginator import Page, Paginator
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _

from accounts import sessions
from accounts.models import User
from accounts.roles import Right
from accounts.services import proves
from audit.actor import Actor
from vetclinic.middleware import client_ip
from web.forms.base import ClinicForm
from web.forms.login import ConfirmForm

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


def needs_one_of(*rights: Right) -> Callable[[View], View]:
    """Close a view to people who have none of these rights."""

    def decorate(view: View) -> View:
        @wraps(view)
        def checked(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
            actor = Actor.of(request)
            if not any(actor.may(right) for right in rights):
                actor.require(rights[0])
            return view(request, *args, **kwargs)

        return checked

    return decorate


def sensitive(view: View) -> View:
    """Ask for the password before a page that must not open at a screen somebody left, unless it was given lately.

    What was sent with a POST goes along and counts once the password is right, so that nothing typed is lost.
    """

    @wraps(view)
    def checked(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if sessions.is_confirmed(request):
            return view(request, *args, **kwargs)
        answered = "confirm_password" in request.POST
        carries = request.method == "POST" and (not answered or "carries" in request.POST)
        form = ConfirmForm(request.POST if answered else None)
        if form.is_valid() and _proved(request, form):
            sessions.confirm(request)
            return view(request, *args, **kwargs) if carries else redirect(request.get_full_path())
        own = {"csrfmiddlewaretoken", "confirm_password", "carries"}
        sent = [(name, value) for name in request.POST if name not in own for value in request.POST.getlist(name)]
        context = {"form": form, "sent": sent, "carries": carries, "heading": _("Your password, please")}
        return render(request, "web/confirm.html", context, status=form.status)

    return checked


def _proved(request: HttpRequest, form: ConfirmForm) -> bool:
    person = get_object_or_404(User, pk=request.user.pk)
    try:
        right = proves(person, client_ip(request), form.cleaned_data["confirm_password"])
    except PermissionDenied as closed:
        form.add_error("confirm_password", str(closed))
        return False
    if right is None:
        form.add_error("confirm_password", _("This is not your current password."))
    return right is not None


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


def paged(request: HttpRequest, rows: Union[QuerySet[Any], Sequence[Any]]) -> Page[Any]:
    """One page of a list, by the query's `page`; what is out of range becomes the nearest."""
    return Paginator(rows, PER_PAGE).get_page(request.GET.get("page"))
