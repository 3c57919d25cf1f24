"""Who asks: a token or a session, how often, and with which rights."""

from typing import Any, Callable, Optional

from django.conf import settings
from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext_lazy as _
from ninja.security import HttpBearer, SessionAuth
from ninja.throttling import SimpleRateThrottle

from accounts import sessions
from accounts.models import User
from accounts.roles import Right
from accounts.services import user_of_token
from api.problems import problem
from audit.actor import Actor

FIRST = {
    "locked": _("The screen of this session is locked. Unlock it in the browser first."),
    "own_password": _("Log in with a browser first and change the password you were given."),
    "second_factor": _("Log in with a browser first and set up the second step at log-in."),
}
"""What a program hears where a person would be led to a page first (`accounts.sessions.first_page`)."""


class Token(HttpBearer):
    """`Authorization: Bearer vet_...`, a token that a manager has issued."""

    def authenticate(self, request: HttpRequest, token: str) -> Optional[User]:
        """The token's user, or None for 401."""
        return user_of_token(token)


class Session(SessionAuth):
    """The browser's session; changes need the CSRF token as on the pages."""

    def authenticate(self, request: HttpRequest, key: Optional[str]) -> Optional[Any]:
        """The session's user, or None for 401.

        Raises PermissionDenied where the person has to see a page first: for a locked screen, a password that somebody
        else made, a second step at log-in that is missing.
        """
        user = super().authenticate(request, key)
        first = sessions.first_page(request) if user is not None else None
        if first is not None:
            raise PermissionDenied(FIRST[first])
        return user


class PerUser(SimpleRateThrottle):
    """Requests of one user a minute, so that a script gone wild leaves the few threads to the people at the desk.

    Counted by each replica for itself: it sheds load and guards no secret.
    """

    def get_cache_key(self, request: HttpRequest) -> str:
        """One count for each user."""
        return f"api-requests-{request.auth.pk}"  # type: ignore[attr-defined]


AUTH = [Token(), Session()]
THROTTLE = PerUser(f"{settings.API_PER_MINUTE}/min")


def actor(request: HttpRequest, right: Right = Right.VIEW) -> Actor:
    """Who acts; raises PermissionDenied without `right`, which reading needs. Services check the rights of changes."""
    current = Actor.of_user(request.auth, request)  # type: ignore[attr-defined]
    current.require(right)
    return current


def known_people_only(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    """Close the document and its page to strangers: a browser is sent to log in, a program gets 401."""

    def closed(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        first = sessions.first_page(request) if request.user.is_authenticated else None
        if first is not None:
            to_page = "text/html" in request.headers.get("Accept", "")
            return redirect(first) if to_page else problem(request, 403, str(FIRST[first]))
        if request.user.is_authenticated or Token()(request):
            return view(request, *args, **kwargs)
        if "text/html" in request.headers.get("Accept", ""):
            return redirect_to_login(request.get_full_path())
        return problem(request, 401)

    return closed
