"""What only a browser shows of forms and papers: numbers under the hand, large photographs, a label on its roll."""

from __future__ import annotations

import re
from typing import Callable

import pytest

from tests.browser.conftest import Site

pytest.importorskip("playwright", reason="the browser's driver needs Python 3.10 or newer; `make test` runs it there")
from playwright.sync_api import Page, expect

from clinic.models.attachment import MAX_BYTES
from tests.browser.pages import TABLES

OpenPage = Callable[..., Page]
MEGABYTES = 10
# A picture of coloured noise, which hardly any compression makes smaller, put into the field as if chosen.
CHOOSE_A_PHOTOGRAPH = """async field => {
  const canvas = document.createElement("canvas");
  [canvas.width, canvas.height] = [4000, 3000];
  const drawing = canvas.getContext("2d"), noise = drawing.createImageData(4000, 3000);
  new Uint32Array(noise.data.buffer).forEach((each, at, all) => { all[at] = (Math.random() * 0xffffff) | 0xff000000 });
  drawing.putImageData(noise, 0, 0);
  const photograph = await new Promise(done => canvas.toBlob(done, "image/jpeg", 0.95));
  const bag = new DataTransfer();
  bag.items.add(new File([photograph], "IMG_0042.jpg", { type: "image/jpeg" }));
  field.files = bag.files;
  field.dispatchEvent(new Event("change", { bubbles: true }));
  return photograph.size;
}"""
CHOSEN = "field => [field.files[0].name, field.files[0].size]"
LONG = """article => {
  article.querySelector(".letterhead strong").textContent = "Veterinary Hospital of the Two Rivers and Upper Valley";
  article.querySelector(".letterhead .prose").textContent = "1200 North-Northwest Meadowbrook Parkway, Exampleton";
}"""


def test_a_quantity_is_typed_anew_and_nothing_else_changes_it(open_page: OpenPage, site: Site) -> None:
    page = open_page("reception")
    page.goto(f"/owners/{site.rows(TABLES['owner'])[0][0]}/invoices/new/")
    quantity = page.get_by_label("Quantity").first
    expect(quantity).to_have_value("1")
    quantity.click()
    page.keyboard.type("2")
    expect(quantity).to_have_value("2")
    page.mouse.wheel(0, -240)
    page.keyboard.press("ArrowUp")
    expect(quantity).to_have_value("2")


def test_a_large_photograph_is_made_smaller_and_shown(open_page: OpenPage, site: Site) -> None:
    page = open_page("reception")
    pet = site.rows(TABLES["pet"])[0][0]
    page.goto(f"/pets/{pet}/attachments/new/")
    field = page.locator("input[type=file]")
    assert field.evaluate(CHOOSE_A_PHOTOGRAPH) > MEGABYTES * 1024**2
    add = page.get_by_role("button", name="Add", exact=True)
    expect(add).to_be_enabled(timeout=30_000)
    name, size = field.evaluate(CHOSEN)
    assert name == "IMG_0042.jpg" and size <= MAX_BYTES, (name, size)
    add.click()
    expect(page.get_by_role("main")).to_contain_text("IMG_0042.jpg")
    vet = open_page("vet")
    vet.goto(f"/pets/{pet}/")
    picture = vet.get_by_role("img", name="IMG_0042.jpg")
    picture.scroll_into_view_if_needed()
    expect(picture).to_be_visible()
    assert picture.evaluate("async each => { await each.decode(); return each.naturalWidth }") > 1000


def test_the_letterhead_of_a_label_wraps_on_its_paper(open_page: OpenPage, site: Site) -> None:
    page = open_page("vet")
    page.goto(f"/prescriptions/{site.rows(TABLES['prescription'])[0][0]}/label/")
    page.get_by_role("article").evaluate(LONG)
    page.emulate_media(media="print")
    page.set_viewport_size({"width": 363, "height": 265})  # 96 mm by 70 mm, a label within its margins
    box = "each => each.getBoundingClientRect()"
    name, address = (page.locator(f"article .letterhead {each}").first.evaluate(box) for each in ("strong", "span"))
    assert max(name["right"], address["right"]) <= 363, "it stays on its paper"
    assert address["top"] >= name["bottom"] - 1, "the address goes below a long name, and is not squeezed beside it"


def test_a_bill_grows_and_adds_up_while_it_is_written(open_page: OpenPage, site: Site) -> None:
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
    open_page: OpenPage, site: Site, language: str, typed: str, save: str
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
