"""An application of the tests' own behind the ingress controller: it answers with what it was asked, and knows how it was treated."""

import base64
import hashlib
import json
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

ACCEPTED = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
"""What a server of WebSockets adds to the visitor's key (RFC 6455, 1.3)."""

OWN_HEADERS = {"Server": "backend/1.0", "X-Powered-By": "backend"}
"""What no visitor should get to know."""

LONG = "a sentence that gets shorter when it is compressed. " * 100


@dataclass
class Backend:
    """The server: what it was asked, and for how long connections were left idle before the controller closed them."""

    address: str
    port: int
    asked: list[str] = field(default_factory=list)
    idle: list[float] = field(default_factory=list)
    connections: list[socket.socket] = field(default_factory=list)
    draining: bool = False
    """Whether each answer closes its connection, as the application's do between SIGTERM and its end (``vet_app/vetclinic/draining.py``)."""
    end: Callable[[], None] = lambda: None
    """Stop serving: connections end, and are refused from then on."""

    def count(self, path: str) -> int:
        """How many requests for a path came."""
        return self.asked.count(path)


class Handler(BaseHTTPRequestHandler):
    """One connection. The path says what happens: ``/slow?seconds=2``, ``/closes``, ``/websocket``; everything else is answered."""

    protocol_version = "HTTP/1.1"
    backend: Backend
    answered = 0.0

    def version_string(self) -> str:
        return OWN_HEADERS["Server"]

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 -- the base class names it
        """Say nothing."""

    def do_GET(self) -> None:
        where = urlsplit(self.path)
        length = self._read()
        self.backend.asked.append(where.path)
        if where.path.startswith("/closes"):
            self.close_connection = True
        elif where.path == "/websocket":
            self._talk()
        else:
            if where.path.startswith("/slow"):
                time.sleep(float(parse_qs(where.query)["seconds"][0]))
            self._answer(length)

    do_POST = do_GET  # noqa: N815 -- the base class names it

    def setup(self) -> None:
        super().setup()
        self.backend.connections.append(self.connection)

    def finish(self) -> None:
        super().finish()
        if self.answered:
            self.backend.idle.append(time.monotonic() - self.answered)

    def _read(self) -> int:
        if self.headers.get("Transfer-Encoding") == "chunked":
            total = 0
            while size := int(self.rfile.readline(), 16):
                total += len(self.rfile.read(size + 2)) - 2
            self.rfile.readline()
            return total
        return len(self.rfile.read(int(self.headers.get("Content-Length", 0))))

    def _answer(self, length: int) -> None:
        headers = [[name, value] for name, value in self.headers.items()]
        content = {"backend": self.backend.port, "headers": headers, "length": length, "text": LONG}
        body = json.dumps(content).encode()
        self.send_response(200)
        self.send_header("X-Powered-By", OWN_HEADERS["X-Powered-By"])
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        if self.backend.draining:
            self.send_header("Connection", "close")  # the base class closes it then
        with suppress(OSError):  # the controller has given up
            self.end_headers()
            self.wfile.write(body)
        self.answered = time.monotonic()

    def _talk(self) -> None:
        """Switch to a WebSocket, and hand back what comes, byte by byte, as it is; frames are the visitor's matter."""
        key = self.headers["Sec-WebSocket-Key"].encode() + ACCEPTED
        self.send_response(101)
        self.send_header("Upgrade", "websocket")
        self.send_header("Connection", "Upgrade")
        self.send_header("Sec-WebSocket-Accept", base64.b64encode(hashlib.sha1(key).digest()).decode())
        self.end_headers()
        self.close_connection = True
        while data := self.connection.recv(1024):
            self.connection.sendall(data)


class Server(ThreadingHTTPServer):
    """Like gunicorn's socket: by default only five connections may wait to be accepted."""

    request_queue_size = 1024


@contextmanager
def backend(address: str) -> Iterator[Backend]:
    """Serve on a free port of an address of this machine."""
    backend = Backend(address, 0)
    handler = type("Own", (Handler,), {"backend": backend})
    with Server((address, 0), handler) as server:
        server.daemon_threads = True
        server.block_on_close = False
        backend.port = server.server_address[1]
        thread = threading.Thread(target=server.serve_forever)
        thread.start()

        def end() -> None:
            server.shutdown()
            thread.join()
            server.socket.close()
            for connection in backend.connections:
                with suppress(OSError):
                    connection.shutdown(socket.SHUT_RDWR)

        backend.end = end
        try:
            yield backend
        finally:
            end()
