"""Requests that an AWS SDK sends again because it never saw the answer."""

from collections.abc import Iterable
from typing import Any

from werkzeug.test import Client

from operations.devtools.emulator.retries import Retries


def _client(*statuses: str) -> tuple[Client, list[str]]:
    """A client of an application that gives these answers one after the other, and the calls that it carried out."""
    carried_out: list[str] = []

    def application(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        carried_out.append(environ["REQUEST_METHOD"])
        start_response(statuses[len(carried_out) - 1], [("Content-Type", "text/plain")])
        return [f"answer {len(carried_out)}".encode()]

    return Client(Retries(application)), carried_out


def _call(id_: str) -> dict[str, str]:
    return {"amz-sdk-invocation-id": id_}


def test_a_repeated_change_is_carried_out_once_and_answered_alike() -> None:
    client, carried_out = _client("200 OK", "200 OK")
    answers = [client.post("/", headers=_call(id_)).text for id_ in ("first", "first", "second", "first")]
    assert answers == ["answer 1", "answer 1", "answer 2", "answer 1"]
    assert len(carried_out) == 2, carried_out


def test_what_failed_is_tried_anew() -> None:
    client, _ = _client("409 CONFLICT", "200 OK")
    assert [client.post("/", headers=_call("same")).status_code for _ in range(3)] == [409, 200, 200]


def test_reading_and_other_clients_are_not_held() -> None:
    client, carried_out = _client(*["200 OK"] * 4)
    for _ in range(2):
        client.get("/", headers=_call("same"))
        client.post("/")
    assert len(carried_out) == 4, carried_out
