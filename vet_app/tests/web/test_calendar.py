"""The calendar, booking and the waiting room as people use them."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta, timezone
from types import SimpleNamespace
from typing import Any, Callable, List, Tuple

import pytest
from django.test import Client
from django.utils import timezone as django_timezone
from hypothesis import HealthCheck, given
from hypothesis import settings as with_settings
from hypothesis import strategies as st

from accounts.roles import Role
from audit.models import AuditEntry
from clinic.models import Appointment, DaysOff, Vet
from clinic.services.booking import NEXT, book
from clinic.services.catalogue import save_entry
from clinic.services.settings import change_settings
from clinic.services.vaccination import record_vaccination
from tests.web.conftest import beside, roles_that_may
from tests.web.test_settings_page import WHO
from web.calendar_grid import grid
from web.views.calendar import STEPS

DAY = date(2030, 3, 5)
DESK = [Role.RECEPTION, Role.TECHNICIAN, Role.VET, Role.MANAGER]


def booking(clinic: SimpleNamespace, **fields: Any) -> Any:
    at = {"vet": clinic.vet.pk, "day": "2030-03-05", "time": "09:00", "minutes": "30"}
    return {**at, "pet": clinic.pet.pk, "kind": "consult", **fields}


@pytest.fixture
def booked(clinic: SimpleNamespace) -> Appointment:
    """Biscuit, today at noon, so that the waiting room shows it."""
    noon = django_timezone.localtime().replace(hour=12, minute=0, second=0, microsecond=0)
    return book(clinic.actor, clinic.vet.pk, noon, noon + timedelta(minutes=30), {"pet": clinic.pet})


@pytest.mark.parametrize(
    ("address", "roles"),
    [
        ("/calendar/", list(Role.values)), ("/waiting/", list(Role.values)), ("/appointments/{pk}/", list(Role.values)),
        ("/appointments/new/", DESK), ("/appointments/{pk}/move/", DESK), ("/appointments/{pk}/edit/", DESK),
    ],
)  # fmt: skip
def test_who_may_open(booked: Appointment, client_of: Callable[[str], Client], address: str, roles: List[str]) -> None:
    assert roles_that_may(client_of, address.format(pk=booked.pk)) == [r for r in Role.values if r in roles]


def test_a_booking_appears_in_the_calendar(clinic: SimpleNamespace, as_manager: Client) -> None:
    answer = as_manager.post("/appointments/new/", booking(clinic, reason="Limping"))
    assert answer.headers["Location"] == "/calendar/?date=2030-03-05"
    page = as_manager.get("/calendar/?date=2030-03-05").content.decode()
    assert "Limping" in page
    assert "09:00 <bdi>Biscuit</bdi>" in page
    assert 'rowspan="2"' in page, "thirty minutes are two rows of fifteen"


def test_a_double_booking_is_refused_and_then_allowed_with_a_reason(
    clinic: SimpleNamespace, as_manager: Client
) -> None:
    as_manager.post("/appointments/new/", booking(clinic))
    page = as_manager.post("/appointments/new/", booking(clinic, time="09:15"))
    assert page.status_code == 409
    text = page.content.decode()
    assert "already has an appointment from 09:00 to 09:30" in text
    assert 'name="override_reason"' in text
    assert Appointment.objects.count() == 1
    as_manager.post("/appointments/new/", booking(clinic, time="09:15", override_reason="Emergency"))
    second = Appointment.objects.get(overbooked=True)
    assert second.overbook_reason == "Emergency"
    assert AuditEntry.objects.filter(action="overbook", object_id=str(second.pk)).exists()
    assert "double booked" in as_manager.get("/calendar/?date=2030-03-05").content.decode()


def test_somebody_must_be_coming(clinic: SimpleNamespace, as_manager: Client) -> None:
    page = as_manager.post("/appointments/new/", booking(clinic, pet=""))
    assert page.status_code == 422
    assert "Choose a pet, or enter who is coming." in page.content.decode()
    assert as_manager.post("/appointments/new/", booking(clinic, pet="", client_note="Ellery")).status_code == 302


def test_pets_are_found_while_typing_and_without_javascript(clinic: SimpleNamespace, as_manager: Client) -> None:
    live = as_manager.get("/appointments/new/", {"find": "0142 "}, headers={"HX-Request": "true"}).content.decode()
    assert "<html" not in live
    plain = as_manager.get("/appointments/new/", {"find": "bisc", "vet": clinic.vet.pk}).content.decode()
    assert f'name="pet" value="{clinic.pet.pk}" checked' in plain
    named = as_manager.get("/appointments/new/", {"pet": clinic.pet.pk}).content.decode()
    assert f'value="{clinic.pet.pk}" checked' in named


def test_a_free_slot_leads_to_the_form_filled_in(clinic: SimpleNamespace, as_manager: Client) -> None:
    page = as_manager.get("/calendar/?date=2030-03-05").content.decode()
    link = f"/appointments/new/?vet={clinic.vet.pk}&amp;date=2030-03-05&amp;time=10:15"
    assert link in page
    form = as_manager.get(link.replace("&amp;", "&")).content.decode()
    assert 'value="2030-03-05"' in form
    assert 'value="10:15"' in form


@pytest.mark.parametrize("query", ["date=soon", "date=2030-02-31", "time=25:99&date=2030-03-05", "vet=x&pet=y&owner=z"])
def test_a_strange_address_is_no_error(clinic: SimpleNamespace, as_manager: Client, query: str) -> None:
    assert as_manager.get(f"/calendar/?{query}").status_code == 200
    assert as_manager.get(f"/appointments/new/?{query}").status_code == 200


def test_the_form_begins_with_the_next_free_time_and_offers_the_others(
    clinic: SimpleNamespace, as_manager: Client
) -> None:
    begin = datetime(2030, 3, 5, 8, 0, tzinfo=timezone.utc)
    book(clinic.actor, clinic.vet.pk, begin, begin + timedelta(minutes=30), {"pet": clinic.pet})
    page = as_manager.get("/appointments/new/?date=2030-03-05").content.decode()
    assert 'value="08:30"' in page, "what is taken is not proposed"
    assert "date=2030-03-05&amp;time=08:45" in page, "the others are links, which work without JavaScript"
    asked = {"vet": clinic.vet.pk, "day": "2030-03-05", "minutes": "60"}
    part = as_manager.get("/appointments/new/", asked, HTTP_HX_REQUEST="true").content.decode()
    assert "<html" not in part and ">08:30<" in part and ">08:00<" not in part and ">17:15<" not in part
    full = {**asked, "minutes": "480", "day": "2030-03-05"}
    book(clinic.actor, clinic.vet.pk, begin.replace(hour=13), begin.replace(hour=14), {"pet": clinic.pet})
    assert "no free time" in as_manager.get("/appointments/new/", full, HTTP_HX_REQUEST="true").content.decode()


def proposed(page: Any) -> Tuple[Any, Any]:
    form = page.context["form"]
    return form["day"].value(), form["time"].value()


@pytest.fixture
def desk_at(client_of: Callable[[str], Client], monkeypatch: pytest.MonkeyPatch) -> Callable[[datetime], Client]:
    """Somebody who logs in at a moment, at which the clock then stays."""

    def log_in(moment: datetime) -> Client:
        monkeypatch.setattr(django_timezone, "now", lambda: moment)
        return client_of(Role.MANAGER)

    return log_in


def test_a_day_without_a_free_time_proposes_the_next_that_has_one(clinic: SimpleNamespace, desk_at: Any) -> None:
    desk = desk_at(datetime(2030, 3, 5, 17, 50, tzinfo=timezone.utc))  # the last row of the day has begun
    page = desk.get("/appointments/new/")
    assert proposed(page) == (date(2030, 3, 6), time(8, 0)), "not what has passed this morning"
    assert "date=2030-03-06&amp;time=08:15" in page.content.decode(), "the others beside it are of the same day"
    course = {"first_day": date(2030, 3, 6), "last_day": date(2030, 3, 7), "reason": "Course", "vet": clinic.vet}
    save_entry(clinic.actor, DaysOff, None, 0, course)
    change_settings(clinic.actor, 0, {**WHO, "hours": "Mo-Th 09:00-12:00"})
    assert proposed(desk.get("/appointments/new/")) == (date(2030, 3, 11), time(9, 0))
    assert proposed(desk.get("/appointments/new/?date=2030-03-06")) == (date(2030, 3, 6), None), "as asked"


def test_a_holiday_is_not_proposed(clinic: SimpleNamespace, desk_at: Any) -> None:
    change_settings(clinic.actor, 0, {**WHO, "holidays": "US"})
    desk = desk_at(datetime(2030, 7, 3, 20, 0, tzinfo=timezone.utc))
    assert proposed(desk.get("/appointments/new/")) == (date(2030, 7, 5), time(8, 0)), "after the 4th of July"


def test_a_vet_without_any_free_time_is_proposed_none(
    clinic: SimpleNamespace, as_manager: Client, django_assert_max_num_queries: Any
) -> None:
    clinic.vet.hours = "Su 10:00-10:10"
    clinic.vet.save()
    with django_assert_max_num_queries(20):  # not one for each of the days ahead
        page = as_manager.get("/appointments/new/")
    assert proposed(page) == (django_timezone.localdate(), None)


@pytest.mark.parametrize(
    "asked", [{}, {"vet": "x", "day": "y", "minutes": "z"}, {"vet": "9" * 15, "day": "2030-02-31"}]
)
def test_free_times_of_nothing_sensible_are_none(clinic: SimpleNamespace, as_manager: Client, asked: Any) -> None:
    answer = as_manager.get("/appointments/new/", asked, HTTP_HX_REQUEST="true")
    assert answer.status_code == 200 and b"no free time" in answer.content


def test_every_step_that_may_follow_has_a_button_with_words_of_its_own() -> None:
    assert set(STEPS) == {(old, new) for old, following in NEXT.items() for new in following}


def test_the_row_of_the_clock_is_marked_today_only(clinic: SimpleNamespace, as_manager: Client, settings: Any) -> None:
    settings.OPENING_HOURS = (time(0), time(23, 59))
    assert as_manager.get("/calendar/").content.count(b'<tr class="now">') == 1
    assert b'<tr class="now">' not in as_manager.get("/calendar/?date=2030-03-05").content


def test_what_is_planned_is_seen_on_the_owners_page_and_beside_the_reminder(
    clinic: SimpleNamespace, as_manager: Client
) -> None:
    begin = datetime(2090, 3, 5, 8, 0, tzinfo=timezone.utc)
    given = django_timezone.localdate() - timedelta(days=360)
    record_vaccination(clinic.actor, clinic.pet.pk, clinic.vaccine.pk, given, {"vet": clinic.vet, "lot": "L1"})
    assert b"?pet=" in as_manager.get("/reminders/").content
    book(clinic.actor, clinic.vet.pk, begin, begin + timedelta(minutes=30), {"pet": clinic.pet, "reason": "Limping"})
    page = as_manager.get(f"/owners/{clinic.owner.pk}/").content.decode()
    assert "Appointments to come" in page and "03/05/2090 08:00" in page and "Limping" in page
    page = as_manager.get("/reminders/").content.decode()
    assert "comes 03/05/2090 08:00" in page and "?pet=" not in page


def test_the_way_through_the_waiting_room(booked: Appointment, as_manager: Client) -> None:
    assert "Check in" in as_manager.get("/waiting/").content.decode()
    for status in ("arrived", "with_vet", "done"):
        booked.refresh_from_db()
        answer = as_manager.post(
            f"/appointments/{booked.pk}/status/", {"status": status, "version": booked.version, "back": "waiting"}
        )
        assert answer.headers["Location"] == "/waiting/"
    booked.refresh_from_db()
    assert booked.status == "done"
    assert "<html" not in as_manager.get("/waiting/", headers={"HX-Request": "true"}).content.decode()


def test_a_version_that_is_no_number_is_an_old_one(booked: Appointment, as_manager: Client) -> None:
    answer = as_manager.post(f"/appointments/{booked.pk}/status/", {"version": "x", "status": "arrived"})
    assert answer.status_code == 409


def test_a_step_that_may_not_follow_is_a_page_not_an_error(booked: Appointment, as_manager: Client) -> None:
    page = as_manager.post(f"/appointments/{booked.pk}/status/", {"status": "done", "version": booked.version})
    assert page.status_code == 409
    assert "cannot go from" in page.content.decode()


def test_moving_keeps_the_rules(clinic: SimpleNamespace, booked: Appointment, as_manager: Client) -> None:
    as_manager.post("/appointments/new/", booking(clinic))
    where = f"/appointments/{booked.pk}/move/"
    wanted = {"vet": clinic.vet.pk, "day": "2030-03-05", "time": "09:00", "minutes": "15", "version": booked.version}
    assert as_manager.post(where, wanted).status_code == 409
    assert as_manager.post(where, {**wanted, "time": "11:00"}).status_code == 302
    booked.refresh_from_db()
    assert booked.starts_at == datetime(2030, 3, 5, 11, tzinfo=timezone.utc)
    page = as_manager.post(where, {**wanted, "time": ""})
    assert beside(page, "time")


Span = Tuple[int, int, int]
SPANS = st.lists(
    st.tuples(st.integers(0, 1), st.integers(0, 95), st.integers(1, 20)), max_size=12
)  # vet, quarter of an hour at which it starts, how many it lasts


@with_settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])  # a busy machine is no fault of the grid
@given(spans=SPANS)
def test_every_appointment_stands_once_and_rows_stay_even(spans: List[Span]) -> None:
    vets = [Vet(pk=1, name="A"), Vet(pk=2, name="B")]
    midnight = datetime(2030, 3, 5, tzinfo=timezone.utc)
    items = [
        Appointment(
            pk=number, vet=vets[vet], starts_at=midnight + timedelta(minutes=15 * start),
            ends_at=midnight + timedelta(minutes=15 * (start + length)),
        )
        for number, (vet, start, length) in enumerate(spans, start=1)
    ]  # fmt: skip
    rows = grid(DAY, vets, items, {1: [(time(9), time(12))]}, (time(8), time(18)), 15)
    placed = [item.pk for row in rows for cell in row.cells for item in cell.items]
    assert sorted(placed) == [item.pk for item in items]
    for vet in vets:
        covered = sum(cell.span for row in rows for cell in row.cells if cell.vet is vet)
        assert covered == len(rows), f"{vet} fills {covered} of {len(rows)} rows"
    free = [cell for row in rows for cell in row.cells if not cell.items]
    assert [cell for cell in free if not cell.closed] == [
        cell for cell in free if cell.vet is vets[0] and time(9) <= cell.start < time(12)
    ]
