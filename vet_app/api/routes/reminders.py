"""Vaccinations that are due."""

from datetime import timedelta
from typing import Any, List, Optional

from django.http import HttpRequest
from django.utils import timezone
from ninja import Router, Schema

from api.access import actor
from api.lists import listed
from api.types import Day, Id
from clinic.selectors import reminders

router = Router()


class ReminderOut(Schema):
    """The next vaccination of one group that a pet needs."""

    id: int
    pet_id: int
    owner_id: int
    group: str
    vaccination_id: int
    due_on: Day
    status: str

    @staticmethod
    def resolve_owner_id(reminder: Any) -> Id:
        """Whom to write to."""
        return int(reminder.pet.owner_id)


@router.get("", response=List[ReminderOut])
@listed
def list_due_reminders(request: HttpRequest, until: Optional[Day] = None) -> Any:
    """Pending reminders that are due by a day (within thirty days), the oldest first."""
    actor(request)
    return reminders.due(until or timezone.localdate() + timedelta(days=30))
