"""Ten tasks of every day take as many clicks and keys as README.md says, which nothing may raise."""

from __future__ import annotations

import re
from datetime import date, datetime, timedelta, timezone
from pathlib import Path
from typing import Any, Callable, Dict, Iterator, Tuple

import pytest

from tests.browser.conftest import Site, furnish, serve

pytest.importorskip("playwright", reason="the browser's driver needs Python 3.10 or newer; `make test` runs it there")
from playwright.sync_api import Page, expect

from tests.browser.person import Person

README = Path(__file__).resolve().parents[2] / "README.md"
ROW = re.compile(r"^\| (?P<task>[^|`]+) \| (?P<clicks>\d+) \| (?P<keys>\d+) \|$", re.MULTILINE)
MOST_CLICKS = {"take in who comes without an appointment": 2, "record a new client with a pet and book": 8}


@pytest.fixture(scope="module")
def clinic(on_sqlite: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A demonstration clinic of these tests' own, because they change what others look at."""
    folder = tmp_path_factory.mktemp("tasks")
    furnish(folder, {})
    with serve(folder, {}) as site:
        yield site


def find_a_caller(desk: Person) -> None:
    desk.find("5550142", "Maren Holloway")


def take_in(desk: Person) -> None:
    desk.find("pepper", "Pepper")
    desk.press("Check in as walk-in")
    expect(desk.page.get_by_role("status")).to_contain_text("Pepper")


def new_client(desk: Person) -> None:
    desk.search("555-0177")
    desk.follow("Record a new owner", within=desk.page.locator("#search-results"))
    desk.fill("last name", "Lund")
    desk.fill("first name", "Ida")
    desk.press("Save")
    desk.follow("Add a pet")
    desk.fill("name", "Bonnie")
    desk.choose("species", "Dog")
    desk.press("Save")
    desk.follow("Book")
    desk.press("Book")
    expect(desk.page.get_by_role("status")).to_contain_text("Bonnie")


def book(desk: Person) -> None:
    desk.find("juniper", "Juniper")
    desk.follow("Book")
    desk.press("Book")
    expect(desk.page.get_by_role("status")).to_contain_text("Juniper")


def check_in(desk: Person) -> None:
    desk.go("Waiting room")
    desk.press("Check in", within=desk.page.get_by_role("listitem").filter(has_text="Tilly"))
    expect(desk.page.get_by_role("status")).to_contain_text("Tilly")


def move(desk: Person) -> None:
    """To another time of tomorrow, when the whole day is free."""
    desk.go("Calendar")
    desk.click(desk.page.locator("[rel=next]"))
    desk.click(desk.page.locator(".slot", has_text="Otto"))
    desk.follow("Move")
    desk.click(desk.page.locator("[data-fill]").first)
    desk.press("Move")
    expect(desk.page.get_by_role("status")).to_contain_text("was moved")


def examine(vet: Person) -> None:
    vet.go("Waiting room")
    vet.follow("Start the visit", within=vet.page.get_by_role("listitem").filter(has_text="Clementine"))
    vet.fill("weight (kg)", "4.5")
    vet.fill("temperature (°C)", "38.6")
    vet.fill("assessment", "Healthy")
    vet.press("Save the visit")
    expect(vet.page.get_by_text("38.6 °C").first).to_be_visible()


def vaccinate(vet: Person) -> None:
    vet.find("waffles", "Waffles")
    vet.follow("Vaccinate")
    vet.choose("vaccine", "Myxomatosis and RHD (rabbit)")
    vet.fill("lot number", "M-17")
    vet.press("Record", "verb")
    expect(vet.page.get_by_text("M-17").first).to_be_visible()


def bill(desk: Person) -> None:
    desk.find("5550163", "Saskia Brandt")
    desk.follow("New bill")
    desk.fill("product", "Consultation")
    desk.press("Save the draft")
    desk.press("Issue")
    desk.press("Take payment")
    expect(desk.page.locator("h1 .badge.paid")).to_be_visible()


def count_the_till(desk: Person) -> None:
    desk.follow("Count the till")
    desk.fill("opening cash", "100")
    desk.fill("cash counted", "100")
    desk.press("Record the count")
    expect(desk.page.get_by_role("status")).to_contain_text("was recorded")


TASKS: Dict[str, Tuple[str, Callable[[Person], None]]] = {
    "find a caller by the number": ("reception", find_a_caller),
    "take in who comes without an appointment": ("reception", take_in),
    "record a new client with a pet and book": ("reception", new_client),
    "book the next free time of a known pet": ("reception", book),
    "check in who was expected": ("reception", check_in),
    "move an appointment of tomorrow": ("reception", move),
    "examine who waits: weight, temperature, a word": ("vet", examine),
    "vaccinate a pet with a new lot": ("vet", vaccinate),
    "bill one service and take the money": ("reception", bill),
    "count the till": ("reception", count_the_till),
}
"""Who does it, and how, by its name in README.md. Each begins at the page Today."""


def figures() -> Dict[str, Tuple[int, int]]:
    """Clicks and keys by the task, as README.md has them."""
    return {row["task"]: (int(row["clicks"]), int(row["keys"])) for row in ROW.finditer(README.read_text())}


def prepare(desk: Page, clinic: Site) -> None:
    """An appointment of tomorrow, to move."""
    pet = clinic.rows("SELECT id FROM clinic_pet WHERE name = 'Otto'")[0][0]
    tomorrow: date = datetime.now(timezone.utc).date() + timedelta(days=1)
    desk.goto(f"/appointments/new/?pet={pet}&date={tomorrow}&time=15:00")
    desk.get_by_role("button", name="Book", exact=True).click()
    expect(desk.get_by_role("status")).to_contain_text("Otto")


@pytest.mark.long
def test_every_task_takes_what_the_table_says(open_page: Any, clinic: Site) -> None:
    pages = {name: open_page(name, at=clinic) for name in ("reception", "vet")}
    prepare(pages["reception"], clinic)
    counted = {}
    for task, (who, do) in TASKS.items():
        pages[who].goto("/")
        person = Person(pages[who])
        do(person)
        counted[task] = (person.clicks, person.keys)
    for task, most in MOST_CLICKS.items():
        assert counted[task][0] <= most, f"{task}: {counted[task][0]} clicks; {most} are the limit"
    assert counted == figures(), (
        f"README.md says {figures()}; a task that takes more than that is not as quick as before"
    )
