"""Hours, days off and holidays: what speaks against an appointment is said once and forbids nothing."""

from __future__ import annotations

import re
from datetime import date, datetime, time, timedelta
from types import SimpleNamespace
from typing import Any, Dict
from zoneinfo import ZoneInfo

import pytest
from django.core.exceptions import ValidationError
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone, translation

from clinic import holidays, opening
from clinic.models import Appointment, DaysOff, Vet
from clinic.selectors.calendar import free_times
from clinic.services import booking
from clinic.services.catalogue import save_entry
from clinic.services.settings import change_settings
from tests.web.test_settings_page import KEPT, WHO
from web.forms.calendar import BookingForm

TUESDAY = date(2030, 3, 5)
WEEK = "Mo-Fr 08:00-12:00, 14:00-18:00; Sa 9:00-12:00"


@pytest.mark.parametrize(
    ("text", "day", "spans"),
    [
        (WEEK, 1, [(time(8), time(12)), (time(14), time(18))]), (WEEK, 5, [(time(9), time(12))]), (WEEK, 6, []),
        ("mo,mi 10:00-11:00", 2, [(time(10), time(11))]), ("Fr-Mo 10:00-11:00", 6, [(time(10), time(11))]),
    ],
)  # fmt: skip
def test_hours_are_written_as_people_write_them(text: str, day: int, spans: Any) -> None:
    assert opening.week(text)[day] == spans


@pytest.mark.parametrize(
    "text",
    [
        "08:00-12:00",
        "Mo 12:00-08:00",
        "Xx 08:00-12:00",
        "Mo 8-12",
        "Mo 08:00-12:00, 11:00-13:00",
        "Mo-Tu-We 08:00-09:00",
    ],
)
def test_hours_that_say_nothing_are_refused_with_an_example(text: str) -> None:
    with pytest.raises(ValidationError, match="Mo-Fr 08:00-12:00, 14:00-18:00"):
        opening.check(text)


def test_holidays_of_a_region_in_the_language_of_the_page() -> None:
    with translation.override("de"):
        assert holidays.named("DE-BY", date(2030, 1, 6)) == "Heilige Drei Könige"
    assert holidays.named("DE-HH", date(2030, 1, 6)) == "" == holidays.named("", date(2030, 12, 25))
    assert "Independence" in holidays.named("US", date(2030, 7, 4))
    with pytest.raises(ValidationError, match="DE-XX"):
        holidays.check("DE-XX")


def settle(clinic: SimpleNamespace, **fields: Any) -> None:
    change_settings(clinic.actor, 0, {**WHO, "hours": WEEK, **fields})


def off(clinic: SimpleNamespace, first: date, last: date, reason: str, vet: Any = None) -> DaysOff:
    given = {"first_day": first, "last_day": last, "reason": reason, "vet": vet}
    return save_entry(clinic.actor, DaysOff, None, 0, given)


def asked(clinic: SimpleNamespace, **changed: Any) -> Dict[str, Any]:
    given = {"pet": clinic.pet.pk, "kind": "consult", "vet": clinic.vet.pk, "day": TUESDAY, "time": "09:00"}
    return {**given, "minutes": 30, **changed}


def test_free_times_keep_the_break_the_vets_own_days_and_days_off(clinic: SimpleNamespace) -> None:
    settle(clinic)
    times = [f"{at:%H:%M}" for at in free_times(clinic.vet, TUESDAY, 30)]
    assert (times[0], times[-1]) == ("08:00", "17:30") and "11:30" in times and "11:45" not in times
    assert not {"12:00", "13:30"} & set(times)
    assert free_times(clinic.vet, TUESDAY + timedelta(days=5), 30) == [], "Sunday"
    clinic.vet.hours = "Tu 15:00-16:00"
    clinic.vet.save()
    assert [f"{at:%H:%M}" for at in free_times(clinic.vet, TUESDAY, 60)] == ["15:00"]
    off(clinic, TUESDAY, TUESDAY, "Course", clinic.vet)
    assert free_times(clinic.vet, TUESDAY, 30) == []


def looks_closed(page: str, at: str) -> bool:
    """Whether the calendar shows a free time as one at which nobody works; it can be booked all the same."""
    match = re.search(
        rf'<td(?: class="(\w+)")?>\s*<a class="free" href="[^"]*&amp;time={at}" aria-label="([^"]*)"', page
    )
    assert match, at
    assert ("outside of working hours" in match[2]) is (match[1] == "closed")
    return match[1] == "closed"


def test_the_calendar_shades_breaks_and_the_vets_time_off(clinic: SimpleNamespace, as_manager: Client) -> None:
    settle(clinic)
    page = as_manager.get(f"/calendar/?date={TUESDAY}").content.decode()
    assert [at for at in ("08:00", "11:45", "12:00", "13:45", "14:00") if looks_closed(page, at)] == ["12:00", "13:45"]
    clinic.vet.hours = "Tu 08:00-13:00"
    clinic.vet.save()
    page = as_manager.get(f"/calendar/?date={TUESDAY}").content.decode()
    assert looks_closed(page, "12:30"), "the vet works, and the clinic is closed"
    assert looks_closed(page, "15:00") and not looks_closed(page, "09:00")
    off(clinic, TUESDAY, TUESDAY, "Course", clinic.vet)
    assert looks_closed(as_manager.get(f"/calendar/?date={TUESDAY}").content.decode(), "09:00")


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"day": "2030-03-10"}, "closed at this time"), ({"time": "12:30"}, "closed at this time"),
        ({"time": "11:45"}, "closed at this time"), ({"day": "2030-12-25"}, "Christmas"),
        ({"day": "2030-03-11"}, "Dr Test is away: Course"), ({"day": "2030-03-20"}, "clinic is closed: Moving house"),
        ({"day": "2020-03-05"}, "has passed"), ({"day": "2030-03-06"}, "does not work at this time"),
    ],
)  # fmt: skip
def test_what_speaks_against_a_time_is_said_once_and_forbids_nothing(
    clinic: SimpleNamespace, as_manager: Client, changed: Dict[str, str], message: str
) -> None:
    settle(clinic, holidays="US")
    save_entry(clinic.actor, Vet, clinic.vet.pk, 1, {"name": "Dr Test", "hours": "Mo-Tu, Th-Su 00:00-23:59"})
    off(clinic, date(2030, 3, 11), date(2030, 3, 15), "Course", clinic.vet)
    off(clinic, date(2030, 3, 20), date(2030, 3, 20), "Moving house")
    response = as_manager.post("/appointments/new/", asked(clinic, **changed))
    page = response.content.decode()
    assert response.status_code == 409 and message in page and "Book anyway" in page, page
    assert not Appointment.objects.exists()
    seen = response.context["form"].data["seen"]
    assert f'value="{seen}"' in page
    assert as_manager.post("/appointments/new/", asked(clinic, **changed, seen=seen)).status_code == 302
    assert Appointment.objects.count() == 1


def test_a_time_that_nothing_speaks_against_is_booked_at_once(clinic: SimpleNamespace, as_manager: Client) -> None:
    settle(clinic, holidays="US")
    assert as_manager.post("/appointments/new/", asked(clinic)).status_code == 302
    lunch = asked(clinic, time="12:00", kind="block", pet="", minutes=60)
    assert as_manager.post("/appointments/new/", lunch).status_code == 302, "a break is not for an animal"


def test_the_same_pet_twice_at_a_time_is_asked_about_and_a_moved_one_is_no_other(
    clinic: SimpleNamespace, as_manager: Client
) -> None:
    other = Vet.objects.create(name="Dr Other")
    assert as_manager.post("/appointments/new/", asked(clinic)).status_code == 302
    response = as_manager.post("/appointments/new/", asked(clinic, vet=other.pk, time="09:15"))
    assert response.status_code == 409 and "has an appointment at 09:00 with Dr Test" in response.content.decode()
    booked = Appointment.objects.get()
    moved = {"vet": clinic.vet.pk, "day": TUESDAY, "time": "09:15", "minutes": 30, "version": booked.version}
    assert as_manager.post(f"/appointments/{booked.pk}/move/", moved).status_code == 302


def test_a_doubt_that_came_since_is_told_as_well(clinic: SimpleNamespace, as_manager: Client) -> None:
    settle(clinic)
    sunday = asked(clinic, day="2030-03-10")
    seen = as_manager.post("/appointments/new/", sunday).context["form"].data["seen"]
    off(clinic, date(2030, 3, 10), date(2030, 3, 10), "Moving house")
    again = as_manager.post("/appointments/new/", {**sunday, "seen": seen})
    assert again.status_code == 409 and "Moving house" in again.content.decode()


def test_a_length_over_the_change_of_the_clocks_is_real_time(clinic: SimpleNamespace, settings: Any) -> None:
    settings.TIME_ZONE = "Europe/Berlin"
    with timezone.override("Europe/Berlin"):
        form = BookingForm(asked(clinic, day="2030-03-31", time="01:30", minutes=60))
        assert form.is_valid(), form.errors
        zone = ZoneInfo("Europe/Berlin")
        assert form.ends_at.astimezone(zone) == datetime(2030, 3, 31, 3, 30, tzinfo=zone)
        utc = ZoneInfo("UTC")
        assert form.ends_at.astimezone(utc) - form.starts_at.astimezone(utc) == timedelta(minutes=60)


def test_the_calendar_tells_of_holidays_and_who_is_away(clinic: SimpleNamespace, as_manager: Client) -> None:
    settle(clinic, holidays="US")
    off(clinic, date(2030, 12, 24), date(2030, 12, 26), "Skiing", clinic.vet)
    for page in ("/calendar/?date=2030-12-25", "/calendar/week/?date=2030-12-25"):
        text = as_manager.get(page).content.decode()
        assert "Christmas Day" in text and "Dr Test: Skiing" in text, page
    assert "Skiing" not in as_manager.get("/calendar/?date=2030-12-27").content.decode()
    day = as_manager.get("/calendar/?date=2030-03-09").content.decode()
    assert "09:00" in day and "17:00" not in day, "Saturday ends at noon"


def test_a_week_shows_each_day_and_asks_no_more_for_a_full_one(clinic: SimpleNamespace, as_manager: Client) -> None:
    def count() -> int:
        with CaptureQueriesContext(connection) as queries:
            assert as_manager.get("/calendar/week/?date=2030-03-06").status_code == 200
        return len(queries)

    empty = count()
    for number in range(5):
        day = (TUESDAY + timedelta(days=number - 1)).isoformat()
        assert as_manager.post("/appointments/new/", asked(clinic, day=day)).status_code == 302
    assert count() == empty
    page = as_manager.get("/calendar/week/?date=2030-03-06").content.decode()
    assert page.count("<bdi>Biscuit</bdi>") == 5 and f"no. {clinic.pet.pk}" in page


def test_whoever_stands_at_the_desk_is_taken_in_by_one_button(clinic: SimpleNamespace, client_of: Any) -> None:
    busy, away = Vet.objects.create(name="Dr Busy"), Vet.objects.create(name="Dr Away")
    today = timezone.localdate()
    off(clinic, today, today, "Ill", away)
    booking.walk_in(clinic.actor, clinic.pet.pk, busy.pk)
    booking.walk_in(clinic.actor, clinic.pet.pk, busy.pk)
    desk: Client = client_of("reception")
    assert "Check in as walk-in" in desk.get(f"/pets/{clinic.pet.pk}/").content.decode()
    answer = desk.post(f"/pets/{clinic.pet.pk}/here/", follow=True)
    assert "Biscuit is waiting for Dr Test" in answer.content.decode()
    taken = Appointment.objects.latest("pk")
    assert (taken.vet, taken.status, taken.overbooked) == (clinic.vet, "arrived", False)
    assert [each.overbooked for each in Appointment.objects.filter(vet=busy).order_by("pk")] == [False, True]
    assert client_of("readonly").post(f"/pets/{clinic.pet.pk}/here/").status_code == 403


def test_a_manager_keeps_hours_and_days_off(clinic: SimpleNamespace, as_manager: Client) -> None:
    sent = {"first_day": "2030-08-05", "last_day": "2030-08-01", "reason": "Summer", "active": "on"}
    refused = as_manager.post("/lists/days_off/new/", sent)
    assert refused.status_code == 422 and "before the first" in refused.content.decode()
    assert as_manager.post("/lists/days_off/new/", {**sent, "last_day": "2030-08-16"}).status_code == 302
    assert "Summer" in as_manager.get("/lists/days_off/").content.decode()
    units = {**KEPT, "weight_unit": "kg", "temperature_unit": "c", "version": 0}
    wrong = as_manager.post("/settings/", {**WHO, **units, "hours": "always", "holidays": "Bavaria"})
    assert wrong.status_code == 422 and wrong.content.decode().count('class="error"') == 2
    assert as_manager.post("/settings/", {**WHO, **units, "hours": WEEK, "holidays": "DE-BY"}).status_code == 302


def test_each_kind_of_appointment_has_its_usual_length(clinic: SimpleNamespace, as_manager: Client) -> None:
    settle(clinic, surgery_minutes=90, consult_minutes=20)
    page = as_manager.get("/appointments/new/").content.decode()
    assert "Consultation 20, Vaccination 15, Surgery 90, Follow-up 15" in page
    for number, (kind, minutes, length) in enumerate(
        [("surgery", "", 90), ("consult", "", 20), ("vaccination", "", 15), ("surgery", "30", 30)]
    ):
        day = f"2030-03-{4 + number:02d}"
        sent = asked(clinic, day=day, time="08:00", kind=kind, minutes=minutes, seen="")
        answer = as_manager.post("/appointments/new/", sent)
        if answer.status_code == 409:
            answer = as_manager.post("/appointments/new/", {**sent, "seen": answer.context["form"].data["seen"]})
        assert answer.status_code == 302, answer.content.decode()
        booked = Appointment.objects.latest("pk")
        assert (booked.ends_at - booked.starts_at).seconds == length * 60, kind


def test_free_times_are_as_long_as_the_kind(clinic: SimpleNamespace, as_manager: Client) -> None:
    settle(clinic, surgery_minutes=240)
    query = {"vet": clinic.vet.pk, "day": "2030-03-05", "minutes": ""}
    surgery = as_manager.get("/appointments/new/", {**query, "kind": "surgery"}, HTTP_HX_REQUEST="true")
    consult = as_manager.get("/appointments/new/", {**query, "kind": "consult"}, HTTP_HX_REQUEST="true")
    counted = [answer.content.decode().count("data-fill") for answer in (surgery, consult)]
    assert 0 < counted[0] < counted[1], counted


def test_a_walk_in_takes_as_long_as_a_consultation(clinic: SimpleNamespace) -> None:
    settle(clinic, consult_minutes=20)
    here = booking.walk_in(clinic.actor, clinic.pet.pk)
    assert (here.ends_at - here.starts_at).seconds == 20 * 60
