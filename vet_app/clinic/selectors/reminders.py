"""Which vaccinations are due."""

from __future__ import annotations

from datetime import date

from django.db.models import QuerySet

from clinic.models import Reminder


def due(until: date) -> QuerySet[Reminder]:
    """Pending reminders due by a day, the oldest first, with everything a list or letter shows."""
    pending = Reminder.objects.filter(status=Reminder.Status.PENDING, due_on__lte=until, pet__deceased_on=None)
    related = pending.select_related("pet__owner", "pet__species", "vaccination__vaccine")
    return related.prefetch_related("pet__owner__phones", "notices")
