"""A person's session in one browser: how long it lasts, when its screen locks, when the password was asked for last.

A locked session still knows who logged in here. Anybody who has logged in at this browser since it was last logged out
may come back by a PIN or the password alone, also in the place of somebody else: that is how a shared workstation
changes hands.
"""

from __future__ import annotations

import time
from datetime import timedelta
from typing import Any, Dict, List, Optional

from django.contrib.auth import HASH_SESSION_KEY, login
from django.contrib.auth.signals import user_logged_in
from django.dispatch import receiver
from django.http import HttpRequest
from django.utils import timezone

from accounts import second_factor
from accounts.models import User

CONFIRMED_FOR = 15 * 60
"""Seconds for which sensitive pages stay open after the password was given."""
TOUCH_EVERY = 30
"""Seconds between two notes of the last key or click, so that not every page writes to the session."""
UNATTENDED = "X-Unattended"
"""A request with this header was made by the page itself, such as the refresh of the waiting room: nobody is there."""


@receiver(user_logged_in)
def begun(sender: Any, request: HttpRequest, user: User, **_kwargs: Any) -> None:
    """Start the clocks of a session that has just begun."""
    from clinic.selectors.settings import clinic_settings  # the clinic builds on accounts

    ends_at = timezone.now() + timedelta(hours=clinic_settings().session_hours)
    request.session.set_expiry(ends_at)
    request.session["seen_at"] = request.session["confirmed_at"] = int(time.time())


def enter(request: HttpRequest, user: User) -> None:
    """Log a person in, and remember that this browser knows them until it is logged out; a locked screen opens."""
    people: Dict[str, str] = request.session.get("people", {})
    user.backend = "accounts.backends.ThrottledModelBackend"  # type: ignore[attr-defined]
    request.session.pop("locked", None)
    login(request, user)
    request.session["people"] = {**people, str(user.pk): user.get_session_auth_hash()}


def touch(request: HttpRequest) -> None:
    """Note that somebody is there, and lock the screen where nobody was for too long."""
    from clinic.selectors.settings import clinic_settings

    now, minutes = int(time.time()), clinic_settings().idle_minutes
    silent_for = now - request.session.setdefault("seen_at", now)
    if minutes and silent_for > minutes * 60:
        lock(request)
    elif silent_for > TOUCH_EVERY and UNATTENDED not in request.headers and not is_locked(request):
        request.session["seen_at"] = now


def lock(request: HttpRequest) -> None:
    """Lock the screen: nothing opens until somebody unlocks it."""
    request.session["locked"] = True


def is_locked(request: HttpRequest) -> bool:
    """Whether the screen is locked."""
    return bool(request.session.get("locked"))


def known_people(request: HttpRequest) -> List[User]:
    """Those who have logged in here and may still: not whose password has changed since."""
    known: Dict[str, str] = {**request.session.get("people", {})}
    known.setdefault(str(request.user.pk), str(request.session.get(HASH_SESSION_KEY)))
    found = [user for user in User.objects.filter(pk__in=known, is_active=True) if not user.must_change_password]
    return [user for user in found if known[str(user.pk)] == user.get_session_auth_hash()]


def is_confirmed(request: HttpRequest) -> bool:
    """Whether the password was given lately enough for a sensitive page."""
    return bool(time.time() - request.session.get("confirmed_at", 0) < CONFIRMED_FOR)


def confirm(request: HttpRequest) -> None:
    """Note that the password was given just now."""
    request.session["confirmed_at"] = int(time.time())


def first_page(request: HttpRequest) -> Optional[str]:
    """The page that somebody who is logged in has to see before anything else, by its name; None for no such page."""
    if is_locked(request):
        return "locked"
    if request.user.must_change_password:  # type: ignore[union-attr]
        return "own_password"
    if second_factor.is_missing(request.user):  # type: ignore[arg-type]
        return "second_factor"
    return None
