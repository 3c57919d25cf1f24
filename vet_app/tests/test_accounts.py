"""Logging in, its throttle, tokens, and that every page is closed unless it says otherwise."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, Iterator, Tuple

import pytest
from django.contrib.auth import authenticate
from django.contrib.sessions.models import Session
from django.core.exceptions import PermissionDenied, ValidationError
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver
from django.utils import timezone

from accounts import services
from accounts.models import LoginAttempt, User
from audit.actor import Actor
from audit.models import AuditEntry

OPEN = {"login", "login_second", "forgotten", "password_reset", "reminders_end"}
PASSWORD = "a long test password"


@pytest.fixture
def robin(manager: Actor) -> User:
    return services.create_user(manager, "robin", PASSWORD, "reception")


def log_in(password: str, ip: str = "192.0.2.1") -> Any:
    return Client(REMOTE_ADDR=ip).post("/login/", {"username": "robin", "password": password})


def test_logging_in_leads_to_today_and_is_audited(robin: User) -> None:
    client = Client()
    assert client.get("/")["Location"] == "/login/?next=/"
    assert client.post("/login/", {"username": "robin", "password": PASSWORD})["Location"] == "/"
    page = client.get("/")
    assert page.status_code == 200
    assert page["Cache-Control"] == "no-store"
    assert "script-src 'self'" in page["Content-Security-Policy"]
    assert AuditEntry.objects.filter(action="login", user=robin).count() == 1


def test_the_throttle_closes_after_five_failures_even_for_the_right_password(robin: User) -> None:
    for _try in range(5):
        assert b"correct" in log_in("wrong").content
    assert b"Too many failed attempts" in log_in(PASSWORD).content
    assert log_in(PASSWORD, ip="192.0.2.2").status_code == 302, "a stranger must not lock Robin out everywhere"
    LoginAttempt.objects.update(at=timezone.now() - timedelta(minutes=16))
    assert log_in(PASSWORD).status_code == 302


def test_the_throttle_asks_nothing_of_the_password_while_closed(robin: User) -> None:
    for _try in range(5):
        log_in("wrong")
    assert authenticate(None, username="robin", password=PASSWORD) is not None, "another address is another count"
    assert log_in(PASSWORD).status_code == 429
    assert LoginAttempt.objects.filter(outcome="blocked").count() == 1


def test_a_token_opens_until_it_is_revoked_expires_or_its_user_leaves(manager: Actor, robin: User) -> None:
    token, secret = services.issue_token(manager, robin, "scripts")
    assert secret not in str(vars(token)), "the secret must not be kept"
    assert services.user_of_token(secret) == robin
    assert services.user_of_token(secret + "x") is None
    services.update_user(manager, robin, is_active=False)
    assert services.user_of_token(secret) is None
    services.update_user(manager, robin, is_active=True)
    services.revoke_token(manager, token)
    assert services.user_of_token(secret) is None
    _old, secret = services.issue_token(manager, robin, "old", timezone.now() - timedelta(seconds=1))
    assert services.user_of_token(secret) is None


def test_only_managers_make_users_and_weak_passwords_are_refused(manager: Actor, robin: User) -> None:
    with pytest.raises(PermissionDenied):
        services.create_user(Actor.of_user(robin), "eve", PASSWORD, "manager")
    with pytest.raises(ValidationError):
        services.create_user(manager, "eve", "12345", "vet")
    with pytest.raises(ValidationError):
        services.create_user(manager, "eve", PASSWORD, "emperor")


def test_two_managers_may_name_a_user_alike_in_the_same_instant(
    manager: Actor, monkeypatch: pytest.MonkeyPatch
) -> None:
    checked = User.full_clean

    def a_rival_comes_after_the_check(user: User, *given: Any, **named: Any) -> None:
        checked(user, *given, **named)
        User.objects.create(username="eve", role="reception")

    monkeypatch.setattr(User, "full_clean", a_rival_comes_after_the_check)
    with pytest.raises(ValidationError) as problem:
        services.create_user(manager, "eve", PASSWORD, "vet")
    assert "username" in problem.value.message_dict, problem.value


def patterns(resolver: Any, prefix: str = "") -> Iterator[Tuple[str, URLPattern]]:
    for item in resolver.url_patterns:
        if isinstance(item, URLResolver):
            yield from patterns(item, f"{prefix}{item.namespace or ''}:" if item.namespace else prefix)
        else:
            yield f"{prefix}{item.name}", item


def test_every_address_is_closed_unless_it_is_listed_here(db: None) -> None:
    addresses = dict(patterns(get_resolver()))
    assert {name for name, item in addresses.items() if getattr(item.callback, "is_public", False)} == OPEN
    assert len(addresses) > 10, "the walk found hardly anything"
    for path in ("/", "/lists/", "/logout/", "/team/"):
        assert Client().get(path)["Location"].startswith("/login/"), path
    part = Client().get("/waiting/", HTTP_HX_REQUEST="true")
    assert part["HX-Refresh"] == "true" and not part.content, "a page that outlived its session is loaded again"
    assert Client().get("/admin/").status_code == 404, "README.md says why there is no second door"


def test_a_new_password_from_a_manager_ends_the_wait(robin: User, manager: Actor) -> None:
    for _try in range(6):
        log_in("wrong")
    assert log_in(PASSWORD).status_code == 429
    services.set_password(manager, robin, "another long password")
    assert log_in("another long password").status_code == 302


def test_strangers_cannot_keep_out_who_has_logged_in_here_before(robin: User) -> None:
    assert log_in(PASSWORD).status_code == 302
    for number in range(70):
        LoginAttempt.objects.create(username="robin", ip=f"198.51.100.{number}", outcome="failed")
    assert log_in(PASSWORD).status_code == 302, "Robin's own place is known"
    assert log_in(PASSWORD, ip="192.0.2.77").status_code == 429, "a new place waits"


def test_a_known_place_has_its_own_limit_still(robin: User) -> None:
    assert log_in(PASSWORD).status_code == 302
    for _try in range(5):
        log_in("wrong")
    assert log_in(PASSWORD).status_code == 429


def test_a_temporary_password_opens_nothing_but_its_change(robin: User, manager: Actor) -> None:
    services.set_password(manager, robin, "another long password")
    client = Client()
    client.post("/login/", {"username": "robin", "password": "another long password"})
    assert client.get("/")["Location"] == "/password/"
    for path in ("/api/v1/owners", "/api/v1/search?q=biscuit", "/api/v1/openapi.json"):
        answer = client.get(path)
        assert answer.status_code == 403, f"{path} is open: {answer.status_code}"
        assert "password" in answer.json()["detail"]
    docs = client.get("/api/v1/docs", headers={"Accept": "text/html"})
    assert docs["Location"] == "/password/"


def test_a_new_password_differs_from_the_old_one(robin: User) -> None:
    with pytest.raises(ValidationError, match="differ"):
        services.set_password(Actor.of_user(robin), robin, PASSWORD)


def test_a_log_in_clears_sessions_that_have_ended(robin: User) -> None:
    ended = Session.objects.create(session_key="ended", session_data="", expire_date=timezone.now() - timedelta(days=1))
    kept = Session.objects.create(session_key="kept", session_data="", expire_date=timezone.now() + timedelta(days=1))
    log_in(PASSWORD)
    left = set(Session.objects.values_list("session_key", flat=True))
    assert kept.session_key in left and ended.session_key not in left, left
