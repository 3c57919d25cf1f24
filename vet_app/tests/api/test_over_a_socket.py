"""Answers as a client reads them from a connection: as many bytes as their Content-Length says, and no more."""

from __future__ import annotations

import socket
import threading
from http.client import HTTPConnection, HTTPResponse
from typing import Any, Iterator
from wsgiref.simple_server import WSGIServer, make_server

import pytest
from django.test import Client

from accounts.models import User
from accounts.services import issue_token
from api.access import THROTTLE
from api.problems import MEDIA_TYPE
from tests.conftest import make_actor
from tests.runtime.servers import free_port
from vetclinic.wsgi import application

ENDLESS = 10  # seconds after which a client that still waits for bytes has hung


@pytest.fixture
def port(transactional_db: None) -> Iterator[int]:
    """The application served by a plain WSGI server, through every middleware."""
    chosen = free_port()
    server: WSGIServer = make_server("127.0.0.1", chosen, application)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield chosen
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/api/v1/nothing-here", 404), ("POST", "/api/v1/search", 405), ("GET", "/api/v1/owners", 401),
        ("GET", "/api/", 404), ("GET", "/login/", 200), ("POST", "/login/", 403), ("GET", "/nothing-here", 404),
    ],
)  # fmt: skip
def test_an_answer_has_the_length_that_it_says(port: int, method: str, path: str, status: int) -> None:
    connection = HTTPConnection("127.0.0.1", port, timeout=ENDLESS)
    connection.request(method, path, headers={"Host": "localhost"})
    answer = connection.getresponse()
    try:
        body = answer.read()  # raises IncompleteRead, or times out, where the length promises more than there is
    except socket.timeout:
        pytest.fail(f"{method} {path} promised {answer.headers['Content-Length']} bytes and hung the client")
    finally:
        connection.close()
    assert answer.status == status, body[:300]
    assert int(answer.headers["Content-Length"]) == len(body)
    if path.startswith("/api/"):
        assert answer.headers["Content-Type"] == MEDIA_TYPE
        assert body.endswith(b"}"), "a whole document"


def test_what_is_too_large_and_who_asks_too_often_get_whole_answers(port: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """413 without reading what is sent, and 429 with the seconds to wait."""
    connection = HTTPConnection("127.0.0.1", port, timeout=ENDLESS)
    connection.putrequest("POST", "/api/v1/owners")
    connection.putheader("Content-Length", str(200 * 1024 * 1024))
    connection.endheaders()
    whole(connection, 413)
    monkeypatch.setattr(THROTTLE, "num_requests", 1)
    secret = issue_token(make_actor("manager"), User.objects.get(username="test-manager"), "laboratory")[1]
    for status in (200, 429):
        connection = HTTPConnection("127.0.0.1", port, timeout=ENDLESS)
        connection.request("GET", "/api/v1/reference/me", headers={"Authorization": f"Bearer {secret}"})
        answer = whole(connection, status)
    assert 0 < int(answer.headers["Retry-After"]) <= 60


def whole(connection: HTTPConnection, status: int) -> HTTPResponse:
    """The answer, of which as many bytes came as it promised."""
    answer = connection.getresponse()
    body = answer.read()
    connection.close()
    assert (answer.status, int(answer.headers["Content-Length"])) == (status, len(body)), body[:300]
    if status != 200:
        assert answer.headers["Content-Type"] == MEDIA_TYPE and body.endswith(b"}")
    return answer


@pytest.mark.parametrize("path", ["/api/v1/nothing-here", "/api/v1/search"])
def test_the_length_agrees_with_the_problem_document(client: Client, db: Any, path: str) -> None:
    answer = client.put(path)
    assert int(answer.headers["Content-Length"]) == len(answer.content)
