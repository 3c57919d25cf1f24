"""A day in a clinic of each country, at a desk, a tablet and a phone: from the first call to the counted till."""

from __future__ import annotations

import re
import shutil
import sqlite3
from contextlib import closing
from decimal import Decimal
from typing import Any, Callable, Dict, Iterator, Mapping, NamedTuple, Tuple

import pytest

from tests.browser.conftest import SIZES, Site, furnish, serve

pytest.importorskip("playwright", reason="the browser's driver needs Python 3.10 or newer; `make test` runs it there")
from playwright.sync_api import Locator, Page, expect

from tests.browser.pages import PICTURES
from tests.browser.person import Person

pytestmark = pytest.mark.long

OpenPage = Callable[..., Page]
Pictures = Callable[[Page, str], None]
MORNING = "morning.sqlite3"


class Country(NamedTuple):
    """What a clinic there sets, what is typed in it, and what it shows."""

    settings: Mapping[str, str]
    telephone: str
    weight: str
    temperature: str
    measured: Tuple[str, str]
    certificate: str
    money: str
    on_bills: str
    """What a bill must say; empty for a country whose bills have nothing of their own."""


COUNTRIES: Dict[str, Country] = {
    "US": Country(
        {"COUNTRY": "US", "TIME_ZONE": "America/New_York", "CURRENCY": "USD", "LANGUAGE_CODE": "en-us"},
        "(212) 555-0171", "27.3", "101.5", ("27.3 lb", "101.5 °F"), "Rabies vaccination certificate",
        r"^\$[\d,]+\.\d\d$", "",
    ),
    "DE": Country(
        {"COUNTRY": "DE", "TIME_ZONE": "Europe/Berlin", "CURRENCY": "EUR", "LANGUAGE_CODE": "de"},
        "030 90182031", "12,4", "38,6", ("12,4 kg", "38,6 °C"), "Certificate of vaccination", r"^[\d.]+,\d\d €$",
        "Date of service",
    ),
    "FR": Country(
        {"COUNTRY": "FR", "TIME_ZONE": "Europe/Paris", "CURRENCY": "EUR", "LANGUAGE_CODE": "fr"},
        "01 70 18 99 31", "12,4", "38,6", ("12,4 kg", "38,6 °C"), "Certificate of vaccination", r"^[\d ]+,\d\d €$",
        "Date of service",
    ),
}  # fmt: skip


class Day(NamedTuple):
    """A clinic on a day that nobody has worked at yet, and the width of its screens."""

    name: str
    country: Country
    site: Site
    size: str
    open_page: OpenPage
    pictures: Pictures

    def at_work(self, username: str) -> Person:
        """Somebody of the clinic who has logged in."""
        language = self.country.settings["LANGUAGE_CODE"]
        return Person(self.open_page(username, self.size, self.site, locale=language), language)

    def seen(self, person: Person, step: str) -> None:
        """Nothing sticks out of the page; a picture of it is kept where VET_PICTURES is set."""
        page = person.page
        if PICTURES:
            self.pictures(page, f"day-{self.name}-{step}")
        assert not page.evaluate("document.documentElement.scrollWidth > window.innerWidth"), f"{step}: {page.url}"


@pytest.fixture(scope="module", params=list(COUNTRIES))
def served(request: Any, on_sqlite: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Tuple[str, Site]]:
    """The demonstration clinic of a country, with its database as it was in the morning beside it."""
    folder, settings = tmp_path_factory.mktemp(request.param), COUNTRIES[request.param].settings
    furnish(folder, settings)
    shutil.copy(folder / "vet.sqlite3", folder / MORNING)
    with serve(folder, settings) as site:
        yield request.param, site


@pytest.fixture(params=list(SIZES))
def day(request: Any, served: Tuple[str, Site], open_page: OpenPage, pictures: Pictures) -> Day:
    """A day in a clinic, which begins as every other one."""
    name, site = served
    morning, now = (sqlite3.connect(each) for each in (site.database.with_name(MORNING), site.database))
    with closing(morning), closing(now):
        morning.backup(now)
    return Day(name, COUNTRIES[name], site, request.param, open_page, pictures)


def the_first_call(day: Day, desk: Person) -> None:
    """Nobody has this number yet: owner, pet and appointment are recorded, and the number is not typed again."""
    desk.search(day.country.telephone)
    desk.follow("Record a new owner", within=desk.page.locator("#search-results"))
    expect(desk.field("telephone numbers")).to_have_value(day.country.telephone)
    desk.fill("last name", "Lindgren-Achterberg")
    desk.fill("first name", "Ida")
    day.seen(desk, "1-owner")
    desk.press("Save")
    desk.follow("Add a pet")
    desk.fill("name", "Bonnie")
    desk.choose("species", desk.words("Dog"))
    desk.press("Save")
    desk.follow("Book")
    day.seen(desk, "2-book")
    desk.press("Book")
    expect(desk.page.get_by_role("status")).to_contain_text("Bonnie")
    expect(desk.page.locator(".slot", has_text="Bonnie")).to_be_visible()
    day.seen(desk, "3-calendar")


def they_arrive(day: Day, desk: Person) -> None:
    """They come at once instead, and are found by the pet's name."""
    desk.find("bonnie", "Bonnie")
    desk.press("Check in as walk-in")
    expect(waiting(desk)).to_be_visible()
    day.seen(desk, "4-waiting")


def waiting(person: Person) -> Locator:
    here = person.page.get_by_role("region", name=person.words("Here"))
    return here.get_by_role("listitem").filter(has_text="Bonnie")


def the_vet_examines(day: Day, vet: Person) -> None:
    """What is measured is typed and shown as people there do; the notes are locked."""
    vet.go("Waiting room")
    vet.follow("Start the visit", within=waiting(vet))
    vet.page.locator("[name=weight_kg]").fill(day.country.weight)
    vet.page.locator("[name=temp_c]").fill(day.country.temperature)
    vet.fill("assessment", "OK")
    vet.press("Save the visit")
    for shown in day.country.measured:
        expect(vet.page.get_by_text(shown).first).to_be_visible()
    vet.follow("Vaccinate")
    vet.choose("vaccine", vet.words("Rabies (dog, 1 year)"))
    vet.fill("lot number", "R-2231")
    vet.press("Record", "verb")
    expect(vet.page.get_by_text("R-2231")).to_be_visible()
    vet.follow("Lock the notes")
    vet.press("Lock the notes")
    day.seen(vet, "5-visit")
    vet.follow("Certificate")
    title = vet.page.get_by_role("heading", name=vet.words(day.country.certificate), exact=True)
    expect(title).to_be_visible()
    day.seen(vet, "6-certificate")


def they_pay(day: Day, desk: Person) -> None:
    """The bill begins with what the vet gave, has what the country's law asks for, and is paid in cash."""
    desk.go("Waiting room")
    desk.click(waiting(desk).get_by_role("link", name="Bonnie"))
    desk.follow("Bill")
    expect(desk.field("product")).to_have_value("Rabies vaccination")
    desk.press("Save the draft")
    desk.press("Issue")
    paper = desk.page.get_by_role("article")
    assert paper.get_attribute("lang") == day.country.settings["LANGUAGE_CODE"]
    if day.country.on_bills:
        expect(paper).to_contain_text(desk.words(day.country.on_bills))
    day.seen(desk, "7-bill")
    desk.choose("method", desk.words("Cash"))
    desk.press("Take payment")
    expect(desk.page.locator("h1 .badge.paid")).to_be_visible()
    day.seen(desk, "8-paid")


def the_till_is_counted(day: Day, desk: Person) -> None:
    """What was taken is in the till, to the cent."""
    desk.page.goto("/")
    day.seen(desk, "9-today")
    desk.follow("Count the till")
    taken = desk.page.locator("form strong").inner_text().replace("\xa0", " ").replace("\u202f", " ")
    assert re.match(day.country.money, taken), f"{taken!r} is not written as in {day.name}"
    cash = Decimal(re.sub(r"\D", "", taken)) / 100
    assert cash > 0
    counted = str(100 + cash)
    desk.fill("opening cash", "100")
    desk.fill("cash counted", counted if day.name == "US" else counted.replace(".", ","))
    desk.press("Record the count")
    expect(desk.page.get_by_role("status")).to_contain_text(desk.words("The count was recorded."))
    expect(desk.page.get_by_role("main").locator(".alert")).to_have_count(0)
    day.seen(desk, "10-till")
    desk.follow("Takings")
    expect(desk.page.get_by_role("main")).to_contain_text(desk.words("Cash"))
    day.seen(desk, "11-takings")


def test_a_day(day: Day) -> None:
    desk, vet = day.at_work("reception"), day.at_work("vet")
    the_first_call(day, desk)
    they_arrive(day, desk)
    the_vet_examines(day, vet)
    they_pay(day, desk)
    the_till_is_counted(day, desk)
    kept = "SELECT weight_kg, temp_c, locked_at IS NOT NULL FROM clinic_visit ORDER BY id DESC LIMIT 1"
    weight, temperature, locked = day.site.rows(kept)[0]
    assert abs(weight - 12.39) < 0.02 and abs(temperature - 38.6) < 0.02 and locked, "kept in SI everywhere"
    assert day.site.rows("SELECT counted - opening FROM clinic_cashcount")[0][0] > 0
