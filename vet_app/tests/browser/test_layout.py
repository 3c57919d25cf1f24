"""What pages look like at each width: columns, long names, dark screens, the calendar's times."""

from __future__ import annotations

import re
from datetime import date, timedelta
from typing import Callable, List

import pytest

from tests.browser.conftest import SIZES, Site

pytest.importorskip("playwright", reason="the browser's driver needs Python 3.10 or newer; `make test` runs it there")
from playwright.sync_api import Page, expect

from tests.browser.pages import PICTURES, TABLES, faults, language_of, misplaced, numbered

COLOURS = """kind => Object.fromEntries([...document.querySelectorAll(kind)].map(
  each => [each.className.split(" ")[1], getComputedStyle(each).backgroundColor]))"""


def test_a_status_has_one_colour_everywhere(open_page: Callable[..., Page]) -> None:
    page = open_page("reception")
    badges = page.evaluate(COLOURS, ".badge")
    page.goto("/calendar/")
    slots = page.evaluate(COLOURS, ".slot")
    both = set(badges) & set(slots)
    assert {"arrived", "with-vet", "done", "booked"} <= both, f"the demonstration shows them: {badges}, {slots}"
    assert {name: badges[name] for name in both} == {name: slots[name] for name in both}
    assert len({badges[name] for name in ("arrived", "with-vet", "done", "booked")}) == 4, badges


LARGE = "document.querySelectorAll('td.number').forEach(each => { each.textContent = '123,456.78' })"
CUT_OFF = """[...document.querySelectorAll('.scroll')].filter(each => each.scrollWidth > each.clientWidth)
  .map(each => each.innerText)"""


@pytest.mark.parametrize("language", ["en", "de", "fr"])
def test_the_takings_show_every_column_of_a_good_month(open_page: Callable[..., Page], language: str) -> None:
    page = open_page("manager", locale=language)
    page.goto(f"/takings/?since={date.today() - timedelta(days=300)}&until={date.today()}")
    expect(page.locator("#money ~ .scroll tbody tr").first).to_be_visible()
    assert language_of(page) == language
    page.evaluate(LARGE)
    for width in (1280, 820, 390):
        page.set_viewport_size({"width": width, "height": 900})
        assert not page.evaluate(CUT_OFF), f"cut off at {width} pixels"


@pytest.mark.parametrize("language", ["en", "de", "fr"])
def test_a_bill_shows_every_column_on_a_phone(open_page: Callable[..., Page], site: Site, language: str) -> None:
    page = open_page("manager", locale=language)
    page.set_viewport_size({"width": 390, "height": 900})
    page.goto(f"/invoices/{site.rows(TABLES['invoice'])[0][0]}/")
    assert language_of(page) == language
    what = page.locator("article tbody td").first
    what.evaluate("each => { each.textContent = 'Allgemeinuntersuchung' }")
    assert not page.evaluate(CUT_OFF), "cut off at 390 pixels"
    assert not (found := faults(page)), found


LISTS = ("/", "/waiting/", "/calendar/", "/owners/", "/invoices/", "/reminders/", "/audit/", "/lists/prices/", "/team/",
         "/calendar/week/", "/appointments/new/?find=biscuit", "/visits/1/", "/search/?q=biscuit", "/owners/new/",
         "/reminders/calls/", "/reminders/letters/", "/reminders/imported/", "/takings/")  # fmt: skip
RECORDS = ("/owners/{owner}/", "/owners/{owner}/edit/", "/owners/{owner}/merge/?q=a", "/pets/{pet}/",
           "/pets/{pet}/merge/?q=b",
           "/pets/{pet}/record/", "/pets/{pet}/vaccinations/", "/appointments/{expected}/",
           "/appointments/{expected}/move/", "/appointments/{expected}/edit/", "/invoices/{invoice}/",
           "/invoices/{invoice_edit}/edit/", "/vaccinations/{vaccination}/certificate/")  # fmt: skip
NAMES = """name => document.querySelectorAll('bdi, .head > h1').forEach(
  each => { if (!each.querySelector('bdi')) each.textContent = name })"""
ENDLESS, ARABIC = "Donaudampfschifffahrtsgesellschaftskapitaenswitwe" * 2, "\u0642\u0637\u0629 (12)"


@pytest.mark.parametrize("name", [ENDLESS, ARABIC], ids=["endless", "right to left"])
def test_names_of_every_kind_fit_a_phone_and_a_screen_at_twice_the_size(
    open_page: Callable[..., Page], site: Site, name: str
) -> None:
    page = open_page("manager", "phone", reduced_motion="reduce")
    for address in (*LISTS, *numbered(site, RECORDS)):
        answer = page.goto(address)
        assert answer is not None and answer.status == 200, (address, answer and answer.status)
        page.evaluate(NAMES, name)
        for width in (390, 360, 640):  # 640: a screen of 1280 at 200 %
            page.set_viewport_size({"width": width, "height": 800})
            assert not page.evaluate("document.documentElement.scrollWidth > window.innerWidth"), (address, width)
        assert not page.evaluate(CUT_OFF), f"{address}: cut off beside a name that is {name[:20]}"


def test_names_stand_in_their_own_direction(open_page: Callable[..., Page], site: Site) -> None:
    """Where the name of an owner or a pet is shown, it is marked as one; not only in lists."""
    page = open_page("manager")
    for address, at_least in (
        ("/pets/{pet}/", 2), ("/owners/{owner}/", 2), ("/appointments/{expected}/", 3), ("/pets/{pet}/record/", 3),
    ):  # fmt: skip
        page.goto(numbered(site, [address])[0])
        assert page.locator("h1 bdi").count() == 1 and page.locator("main bdi").count() >= at_least, address


def test_whose_record_it_is_stays_in_sight_on_a_phone(open_page: Callable[..., Page]) -> None:
    page = open_page("vet", "phone")
    page.goto("/visits/1/")
    page.evaluate("window.scrollTo(0, document.body.scrollHeight)")
    place = page.locator(".patient").bounding_box()
    assert place is not None and 0 <= place["y"] < 40, place
    expect(page.locator(".patient")).to_be_in_viewport()


OPTIONS = "name => document.querySelectorAll('.line option').forEach(each => { each.textContent = name })"


@pytest.mark.parametrize("width", [1280, 820, 390])
def test_a_bill_is_written_with_every_field_in_sight(open_page: Callable[..., Page], site: Site, width: int) -> None:
    """Also whose animal a line is about, whatever it is called."""
    page = open_page("reception")
    page.set_viewport_size({"width": width, "height": 1180})
    page.goto(f"/invoices/{site.rows(TABLES['invoice_edit'])[0][0]}/edit/")
    page.evaluate(OPTIONS, ENDLESS)
    line = page.locator(".line").first
    for field in ("product", "quantity", "unit_price", "discount", "pet", "vet"):
        place = line.locator(f"[name$={field}]").bounding_box()
        assert place is not None and place["x"] >= 0 and place["x"] + place["width"] <= width, (field, place)
        assert place["width"] >= (120 if field in ("product", "pet", "vet") else 50), (field, place)


DARK = ("/", "/calendar/", "/pets/{pet}/", "/owners/{owner}/", "/appointments/{expected}/", "/owners/new/",
        "/invoices/{invoice}/", "/reminders/", "/exchange/", "/invoices/{invoice_edit}/edit/", "/visits/1/",
        "/vaccinations/{certificate}/certificate/", "/calendar/week/", "/takings/till/", "/audit/",
        "/language/")  # fmt: skip
GROUND = "each => getComputedStyle(each).backgroundColor"


def brightness(colour: str) -> float:
    """From 0, black, to 255."""
    red, green, blue = (int(part) for part in re.findall(r"\d+", colour)[:3])
    return 0.299 * red + 0.587 * green + 0.114 * blue


def test_a_dark_screen_is_dark_and_legible_and_papers_are_white(open_page: Callable[..., Page], site: Site) -> None:
    light, page = open_page("manager"), open_page("manager", color_scheme="dark")
    assert brightness(light.locator("body").evaluate(GROUND)) > 220
    found: List[str] = []
    for address in numbered(site, DARK):
        page.goto(address)
        assert brightness(page.locator("body").evaluate(GROUND)) < 40, address
        for field in page.locator("main input:visible, main .card").all()[:3]:
            assert brightness(field.evaluate(GROUND)) < 60, address
        for sheet in page.locator(".sheet").all():
            assert sheet.evaluate(GROUND) == "rgb(255, 255, 255)", address
            assert brightness(sheet.evaluate("each => getComputedStyle(each).color")) < 60, address
        found += [f"{address}: {fault}" for fault in faults(page)]
        if PICTURES:
            page.screenshot(path=f"var/dark{address.replace('/', '-').partition('?')[0]}.png", full_page=True)
    assert not found, "\n".join(found)
    page.goto(numbered(site, ["/invoices/{invoice}/"])[0])
    page.emulate_media(media="print", color_scheme="dark")
    assert page.locator("body").evaluate(GROUND) == "rgb(255, 255, 255)"


def test_the_menu_folds_on_a_phone_and_says_where_one_is(open_page: Callable[..., Page]) -> None:
    page = open_page("reception", "phone")
    menu = page.get_by_role("navigation", name="Clinic")
    expect(menu).to_be_hidden()
    page.get_by_role("button", name="Menu").click()
    expect(menu.get_by_role("link", name="Today")).to_have_attribute("aria-current", "page")
    assert not (found := faults(page)), found
    menu.get_by_role("link", name="Calendar").click()
    expect(page).to_have_url(re.compile("/calendar/"))
    page.set_viewport_size({"width": 1280, "height": 900})
    expect(page.get_by_role("button", name="Menu")).to_be_hidden()
    expect(menu).to_be_visible()


@pytest.mark.parametrize("locale", ["en-US", "en-GB", "de"])
def test_the_times_of_the_calendar_stand_in_one_line(open_page: Callable[..., Page], locale: str) -> None:
    """At each width, by a clock of 12 hours as well."""
    page = open_page("reception", locale=locale)
    page.goto("/calendar/")
    expect(page.locator("table.day th[scope=row]").filter(has_text="10:15")).to_have_count(1)
    for size, (width, height) in SIZES.items():
        page.set_viewport_size({"width": width, "height": height})
        assert not (found := misplaced(page)), (size, found)
