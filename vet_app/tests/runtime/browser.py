"""A browser without pictures: cookies, TLS, forms, and one connection that is opened again when it was closed."""

from __future__ import annotations

import re
import socket
import ssl
from http.client import HTTPResponse, HTTPSConnection
from http.cookies import SimpleCookie
from typing import Any, Dict
from urllib.parse import urlencode

from tests.runtime.servers import HOST


class Browser:
    """Talks to the proxy under the clinic's name."""

    def __init__(self, port: int, certificate: Any) -> None:
        self.port = port
        self.tls = ssl.create_default_context(cafile=str(certificate))
        self.cookies: Dict[str, str] = {}
        self.connection = self._connection()

    def _connection(self) -> HTTPSConnection:
        connection = HTTPSConnection(HOST, context=self.tls, timeout=30)

        def connect() -> None:
            plain = socket.create_connection(("127.0.0.1", self.port), timeout=30)
            connection.sock = self.tls.wrap_socket(plain, server_hostname=HOST)

        connection.connect = connect  # type: ignore[method-assign]
        return connection

    def ask(self, method: str, path: str, form: Any = None, **headers: str) -> HTTPResponse:
        """Send a request; the answer's `.text` is its body."""
        sent = {"Cookie": "; ".join(f"{name}={value}" for name, value in self.cookies.items())}
        body = None
        if form is not None:
            body = urlencode(form)
            sent.update({"Content-Type": "application/x-www-form-urlencoded", "Origin": f"https://{HOST}"})
        self.connection.request(method, path, body, {**sent, **headers})
        answer: Any = self.connection.getresponse()
        answer.text = answer.read().decode()
        self.set_cookies = answer.headers.get_all("Set-Cookie") or []
        for line in self.set_cookies:
            for name, morsel in SimpleCookie(line).items():
                self.cookies[name] = morsel.value
        return answer  # type: ignore[no-any-return]

    def log_in(self, username: str, password: str) -> HTTPResponse:
        """Fill in the log-in form."""
        page: Any = self.ask("GET", "/login/")
        match = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', page.text)
        assert match, page.text
        form = {"csrfmiddlewaretoken": match[1], "username": username, "password": password}
        return self.ask("POST", "/login/", form)
