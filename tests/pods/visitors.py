"""Runs in a pod: visitors who ask again and again through the ingress controller, each on a kept connection as browsers do.

    python - SECONDS HOST ADDRESS PATH VISITORS PAUSE < visitors.py

An idle connection that the server has closed meanwhile is opened again and the request repeated, as a browser does; that is counted.
Prints JSON: answers by status, the requests that failed with their second, how many were repeated, and the longest answer in seconds.
"""

from __future__ import annotations

import http.client
import json
import socket
import ssl
import sys
import threading
import time
from collections import Counter
from typing import Any

CLOSED = (http.client.RemoteDisconnected, BrokenPipeError, ConnectionResetError)


class Visits:
    """What the visitors saw."""

    def __init__(self, host: str, address: str, path: str) -> None:
        self._host, self._address, self._path = host, address, path
        self._tls = ssl.create_default_context()
        self._tls.check_hostname, self._tls.verify_mode = False, ssl.CERT_NONE
        self._answers: Counter[str] = Counter()
        self._failed: list[tuple[float, str]] = []
        self._repeated, self._longest, self._start = 0, 0.0, time.monotonic()

    def visitor(self, until: float, pause: float) -> None:
        """Ask until the time is over."""
        connection: http.client.HTTPConnection | None = None
        while (begun := time.monotonic()) - self._start < until:
            try:
                status, connection = self._ask(connection)
            except (OSError, http.client.HTTPException) as error:
                status, connection = type(error).__name__, None
            self._answers[status] += 1
            self._longest = max(self._longest, time.monotonic() - begun)
            if not status.startswith(("2", "3")):
                self._failed.append((round(begun - self._start, 1), status))
            time.sleep(pause)

    def seen(self) -> dict[str, Any]:
        """All of it."""
        return {
            "answers": self._answers, "failed": self._failed, "repeated": self._repeated, "longest": round(self._longest, 3),
        }  # fmt: skip

    def _ask(self, kept: http.client.HTTPConnection | None) -> tuple[str, http.client.HTTPConnection | None]:
        try:
            return self._request(kept or self._connect())
        except CLOSED:
            if kept is None:
                raise
            self._repeated += 1
            return self._request(self._connect())

    def _connect(self) -> http.client.HTTPConnection:
        connection = http.client.HTTPConnection(self._host, timeout=30)
        connection.sock = self._tls.wrap_socket(
            socket.create_connection((self._address, 443), 30), server_hostname=self._host
        )
        return connection

    def _request(self, connection: http.client.HTTPConnection) -> tuple[str, http.client.HTTPConnection | None]:
        connection.request("GET", self._path)
        answer = connection.getresponse()
        answer.read()
        if answer.will_close:
            connection.close()
            return str(answer.status), None
        return str(answer.status), connection


def main(seconds: str, host: str, address: str, path: str, visitors: str, pause: str) -> None:
    """Let them ask, and print what they saw."""
    visits = Visits(host, address, path)
    threads = [
        threading.Thread(target=visits.visitor, args=(float(seconds), float(pause))) for _ in range(int(visitors))
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    print(json.dumps(visits.seen()))


main(*sys.argv[1:])
