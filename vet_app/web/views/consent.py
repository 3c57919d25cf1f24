"""Ending reminders by the link in an e-mail."""

from __future__ import annotations

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.csrf import csrf_exempt

from accounts.middleware import public
from clinic.services.consent import end_reminders, owner_of


@public
@csrf_exempt  # a mail program sends the POST (RFC 8058); the link itself is the right to do it
def reminders_end(request: HttpRequest, token: str) -> HttpResponse:
    """Ask, and with POST end them. A GET changes nothing: programs that look for viruses follow links."""
    owner = owner_of(token)
    if owner is None:
        raise Http404
    if request.method == "POST":
        end_reminders(owner)
        owner.refresh_from_db()
    return render(request, "web/reminders/end.html", {"ended": not owner.reminder_consent})
