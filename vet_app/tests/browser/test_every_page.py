"""Every page at both widths: axe finds nothing, nothing sticks out of the window, the browser complains of nothing."""

from __future__ import annotations

import os
from datetime import date, timedelta
from typing import Any, Callable, Dict, List

import pytest
from django.urls import URLPattern, reverse

from tests.browser.conftest import SIZES, Site
from web.urls import urlpatterns
from web.views.lists import KINDS

pytest.importorskip("playwright", reason="the browser's driver needs Python 3.10 or newer; `make test` runs it there")
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

# Of these the demonstration has none; `import_preview` is looked at below, the others are not pages.
MISSING = {"attachment", "import_preview", "import_apply", "import_discard", "token_revoke"}
PICTURES = bool(os.environ.get("VET_PICTURES"))
QUERIES = {"search": "?q=biscuit", "owner_merge": "?q=vale"}
# Whose number the address of a page takes, by the argument's name or the first word of the page's.
TABLES = {
    "pet": "SELECT id FROM clinic_pet WHERE name = 'Biscuit'",
    "owner": "SELECT owner_id FROM clinic_pet WHERE name = 'Biscuit'",
    "visit": "SELECT min(id) FROM clinic_visit WHERE locked_at IS NULL",
    "certificate": "SELECT min(id) FROM clinic_vaccination",
    "vaccination": "SELECT min(id) FROM clinic_vaccination",
    "prescription": "SELECT min(id) FROM clinic_prescription",
    "appointment": "SELECT min(id) FROM clinic_appointment WHERE status = 'booked'",
    "invoice": "SELECT id FROM clinic_invoice WHERE status = 'issued'",
    "invoice_edit": "SELECT id FROM clinic_invoice WHERE status = 'draft'",
    "payment": "SELECT min(id) FROM clinic_payment",
    "person": "SELECT max(id) FROM accounts_user",
    "token": "SELECT max(id) FROM accounts_user",
    "entry": "SELECT min(id) FROM clinic_vet",
}


def value(site: Site, pattern: URLPattern, argument: str) -> Any:
    """What stands for an argument of an address."""
    if argument == "name":
        return "vets"
    words = [str(pattern.name), argument.partition("_")[0], str(pattern.name).partition("_")[0]]
    known = [TABLES[word] for word in words if word in TABLES]
    assert known, f"say in TABLES which {argument} the page {pattern.name} is looked at with"
    found: int = site.rows(known[0])[0][0]
    assert found, f"the demonstration has nothing for {pattern.name}"
    return found


def addresses(site: Site) -> Dict[str, str]:
    """Each page's address by its name."""
    found = {}
    for pattern in urlpatterns:
        if pattern.name not in MISSING:
            arguments = {name: value(site, pattern, name) for name in pattern.pattern.converters}
            found[str(pattern.name)] = reverse(str(pattern.name), kwargs=arguments) + QUERIES.get(str(pattern.name), "")
    return found


def is_page(page: Page, address: str) -> bool:
    """Whether an address answers with a page: not with a file, and not to a POST alone."""
    answer = page.request.get(address)
    return answer.status != 405 and "attachment" not in answer.headers.get("content-disposition", "")


def faults(page: Page) -> List[str]:
    """What axe finds, and what sticks out."""
    found = [
        f"{each['id']}: {[node['html'][:160] for node in each['nodes']][:3]}"
        for each in Axe().run(page).response["violations"]
    ]
    if page.evaluate("document.documentElement.scrollWidth > window.innerWidth"):
        found.append("the page is wider than the window")
    return found


class Inspector:
    """Looks at pages at both widths and gathers what is wrong; keeps a picture of each where VET_PICTURES is set."""

    def __init__(self, page: Page, pictures: Callable[[Page, str], None]) -> None:
        self.page, self.pictures = page, pictures
        self.found: List[str] = []
        self.seen = 0

    def visit(self, name: str, address: str, status: int = 200) -> None:
        """Open a page and look at it."""
        answer = self.page.goto(address)
        assert answer is not None and answer.status == status, f"{name} {address}: {answer and answer.status}"
        self.look(name)

    def look(self, name: str) -> None:
        """Look at the page that is open."""
        self.seen += 1
        for size, (width, height) in SIZES.items():
            self.page.set_viewport_size({"width": width, "height": height})
            if PICTURES:
                self.pictures(self.page, name)
            self.found += [f"{name} ({size}) {fault}" for fault in faults(self.page)]


@pytest.fixture
def inspector(open_page: Callable[..., Page], pictures: Callable[[Page, str], None]) -> Inspector:
    return Inspector(open_page("manager"), pictures)


def test_every_page_is_accessible_and_fits(inspector: Inspector, site: Site) -> None:
    for name, address in addresses(site).items():
        if is_page(inspector.page, address):
            inspector.visit(name, address)
    for name in KINDS:
        inspector.visit(f"lists_{name}", reverse("lists", args=[name]))
    locked = site.rows("SELECT min(id) FROM clinic_visit WHERE locked_at IS NOT NULL")[0][0]
    inspector.visit("visit_locked", f"/visits/{locked}/")
    first, second = site.rows("SELECT id FROM clinic_owner ORDER BY id LIMIT 2")
    inspector.visit("owner_merge_pair", f"/owners/{first[0]}/merge/?with={second[0]}")
    assert inspector.seen > 40, f"the walk must find the pages; it found {inspector.seen}"
    assert not inspector.found, "\n".join(inspector.found)


def test_refusals_and_findings_are_as_accessible_as_the_rest(inspector: Inspector, site: Site) -> None:
    page = inspector.page
    page.goto("/owners/new/")
    page.locator("main form").evaluate("form => { form.noValidate = true }")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_label("Last name")).to_have_attribute("aria-invalid", "true")
    expect(page.get_by_label("Last name")).to_be_focused()
    inspector.look("owner_new_refused")
    locked = site.rows("SELECT min(id) FROM clinic_visit WHERE locked_at IS NOT NULL")[0][0]
    inspector.visit("refused", f"/visits/{locked}/edit/", 409)
    page.goto("/")
    page.keyboard.press("/")
    page.keyboard.type("biscuit")
    expect(page.locator("#found").get_by_role("link").first).to_be_visible()
    inspector.look("search_live")
    page.goto("/exchange/")
    example = page.request.get("/exchange/example.csv").body()
    page.get_by_label("CSV file").set_input_files({"name": "clients.csv", "mimeType": "text/csv", "buffer": example})
    page.get_by_role("button", name="Look at the file").click()
    expect(page.get_by_role("button", name="Import now")).to_be_visible()
    inspector.look("import_preview")
    assert not inspector.found, "\n".join(inspector.found)


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


@pytest.mark.parametrize("language", ["en", "de"])
def test_the_takings_show_every_column_of_a_good_month(open_page: Callable[..., Page], language: str) -> None:
    page = open_page("manager")
    page.set_extra_http_headers({"Accept-Language": language})
    page.goto(f"/takings/?since={date.today() - timedelta(days=300)}&until={date.today()}")
    expect(page.locator("#money ~ .scroll tbody tr").first).to_be_visible()
    page.evaluate(LARGE)
    for width in (1280, 820, 390):
        page.set_viewport_size({"width": width, "height": 900})
        assert not page.evaluate(CUT_OFF), f"cut off at {width} pixels"


@pytest.mark.parametrize("language", ["en", "de"])
def test_a_bill_shows_every_column_on_a_phone(open_page: Callable[..., Page], site: Site, language: str) -> None:
    page = open_page("manager")
    page.set_extra_http_headers({"Accept-Language": language})
    page.set_viewport_size({"width": 390, "height": 900})
    page.goto(f"/invoices/{site.rows(TABLES['invoice'])[0][0]}/")
    what = page.locator("article tbody td").first
    what.evaluate("each => { each.textContent = 'Allgemeinuntersuchung' }")
    assert not page.evaluate(CUT_OFF), "cut off at 390 pixels"
    assert not (found := faults(page)), found
