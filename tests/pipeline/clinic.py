"""The clinic's address in place of simulated pods: log-in, list and record, behind TLS, reached as a browser behind a proxy reaches it."""

import json
import select
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs

from operations.devtools.emulator.certificates import Authority

PET = {"id": 7, "name": "Mia & Co"}


@dataclass(frozen=True)
class Clinic:
    """Where it answers.

    :param proxy: URL of the proxy that leads there, whatever the name.
    :param port: its own, on the loopback address.
    :param authority: file with the certificate authority.
    """

    proxy: str
    port: int
    authority: Path


@contextmanager
def clinic(folder: Path, hosts: list[str], works: Callable[[str], bool]) -> Iterator[Clinic]:
    """Serve the hosts; those for which ``works`` says no answer 500 after the log-in."""
    authority = Authority(folder)

    class Pages(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            host = self.headers["Host"]
            inside = "sessionid=in" in self.headers.get("Cookie", "")
            if self.path == "/login/":
                self._answer(200, '<input type="hidden" name="csrfmiddlewaretoken" value="a-token">')
            elif not inside:
                self._answer(302, "", Location="/login/")
            elif not works(host):
                self._answer(500, "")
            elif self.path.startswith("/api/v1/pets"):
                self._answer(200, json.dumps({"items": [PET], "count": 1}))
            else:
                self._answer(200, "<h1>Mia &amp; Co</h1>")

        def do_POST(self) -> None:
            form = parse_qs(self.rfile.read(int(self.headers["Content-Length"])).decode())
            good = form.get("password") == ["right"] and form.get("csrfmiddlewaretoken") == ["a-token"]
            if good:
                self._answer(302, "", Location="/", **{"Set-Cookie": "sessionid=in; Secure; Path=/"})
            else:
                self._answer(302, "", Location="/login/")

        def _answer(self, status: int, text: str, **headers: str) -> None:
            body = text.encode()
            self.send_response(status)
            for name, value in {**headers, "Content-Length": str(len(body))}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Pages)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*authority.certificate("clinic", hosts))
    server.socket = context.wrap_socket(server.socket, server_side=True)
    with _serving(server), _proxy(server.server_port) as address:
        yield Clinic(address, server.server_port, authority.file)


@contextmanager
def _proxy(port: int) -> Iterator[str]:
    """Leads every CONNECT to that port."""

    class Proxy(BaseHTTPRequestHandler):
        def do_CONNECT(self) -> None:
            self.send_response(200)
            self.end_headers()
            with suppress(ConnectionError), socket.create_connection(("127.0.0.1", port)) as there:
                _both_ways(self.connection, there)

        def log_message(self, *_: object) -> None:
            """Nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Proxy)
    with _serving(server):
        yield f"http://127.0.0.1:{server.server_port}"


def _both_ways(one: socket.socket, other: socket.socket) -> None:
    ends = {one: other, other: one}
    while True:
        for ready in select.select(list(ends), [], [], 30)[0]:
            data = ready.recv(65536)
            if not data:
                return
            ends[ready].sendall(data)


@contextmanager
def _serving(server: ThreadingHTTPServer) -> Iterator[None]:
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield
    finally:
        server.shutdown()
        server.server_close()
