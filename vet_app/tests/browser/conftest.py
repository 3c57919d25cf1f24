"""The demonstration clinic, served as `make app` serves it, and Debian's Chromium to use it with."""

from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
import sys
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Callable, Dict, Iterator, List, Mapping, NamedTuple, Optional, Tuple

import pytest
from django.db import connection

from clinic.demo.data import PASSWORD
from tests.runtime.servers import ROOT, free_port, until

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

NAMES = ("chromium", "chromium-browser", "google-chrome")
NO_CHROMIUM = "no Chromium. On Debian or Ubuntu: apt-get install chromium; elsewhere name one: VET_CHROMIUM=/path/to/it"
SIZES = {"desk": (1280, 900), "tablet": (820, 1180), "phone": (390, 844)}


class Site(NamedTuple):
    """A running clinic."""

    address: str
    database: Path

    def rows(self, sql: str) -> List[Tuple[Any, ...]]:
        """Ask the clinic's database beside the application."""
        with closing(sqlite3.connect(f"file:{self.database}?mode=ro", uri=True)) as database:
            return database.execute(sql).fetchall()


def environment(folder: Path, clinic: Mapping[str, str], **more: str) -> Dict[str, str]:
    """That of a clinic whose database is in a folder; `clinic` says what it sets itself."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("VET_", "PG"))}
    return {**kept, "VAR_DIR": str(folder), **clinic, **more}


def furnish(folder: Path, clinic: Mapping[str, str]) -> None:
    """Load the demonstration into a folder, migrating the database where it is not there yet."""
    for command in (["migrate_locked", "--verbosity", "0"], ["demo"]):
        subprocess.run(
            [sys.executable, "manage.py", *command],
            cwd=ROOT, env=environment(folder, clinic), check=True, capture_output=True,
        )  # fmt: skip


@contextmanager
def serve(folder: Path, clinic: Mapping[str, str]) -> Iterator[Site]:
    """Serve the clinic of a folder at a free port; by a name, because an address of numbers has no passkeys."""
    port = free_port()
    command = [sys.executable, "-u", "manage.py", "runserver", "--insecure", "--noreload", f"127.0.0.1:{port}"]
    log = folder / "server.log"
    with log.open("wb") as out:
        variables = environment(folder, clinic, PUBLIC_URL=f"http://localhost:{port}")
        process = subprocess.Popen(command, cwd=ROOT, env=variables, stdout=out, stderr=out)
    try:
        until(lambda: b"Starting" in log.read_bytes() or process.poll() is not None, "the clinic must start")
        assert process.poll() is None, log.read_text()
        yield Site(f"http://localhost:{port}", folder / "vet.sqlite3")
    finally:
        process.terminate()
        process.wait()


@pytest.fixture(scope="session")
def on_sqlite() -> None:
    """Skip on another database."""
    if connection.vendor != "sqlite":
        pytest.skip("the browser sees the same pages on each database; `make test` runs it with SQLite")


@pytest.fixture(scope="session")
def site(on_sqlite: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """The demonstration clinic, as it is without settings."""
    folder = tmp_path_factory.mktemp("clinic")
    furnish(folder, {})
    with serve(folder, {}) as clinic:
        yield clinic


@pytest.fixture(scope="module")
def browser(on_sqlite: None) -> Iterator[Browser]:
    """Chromium, closed after each file because Django refuses its database while the driver's event loop runs."""
    path = os.environ.get("VET_CHROMIUM") or next(filter(None, map(shutil.which, NAMES)), None)
    if path is None:
        pytest.skip(NO_CHROMIUM)
    from playwright.sync_api import sync_playwright  # the test files have skipped where it is not installed

    flags = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--no-first-run"]
    with sync_playwright() as driver:
        chromium = driver.chromium.launch(executable_path=path, args=flags)
        yield chromium
        chromium.close()


@pytest.fixture
def open_page(browser: Browser, request: pytest.FixtureRequest) -> Iterator[Callable[..., Page]]:
    """Open a window of a person who is logged in at a clinic, without one at that of the session.

    Whatever the browser complains of fails the test at its end.
    """
    complaints: List[str] = []
    contexts = []

    def log_in(username: str, size: str = "desk", at: Optional[Site] = None, **options: Any) -> Page:
        width, height = SIZES[size]
        clinic = at or request.getfixturevalue("site")
        options.setdefault("locale", "en")  # not that of a country, whose clock may have 12 hours
        context = browser.new_context(base_url=clinic.address, viewport={"width": width, "height": height}, **options)
        contexts.append(context)
        context.set_default_timeout(15_000)
        page = context.new_page()
        page.on("pageerror", lambda error: complaints.append(f"{page.url}: {error}"))
        page.on(
            "console",
            lambda message: complaints.append(f"{page.url}: {message.text}") if message.type == "error" else None,
        )
        page.goto("/login/")
        page.locator("[name=username]").fill(username)
        page.locator("[name=password]").fill(PASSWORD)
        page.locator("form.login button").click()
        page.wait_for_url("**/")
        return page

    yield log_in
    for context in contexts:
        context.close()
    # A refusal (409, 422) is an answer, not a failure; Chromium writes each into its console.
    serious = [each for each in complaints if "status of 409" not in each and "status of 422" not in each]
    assert not serious, serious


@pytest.fixture(scope="session")
def pictures() -> Callable[[Page, str], None]:
    """Keep a picture of a page in var/screenshots, to look at."""
    folder = ROOT / "var" / "screenshots"

    def keep(page: Page, name: str) -> None:
        width = page.evaluate("window.innerWidth")
        file = folder / str(width) / f"{name}.png"
        file.parent.mkdir(parents=True, exist_ok=True)
        page.screenshot(path=file, full_page=True)

    return keep
