"""Who makes a change: a person at a request, or the machine itself. Every service takes one first."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, FrozenSet, Optional

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest
from django.utils.translation import gettext as _

from accounts.roles import Right
from vetclinic.middleware import client_ip

if TYPE_CHECKING:
    from accounts.models import User


@dataclass(frozen=True)
class Actor:
    """Name and rights of the person or program that acts, with what the audit trail needs to know about the request."""

    name: str
    rights: FrozenSet[Right]
    user_id: Optional[int] = None
    ip: str = ""
    request_id: str = ""

    @classmethod
    def of(cls, request: HttpRequest) -> Actor:
        """The person who is logged in; raises PermissionDenied when nobody is."""
        if not request.user.is_authenticated:
            raise PermissionDenied(_("Please log in."))
        return cls.of_user(request.user, request)

    @classmethod
    def of_user(cls, user: User, request: Optional[HttpRequest] = None) -> Actor:
        """A known user, at a request where there is one (the API's token holder, a test)."""
        ip = client_ip(request) if request else ""
        return cls(user.username, user.rights, user.pk, ip, getattr(request, "request_id", ""))

    @classmethod
    def system(cls, command: str) -> Actor:
        """The machine itself, running `command`; it may do everything and is named in the trail."""
        return cls(f"system:{command}", frozenset(Right))

    def may(self, right: Right) -> bool:
        """Whether the actor has the right."""
        return right in self.rights

    def require(self, right: Right) -> None:
        """Raise PermissionDenied unless the actor has the right."""
        if right not in self.rights:
            raise PermissionDenied(_("Your role does not allow this. Please ask a manager."))
