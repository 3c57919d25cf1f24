"""Answers to requests that are sent again.

On a busy machine a connection to the emulator breaks now and then after the request was carried out. An AWS SDK then sends it again, and a
``Create`` would find what it has made itself. Attempts of one call carry the same ``amz-sdk-invocation-id`` (AWS SDKs: retry behaviour), so a
repeated one gets the answer that was lost.
"""

import threading
from collections.abc import Callable, Iterable
from typing import Any

from werkzeug.test import run_wsgi_app

Application = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]


class Retries:
    """A WSGI application that gives repeated changes the answer that they had; what failed is tried again."""

    def __init__(self, application: Application) -> None:
        self._application = application
        self._answers: dict[str, tuple[str, list[tuple[str, str]], bytes]] = {}
        self._calls: dict[str, threading.Lock] = {}

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        """Answer one request."""
        call = environ.get("HTTP_AMZ_SDK_INVOCATION_ID")
        if not call or environ["REQUEST_METHOD"] in ("GET", "HEAD"):
            return self._application(environ, start_response)
        with self._calls.setdefault(call, threading.Lock()):  # a repeated one may come before the first has ended
            if call not in self._answers:
                body, status, headers = run_wsgi_app(self._application, environ, buffered=True)
                answer = status, list(headers), b"".join(body)
                if not status.startswith("2"):
                    return _send(answer, start_response)
                self._answers[call] = answer
            return _send(self._answers[call], start_response)


def _send(answer: tuple[str, list[tuple[str, str]], bytes], start_response: Callable[..., Any]) -> Iterable[bytes]:
    status, headers, body = answer
    start_response(status, headers)
    return [body]
