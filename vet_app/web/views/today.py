"""The day at the clinic."""

from __future__ import annotations

from datetime import timedelta

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone

from accounts.roles import Right
from audit.actor import Actor
from clinic.models import Appointment, Visit
from clinic.selectors.billable import not_billed
from clinic.selectors.calendar import day, waiting_room
from clinic.selectors.invoices import due_in_all, owed_before
from clinic.selectors.reminders import due
from web.support import needs

SHOWN = 10
"""How many visits a card names; those that are not billed have a page of their own."""


@needs(Right.VIEW)
def today(request: HttpRequest) -> HttpResponse:
    """What comes next, who waits, and what is left open; a vet sees the own appointments first."""
    date = timezone.localdate()
    appointments = day(date).exclude(status__in=Appointment.FREE)
    vet = getattr(request.user, "vet", None)
    context = {
        "date": date,
        "appointments": [item for item in appointments if vet is None or item.vet_id == vet.pk],
        "others": [item for item in appointments if vet is not None and item.vet_id != vet.pk],
        "waiting": waiting_room(date),
        "due_count": due(date + timedelta(days=30)).count(),
        "unpaid": due_in_all(),
        "owed_before": owed_before(),
        "not_billed": not_billed()[:SHOWN] if Actor.of(request).may(Right.DRAFT_INVOICE) else (),
        "open_visits": Visit.objects.filter(locked_at=None, entered_in_error=False).select_related(
            "pet__owner", "pet__species", "vet"
        )[:SHOWN],
    }
    return render(request, "web/today/today.html", context)
