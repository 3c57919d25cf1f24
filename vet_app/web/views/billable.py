"""Visits that are not billed yet, and saying that nothing of one is to be billed."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from accounts.roles import Right
from audit.actor import Actor
from clinic.selectors import billable
from clinic.services.visits import close_billing
from web.support import needs, paged


@needs(Right.DRAFT_INVOICE)
def not_billed(request: HttpRequest) -> HttpResponse:
    """All visits of the last weeks that no bill has, or not all of what was given."""
    context = {"page": paged(request, billable.not_billed()), "heading": _("Not billed yet")}
    return render(request, "web/invoices/not_billed.html", context)


@require_POST
@needs(Right.DRAFT_INVOICE)
def nothing_to_bill(request: HttpRequest, visit_pk: int) -> HttpResponse:
    """Take a visit off the list, or with `again` put it back."""
    again = "again" in request.POST
    visit = close_billing(Actor.of(request), visit_pk, again=again)
    messages.success(request, _("Saved."))
    return redirect(visit if again else "not_billed")
