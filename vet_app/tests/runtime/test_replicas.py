"""Two replicas behind a TLS proxy: one clinic, whichever of them answers."""

from __future__ import annotations

import re
from typing import Any, Dict, List

import pytest

from tests.runtime.browser import Browser
from tests.runtime.conftest import MANAGER, Clinic, Pair
from tests.runtime.servers import HOST, manage

pytestmark = pytest.mark.postgresql


@pytest.fixture
def browser(pair: Pair, production_clinic: Clinic) -> Browser:
    return Browser(pair.port, production_clinic.folder / "tls.pem")


def from_each(browser: Browser, path: str) -> Dict[str, Any]:
    """Ask until both replicas have answered."""
    seen: Dict[str, Any] = {}
    for _try in range(20):
        answer = browser.ask("GET", path)
        seen.setdefault(answer.headers["X-Replica"], answer)
    assert len(seen) == 2, f"only {list(seen)} answered"
    return seen


def test_a_log_in_counts_at_both(browser: Browser, production_clinic: Clinic) -> None:
    assert browser.log_in(MANAGER, production_clinic.password).status == 302
    assert {answer.status for answer in from_each(browser, "/api/v1/reference/me").values()} == {200}


def test_cookies_are_for_https_and_this_host_alone(browser: Browser, production_clinic: Clinic) -> None:
    browser.log_in(MANAGER, production_clinic.password)
    session = next(line for line in browser.set_cookies if line.startswith("__Host-session="))
    for attribute in ("Secure", "HttpOnly", "SameSite=Lax", "Path=/"):
        assert attribute in session
    assert "Domain" not in session


def test_the_headers_that_protect_a_page(browser: Browser) -> None:
    answer = browser.ask("GET", "/login/")
    policy = answer.headers["Content-Security-Policy"]
    assert "script-src 'self'" in policy and "unsafe" not in policy
    assert "frame-ancestors 'none'" in policy
    assert answer.headers["Strict-Transport-Security"] == "max-age=86400"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Referrer-Policy"] == "same-origin"


def test_static_files_are_alike_and_kept_for_long(browser: Browser) -> None:
    pages = from_each(browser, "/login/")
    paths = {re.findall(r"/static/[^\"]+\.css", page.text)[0] for page in pages.values()}
    assert len(paths) == 1, f"each replica has an address of its own: {paths}"
    (path,) = paths
    assert re.search(r"\.[0-9a-f]{12}\.css$", path), path
    files = from_each(browser, path)
    assert len({answer.text for answer in files.values()}) == 1
    assert all("immutable" in answer.headers["Cache-Control"] for answer in files.values())


def test_what_a_visitor_claims_about_itself_is_not_believed(browser: Browser, production_clinic: Clinic) -> None:
    forged = {"X-Forwarded-For": "203.0.113.9", "X-Forwarded-Proto": "http", "X-Forwarded-Host": "evil.example"}
    assert browser.ask("GET", "/login/", **forged).status == 200
    code = "from accounts.models import LoginAttempt; print(LoginAttempt.objects.get(username='forger').ip)"
    page: Any = browser.ask("GET", "/login/")
    token = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', page.text)
    assert token
    form = {"csrfmiddlewaretoken": token[1], "username": "forger", "password": "wrong"}
    browser.ask("POST", "/login/", form, **forged)
    assert manage(production_clinic.environment, "shell", "-c", code).stdout.strip().endswith("127.0.0.1")
    assert browser.ask("GET", "/login/", Host="evil.example").status == 400


def test_a_form_from_another_site_is_refused(browser: Browser, production_clinic: Clinic) -> None:
    browser.log_in(MANAGER, production_clinic.password)
    form = {"csrfmiddlewaretoken": browser.cookies["__Host-csrf"]}
    assert browser.ask("POST", "/logout/", form, Origin="https://evil.example").status == 403
    assert browser.ask("POST", "/logout/", form, Origin=f"https://{HOST}").status in (200, 302)


def test_the_throttle_counts_for_both_together(browser: Browser) -> None:
    answers: List[Any] = []
    for _try in range(6):
        answers.append(browser.log_in("somebody", "wrong"))
        browser.ask("GET", "/login/")  # an odd number of requests, so that the proxy changes sides
    assert ["Too many" in answer.text for answer in answers] == [False] * 5 + [True]
    assert len({answer.headers["X-Replica"] for answer in answers}) == 2
