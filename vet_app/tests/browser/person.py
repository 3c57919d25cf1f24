"""Somebody at a page: reads it in a language, uses mouse and keyboard, and both are counted."""

from __future__ import annotations

import re
from typing import Any, Optional

from django.utils import translation
from django.utils.text import capfirst
from django.utils.translation import gettext, pgettext
from playwright.sync_api import Locator, Page, expect

HAS_FOCUS = "each => each === document.activeElement"
COMES_NEXT = """each => {
  const fields = [...each.form.elements].filter(field => field.offsetParent !== null);
  return fields.includes(document.activeElement) && fields[fields.indexOf(document.activeElement) + 1] === each;
}"""


class Person:
    """What a person does at a page. Texts are named in English, and looked for in the person's language."""

    def __init__(self, page: Page, language: str = "en") -> None:
        self.page, self.language = page, language
        self.clicks = self.keys = 0

    def words(self, text: str, context: str = "") -> str:
        """A text of the clinic in the person's language."""
        with translation.override(self.language):
            return pgettext(context, text) if context else gettext(text)

    def click(self, target: Locator) -> None:
        """Press the mouse once."""
        target.click()
        self.clicks += 1

    def press(self, text: str, context: str = "", within: Optional[Locator] = None) -> None:
        """Click a button."""
        self._click_on("button", self.words(text, context), within)

    def follow(self, text: str, context: str = "", within: Optional[Locator] = None) -> None:
        """Click a link."""
        self._click_on("link", self.words(text, context), within)

    def _click_on(self, role: Any, name: str, within: Optional[Locator]) -> None:
        self.click((within or self.page.get_by_role("main")).get_by_role(role, name=name, exact=True).first)

    def go(self, tab: str) -> None:
        """Click an entry of the menu, which a phone folds."""
        folded = self.page.get_by_role("button", name=self.words("Menu"), exact=True)
        if folded.is_visible():
            self.click(folded)
        self.follow(tab, within=self.page.get_by_role("navigation", name=self.words("Clinic")))

    def type(self, text: str) -> None:
        """Press a key for each letter."""
        self.page.keyboard.type(text)
        self.keys += len(text)

    def key(self, name: str) -> None:
        """Press one key."""
        self.page.keyboard.press(name)
        self.keys += 1

    def field(self, label: str) -> Locator:
        """The first field of this label."""
        pattern = re.escape(capfirst(self.words(label)))
        return self.page.get_by_role("main").get_by_label(re.compile(rf"^\s*{pattern}\s*\*?\s*$")).first

    def fill(self, label: str, text: str) -> None:
        """Type into a field."""
        field = self.field(label)
        self._reach(field, field)
        self.type(text)

    def choose(self, label: str, option: str) -> None:
        """Choose from a list by typing what is in it."""
        field = self.field(label)
        label_of_it = self.page.locator(f"label[for={field.get_attribute('id')}]")  # a click on the field opens a list
        self._reach(field, label_of_it)
        self.type(option)
        expect(field.locator("option:checked")).to_have_text(option)

    def _reach(self, field: Locator, by: Locator) -> None:
        """Get into a field: by Tab from the one before it, else by a click."""
        if field.evaluate(COMES_NEXT):
            self.key("Tab")
        if not field.evaluate(HAS_FOCUS):
            self.click(by)

    def search(self, words: str) -> None:
        """Type into the search box, which a slash jumps to."""
        self.key("/")
        self.type(words)

    def find(self, words: str, result: str) -> None:
        """Open the first thing that the search finds, with the keyboard alone."""
        self.search(words)
        link = self.page.locator("#search-results").get_by_role("link", name=re.compile(result)).first
        expect(link).to_be_visible()
        self.key("ArrowDown")
        expect(link).to_be_focused()
        self.key("Enter")
        expect(self.page.get_by_role("heading", level=1)).to_contain_text(result)
