"""The calendar: the day, booking, and what happens to an appointment."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from typing import Any, Dict, List, Mapping

from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.dateparse import parse_date, parse_time
from django.utils.formats import time_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST

from accounts.roles import Right
from audit.actor import Actor
from clinic.models import Appointment, Pet, Vet
from clinic.selectors import calendar as selectors
from clinic.selectors import opening
from clinic.selectors.search import search
from clinic.services.booking import book, change_status, move, update_details, walk_in
from web.calendar_grid import grid
from web.forms.calendar import BookingForm, DetailsForm, TimeForm
from web.support import data_of, form_page, needs, version_of

Kind, Status = Appointment.Kind, Appointment.Status
MOST_FREE = 16
# What to press, by where an appointment stands and where it goes; the usual step comes first.
STEPS = {
    (Status.BOOKED, Status.ARRIVED): gettext_lazy("Check in"),
    (Status.BOOKED, Status.CONFIRMED): gettext_lazy("Confirm"),
    (Status.BOOKED, Status.CANCELLED): gettext_lazy("Cancel the appointment"),
    (Status.BOOKED, Status.NO_SHOW): gettext_lazy("Did not come"),
    (Status.CONFIRMED, Status.ARRIVED): gettext_lazy("Check in"),
    (Status.CONFIRMED, Status.BOOKED): gettext_lazy("Undo confirmation"),
    (Status.CONFIRMED, Status.CANCELLED): gettext_lazy("Cancel the appointment"),
    (Status.CONFIRMED, Status.NO_SHOW): gettext_lazy("Did not come"),
    (Status.ARRIVED, Status.WITH_VET): gettext_lazy("To the vet"),
    (Status.ARRIVED, Status.BOOKED): gettext_lazy("Undo check-in"),
    (Status.ARRIVED, Status.CANCELLED): gettext_lazy("Cancel the appointment"),
    (Status.WITH_VET, Status.DONE): gettext_lazy("Done"),
    (Status.WITH_VET, Status.ARRIVED): gettext_lazy("Back to the waiting room"),
    (Status.DONE, Status.WITH_VET): gettext_lazy("Reopen"),
    (Status.CANCELLED, Status.BOOKED): gettext_lazy("Book again"),
    (Status.NO_SHOW, Status.ARRIVED): gettext_lazy("Arrived after all"),
    (Status.NO_SHOW, Status.BOOKED): gettext_lazy("Book again"),
}


def day_of(request: HttpRequest) -> date:
    """The day that the query names, else today."""
    try:
        return parse_date(request.GET.get("date", "")) or timezone.localdate()
    except ValueError:
        return timezone.localdate()


def _local(items: Any) -> List[Appointment]:
    """Appointments with their times at the clinic."""
    appointments = list(items)
    for item in appointments:
        item.starts_at, item.ends_at = timezone.localtime(item.starts_at), timezone.localtime(item.ends_at)
    return appointments


@needs(Right.VIEW)
def calendar(request: HttpRequest) -> HttpResponse:
    """One day, a column for each vet."""
    day = day_of(request)
    items = _local(selectors.day(day))
    vets = list(Vet.objects.filter(active=True))
    off = opening.days_off(day, day)
    open_at = [span for vet in (None, *vets) for span in opening.hours(day, vet, off)] or [settings.OPENING_HOURS]
    span = (min(opens for opens, _closes in open_at), max(closes for _opens, closes in open_at))
    works = {vet.pk: opening.bookable(day, vet, off) for vet in vets}
    shown = [item for item in items if item.status not in Appointment.FREE]
    context = {
        "day": day,
        "previous": day - timedelta(days=1),
        "next": day + timedelta(days=1),
        "today": timezone.localdate(),
        "now": _slot_now() if day == timezone.localdate() else None,
        "vets": vets,
        "notices": opening.notices(day, off),
        "rows": grid(day, vets, shown, works, span, settings.SLOT_MINUTES),
        "released": [item for item in items if item.status in Appointment.FREE],
    }
    return render(request, "web/calendar/day.html", context)


def _slot_now() -> time:
    """The row of the clock."""
    now = timezone.localtime()
    begin = (now.hour * 60 + now.minute) // settings.SLOT_MINUTES * settings.SLOT_MINUTES
    return time(begin // 60, begin % 60)


def _candidates(request: HttpRequest) -> List[Pet]:
    """Pets to choose from: the one that the address names, an owner's, or what the search finds."""
    alive = Pet.objects.filter(merged_into=None, deceased_on=None).select_related("owner", "species")
    chosen = request.POST.get("pet") or request.GET.get("pet") or ""
    pets = list(alive.filter(pk=chosen)) if chosen.isdecimal() else []
    owner = request.GET.get("owner", "")
    if owner.isdecimal():
        pets += [pet for pet in alive.filter(owner=int(owner)) if pet not in pets]
    for pet in search(request.GET.get("find", "")).pets:
        if pet not in pets and not pet.is_deceased:
            pets.append(pet)
    return pets


def _asked(request: HttpRequest) -> Dict[str, Any]:
    """What the address says about an appointment: vet, day and time, as far as they can be read."""
    asked: Dict[str, Any] = {}
    if request.GET.get("vet", "").isdecimal():
        asked["vet"] = request.GET["vet"]
    if "date" in request.GET:
        asked["day"] = day_of(request)
    try:
        at = parse_time(request.GET.get("time", ""))
    except ValueError:
        at = None
    return {**asked, "time": at} if at else asked


def _wanted(request: HttpRequest) -> Dict[str, Any]:
    """A new appointment to begin with: what the address says, else the first vet's next free time.

    A day that the address names stays, without a time where none is free.
    """
    first = Vet.objects.filter(active=True).first()
    start: Dict[str, Any] = {"vet": first and first.pk, "minutes": ""}
    wanted = {**start, "pet": request.GET.get("pet"), **_asked(request)}
    free = [] if "time" in wanted else _free(wanted)
    if free:
        wanted.update(day=free[0].date(), time=free[0].time())
    return {"day": timezone.localdate(), **wanted}


def _free(wanted: Mapping[str, Any]) -> List[datetime]:
    """The next times that a vet has free for so many minutes: on a day, or on the first with any where none is named.

    None where one of these cannot be read.
    """
    vet, day, minutes = str(wanted.get("vet") or ""), wanted.get("day"), str(wanted.get("minutes") or "")
    minutes = minutes or str(opening.usual_minutes(str(wanted.get("kind") or Kind.CONSULTATION)))
    chosen = Vet.objects.filter(pk=vet, active=True).first() if vet.isdecimal() else None
    try:
        date = parse_date(day) if isinstance(day, str) else day
    except ValueError:
        return []
    if chosen is None or not minutes.isdecimal():
        return []
    if "day" not in wanted:
        return selectors.next_free_times(chosen, int(minutes))[:MOST_FREE]
    times = selectors.free_times(chosen, date, int(minutes)) if date else []
    return [at for at in times if at > timezone.now()][:MOST_FREE]


@needs(Right.FRONT_DESK)
def appointment_new(request: HttpRequest) -> HttpResponse:
    """Book a vet's time; a taken one is refused and can be booked twice with a reason."""
    if getattr(request, "htmx", False) and request.method == "GET":
        if "find" not in request.GET:
            return render(request, "web/calendar/free.html", {"free": _free(request.GET), "asked": request.GET})
        return render(request, "web/calendar/candidates.html", {"candidates": _candidates(request)})
    form = BookingForm(data_of(request), initial=_wanted(request))
    if request.method == "POST" and form.is_valid() and not form.gives_to_think():
        cleaned = form.cleaned_data
        booked = form.attempt(
            book, Actor.of(request), cleaned["vet"].pk, form.starts_at, form.ends_at, form.fields_given,
            override_reason=cleaned["override_reason"],
        )  # fmt: skip
        if booked is not None:
            at = timezone.localtime(booked.starts_at)
            messages.success(request, _("Booked: %(who)s, %(at)s.") % {"who": booked.who, "at": time_format(at)})
            return redirect(f"{reverse('calendar')}?date={cleaned['day']:%Y-%m-%d}")
    return form_page(
        request, form, _("New appointment"), _("Book"), reverse("calendar"), template="web/calendar/new.html",
        candidates=_candidates(request), chosen=str(form["pet"].value() or ""), find=request.GET.get("find", ""),
        **_free_beside(form),
    )  # fmt: skip


def _free_beside(form: TimeForm) -> Dict[str, Any]:
    """What a page shows beside the fields of a time."""
    asked = {name: form[name].value() for name in ("vet", "day", "minutes", "kind") if name in form.fields}
    return {"free": _free(asked), "asked": asked}


def _appointment(pk: int) -> Appointment:
    return get_object_or_404(
        Appointment.objects.select_related("vet", "pet__owner", "pet__species", "pet__breed", "visit"), pk=pk
    )


def _calendar_of(item: Appointment) -> str:
    return f"{reverse('calendar')}?date={timezone.localtime(item.starts_at):%Y-%m-%d}"


@needs(Right.VIEW)
def appointment(request: HttpRequest, pk: int) -> HttpResponse:
    """One appointment, with the steps that may follow."""
    item = _appointment(pk)
    steps = [(status, words) for (old, status), words in STEPS.items() if old == item.status]
    return render(request, "web/calendar/appointment.html", {"item": item, "steps": steps, "back": _calendar_of(item)})


@require_POST
@needs(Right.FRONT_DESK)
def appointment_status(request: HttpRequest, pk: int) -> HttpResponse:
    """Take an appointment a step on or back, and return to where the button was."""
    item = change_status(
        Actor.of(request), pk, version_of(request), request.POST.get("status", ""),
        override_reason=request.POST.get("override_reason", ""),
    )  # fmt: skip
    messages.success(request, f"{item.who}: {item.get_status_display()}")
    return redirect("waiting_room" if request.POST.get("back") == "waiting" else reverse("appointment", args=[pk]))


@needs(Right.FRONT_DESK)
def appointment_move(request: HttpRequest, pk: int) -> HttpResponse:
    """Give an appointment another time or vet."""
    item = _appointment(pk)
    start: datetime = timezone.localtime(item.starts_at)
    initial = {
        "version": item.version, "vet": item.vet_id, "day": start.date(), "time": start.time(),
        "minutes": int((item.ends_at - item.starts_at).total_seconds() // 60), **_asked(request),
    }  # fmt: skip
    form = TimeForm(data_of(request), initial=initial)
    if request.method == "POST" and form.is_valid() and not form.gives_to_think(item.pet_id, moved_id=pk):
        cleaned = form.cleaned_data
        moved = form.attempt(
            move, Actor.of(request), pk, cleaned["version"] or 0, form.starts_at, form.ends_at,
            vet_id=cleaned["vet"].pk, override_reason=cleaned["override_reason"],
        )  # fmt: skip
        if moved is not None:
            messages.success(request, _("The appointment was moved."))
            return redirect(_calendar_of(moved))
    heading = _("Move the appointment of %(who)s") % {"who": item.who}
    back = reverse("appointment", args=[pk])
    return form_page(
        request, form, heading, _("Move"), back, template="web/calendar/move.html", pet=item.pet, **_free_beside(form)
    )  # fmt: skip


@needs(Right.FRONT_DESK)
def appointment_edit(request: HttpRequest, pk: int) -> HttpResponse:
    """Change what an appointment is about."""
    item = _appointment(pk)
    initial = {"version": item.version, "client_note": item.client_note, "kind": item.kind, "reason": item.reason}
    form = DetailsForm(data_of(request), initial=initial)
    if request.method == "POST" and form.is_valid():
        version = form.cleaned_data["version"] or 0
        if form.attempt(update_details, Actor.of(request), pk, version, form.fields_given) is not None:
            messages.success(request, _("Saved."))
            return redirect("appointment", pk)
    return form_page(request, form, _("Appointment of %(who)s") % {"who": item.who}, _("Save"),
                     reverse("appointment", args=[pk]), pet=item.pet)  # fmt: skip


@require_POST
@needs(Right.FRONT_DESK)
def pet_walk_in(request: HttpRequest, pk: int) -> HttpResponse:
    """Take in an animal that stands at the desk."""
    item = walk_in(Actor.of(request), pk)
    messages.success(request, _("%(who)s is waiting for %(vet)s.") % {"who": item.who, "vet": item.vet})
    return redirect("waiting_room")


@needs(Right.VIEW)
def week(request: HttpRequest) -> HttpResponse:
    """Seven days, each with its appointments in the order of the clock."""
    first = day_of(request)
    first -= timedelta(days=first.weekday())
    days = [first + timedelta(days=number) for number in range(7)]
    off, items = opening.days_off(first, days[-1]), _local(selectors.between(first, days[-1]))
    shown = [item for item in items if item.status not in Appointment.FREE]
    context = {
        "first": first, "last": days[-1], "today": timezone.localdate(),
        "previous": first - timedelta(days=7), "next": first + timedelta(days=7),
        "days": [
            (day, opening.notices(day, off), [item for item in shown if item.starts_at.date() == day]) for day in days
        ],
    }  # fmt: skip
    return render(request, "web/calendar/week.html", context)


@needs(Right.VIEW)
def waiting_room(request: HttpRequest) -> HttpResponse:
    """Who is here and who is still to come; for htmx only the lists."""
    today = timezone.localdate()
    coming = (Appointment.Status.BOOKED, Appointment.Status.CONFIRMED)
    context = {
        "waiting": selectors.waiting_room(today),
        "expected": selectors.day(today).filter(status__in=coming).exclude(kind=Kind.BLOCK),
        "now": timezone.localtime(),
    }
    template = "web/calendar/waiting_list.html" if getattr(request, "htmx", False) else "web/calendar/waiting.html"
    return render(request, template, context)
