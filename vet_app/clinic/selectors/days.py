"""Spans of days as the clinic's clock has them."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from typing import Optional

from django.db.models import Q
from django.utils import timezone


def days_between(column: str, since: Optional[date], until: Optional[date]) -> Q:
    """A condition on a column of times: from the start of one day to the end of another, by the clinic's clock."""
    zone, condition = timezone.get_current_timezone(), Q()
    if since:
        condition &= Q(**{f"{column}__gte": datetime.combine(since, time.min, zone)})
    if until:
        condition &= Q(**{f"{column}__lt": datetime.combine(until + timedelta(days=1), time.min, zone)})
    return condition
