"""What the frame of every page shows: the tabs of the person's role, and what they may do."""

from __future__ import annotations

from typing import Any, Dict, List, NamedTuple, Tuple

from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from accounts import sessions
from accounts.roles import Right
from clinic.selectors.settings import clinic_settings


class Tab(NamedTuple):
    """One entry of the navigation."""

    url: str
    text: Any
    here: bool


# The page's name in urls.py, its words, the right it needs, and the first parts of the addresses that belong to it.
TABS: List[Tuple[str, Any, Right, Tuple[str, ...]]] = [
    ("today", _("Today"), Right.VIEW, ("",)),
    ("calendar", _("Calendar"), Right.VIEW, ("calendar", "appointments")),
    ("waiting_room", _("Waiting room"), Right.VIEW, ("waiting",)),
    (
        "owners",
        _("Owners and pets"),
        Right.VIEW,
        ("owners", "pets", "visits", "vaccinations", "prescriptions", "attachments", "weights", "search"),
    ),
    ("invoices", _("Bills"), Right.VIEW, ("invoices", "takings")),
    ("reminders", _("Reminders"), Right.VIEW, ("reminders",)),
    ("all_lists", _("Lists"), Right.MANAGE, ("lists",)),
    ("exchange", _("Import and export"), Right.MANAGE, ("exchange",)),
    ("settings", _("Clinic"), Right.MANAGE, ("settings",)),
    ("team", _("Team"), Right.MANAGE, ("team",)),
    ("audit", _("Audit trail"), Right.AUDIT, ("audit",)),
]


def frame(request: HttpRequest) -> Dict[str, Any]:
    """The tabs, `may` with the name of each right, and when the screen locks; nothing of it at a locked one."""
    user = getattr(request, "user", None)
    if user is None or not user.is_authenticated:
        return {}
    if sessions.is_locked(request):
        return {"open": False}
    rights = user.rights
    first = request.path.split("/")[1]
    tabs = [Tab(reverse(name), text, first in parts) for name, text, right, parts in TABS if right in rights]
    idle = clinic_settings().idle_minutes
    return {
        "open": True,
        "idle_seconds": idle and idle * 60,
        "tabs": tabs,
        "may": {right.value: right in rights for right in Right},
    }
