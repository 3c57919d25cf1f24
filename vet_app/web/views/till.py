"""The till at the end of a day: what it should hold, what was counted, and earlier days."""

from __future__ import annotations

from datetime import date
from typing import Any, Dict, List, Optional

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from accounts.roles import Right
from audit.actor import Actor
from clinic.models import CashCount
from clinic.selectors.till import cash_of, counts, counts_of, opening_of
from clinic.services.till import correct_count, count_cash
from web.forms.till import CountForm
from web.support import data_of, needs

EARLIER = 31
"""How many days of counts the page shows."""


def _day(request: HttpRequest) -> date:
    """The day that the address names, or today; what is no day, or one to come, is today."""
    today = timezone.localdate()
    try:
        return min(date.fromisoformat(request.GET.get("day", "")), today)
    except ValueError:
        return today


def _initial(day: date, holds: Optional[CashCount], correcting: bool) -> Dict[str, Any]:
    if holds and correcting:
        return {
            "opening": holds.opening, "withdrawn": holds.withdrawn, "counted": holds.counted, "corrects": holds.pk
        }  # fmt: skip
    return {"opening": opening_of(day)}


@needs(Right.BILLING)
def cash_count(request: HttpRequest) -> HttpResponse:
    """Count the till of a day, or with ?correct=1 replace its count."""
    day = _day(request)
    of_day: List[CashCount] = list(counts_of(day))
    holds, cash = (of_day[0] if of_day else None), cash_of(day)
    correcting = "correct" in request.GET
    form = CountForm(data_of(request), initial=_initial(day, holds, correcting))
    if request.method == "POST" and form.is_valid():
        fields = dict(form.fields_given)
        corrects = fields.pop("corrects")
        actor = Actor.of(request)
        count = form.attempt(correct_count, actor, corrects, **fields) if corrects else form.attempt(
            count_cash, actor, day, **fields
        )  # fmt: skip
        if count is not None:
            messages.success(request, _("The count was recorded."))
            return redirect(f"{reverse('cash_count')}?day={day:%Y-%m-%d}")
    context = {
        "heading": _("Cash count"), "form": form, "day": day, "today": timezone.localdate(), "cash": cash,
        "holds": holds, "replaced": of_day[1:], "correcting": correcting,
        "asks": holds is None or correcting or form.is_bound, "since": cash - holds.taken if holds else 0,
        "earlier": counts().exclude(day=day)[:EARLIER],
    }  # fmt: skip
    return render(request, "web/till/till.html", context, status=form.status)
