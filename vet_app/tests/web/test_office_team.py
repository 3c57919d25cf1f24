"""People, roles, passwords and API tokens."""

from __future__ import annotations

import re
from typing import Any, Callable

import pytest
from django.test import Client

from accounts import services
from accounts.models import ApiToken, User
from accounts.services import user_of_token
from audit.actor import Actor
from audit.models import AuditEntry
from tests.web.conftest import beside, roles_that_may

PASSWORD = "a long test password"
PERSON = {"first_name": "Robin", "last_name": "Reed", "email": "", "role": "reception", "is_active": "on"}


@pytest.fixture
def robin(manager: Actor) -> User:
    return services.create_user(manager, "robin", PASSWORD, "reception", first_name="Robin")


def secret_of(page: Any) -> str:
    assert page.status_code == 200, page.content.decode()
    assert page["Cache-Control"] == "no-store"
    match = re.search(r'id="secret"[^>]* value="([^"]+)"', page.content.decode())
    assert match, "the page must show the secret"
    return match[1]


def log_in(username: str, password: str) -> Client:
    client = Client()
    client.post("/login/", {"username": username, "password": password})
    return client


def test_only_managers_see_the_team(robin: User, client_of: Callable[[str], Client]) -> None:
    for address in ("/team/", "/team/new/", f"/team/{robin.pk}/"):
        assert roles_that_may(client_of, address) == ["manager"], address
    for address in (f"/team/{robin.pk}/password/", f"/team/{robin.pk}/tokens/new/", "/team/tokens/1/revoke/"):
        assert client_of("vet").post(address).status_code == 403, address


def test_a_new_member_logs_in_with_the_password_shown_once_and_changes_it_first(as_manager: Client) -> None:
    page = as_manager.post("/team/new/", {"username": "ada", "first_name": "Ada", "role": "vet"})
    client = log_in("ada", secret_of(page))
    assert client.get("/owners/")["Location"] == "/password/"
    form = {"old": secret_of(page), "new": "three unlike words", "again": "three unlike words"}
    assert client.post("/password/", form)["Location"] == "/"
    assert client.get("/owners/").status_code == 200, "still logged in, and free to work"
    assert AuditEntry.objects.filter(object_type="user", object_text="ada").count() >= 2


def test_a_taken_name_is_refused_beside_its_field(as_manager: Client, robin: User) -> None:
    page = as_manager.post("/team/new/", {"username": "robin", "role": "vet"})
    assert page.status_code == 422 and "already exists" in beside(page, "username")
    page = as_manager.post("/team/new/", {"username": "bob", "role": "king"})
    assert page.status_code == 422 and "valid choice" in beside(page, "role")


def test_a_role_changes_and_a_deactivated_person_is_out_at_once(as_manager: Client, robin: User) -> None:
    theirs = log_in("robin", PASSWORD)
    assert as_manager.post(f"/team/{robin.pk}/", {**PERSON, "role": "vet", "version": 1})["Location"] == "/team/"
    robin.refresh_from_db()
    assert (robin.role, robin.last_name) == ("vet", "Reed")
    late = {key: value for key, value in PERSON.items() if key != "is_active"}
    page = as_manager.post(f"/team/{robin.pk}/", {**late, "version": 1})
    assert page.status_code == 409 and "has changed this person" in page.content.decode(), (
        "as the second of two managers"
    )
    assert theirs.get("/").status_code == 200
    assert 'name="version" value="2"' in as_manager.get(f"/team/{robin.pk}/").content.decode()
    as_manager.post(f"/team/{robin.pk}/", {**late, "version": 2})
    assert theirs.get("/")["Location"].startswith("/login/"), "the session must end"
    assert "cannot log in" in as_manager.get("/team/").content.decode()


def test_nobody_takes_their_own_rights_away(as_manager: Client) -> None:
    own = User.objects.get(username="test-manager")
    page = as_manager.post(f"/team/{own.pk}/", PERSON)
    assert page.status_code == 422 and "Ask another manager" in beside(page, "role")
    page = as_manager.post(f"/team/{own.pk}/", {"role": "manager"})
    assert page.status_code == 422 and "Ask another manager" in beside(page, "is_active")
    own.refresh_from_db()
    assert (own.role, own.is_active) == ("manager", True)


def test_a_reset_password_is_shown_once_and_has_to_be_changed(as_manager: Client, robin: User) -> None:
    secret = secret_of(as_manager.post(f"/team/{robin.pk}/password/"))
    assert log_in("robin", secret).get("/")["Location"] == "/password/"
    assert log_in("robin", PASSWORD).get("/")["Location"].startswith("/login/")
    assert secret not in as_manager.get(f"/team/{robin.pk}/").content.decode()


def test_a_token_is_shown_once_opens_the_api_and_can_be_closed(as_manager: Client, robin: User) -> None:
    secret = secret_of(as_manager.post(f"/team/{robin.pk}/tokens/new/", {"name": "laboratory", "days": 30}))
    assert user_of_token(secret) == robin
    page = as_manager.get(f"/team/{robin.pk}/").content.decode()
    assert "laboratory" in page and secret not in page
    token = ApiToken.objects.get()
    assert as_manager.post(f"/team/tokens/{token.pk}/revoke/")["Location"] == f"/team/{robin.pk}/"
    assert user_of_token(secret) is None
    assert as_manager.post(f"/team/tokens/{token.pk}/revoke/").status_code == 404


def test_a_token_without_a_name_or_for_ever_is_refused(as_manager: Client, robin: User) -> None:
    page = as_manager.post(f"/team/{robin.pk}/tokens/new/", {"name": "", "days": 9999})
    assert page.status_code == 422 and not ApiToken.objects.exists()
    assert "required" in beside(page, "name") and "366" in beside(page, "days")


@pytest.mark.parametrize(
    ("field", "change", "sentence"),
    [
        ("old", {"old": "wrong"}, "not your current password"),
        ("again", {"again": "something else"}, "differ"),
        ("new", {"new": "12345", "again": "12345"}, "too short"),
    ],
)
def test_a_password_is_refused_beside_its_field(robin: User, field: str, change: Any, sentence: str) -> None:
    client = log_in("robin", PASSWORD)
    form = {"old": PASSWORD, "new": "three unlike words", "again": "three unlike words", **change}
    page = client.post("/password/", form)
    assert page.status_code == 422 and sentence in beside(page, field)
    assert "value=" not in re.findall(r"<input[^>]*type=.password.[^>]*>", page.content.decode())[0]


def test_changing_the_password_ends_other_sessions(robin: User) -> None:
    here, there = log_in("robin", PASSWORD), log_in("robin", PASSWORD)
    here.post("/password/", {"old": PASSWORD, "new": "three unlike words", "again": "three unlike words"})
    assert here.get("/").status_code == 200
    assert there.get("/")["Location"].startswith("/login/")


def test_the_closed_throttle_answers_429_with_what_to_do(robin: User) -> None:
    for _try in range(6):
        page = Client().post("/login/", {"username": "robin", "password": "wrong"})
    assert page.status_code == 429 and b"wait 15 minutes" in page.content
