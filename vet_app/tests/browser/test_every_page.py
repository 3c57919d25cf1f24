"""Every page at three widths: axe finds nothing, nothing sticks out or is divided, the browser complains of nothing."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Callable, Dict

import pytest
from django.urls import reverse

from tests.browser.conftest import Site, environment, serve
from tests.runtime.servers import ROOT
from web.views.lists import KINDS

pytest.importorskip("playwright", reason="the browser's driver needs Python 3.10 or newer; `make test` runs it there")
from playwright.sync_api import Page, expect

from tests.browser.pages import TABLES, Inspector, addresses, is_page, language_of


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
