"""What is done with the keyboard alone: single keys, and the calendar's free times."""

from __future__ import annotations

import re
from datetime import date, timedelta
from typing import Callable

import pytest

from tests.browser.conftest import Site

pytest.importorskip("playwright", reason="the browser's driver needs Python 3.10 or newer; `make test` runs it there")
from playwright.sync_api import Page, expect


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
