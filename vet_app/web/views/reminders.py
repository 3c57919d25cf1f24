"""Vaccinations that are due: the list, sending e-mail, printing letters."""

from __future__ import annotations

from typing import Any, Dict, List, Tuple

from django.conf import settings
from django.contrib import messages
from django.db.models import Prefetch
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST
from django_htmx.http import HttpResponseClientRefresh

from accounts.roles import Right
from audit.actor import Actor
from clinic.models import Owner
from clinic.selectors import reminders as selectors
from clinic.selectors.calendar import coming
from clinic.selectors.settings import clinic_settings
from clinic.services.reminders import letter, release_held, told_by_hand, told_of_appointment
from clinic.services.sending import last_run, send_in_background
from exchange.exporting import CSV_TYPE, reminders_due
from web.forms.reminders import DueForm, horizon
from web.support import needs, paged, sensitive

LETTERS_AT_ONCE = 100


def _asked(request: HttpRequest) -> DueForm:
    return DueForm(request.GET if "until" in request.GET else None, initial={"until": horizon()})


@needs(Right.VIEW)
def reminders(request: HttpRequest) -> HttpResponse:
    """What is due, the oldest first, and whether the owner has been written to; for htmx how far the sending is."""
    form, run = _asked(request), last_run()
    if getattr(request, "htmx", False):
        goes_on = run is not None and run.goes_on
        return render(request, "web/reminders/run.html", {"run": run}) if goes_on else HttpResponseClientRefresh()
    rows = selectors.due(form.day).prefetch_related(Prefetch("pet__appointments", coming(), to_attr="coming"))
    context = {"form": form, "page": paged(request, rows), "until": form.day, "today": timezone.localdate(),
               "email": settings.EMAIL_ENABLED, "email_problem": settings.EMAIL_PROBLEM,
               "run": run, "held": selectors.held().count() if Actor.of(request).may(Right.MANAGE) else 0,
               "heading": _("Reminders")}  # fmt: skip
    return render(request, "web/reminders/list.html", context, status=form.status)


@require_POST
@needs(Right.FRONT_DESK)
def reminders_send(request: HttpRequest) -> HttpResponse:
    """Begin to send what the daily run would send; the list shows how far it is."""
    if not settings.EMAIL_ENABLED:
        messages.error(request, _("This clinic sends no e-mail. Print the letters instead."))
        return redirect("reminders")
    send_in_background(Actor.of(request))
    return redirect("reminders")


@needs(Right.FRONT_DESK)
def reminders_letters(request: HttpRequest) -> HttpResponse:
    """A sheet for each owner who is to be written to by post; with POST they are recorded as posted."""
    form = _asked(request)
    if request.method == "POST":
        owners = [int(number) for number in request.POST.getlist("owner") if number.isdecimal()][:LETTERS_AT_ONCE]
        count = told_by_hand(Actor.of(request), owners, timezone.localdate(), Owner.Contact.POST)
        message = ngettext(
            "%(count)d letter was recorded as posted.", "%(count)d letters were recorded as posted.", count
        )
        messages.success(request, message % {"count": count})
        return redirect(f"{reverse('reminders')}?until={form.day:%Y-%m-%d}")
    letters, count = _letters(form)
    context = {"letters": letters, "count": count, "until": form.day,
               "today": timezone.localdate(), "heading": _("Reminder letters")}  # fmt: skip
    return render(request, "web/reminders/letters.html", context)


def _letters(form: DueForm) -> Tuple[List[Dict[str, Any]], int]:
    """Owner, subject and text of the first letters to owners who are told by post.

    The second value is how many letters there are in all.
    """
    by_post = selectors.not_notified(selectors.to_tell(form.day), timezone.localdate(), Owner.Contact.POST)
    letters = []
    for owner, rows in by_post[:LETTERS_AT_ONCE]:
        subject, text = letter(owner, rows)
        letters.append({"owner": owner, "subject": subject, "text": text})
    return letters, len(by_post)


@needs(Right.FRONT_DESK)
def reminders_calls(request: HttpRequest) -> HttpResponse:
    """Whom to call, because they prefer it; with POST somebody has been called."""
    today = timezone.localdate()
    if request.method == "POST":
        owner, item = request.POST.get("owner", ""), request.POST.get("appointment", "")
        if owner.isdecimal():
            told_by_hand(Actor.of(request), [int(owner)], today, Owner.Contact.PHONE)
        if item.isdecimal():
            told_of_appointment(Actor.of(request), int(item))
        messages.success(request, _("Recorded as called."))
        return redirect("reminders_calls")
    by_phone = Owner.Contact.PHONE
    waiting = selectors.not_notified(selectors.to_tell(selectors.horizon(today)), today, by_phone)
    expected = [each for each in selectors.appointments_to_tell(today)
                if selectors.way_for_appointment(each.pet.owner) == by_phone]  # type: ignore[union-attr]  # fmt: skip
    context = {"waiting": waiting[:LETTERS_AT_ONCE], "count": len(waiting), "expected": expected, "heading": _("Calls")}
    return render(request, "web/reminders/calls.html", context)


@needs(Right.MANAGE)
def reminders_held(request: HttpRequest) -> HttpResponse:
    """What an import brought: whom it would write to, before anybody is; with POST it is let go."""
    if request.method == "POST":
        count = release_held(Actor.of(request), overdue=request.POST.get("overdue") == "yes")
        message = ngettext("%(count)d reminder was released.", "%(count)d reminders were released.", count)
        messages.success(request, message % {"count": count})
        return redirect("reminders")
    rows = selectors.held()
    today = timezone.localdate()
    context = {
        "page": paged(request, rows), "count": rows.count(), "late": rows.filter(due_on__lt=today).count(),
        "owners": rows.filter(pet__owner__reminder_consent=True).values("pet__owner").distinct().count(),
        "most": clinic_settings().reminders_a_day, "today": today, "heading": _("Reminders from an import"),
    }  # fmt: skip
    return render(request, "web/reminders/held.html", context)


@needs(Right.FRONT_DESK)
@sensitive
def reminders_csv(request: HttpRequest) -> StreamingHttpResponse:
    """The list as CSV, for a mail program."""
    form = _asked(request)
    response = StreamingHttpResponse(reminders_due(Actor.of(request), form.day), content_type=CSV_TYPE)
    response["Content-Disposition"] = f'attachment; filename="reminders-{form.day:%Y-%m-%d}.csv"'
    return response
