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
from clinic.models import Owner, Reminder, ReminderNotice
from clinic.selectors.calendar import coming
from clinic.selectors.reminders import due
from clinic.services.reminders import letter, post_letters, stage_on
from clinic.services.sending import last_run, send_in_background
from exchange.exporting import CSV_TYPE, reminders_due
from web.forms.reminders import DueForm, horizon
from web.support import needs, paged

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
    rows = due(form.day).prefetch_related(Prefetch("pet__appointments", coming(), to_attr="coming"))
    context = {"form": form, "page": paged(request, rows), "until": form.day, "today": timezone.localdate(),
               "email": settings.EMAIL_ENABLED, "run": run, "heading": _("Reminders")}  # fmt: skip
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
        count = post_letters(Actor.of(request), owners, timezone.localdate())
        told = ngettext("%(count)d letter was recorded as posted.", "%(count)d letters were recorded as posted.", count)
        messages.success(request, told % {"count": count})
        return redirect(f"{reverse('reminders')}?until={form.day:%Y-%m-%d}")
    letters, count = _letters(form)
    context = {"letters": letters, "count": count, "until": form.day,
               "today": timezone.localdate(), "heading": _("Reminder letters")}  # fmt: skip
    return render(request, "web/reminders/letters.html", context)


def _letters(form: DueForm) -> Tuple[List[Dict[str, Any]], int]:
    """Owner, subject and text of the first letters to owners who agree to reminders and are not reached by e-mail.

    The second value is how many letters there are in all.
    """
    by_owner: Dict[int, List[Reminder]] = {}
    for reminder in due(form.day):
        owner = reminder.pet.owner
        by_mail = settings.EMAIL_ENABLED and owner.email and owner.contact_preference != Owner.Contact.POST
        if owner.reminder_consent and not by_mail and _unwritten(reminder):
            by_owner.setdefault(owner.pk, []).append(reminder)
    letters = []
    for rows in list(by_owner.values())[:LETTERS_AT_ONCE]:
        owner = rows[0].pet.owner
        subject, text = letter(owner, rows)
        letters.append({"owner": owner, "subject": subject, "text": text})
    return letters, len(by_owner)


def _unwritten(reminder: Reminder) -> bool:
    """Whether a stage has been reached that the owner was not written about, as the run that sends e-mail sees it."""
    stage = stage_on(reminder.due_on, timezone.localdate())
    told = {notice.stage for notice in reminder.notices.all() if notice.status != ReminderNotice.Status.FAILED}
    return stage is not None and stage not in told


@needs(Right.FRONT_DESK)
def reminders_csv(request: HttpRequest) -> StreamingHttpResponse:
    """The list as CSV, for a mail program."""
    form = _asked(request)
    response = StreamingHttpResponse(reminders_due(Actor.of(request), form.day), content_type=CSV_TYPE)
    response["Content-Disposition"] = f'attachment; filename="reminders-{form.day:%Y-%m-%d}.csv"'
    return response
