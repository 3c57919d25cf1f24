"""What is typed outlives a session and a locked screen, leaving asks first, and a passkey opens the clinic."""

from __future__ import annotations

from typing import Any, Callable

import pytest

pytest.importorskip("playwright", reason="the browser's driver needs Python 3.10 or newer; `make test` runs it there")
from playwright.sync_api import Page, expect

from clinic.demo.data import PASSWORD
from tests.browser.conftest import Site
from tests.browser.pages import TABLES, faults

OpenPage = Callable[..., Page]
Pictures = Callable[[Page, str], None]


def notes_of_an_open_visit(page: Page, site: Site) -> str:
    visit = site.rows("SELECT min(id) FROM clinic_visit WHERE locked_at IS NULL AND NOT entered_in_error")[0][0]
    page.goto(f"/visits/{visit}/edit/")
    return f"/visits/{visit}/edit/"


def log_in_again(page: Page, name: str) -> None:
    page.get_by_label("Username").fill(name)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Log in").click()


def test_typed_notes_outlive_the_session(open_page: OpenPage, site: Site, pictures: Pictures) -> None:
    page = open_page("vet")
    where = notes_of_an_open_visit(page, site)
    page.get_by_label("Plan").fill("Recheck in two weeks")
    page.context.clear_cookies(name="session")
    page.get_by_role("button", name="Save the visit").click()
    page.wait_for_url("**/login/**")
    log_in_again(page, "vet")
    page.wait_for_url(f"**{where}")
    alert = page.get_by_role("alert")
    expect(alert).to_contain_text("was not saved")
    assert not faults(page), faults(page)
    pictures(page, "draft")
    alert.get_by_role("button", name="Restore it").click()
    expect(page.get_by_label("Plan")).to_have_value("Recheck in two weeks")
    page.get_by_role("button", name="Save the visit").click()
    expect(page.get_by_text("Recheck in two weeks")).to_be_visible()
    page.goto(where)
    expect(page.get_by_text("was not saved")).to_have_count(0)
    expect(page.get_by_label("Plan")).to_have_value("Recheck in two weeks")


def test_a_long_bill_comes_back_with_all_its_lines(open_page: OpenPage, site: Site) -> None:
    page = open_page("reception")
    where = f"/owners/{site.rows(TABLES['owner'])[0][0]}/invoices/new/"
    page.goto(where)
    for _each in range(2):
        page.get_by_role("button", name="Add a line").click()
    for place in range(6):
        page.locator(f"[name=lines-{place}-text]").fill(f"Part {place}")
        page.locator(f"[name=lines-{place}-unit_price]").fill("10")
    page.wait_for_timeout(1000)  # it is kept half a second after the last key
    page.on("dialog", lambda dialog: dialog.accept())
    page.goto(where)
    page.get_by_role("button", name="Restore it").click()
    expect(page.get_by_label("Product")).to_have_count(6)
    expect(page.locator("[name=lines-5-text]")).to_have_value("Part 5")
    expect(page.locator("[data-sum] output")).to_contain_text("60")
    page.get_by_role("button", name="Save the draft").click()
    expect(page.get_by_role("article")).to_contain_text("Part 5")


def test_an_entry_of_the_drug_log_is_kept_without_its_password(open_page: OpenPage, site: Site) -> None:
    page = open_page("vet")
    where = f"/drugs/{site.rows(TABLES['drug'])[0][0]}/"
    page.goto(where)
    page.get_by_label("Quantity").fill("2")
    page.get_by_label("Password of the witness").fill("not for the disk")
    page.wait_for_timeout(1000)
    kept = page.evaluate("JSON.stringify(localStorage)")
    assert "not for the disk" not in kept and "quantity" in kept, kept
    page.on("dialog", lambda dialog: dialog.accept())
    page.goto(where)
    page.get_by_role("button", name="Restore it").click()
    expect(page.get_by_label("Quantity")).to_have_value("2")


def test_what_was_put_back_over_a_newer_record_says_so(open_page: OpenPage, site: Site) -> None:
    page, other = open_page("vet"), open_page("vet2")
    where = notes_of_an_open_visit(page, site)
    page.get_by_label("Findings").fill("Mine")
    page.wait_for_timeout(1000)  # it is kept half a second after the last key
    other.goto(where)
    other.get_by_label("Assessment").fill("Somebody else's")
    other.get_by_role("button", name="Save the visit").click()
    page.goto(where)
    expect(page.get_by_role("alert")).to_contain_text("The record has been changed since then")
    page.get_by_role("button", name="Discard it").click()
    page.goto(where)
    expect(page.get_by_text("was not saved")).to_have_count(0)


def test_leaving_with_something_typed_asks_and_saving_does_not(open_page: OpenPage, site: Site) -> None:
    page = open_page("vet")
    asked = []

    def stay(dialog: Any) -> None:
        asked.append(dialog.type)
        dialog.dismiss()

    page.on("dialog", stay)
    where = notes_of_an_open_visit(page, site)
    page.get_by_role("link", name="Calendar").click()
    page.wait_for_url("**/calendar/")
    assert not asked, "nothing was typed"
    page.goto(where)
    page.get_by_label("Findings").press_sequentially("typed")
    page.get_by_role("link", name="Calendar").click(no_wait_after=True)
    page.wait_for_timeout(500)
    assert asked == ["beforeunload"] and page.url.endswith(where), (asked, page.url)
    page.get_by_role("button", name="Save the visit").click()
    expect(page.get_by_text("The visit was saved")).to_be_visible()
    assert asked == ["beforeunload"]


def test_nobody_there_locks_the_screen_and_the_typed_is_given_back(
    open_page: OpenPage, site: Site, pictures: Pictures
) -> None:
    page = open_page("vet")
    page.clock.install()
    where = notes_of_an_open_visit(page, site)
    page.get_by_label("Findings").fill("Nearly done")
    page.clock.run_for(20 * 60 * 1000)
    assert page.url.endswith(where)
    page.keyboard.press("Shift")
    page.clock.run_for(20 * 60 * 1000)
    assert page.url.endswith(where), "a key twenty minutes ago"
    page.clock.run_for(11 * 60 * 1000)
    page.wait_for_url("**/locked/**")
    expect(page.get_by_role("navigation")).to_have_count(0)
    assert not faults(page), faults(page)
    pictures(page, "locked")
    page.get_by_label("PIN or password").fill(PASSWORD)
    page.get_by_role("button", name="Unlock").click()
    page.wait_for_url(f"**{where}")
    page.get_by_role("button", name="Restore it").click()
    expect(page.get_by_label("Findings")).to_have_value("Nearly done")


def test_logging_out_leaves_nothing_typed_behind(open_page: OpenPage, site: Site) -> None:
    page = open_page("vet")
    notes_of_an_open_visit(page, site)
    page.get_by_label("Findings").fill("Secret")
    page.wait_for_timeout(1000)  # it is kept half a second after the last key
    page.get_by_role("button", name="Log out").click()
    page.wait_for_url("**/login/**")
    assert page.evaluate("Object.keys(localStorage).filter(key => key.startsWith('draft:'))") == []


def test_a_passkey_is_made_and_opens_the_clinic(open_page: OpenPage, site: Site, pictures: Pictures) -> None:
    page = open_page("technician")
    tools = page.context.new_cdp_session(page)
    tools.send("WebAuthn.enable")
    key = {"protocol": "ctap2", "transport": "internal", "hasUserVerification": True, "isUserVerified": True}
    tools.send("WebAuthn.addVirtualAuthenticator", {"options": {**key, "automaticPresenceSimulation": True}})
    page.goto("/second-step/passkey/")
    page.get_by_label("Name").fill("My phone")
    page.get_by_role("button", name="Create a passkey").click()
    page.wait_for_url("**/second-step/")
    expect(page.get_by_text("My phone").first).to_be_visible()
    page.wait_for_load_state("networkidle")  # the browser's answer is sent by a form, whose page comes after
    pictures(page, "second_step")
    page.get_by_role("button", name="Log out").click()
    log_in_again(page, "technician")
    page.wait_for_url("**/login/second/")
    page.wait_for_load_state("networkidle")
    assert not faults(page), faults(page)
    pictures(page, "login_second")
    page.get_by_role("button", name="Use a passkey").click()
    page.wait_for_url(f"{site.address}/")
    assert site.rows("SELECT count(*) FROM accounts_passkey WHERE last_used_at IS NOT NULL")[0][0] == 1
    page.goto("/second-step/")
    page.get_by_role("button", name="Remove My phone").click()
    page.get_by_role("button", name="Log out").click()
    log_in_again(page, "technician")
    page.wait_for_url(f"{site.address}/")
