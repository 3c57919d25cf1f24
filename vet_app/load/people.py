"""People who work with the clinic: they log in, open what today's page links to, search, and book through the API.

Not wrk: each has a session and a CSRF token of its own, follows the pages' links, counts a redirect to the log-in as
the lost request that it is, and names it; at twenty requests a second a client in Python measures as well.
"""

from __future__ import annotations

import json
import random
import re
import threading
import time
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from http.client import HTTPConnection
from typing import Dict, List, Optional
from urllib.parse import urlencode

HOST = "clinic.example.com"
LINK = re.compile(r'href="(/[^"#]*)"')
NOT_A_PAGE = re.compile(r"^/(static|logout|api)|export|download|\.(csv|zip|pdf)")
WORDS = ["moss", "bell", "555-01", "a", "hart", "900"]
MOST_LINKS = 40


@dataclass
class Outcome:
    """What happened to the requests of all: seconds of those that were answered well, and a word on each other one."""

    seconds: List[float] = field(default_factory=list)
    lost: List[str] = field(default_factory=list)
    length: float = 0.0

    @property
    def rate(self) -> float:
        """Answers a second."""
        return len(self.seconds) / self.length if self.length else 0.0

    def percentile(self, part: float) -> float:
        """The time within which that part of the answers came, in seconds."""
        ordered = sorted(self.seconds) or [0.0]
        return ordered[min(len(ordered) - 1, int(part * len(ordered)))]


class Person:
    """One member of staff at one browser, behind a proxy that ends TLS."""

    def __init__(self, port: int, username: str, password: str) -> None:
        self.connection = HTTPConnection("127.0.0.1", port, timeout=60)
        self.cookies: Dict[str, str] = {}
        self.links: List[str] = []
        page = self.ask("GET", "/login/")
        form = {"csrfmiddlewaretoken": _token(page), "username": username, "password": password}
        self.ask("POST", "/login/", urlencode(form), {"Content-Type": "application/x-www-form-urlencoded"}, 302)

    def ask(
        self, method: str, path: str, body: Optional[str] = None, headers: Optional[Dict[str, str]] = None,
        wanted: int = 200,
    ) -> str:  # fmt: skip
        """The body of an answer; raises RuntimeError where its status is another one than wanted."""
        cookies = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        fixed = {"Host": HOST, "X-Forwarded-Proto": "https", "X-Forwarded-For": "127.0.0.1", "Cookie": cookies,
                 "Origin": f"https://{HOST}"}  # fmt: skip
        self.connection.request(method, path, body, {**fixed, **(headers or {})})
        answer = self.connection.getresponse()
        text = answer.read().decode("utf-8", "replace")
        for line in answer.headers.get_all("Set-Cookie") or []:
            name, _equals, rest = line.partition("=")
            self.cookies[name] = rest.partition(";")[0]
        if answer.status != wanted:
            raise RuntimeError(f"{method} {path}: {answer.status}")
        return text

    def look_around(self) -> None:
        """Find the pages to open: what the first page links to, and what those link to."""
        paths: List[str] = ["/"]
        for path in paths:
            if len(paths) < MOST_LINKS:
                for link in LINK.findall(self.ask("GET", path)):
                    page = link.replace("&amp;", "&")
                    if page not in paths and not NOT_A_PAGE.search(page):
                        paths.append(page)
        self.links = paths[:MOST_LINKS]

    def work(self, turn: random.Random) -> None:
        """One request: mostly a page, now and then the API."""
        if turn.random() < 0.7:
            self.ask("GET", turn.choice(self.links))
        elif turn.random() < 0.8:
            self.ask("GET", f"/api/v1/search?{urlencode({'q': turn.choice(WORDS)})}")
        else:
            self.book(turn)

    def book(self, turn: random.Random) -> None:
        """Book a time that may be taken, with a reason for the double booking."""
        vet = json.loads(self.ask("GET", "/api/v1/reference/vets"))["items"][0]["id"]
        starts = datetime(2031, 1, 1, 8, tzinfo=timezone.utc) + timedelta(minutes=30 * turn.randrange(10_000))
        document = {
            "vet_id": vet, "client_note": "load", "override_reason": "load",
            "starts_at": starts.isoformat(), "ends_at": (starts + timedelta(minutes=30)).isoformat(),
        }  # fmt: skip
        token = _token(self.ask("GET", "/"))
        headers = {"Content-Type": "application/json", "X-CSRFToken": token}
        self.ask("POST", "/api/v1/appointments", json.dumps(document), headers, 201)


def _token(page: str) -> str:
    match = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', page)
    return match[1] if match else ""


def crowd(people: List[Person], seconds: float, pause: float) -> Outcome:
    """Let all of them work at once for a while, each with about `pause` seconds between two requests."""
    outcome, end = Outcome(), time.monotonic() + seconds

    def one(number: int, person: Person) -> None:
        turn = random.Random(number)  # noqa: S311 -- the same clicks in every run
        time.sleep(pause * turn.random())
        while time.monotonic() < end:
            start = time.monotonic()
            try:
                person.work(turn)
            except Exception as problem:
                outcome.lost.append(repr(problem))
            else:
                outcome.seconds.append(time.monotonic() - start)
            time.sleep(pause * 2 * turn.random())

    begin = time.monotonic()
    threads = [threading.Thread(target=one, args=each) for each in enumerate(people)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    outcome.length = time.monotonic() - begin
    return outcome
