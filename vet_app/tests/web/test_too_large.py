"""What is larger than anything the clinic takes is refused by its length, before a byte of it is read."""

from __future__ import annotations

import json
from types import SimpleNamespace
from typing import Any, Dict

import pytest
from django.conf import settings
from django.test import Client, RequestFactory

from audit.actor import Actor
from clinic.services.settings import change_settings
from tests.web.test_settings_page import WHO
from vetclinic.wsgi import application
from web.views.errors import server_error


class Unread:
    """A body that must not be touched."""

    def read(self, *args: Any) -> bytes:
        """Fail."""
        raise AssertionError("the body was read")

    readline = read


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("/login/", "text/html"), ("/pets/1/attachments/new/", "text/html"),
        ("/api/v1/owners", "application/problem+json"),
    ],
)  # fmt: skip
def test_a_large_upload_is_refused_unread(db: None, path: str, kind: str) -> None:
    response: Dict[str, Any] = {}
    environment = RequestFactory().post(path, headers={"Host": "localhost"}).environ
    environment.update({"CONTENT_LENGTH": str(200 * 1024 * 1024), "wsgi.input": Unread(),
                        "CONTENT_TYPE": "multipart/form-data; boundary=x"})  # fmt: skip

    def start(status: str, headers: Any, *args: Any) -> None:
        response.update({"status": status, **dict(headers)})

    body = b"".join(application(environment, start))  # type: ignore[arg-type]
    assert response["status"].startswith("413"), response
    assert response["Content-Type"].startswith(kind), response
    detail = body.decode() if kind == "text/html" else json.loads(body)["detail"]
    assert "3 MB" in detail, f"the answer says what is taken: {detail!r}"


def test_the_page_has_the_name_that_the_manager_gave_the_clinic(manager: Actor, client: Client) -> None:
    """Without a question to the database, which may be what is away."""
    change_settings(manager, 0, WHO)
    client.get("/login/")
    page = client.post("/login/", {}, CONTENT_LENGTH=str(200 * 1024 * 1024)).content.decode()
    assert WHO["name"] in page and "3 MB" in page
    assert WHO["name"] in server_error(SimpleNamespace(request_id="x")).content.decode()  # type: ignore[arg-type]


def test_what_is_allowed_passes(client: Client, db: None) -> None:
    form = {"username": "x" * 100_000, "password": "y"}
    assert client.post("/login/", form).status_code == 200
    assert settings.LARGEST_REQUEST > 2 * 1024 * 1024 + 100_000, "a file of 2 MiB with its form"


def test_a_length_that_is_no_number_is_not_a_crash(client: Client, db: None) -> None:
    assert client.post("/login/", {"username": "x"}, CONTENT_LENGTH="").status_code in (200, 403)
