"""Logging in, in one step or two; the locked screen; and passwords that were forgotten."""

from __future__ import annotations

import time
from typing import Any, Optional

from django.conf import settings
from django.contrib.auth.tokens import default_token_generator
from django.contrib.auth.views import LoginView, redirect_to_login
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme, urlsafe_base64_decode
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from accounts import passkeys, second_factor, sessions, throttle
from accounts.forgotten import write_to
from accounts.middleware import public
from accounts.models import LoginAttempt, User
from accounts.services import Proof, proves, set_password
from audit.actor import Actor
from audit.models import AuditEntry
from audit.services import record
from vetclinic.middleware import client_ip
from web.forms.login import AnswerForm, ClinicLoginForm, CodeForm, ForgottenForm, UnlockForm
from web.forms.team import NewPasswordForm
from web.support import data_of, form_page

PENDING = "second_step"
PATIENCE = 10 * 60
"""Seconds for the second step after the first."""


def _let_in(request: HttpRequest, user: User) -> None:
    """Begin the session, and write that somebody has logged in."""
    sessions.enter(request, user)
    with transaction.atomic():
        record(Actor.of_user(user, request), AuditEntry.Action.LOGIN, user)


class ClinicLoginView(LoginView):
    """The log-in page."""

    template_name = "web/login.html"
    authentication_form = ClinicLoginForm
    extra_context = {"email": settings.EMAIL_ENABLED}  # noqa: RUF012 -- Django's own form of it

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """A person who is logged in goes on, except at a locked screen, where another person may log in."""
        self.redirect_authenticated_user = not sessions.is_locked(request)
        return super().dispatch(request, *args, **kwargs)

    def form_valid(self, form: Any) -> HttpResponse:
        """Let the person in, or lead on to the second step."""
        user = form.get_user()
        if not second_factor.is_set_up(user):
            _let_in(self.request, user)
            return redirect(self.get_success_url())
        self.request.session[PENDING] = [user.pk, int(time.time()), self.get_redirect_url()]
        return redirect("login_second")

    def form_invalid(self, form: Any) -> HttpResponse:
        """The page again, with status 429 while the throttle is closed."""
        response = super().form_invalid(form)
        if getattr(self.request, "login_blocked", False):
            response.status_code = 429
        return response

    @classmethod
    def as_view(cls, **initkwargs: Any) -> Any:
        """The view, marked as open to everybody."""
        return public(super().as_view(**initkwargs))


def _half_way(request: HttpRequest) -> Optional[User]:
    """Who has given the right password in this browser a moment ago."""
    pk, at, _next = request.session.get(PENDING, (0, 0, ""))
    return User.objects.filter(pk=pk, is_active=True).first() if time.time() - at < PATIENCE else None


@public
def second_step(request: HttpRequest) -> HttpResponse:
    """The code or the passkey after the password."""
    user = _half_way(request)
    if user is None:
        return redirect("login")
    by_passkey = request.method == "POST" and "credential" in request.POST
    code = CodeForm(None if by_passkey else data_of(request))
    answer = AnswerForm(request.POST if by_passkey else None)
    form = answer if by_passkey else code
    if form.is_valid():
        attempt = throttle.begin(user.username, client_ip(request))
        if attempt.outcome == LoginAttempt.Outcome.BLOCKED:
            form.add_error(None, _("Too many failed attempts. Please wait 15 minutes or ask a manager."))
        elif _second_is_right(request, user, form):
            throttle.finish(attempt, LoginAttempt.Outcome.OK)
            _pk, _at, following = request.session.pop(PENDING)
            _let_in(request, user)
            return redirect(following or "today")
        else:
            form.add_error(None, _("That was wrong. Please try again."))
    context = {"form": code, "answer": answer, "options": passkeys.request_options(request, user),
               "app": second_factor.app_of(user), "person": user}  # fmt: skip
    return render(request, "web/login_second.html", context, status=form.status)


def _second_is_right(request: HttpRequest, user: User, form: Any) -> bool:
    if isinstance(form, AnswerForm):
        return passkeys.is_right(request, user, form.cleaned_data["credential"])
    return second_factor.is_right(user, form.cleaned_data["code"])


@require_POST
def lock(request: HttpRequest) -> HttpResponse:
    """Lock the screen, because somebody leaves it or nobody has been there for a while."""
    sessions.lock(request)
    return redirect_to_login(request.POST.get("next", "/"), reverse("locked"))


def locked(request: HttpRequest) -> HttpResponse:
    """The locked screen: a person who has logged in here comes back, also in place of somebody else."""
    following = request.GET.get("next", "/")
    if not url_has_allowed_host_and_scheme(following, {request.get_host()}):
        following = "/"
    if not sessions.is_locked(request):
        return redirect(following)
    people = sessions.known_people(request)
    form = UnlockForm(people, data_of(request), initial={"person": request.user.pk})
    if form.is_valid():
        person = next(each for each in people if each.pk == form.cleaned_data["person"])
        proof = _proof(request, person, form)
        if proof:
            return _come_back(request, person, following, by_pin=proof is Proof.PIN)
    return render(request, "web/locked.html", {"form": form, "heading": _("Locked")}, status=form.status)


def _proof(request: HttpRequest, person: User, form: UnlockForm) -> Optional[Proof]:
    """What was typed at the locked screen; where it opens nothing, the form says why."""
    ended = sessions.has_ended(request, person)
    try:
        proof = proves(person, client_ip(request), form.cleaned_data["secret"], with_pin=not ended)
    except PermissionDenied as closed:
        form.add_error(None, str(closed))
        return None
    if proof is None and ended:
        form.add_error("secret", _("Your log-in has ended. Type the password."))
    elif proof is None:
        form.add_error("secret", _("This is neither the PIN nor the password."))
    return proof


def _come_back(request: HttpRequest, person: User, following: str, *, by_pin: bool) -> HttpResponse:
    """Open the screen; somebody else begins on Today, because the page that was open is another person's."""
    another = person.pk != request.user.pk
    sessions.enter(request, person, by_pin=by_pin)
    with transaction.atomic():
        record(Actor.of_user(person, request), AuditEntry.Action.LOGIN, person, {"unlocked": [None, True]})
    return redirect("today" if another else following)


@require_POST
def still_here(request: HttpRequest) -> HttpResponse:
    """Somebody types or moves; the page says so once a minute. 204, or 401 where the session has been locked."""
    return HttpResponse(status=401 if sessions.is_locked(request) else 204)


@public
def forgotten(request: HttpRequest) -> HttpResponse:
    """Have a link sent that leads to a new password. What the page says tells nobody whether a person is known."""
    if not settings.EMAIL_ENABLED:
        raise Http404
    form = ForgottenForm(data_of(request))
    sent = False
    if form.is_valid():
        write_to(form.cleaned_data["who"], client_ip(request))
        sent = True
    return render(request, "web/forgotten.html", {"form": form, "sent": sent}, status=form.status)


@public
def reset(request: HttpRequest, uid: str, token: str) -> HttpResponse:
    """Choose a new password by the link of an e-mail, which works once and for an hour."""
    user = _of_link(uid)
    if user is None or not default_token_generator.check_token(user, token):
        return render(request, "web/refused.html", {"sentences": [
            _("This link has been used or has expired. Ask for another one.")]}, status=410)  # fmt: skip
    form = NewPasswordForm(data_of(request))
    if form.is_valid():
        form.attempt(set_password, Actor.of_user(user, request), user, form.cleaned_data["new"])
        if not form.errors:
            return redirect("login")
    return form_page(request, form, _("New password"), _("Change password"), reverse("login"))


def _of_link(uid: str) -> Optional[User]:
    try:
        return User.objects.filter(pk=int(urlsafe_base64_decode(uid)), is_active=True).first()
    except (ValueError, OverflowError):
        return None
