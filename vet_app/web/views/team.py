"""The people of the clinic: roles, passwords, API tokens."""

from __future__ import annotations

import secrets
from datetime import timedelta

from django.contrib import messages
from django.contrib.auth import update_session_auth_hash
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from accounts import second_factor
from accounts.models import ApiToken, User
from accounts.roles import Right
from accounts.services import choose_language, create_user, issue_token, revoke_token, set_password, update_user
from audit.actor import Actor
from web.forms.team import LanguageForm, NewPersonForm, OwnPasswordForm, PersonForm, TokenForm
from web.support import data_of, form_page, needs, sensitive


def _new_password() -> str:
    return secrets.token_urlsafe(12)


def _once(request: HttpRequest, heading: str, secret: str, intro: str, back: str) -> HttpResponse:
    """A secret on the page that answers the POST, and nowhere else: it is in no session and in no redirect."""
    context = {"heading": heading, "secret": secret, "intro": intro, "back": back}
    return render(request, "web/team/secret_once.html", context)


@needs(Right.MANAGE)
def team(request: HttpRequest) -> HttpResponse:
    """Everybody, those who may log in first."""
    people = User.objects.order_by("-is_active", "username")
    return render(request, "web/team/list.html", {"people": people, "heading": _("Team")})


@needs(Right.MANAGE)
@sensitive
def person_new(request: HttpRequest) -> HttpResponse:
    """Somebody joins; the first password is shown once."""
    form = NewPersonForm(data_of(request))
    if request.method == "POST" and form.is_valid():
        given, password = form.cleaned_data, _new_password()
        person = form.attempt(
            create_user, Actor.of(request), given["username"], password, given["role"],
            must_change_password=True, **form.fields_given,
        )  # fmt: skip
        if person is not None:
            intro = _("Give this password to %(name)s. It must be changed at the first log-in.")
            heading = _("%(name)s can log in now") % {"name": person.display_name}
            return _once(request, heading, password, intro % {"name": person.display_name}, reverse("team"))
    return form_page(request, form, _("New member of the team"), _("Save"), reverse("team"))


@needs(Right.MANAGE)
@sensitive
def person(request: HttpRequest, pk: int) -> HttpResponse:
    """Change a person; tokens and a new password are on the same page."""
    found = get_object_or_404(User, pk=pk)
    form = PersonForm.of(found, data_of(request))
    if request.method == "POST" and form.is_valid():
        saved = form.attempt(update_user, Actor.of(request), found, version=form.based_on, **form.fields_given)
        if saved is not None:
            messages.success(request, _("Saved."))
            return redirect("team")
    return _person_page(request, found, form, TokenForm())


def _person_page(request: HttpRequest, found: User, form: PersonForm, token_form: TokenForm) -> HttpResponse:
    context = {
        "person": found, "tokens": found.api_tokens.select_related("user"), "token_form": token_form,
        "second_factor": second_factor.is_set_up(found),
    }  # fmt: skip
    return form_page(
        request, form, found.display_name, _("Save"), reverse("team"), template="web/team/person.html", **context
    )


@require_POST
@needs(Right.MANAGE)
@sensitive
def person_password(request: HttpRequest, pk: int) -> HttpResponse:
    """A new password for somebody who lost it."""
    found = get_object_or_404(User, pk=pk)
    password = _new_password()
    set_password(Actor.of(request), found, password)
    if found.pk == request.user.pk:
        update_session_auth_hash(request, found)
    intro = _("Give this password to %(name)s. It must be changed at the next log-in.") % {"name": found.display_name}
    return _once(request, _("New password"), password, intro, reverse("person", args=[pk]))


@require_POST
@needs(Right.MANAGE)
@sensitive
def person_second_factor(request: HttpRequest, pk: int) -> HttpResponse:
    """Remove the second step of somebody who lost it."""
    found = get_object_or_404(User, pk=pk)
    second_factor.remove(Actor.of(request), found)
    messages.success(request, _("%(name)s now logs in with the password alone.") % {"name": found.display_name})
    return redirect("person", pk)


@require_POST
@needs(Right.MANAGE)
@sensitive
def token_new(request: HttpRequest, pk: int) -> HttpResponse:
    """A new API token, shown once."""
    found = get_object_or_404(User, pk=pk)
    form = TokenForm(request.POST)
    if form.is_valid():
        until = timezone.now() + timedelta(days=form.cleaned_data["days"])
        made = form.attempt(issue_token, Actor.of(request), found, form.cleaned_data["name"], until)
        if made is not None:
            intro = _("Programs with this token act as %(name)s. It cannot be shown again.")
            back = reverse("person", args=[pk])
            return _once(request, _("New API token"), made[1], intro % {"name": found.display_name}, back)
    response = _person_page(request, found, PersonForm.of(found, None), form)
    response.status_code = form.status
    return response


@require_POST
@needs(Right.MANAGE)
def token_revoke(request: HttpRequest, pk: int) -> HttpResponse:
    """Close a token."""
    token = get_object_or_404(ApiToken, pk=pk, revoked_at=None)
    revoke_token(Actor.of(request), token)
    messages.success(request, _("The token %(name)s was revoked.") % {"name": token.name})
    return redirect("person", token.user_id)


def own_password(request: HttpRequest) -> HttpResponse:
    """Change one's own password."""
    user = get_object_or_404(User, pk=request.user.pk)
    form = OwnPasswordForm(user, data_of(request))
    if request.method == "POST" and form.is_valid():
        form.attempt(set_password, Actor.of(request), user, form.cleaned_data["new"])
        if not form.errors:
            update_session_auth_hash(request, user)  # other sessions of this person end
            messages.success(request, _("Your password is changed."))
            return redirect("today")
    intro = _("Please change the password you were given first.") if user.must_change_password else ""
    return form_page(
        request, form, _("Your password"), _("Change password"), reverse("today"), template="web/team/own.html",
        intro=intro,
        other=(reverse("own_language"), _("Your language and shortcuts")),
    )  # fmt: skip


def own_language(request: HttpRequest) -> HttpResponse:
    """Choose the language of one's own pages."""
    user = get_object_or_404(User, pk=request.user.pk)
    form = LanguageForm(data_of(request), initial={"language": user.language})
    if request.method == "POST" and form.is_valid():
        choose_language(Actor.of(request), user, form.cleaned_data["language"])
        return redirect("own_language")
    return form_page(
        request, form, _("Your language and shortcuts"), _("Save"), reverse("today"),
        template="web/team/own_language.html",
        other=(reverse("own_password"), _("Your password")),
    )  # fmt: skip
