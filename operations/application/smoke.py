"""``make smoke ENV=dev``: whether the clinic works for somebody who comes by its address: log in, and read one record.

An account that may only read is made for the test in one of the application's pods, and closed at its end. Its password is in this process alone;
what the record says is looked at by nobody and printed nowhere.
"""

import html
import http.client
import http.cookiejar
import json
import re
import socket
import ssl
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.error import HTTPError, URLError
from urllib.parse import urlencode
from urllib.request import HTTPCookieProcessor, HTTPSHandler, Request, build_opener

from operations.application.clinic_admin import DEPLOYMENT
from operations.shared.console import terminal, wait_until
from operations.shared.errors import Failure
from operations.shared.kubeconfig import save
from operations.shared.kubectl import Kubectl
from operations.shared.servers import Cluster
from operations.shared.tunnel import tunnel

WAIT_SECONDS = 120
"""How long the address may take to answer after a deploy: load balancers look every few seconds."""

POLL_SECONDS = 3

TIMEOUT_SECONDS = 20
"""How long one page may take."""

COMMAND = ("python", "manage.py", "smoke_test_account")
TOKEN = re.compile(r'name="csrfmiddlewaretoken" value="([^"]+)"')

console = terminal(whole_lines=True)


@dataclass(frozen=True)
class Address:
    """Where the clinic answers.

    :param host: name that people type, and that the certificate is for.
    :param at: ``address:port`` to connect to instead of what the name leads to.
    :param authority: file with the certificate authority, where no public one has signed.
    """

    host: str
    at: str = ""
    authority: Path | None = None


def run(cluster: Cluster, address: Address | None = None) -> None:
    """Log in and read a record.

    Raises:
        Failure: one of it does not work; the text says which, and what was answered.
    """
    where = address or Address(cluster.environment.hosts.application)
    path = save(cluster, "admin")
    with tunnel(cluster), account(Kubectl(str(path), cluster.environment.application.namespace)) as (user, password):
        said = visit(where, user, password)
    console.print(f"[green]https://{where.host}/ works[/]: {said}")


@contextmanager
def account(kubectl: Callable[..., str]) -> Iterator[tuple[str, str]]:
    """Name and password of an account that may read, for as long as the test takes.

    :param kubectl: runs kubectl with these words in the application's namespace, and returns what it prints.

    Raises:
        Failure: no pod of the application runs, or it is of a version that has no such command.
    """
    account = json.loads(kubectl("exec", DEPLOYMENT, "--", *COMMAND))
    try:
        yield account["username"], account["password"]
    finally:
        kubectl("exec", DEPLOYMENT, "--", *COMMAND, "--close")


def visit(where: Address, user: str, password: str) -> str:
    """Do what a member of staff does first; what was seen, in words.

    Raises:
        Failure: a page does not answer as it should.
    """
    browser = Browser(where)
    form = _patiently(browser)
    token = TOKEN.search(form)
    if token is None:
        raise Failure(f"https://{where.host}/login/ is no log-in page: it has no form with a token")
    browser.post("/login/", {"username": user, "password": password, "csrfmiddlewaretoken": token[1]})
    found = json.loads(browser.get("/api/v1/pets?limit=1"))["items"]
    if not found:
        return "logged in; no patient is recorded yet"
    page = browser.get(f"/pets/{found[0]['id']}/")
    if found[0]["name"] not in html.unescape(page):
        raise Failure(f"https://{where.host}/pets/…/ does not show the patient whom the list names")
    return "logged in, and read a patient's record"


def _patiently(browser: "Browser") -> str:
    """The log-in page, as soon as it answers; raises the last ``Failure`` if it does not in time."""
    failures: list[Failure] = []

    def look() -> str | None:
        try:
            return browser.get("/login/")
        except Failure as failure:
            failures.append(failure)
            return None

    form = wait_until(look, seconds=WAIT_SECONDS, poll=[POLL_SECONDS])
    if form is None:
        raise failures[-1]
    return form


@dataclass
class Browser:
    """Keeps cookies, follows redirections, and says of a page that fails which and how."""

    where: Address
    cookies: http.cookiejar.CookieJar = field(default_factory=http.cookiejar.CookieJar)

    def get(self, path: str) -> str:
        """A page's text."""
        return self._ask(Request(self._url(path)))

    def post(self, path: str, form: Mapping[str, str]) -> str:
        """Send a form; the text of the page that it leads to.

        Raises:
            Failure: it leads back to itself: what was sent was refused.
        """
        request = Request(self._url(path), data=urlencode(form).encode(), headers={"Referer": self._url(path)})
        return self._ask(request, leaves=path)

    def _url(self, path: str) -> str:
        return f"https://{self.where.host}{path}"

    def _ask(self, request: Request, leaves: str = "") -> str:
        opener = build_opener(HTTPCookieProcessor(self.cookies), _Connecting(self.where))
        shown = request.full_url.split("?")[0]
        try:
            with opener.open(request, timeout=TIMEOUT_SECONDS) as answer:
                if leaves and answer.url == self._url(leaves):
                    raise Failure(f"{shown} does not let the account of the test in")
                text: str = answer.read().decode()
                return text
        except HTTPError as error:
            raise Failure(f"{shown} answers {error.code} {error.reason}") from error
        except (URLError, OSError) as error:
            raise Failure(f"{shown} cannot be reached: {getattr(error, 'reason', error)}") from error


class Connection(http.client.HTTPSConnection):
    """Connects to the given address, whatever the name leads to, and checks the certificate for the name.

    :param at: address and port; None for those of the name.
    """

    def __init__(self, host: str, *, at: tuple[str, int] | None, trust: ssl.SSLContext) -> None:
        super().__init__(host, timeout=TIMEOUT_SECONDS, context=trust)
        self._at, self._trust = at, trust

    def connect(self) -> None:
        """Open the connection (http.client: HTTPSConnection.connect)."""
        if self._at is None:
            super().connect()  # by a proxy, where one is set
            return
        plain = socket.create_connection(self._at, TIMEOUT_SECONDS)
        self.sock = self._trust.wrap_socket(plain, server_hostname=self.host)


class _Connecting(HTTPSHandler):
    """Has every request of a browser go through a :class:`Connection`."""

    def __init__(self, where: Address) -> None:
        trust = ssl.create_default_context(cafile=str(where.authority) if where.authority else None)
        super().__init__(context=trust)
        address, _, port = where.at.rpartition(":")
        self._at, self._trust = (address, int(port)) if where.at else None, trust

    def https_open(self, request: Request) -> http.client.HTTPResponse:
        """Open a connection for one request."""

        def connection(host: str, **_: object) -> Connection:
            return Connection(host, at=self._at, trust=self._trust)

        return self.do_open(connection, request)
