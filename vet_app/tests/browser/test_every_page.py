"""Every page at three widths: axe finds nothing, nothing sticks out of the window, the browser complains of nothing."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from datetime import date, timedelta
from pathlib import Path
from typing import Any, Callable, Dict, Iterable, List

import pytest
from django.urls import URLPattern, reverse

from tests.browser.conftest import SIZES, Site, environment, serve
from tests.runtime.servers import ROOT
from web.urls import urlpatterns
from web.views.lists import KINDS

pytest.importorskip("playwright", reason="the browser's driver needs Python 3.10 or newer; `make test` runs it there")
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

# Of these the demonstration has none; those that are pages are looked at below or in other files.
MISSING = {
    "attachment",
    "attachment_picture",
    "attachment_error",
    "import_preview",
    "import_apply",
    "import_mapping",
    "import_discard",
    "import_read_as",
    "token_revoke",
    "receipt",
    "pet_walk_in",
    "logo",
    "reminders_end",
    "login_second",
    "forgotten",
    "password_reset",
    "lock",
    "locked",
    "second_factor_passkey_remove",
}
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
    "prescription_paper": "SELECT min(visit_id) FROM clinic_prescription",
    "drug": "SELECT min(id) FROM clinic_controlleddrug",
    "appointment": "SELECT min(id) FROM clinic_appointment WHERE status = 'booked'",
    "expected": "SELECT min(id) FROM clinic_appointment WHERE status = 'booked' AND pet_id IS NOT NULL",
    "invoice": "SELECT id FROM clinic_invoice WHERE status = 'issued'",
    "invoice_edit": "SELECT id FROM clinic_invoice WHERE status = 'draft' AND valid_until IS NULL",
    "estimate_bill": "SELECT id FROM clinic_invoice WHERE valid_until IS NOT NULL",
    "payment": "SELECT min(id) FROM clinic_payment",
    "person": "SELECT max(id) FROM accounts_user",
    "weight": "SELECT min(id) FROM clinic_weighing",
    "token": "SELECT max(id) FROM accounts_user",
    "uid": "SELECT 'MQ'",
    "second": "SELECT 1",
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


def numbered(site: Site, patterns: Iterable[str]) -> List[str]:
    """Addresses with the numbers of the demonstration's records in place of the words of TABLES."""
    wanted = "".join(patterns)
    numbers = {word: site.rows(sql)[0][0] for word, sql in TABLES.items() if f"{{{word}}}" in wanted}
    return [each.format(**numbers) for each in patterns]


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
    return found + sticking_out(page)


def language_of(page: Page) -> Any:
    """What the page says it is written in."""
    return page.evaluate("document.documentElement.lang")


DIVIDED = r"""() => {
  const divided = [];
  const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (texts.nextNode()) {
    for (const figure of texts.currentNode.data.matchAll(/\d[\d.,:]*\d(\s[AP]M)?/g)) {
      const range = document.createRange();
      range.setStart(texts.currentNode, figure.index);
      range.setEnd(texts.currentNode, figure.index + figure[0].length);
      const lines = new Set([...range.getClientRects()].map((each) => Math.round(each.top)));
      if (lines.size > 1) divided.push(figure[0]);
    }
  }
  return divided;
}"""


def sticking_out(page: Page) -> List[str]:
    """Whether the page is wider than the window, and figures that are divided over two lines."""
    wide = page.evaluate("document.documentElement.scrollWidth > window.innerWidth")
    divided = page.evaluate(DIVIDED)
    return [
        *(["the page is wider than the window"] if wide else []),
        *([f"divided over two lines: {', '.join(divided[:5])}"] if divided else []),
    ]


class Inspector:
    """Looks at pages at each width and gathers what is wrong; keeps a picture of each where VET_PICTURES is set.

    In English with axe at each width; in another language, whose pages are the same with other words, with axe at one.
    """

    def __init__(self, page: Page, pictures: Callable[[Page, str], None], language: str = "en") -> None:
        self.page, self.pictures, self.language = page, pictures, language
        self.axe_at = tuple(SIZES) if language == "en" else ("phone",)
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
                self.pictures(self.page, name if self.language == "en" else f"{name}-{self.language}")
            wrong = faults(self.page) if size in self.axe_at else sticking_out(self.page)
            self.found += [f"{name} ({size}, {self.language}) {fault}" for fault in wrong]


@pytest.fixture
def inspector(open_page: Callable[..., Page], pictures: Callable[[Page, str], None]) -> Inspector:
    return Inspector(open_page("manager"), pictures)


@pytest.mark.long
@pytest.mark.parametrize("language", ["en", "de", "fr"])
def test_every_page_is_accessible_and_fits(
    open_page: Callable[..., Page], pictures: Callable[[Page, str], None], site: Site, language: str
) -> None:
    inspector = Inspector(open_page("manager", locale=language), pictures, language)
    for name, address in addresses(site).items():
        if is_page(inspector.page, address):
            inspector.visit(name, address)
    for name in KINDS:
        inspector.visit(f"lists_{name}", reverse("lists", args=[name]))
    locked = site.rows("SELECT min(id) FROM clinic_visit WHERE locked_at IS NOT NULL")[0][0]
    inspector.visit("visit_locked", f"/visits/{locked}/")
    estimate = site.rows("SELECT id FROM clinic_invoice WHERE valid_until IS NOT NULL")[0][0]
    inspector.visit("estimate", f"/invoices/{estimate}/")
    first, second = site.rows("SELECT id FROM clinic_owner ORDER BY id LIMIT 2")
    inspector.visit("owner_merge_pair", f"/owners/{first[0]}/merge/?with={second[0]}")
    assert inspector.seen > 40, f"the walk must find the pages; it found {inspector.seen}"
    assert language_of(inspector.page) == language
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
    expect(page.locator("#search-results").get_by_role("link").first).to_be_visible()
    inspector.look("search_live")
    page.goto("/exchange/")
    example = page.request.get("/exchange/example.csv").body()
    page.get_by_label("CSV file").set_input_files({"name": "clients.csv", "mimeType": "text/csv", "buffer": example})
    page.get_by_role("button", name="Preview").click()
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


def links(site: Site) -> Dict[str, str]:
    """The addresses that e-mails of the clinic lead to, of one person and one owner."""
    code = (
        "from django.contrib.auth.tokens import default_token_generator as made;"
        "from django.urls import reverse; from django.utils.encoding import force_bytes;"
        "from django.utils.http import urlsafe_base64_encode as coded; from accounts.models import User;"
        "from clinic.models import Owner; from clinic.services.consent import end_link;"
        "user = User.objects.order_by('pk').first();"
        "print(reverse('password_reset', args=[coded(force_bytes(user.pk)), made.make_token(user)]));"
        "print('/' + end_link(Owner.objects.first()).split('/', 3)[3])"
    )
    done = subprocess.run(
        [sys.executable, "manage.py", "shell", "-c", code],
        cwd=ROOT, env=environment(site.database.parent, {}), check=True, capture_output=True, text=True,
    )  # fmt: skip
    reset, end = done.stdout.split()[-2:]
    return {"password_reset": reset, "reminders_end": end}


def test_what_e_mails_and_files_lead_to_is_as_accessible(
    open_page: Callable[..., Page], pictures: Callable[[Page, str], None], site: Site, tmp_path: Path
) -> None:
    """The pages that the walk leaves out, because the demonstration has no e-mail, no file and no import."""
    with serve(site.database.parent, {"EMAIL_URL": "smtp://localhost:1"}) as clinic:
        page = open_page("manager", at=clinic)
        inspector = Inspector(page, pictures)
        inspector.visit("forgotten", "/login/forgotten/")
        for name, address in links(site).items():
            inspector.visit(name, address)
        page.goto(f"/pets/{site.rows(TABLES['pet'])[0][0]}/attachments/new/")
        page.locator("input[type=file]").set_input_files(
            {"name": "sheet.pdf", "mimeType": "application/pdf", "buffer": b"%PDF-1.4"}
        )
        page.locator("main form .main").click()
        page.wait_for_url("**/pets/*/")
        number = site.rows("SELECT max(id) FROM clinic_attachment")[0][0]
        inspector.visit("attachment_error", f"/attachments/{number}/error/")
        page.goto("/exchange/")
        odd = b"Surname of the client;Beast\nVale;Rex\n"
        page.get_by_label("CSV file").set_input_files({"name": "odd.csv", "mimeType": "text/csv", "buffer": odd})
        page.get_by_role("button", name="Preview").click()
        staged = site.rows("SELECT max(id) FROM exchange_importfile")[0][0]
        inspector.visit("import_mapping", f"/exchange/{staged}/columns/")
        assert not inspector.found, "\n".join(inspector.found)


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


def test_single_keys_are_written_and_can_be_turned_off(open_page: Callable[..., Page]) -> None:
    page = open_page("reception")
    page.goto("/language/")
    page.get_by_label("Use single-key shortcuts").uncheck()
    page.goto("/calendar/")
    page.keyboard.press("n")
    page.keyboard.press("/")
    expect(page.locator("#find")).not_to_be_focused()
    assert page.url.endswith("/calendar/"), page.url
    page.goto("/language/")
    page.get_by_label("Use single-key shortcuts").check()
    page.keyboard.press("Tab")
    page.keyboard.press("/")
    expect(page.locator("#find")).to_be_focused()


HELD = "document.activeElement.getAttribute('href') || ''"


def test_the_calendar_is_one_stop_for_each_vet_and_arrows_go_on(open_page: Callable[..., Page], site: Site) -> None:
    """Tab does not walk through every free time of every vet; what is closed is shaded and legible."""
    page = open_page("reception")
    day = date.today() + timedelta(days=2 if date.today().weekday() in (4, 5) else 1)
    page.goto(f"/calendar/?date={day}")
    free = page.locator("a.free")
    vets = site.rows("SELECT count(*) FROM clinic_vet WHERE active")[0][0]
    assert free.count() > 10 * vets and page.locator("a.free[tabindex='0']").count() == vets
    page.locator("a.free[tabindex='0']").first.focus()
    first = page.evaluate(HELD)
    page.keyboard.press("ArrowDown")
    below = page.evaluate(HELD)
    assert below != first and below.split("&")[0] == first.split("&")[0], "the same vet, later"
    page.keyboard.press("ArrowRight")
    assert page.evaluate(HELD).split("&")[0] != first.split("&")[0], "the next vet"
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("End")
    page.keyboard.press("Home")
    page.keyboard.press("Tab")
    page.keyboard.press("Shift+Tab")
    assert page.evaluate(HELD).split("&")[0] == first.split("&")[0]
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile("/appointments/new/"))


@pytest.mark.parametrize("locale", ["en-US", "en-GB", "de"])
def test_the_times_of_the_calendar_stand_in_one_line(open_page: Callable[..., Page], locale: str) -> None:
    """At each width, by a clock of 12 hours as well."""
    page = open_page("reception", locale=locale)
    page.goto("/calendar/")
    expect(page.locator("table.day th[scope=row]").filter(has_text="10:15")).to_have_count(1)
    for size, (width, height) in SIZES.items():
        page.set_viewport_size({"width": width, "height": height})
        assert not (found := sticking_out(page)), (size, found)


def test_a_bill_grows_and_adds_up_while_it_is_written(open_page: Callable[..., Page], site: Site) -> None:
    page = open_page("reception", "tablet")
    page.goto(f"/owners/{site.rows(TABLES['owner'])[0][0]}/invoices/new/")
    page.get_by_role("button", name="Add a line").click()
    expect(page.get_by_label("Product")).to_have_count(5)
    expect(page.get_by_label("Product").last).to_be_focused()
    page.keyboard.type("Nail trim")
    page.get_by_label("Quantity").last.fill("2")
    page.get_by_label("Discount", exact=True).last.fill("10 %")
    shown = page.locator("[data-sum] output").inner_text()
    page.get_by_label("Reason for the discount").fill("Two cats")
    page.get_by_role("button", name="Save the draft").click()
    expect(page.get_by_text("Total").locator("xpath=ancestor::tr")).to_contain_text(shown)


@pytest.mark.parametrize(
    ("language", "typed", "save"),
    [("en", "1,234.50", "Save the draft"), ("de", "1.234,50", "Entwurf speichern"),
     ("fr", "1 234,50", "Enregistrer le brouillon")],
)  # fmt: skip
def test_a_price_with_thousands_adds_up_as_it_is_saved(
    open_page: Callable[..., Page], site: Site, language: str, typed: str, save: str
) -> None:
    page = open_page("reception", locale=language)
    page.goto(f"/owners/{site.rows(TABLES['owner'])[0][0]}/invoices/new/")
    page.locator("[name=lines-0-text]").fill("Implant")
    page.locator("[name=lines-0-unit_price]").fill(typed)
    shown = page.locator("[data-sum] output").inner_text()
    assert re.sub(r"\D", "", shown) == "123450", shown
    page.get_by_role("button", name=save).click()
    expect(page.locator("article tfoot strong")).to_be_visible()
    assert re.sub(r"\D", "", page.locator("article tfoot strong").inner_text()) == "123450"
