"""Checking of user name and password behind the throttle."""

from __future__ import annotations

from typing import Any, Optional

from django.contrib.auth.backends import ModelBackend
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest

from accounts import throttle
from accounts.models import LoginAttempt, User
from vetclinic.middleware import client_ip


class ThrottledModelBackend(ModelBackend):
    """Django's backend behind the throttle of throttle.py. Every log-in page uses it, the administration's as well."""

    def authenticate(
        self,
        request: Optional[HttpRequest],
        username: Optional[str] = None,
        password: Optional[str] = None,
        **kwargs: Any,
    ) -> Optional[User]:
        """The user, or None; raises PermissionDenied (no further backend is asked) while the throttle is closed."""
        ip = client_ip(request) if request else ""
        attempt = throttle.begin(username or "", ip)
        if attempt.outcome == LoginAttempt.Outcome.BLOCKED:
            if request is not None:
                request.login_blocked = True  # type: ignore[attr-defined]
            raise PermissionDenied
        user = super().authenticate(request, username=username, password=password, **kwargs)
        if not isinstance(user, User):
            return None
        throttle.finish(attempt, LoginAttempt.Outcome.OK)
        return user
