"""What the frame of every page shows: the tabs of the person's role, and what they may do."""

from __future__ import annotations

from typing import Any, Dict, List, NamedTuple, Tuple

from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from accounts.roles import Right


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
        ("owners", "pets", "visits", "vaccinations", "prescriptions", "attachments", "search"),
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
    """The tabs, and `may` with the name of each right."""
    user = getattr(request, "user", None)
    if user is None or not user.is_authenticated:
        return {}
    rights = user.rights
    first = request.path.split("/")[1]
    tabs = [Tab(reverse(name), text, first in parts) for name, text, right, parts in TABS if right in rights]
    return {"tabs": tabs, "may": {right.value: right in rights for right in Right}}
