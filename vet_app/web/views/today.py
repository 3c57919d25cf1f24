"""The day at the clinic."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone

from clinic.selectors.calendar import day


def today(request: HttpRequest) -> HttpResponse:
    """Today's appointments, in the order of the clock."""
    date = timezone.localdate()
    return render(request, "web/today.html", {"date": date, "appointments": day(date)})
