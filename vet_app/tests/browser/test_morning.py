"""A morning at the clinic, as the people at the desk and in the room live it; every step is in the audit trail."""

from __future__ import annotations

import re
from datetime import datetime, timezone
from typing import Any, Callable, List, Tuple

import pytest

from tests.browser.conftest import Site

pytest.importorskip("playwright", reason="the browser's driver needs Python 3.10 or newer; `make test` runs it there")
from playwright.sync_api import Page, expect

OpenPage = Callable[..., Page]
Pictures = Callable[[Page, str], None]
ASKED_FROM = "17:15"  # in the site's zone, UTC: from then on 17:00 has passed, and the page asks once more
# Who did what to what, in this order; other entries may lie between.
TRAIL: List[Tuple[str, str, str]] = [
    ("reception", "create", "appointment"),
    ("reception", "create", "appointment"),
    ("reception", "overbook", "appointment"),
    ("reception", "status", "appointment"),
    ("vet", "create", "visit"),
    ("vet", "update", "visit"),
    ("vet", "create", "vaccination"),
    ("vet", "lock", "visit"),
    ("reception", "create", "invoice"),
    ("reception", "issue", "invoice"),
    ("reception", "pay", "payment"),
    ("reception", "void", "payment"),
    ("reception", "void", "invoice"),
]


def find(page: Page, words: str, result: str) -> None:
    """Use the search box as the keyboard does: a slash, the words, down, enter."""
    page.keyboard.press("/")
    page.keyboard.type(words)
    link = page.locator("#search-results").get_by_role("link", name=re.compile(result)).first
    expect(link).to_be_visible()
    page.keyboard.press("ArrowDown")
    expect(link).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_contain_text(result)


def book(page: Page, pet: str, time: str, reason: str) -> None:
    """From the pet's page to the calendar."""
    page.get_by_role("link", name=pet, exact=True).first.click()
    page.get_by_role("link", name="Book", exact=True).click()
    page.get_by_label("Vet").select_option(label="Dr Imogen Farrow")
    # In the evening the form proposes a later day: today has no free time left.
    page.locator("#id_day").fill(datetime.now(timezone.utc).date().isoformat())
    page.get_by_label("Time").fill(time)
    page.get_by_label("Reason", exact=True).fill(reason)
    page.get_by_role("button", name="Book", exact=True).click()
    if datetime.now(timezone.utc).strftime("%H:%M") > ASKED_FROM:
        expect(page.get_by_role("main")).to_contain_text("This time has passed.")
        page.get_by_role("button", name="Book anyway").click()


def reception_books(page: Page, pictures: Pictures) -> None:
    """Two animals for one time: the second is refused, and then booked on purpose."""
    find(page, "5550142", "Maren Holloway")
    book(page, "Biscuit", "17:00", "Yearly vaccination")
    expect(page.get_by_role("status")).to_contain_text("Booked: Biscuit")
    expect(page.get_by_role("main")).to_contain_text("Yearly vaccination")
    find(page, "5550142", "Maren Holloway")
    book(page, "Clementine", "17:00", "Comes along")
    taken = "Dr Imogen Farrow already has an appointment from 17:00"
    expect(page.get_by_role("alert").filter(has_text=taken).first).to_be_visible()
    pictures(page, "morning-1-refused")
    page.get_by_label("Reason for double booking").fill("Same owner, a quick look")
    page.get_by_role("button", name="Book anyway").click()
    expect(page.get_by_role("status")).to_contain_text("Booked: Clementine")
    pictures(page, "morning-2-double")


def reception_checks_in(page: Page, pictures: Pictures) -> None:
    page.get_by_role("link", name="Waiting room", exact=True).click()
    row = page.get_by_role("listitem").filter(has_text="17:00").filter(has_text="Biscuit")
    row.get_by_role("button", name="Check in").click()
    here = page.get_by_role("region", name="Here").get_by_role("listitem").filter(has_text="17:00 ·")
    expect(here).to_contain_text("Waiting")
    pictures(page, "morning-3-waiting")


def vet_examines(page: Page, pictures: Pictures) -> None:
    """From the waiting room to locked notes with a vaccination."""
    page.get_by_role("link", name="Waiting room", exact=True).click()
    row = page.get_by_role("listitem").filter(has_text="17:00").filter(has_text="Biscuit")
    row.get_by_role("link", name="Start the visit").click()
    page.get_by_label("Weight (kg)").fill("12.6")
    page.get_by_label("Temperature (°C)").fill("51")
    page.get_by_role("button", name="Save the visit").click()
    expect(page.get_by_label("Temperature (°C)")).to_have_attribute("aria-invalid", "true")
    page.get_by_label("Temperature (°C)").fill("38.5")
    page.get_by_role("button", name="Save the visit").click()
    page.get_by_role("link", name="Write notes").click()
    page.get_by_label("Assessment").fill("Healthy")
    page.get_by_role("button", name="Save the visit").click()
    page.get_by_role("link", name="Vaccinate").click()
    page.get_by_label("Vaccine").select_option(label="Rabies (dog, 1 year)")
    page.get_by_label("Lot number").fill("R-2231")
    page.get_by_label("Tag").fill("T-0917")
    page.get_by_role("button", name="Record").click()
    expect(page.get_by_role("region", name="Vaccinations")).to_contain_text("R-2231")
    page.get_by_role("link", name="Lock the notes").click()
    page.get_by_role("button", name="Lock the notes").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("locked")
    pictures(page, "morning-4-visit")


def vet_prints_the_certificate(page: Page, pictures: Pictures) -> None:
    """On paper there is the certificate and nothing of the frame around it."""
    page.get_by_role("region", name="Vaccinations").get_by_role("link", name="Certificate").click()
    page.evaluate("window.print = () => { window.printed = true }")
    page.get_by_role("button", name="Print", exact=True).click()
    assert page.evaluate("window.printed"), "the button must ask the browser to print"
    page.emulate_media(media="print")
    for shown in ("Rabies vaccination certificate", "Maren Holloway", "R-2231", "T-0917"):
        expect(page.get_by_role("article").get_by_text(shown).first).to_be_visible()
    expect(page.get_by_role("heading", level=1)).to_have_count(0)
    for frame in ("banner", "navigation"):
        expect(page.get_by_role(frame)).to_have_count(0)
    pictures(page, "morning-5-certificate")
    assert page.pdf(format="A4").count(b"/Type /Page\n") <= 1, "a certificate is one sheet"


def reception_bills(page: Page, pictures: Pictures) -> None:
    """A draft, its number, the money, and all of it taken back."""
    find(page, "5550142", "Maren Holloway")
    page.get_by_role("link", name="New bill").click()
    page.get_by_label("Product").first.fill("rabies vaccination")
    expect(page.locator("[data-sum] output")).not_to_have_text("–")
    page.get_by_role("button", name="Save the draft").click()
    page.get_by_role("button", name="Issue").click()
    expect(page.get_by_role("status")).to_contain_text("was issued")
    page.get_by_role("button", name="Take payment").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("Paid")
    pictures(page, "morning-6-paid")
    page.get_by_role("link", name="undo").click()
    page.get_by_label("Reason").fill("Wrong card")
    page.get_by_role("main").get_by_role("button").first.click()
    page.get_by_role("link", name="Void").click()
    page.get_by_label("Reason").fill("Billed to the wrong owner")
    page.get_by_role("button", name="Void").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("Void")
    pictures(page, "morning-7-void")


def test_a_morning(open_page: OpenPage, site: Site, pictures: Pictures) -> None:
    begin: Any = site.rows("SELECT max(id) FROM audit_auditentry")[0][0]
    desk, room = open_page("reception"), open_page("vet", "tablet")
    reception_books(desk, pictures)
    reception_checks_in(desk, pictures)
    vet_examines(room, pictures)
    vet_prints_the_certificate(room, pictures)
    reception_bills(desk, pictures)
    sql = f"SELECT actor, action, object_type FROM audit_auditentry WHERE id > {begin} ORDER BY id"  # noqa: S608
    trail = site.rows(sql)
    rest = iter(trail)
    for step in TRAIL:
        assert step in rest, f"{step} is missing or comes too early in {trail}"
    office = open_page("manager")
    office.get_by_role("link", name="Audit trail").click()
    for words in ("Double booking allowed", "Locked", "Payment taken", "Voided"):
        expect(office.get_by_role("table").get_by_text(words).first).to_be_visible()
    pictures(office, "morning-8-trail")


def test_a_free_time_is_chosen_with_the_keyboard(open_page: OpenPage, site: Site) -> None:
    """Another vet is chosen, the free times follow, Enter on one puts it into its field, and nothing typed is lost."""
    page = open_page("reception")
    pet = site.rows("SELECT id FROM clinic_pet WHERE name = 'Biscuit'")[0][0]
    page.goto(f"/appointments/new/?pet={pet}&date=2030-03-05")
    page.get_by_label("Reason", exact=True).fill("Nail trim")
    free, length = page.locator("[data-fill]"), page.get_by_label("Length")
    with page.expect_response(lambda response: "minutes=60" in response.url):
        length.select_option("60")
    expect(free.first).to_have_text("08:00")
    expect(page.get_by_text("17:15", exact=True)).to_have_count(0)
    free.nth(2).focus()
    with page.expect_response(lambda response: "minutes=60" in response.url):
        length.dispatch_event("change")  # the list is made again while somebody is in it
    expect(free.nth(2)).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.get_by_label("Time")).to_have_value("08:30")
    expect(page.get_by_label("Time")).to_be_focused()
    expect(page.get_by_label("Reason", exact=True)).to_have_value("Nail trim")


def test_without_javascript(open_page: OpenPage) -> None:
    page = open_page("vet", java_script_enabled=False)
    page.get_by_role("searchbox").first.fill("900000000000104")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_contain_text("Moss")
    page.get_by_role("link", name="Vaccinate").click()
    page.get_by_label("Vaccine").select_option(label="Kennel cough (dog)")
    page.get_by_role("button", name="Record").click()
    expect(page.get_by_label("Lot number")).to_have_attribute("aria-invalid", "true")
    page.get_by_label("Lot number").fill("KC-1")
    page.get_by_role("button", name="Record").click()
    expect(page.get_by_text("Certificate of vaccination")).to_be_visible()
    expect(page.get_by_role("button", name="Print", exact=True)).to_have_count(0)
