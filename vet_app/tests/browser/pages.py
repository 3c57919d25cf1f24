"""The pages of the demonstration, their addresses, and what is looked at on each of them."""

from __future__ import annotations

import os
from typing import Any, Callable, Dict, Iterable, List

from axe_playwright_python.sync_playwright import Axe
from django.urls import URLPattern, reverse
from playwright.sync_api import Page

from tests.browser.conftest import SIZES, Site
from web.urls import urlpatterns

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
    return found + misplaced(page)


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


def misplaced(page: Page) -> List[str]:
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
            wrong = faults(self.page) if size in self.axe_at else misplaced(self.page)
            self.found += [f"{name} ({size}, {self.language}) {fault}" for fault in wrong]
