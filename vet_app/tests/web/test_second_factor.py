"""The second step at log-in: an app's codes, codes on paper, who needs one, and how a lost one is removed."""

from __future__ import annotations

import json
import re
import time
from io import StringIO
from typing import Any, List

import pytest
from django.core.management import call_command
from django.test import Client
from django_otp.oath import totp
from django_otp.plugins.otp_totp.models import TOTPDevice

from accounts import second_factor, services
from accounts.models import LoginAttempt, User
from audit.actor import Actor
from audit.models import AuditEntry
from tests.web.test_sessions import PASSWORD, logged_in, setting


@pytest.fixture
def robin(manager: Actor) -> User:
    return services.create_user(manager, "robin@example.com", PASSWORD, "manager", email="robin@example.com")


def code_of(user: User, shift: int = 0) -> str:
    """What the person's app shows, or will show so many half minutes later."""
    device = TOTPDevice.objects.filter(user=user).last()
    assert device is not None
    return f"{totp(device.bin_key, step=30, t0=-30 * shift):06d}"


def set_up(user: User) -> List[str]:
    """Set up an app; returns the codes on paper."""
    client = logged_in(user.username)
    page = client.get("/second-step/app/").content.decode()
    assert "data:image/svg+xml" in page
    wrong = client.post("/second-step/app/", {"code": "000000"})
    assert wrong.status_code == 422
    TOTPDevice.objects.filter(user=user).update(throttling_failure_timestamp=None, throttling_failure_count=0)
    assert f"{page}".count("<code>") == 1, "the key to type"
    done = client.post("/second-step/app/", {"code": code_of(user)}).content.decode()
    return re.findall(r"<li><code>([a-z2-7]+)</code></li>", done)


def begin(user: User, following: str = "") -> Client:
    client = Client()
    where = f"/login/?next={following}" if following else "/login/"
    answer = client.post(where, {"username": user.username, "password": PASSWORD})
    assert answer["Location"] == "/login/second/", answer["Location"]
    return client


def test_a_code_follows_the_password_and_nothing_opens_before(robin: User) -> None:
    set_up(robin)
    entries = AuditEntry.objects.filter(action="login", user=robin).count()
    client = begin(robin, "/owners/")
    assert client.get("/")["Location"].startswith("/login/"), "half a log-in is none"
    assert AuditEntry.objects.filter(action="login", user=robin).count() == entries, "and none in the trail"
    wrong = client.post("/login/second/", {"code": "123456"})
    assert wrong.status_code == 422 and "That was wrong" in wrong.content.decode()
    TOTPDevice.objects.update(throttling_failure_timestamp=None, throttling_failure_count=0)
    assert client.post("/login/second/", {"code": code_of(robin, 1)})["Location"] == "/owners/"
    assert client.get("/").status_code == 200
    assert AuditEntry.objects.filter(action="login", user=robin).count() == entries + 1


def test_a_code_works_once_and_guessing_is_throttled(robin: User) -> None:
    set_up(robin)
    used = begin(robin).post("/login/second/", {"code": code_of(robin)})
    assert used.status_code == 422, "the code that set it up is used"
    TOTPDevice.objects.update(throttling_failure_timestamp=None, throttling_failure_count=0)
    client = begin(robin)
    for _try in range(6):
        last = client.post("/login/second/", {"code": "111111"})
    assert "Too many failed attempts" in last.content.decode()
    TOTPDevice.objects.update(throttling_failure_timestamp=None, throttling_failure_count=0)
    assert client.post("/login/second/", {"code": code_of(robin, 1)}).status_code == 422, "the right one as well"


def test_the_second_step_waits_ten_minutes(robin: User, monkeypatch: pytest.MonkeyPatch) -> None:
    set_up(robin)
    client = begin(robin)
    now = time.time()
    monkeypatch.setattr("web.views.login.time.time", lambda: now + 601)
    assert client.post("/login/second/", {"code": code_of(robin, 1)})["Location"] == "/login/"


def test_codes_on_paper_work_once_each(robin: User) -> None:
    codes = set_up(robin)
    assert len(set(codes)) == second_factor.PAPER_CODES
    assert begin(robin).post("/login/second/", {"code": f" {codes[0].upper()} "})["Location"] == "/"
    assert second_factor.paper_codes_left(robin) == 7
    assert begin(robin).post("/login/second/", {"code": codes[0]}).status_code == 422
    LoginAttempt.objects.all().delete()
    assert not second_factor.is_right(robin, "")


def test_an_answer_that_is_no_passkeys_is_refused(robin: User) -> None:
    set_up(robin)
    for answer in ("", "{}", "nonsense", '{"id": "AAAA", "rawId": "AAAA", "type": "public-key", "response": {}}'):
        page = begin(robin).post("/login/second/", {"credential": answer})
        assert page.status_code == 422, answer
        LoginAttempt.objects.all().delete()


@pytest.mark.parametrize(("who", "role", "led"), [("optional", "manager", False), ("managers", "manager", True),
                                                  ("managers", "vet", False), ("everybody", "vet", True)])  # fmt: skip
def test_who_needs_one_is_led_to_set_it_up(manager: Actor, who: str, role: str, led: bool) -> None:
    user = services.create_user(manager, "robin", PASSWORD, role)
    setting(manager, second_factor=who)
    client = logged_in("robin")
    answer: Any = client.get("/owners/")
    assert (answer.status_code == 302) == led, answer.status_code
    assert (client.get("/api/v1/owners").status_code == 403) == led
    if led:
        assert answer["Location"] == "/second-step/"
        assert "requires a second step" in client.get("/second-step/").content.decode()
        client.get("/second-step/app/")
        client.post("/second-step/app/", {"code": code_of(user)})
        assert client.get("/owners/").status_code == 200


def test_a_second_step_holds_at_a_locked_screen_too(robin: User) -> None:
    """The first time at this browser; after that the browser itself is what somebody has."""
    codes = set_up(robin)
    services.create_user(Actor.system("test"), "ada", PASSWORD, "vet")
    client = logged_in("ada")
    client.post("/lock/")
    password_alone = client.post("/locked/", {"person": robin.pk, "secret": PASSWORD})
    assert password_alone.status_code == 422
    client.post("/login/", {"username": robin.username, "password": PASSWORD})
    assert client.get("/owners/").status_code == 302, "still locked"
    assert client.post("/login/second/", {"code": codes[0]})["Location"] == "/"
    client.post("/lock/")
    assert client.post("/locked/", {"person": robin.pk, "secret": PASSWORD})["Location"] == "/"


def test_a_lost_one_is_removed_by_a_manager_or_at_the_machine(robin: User, as_manager: Client) -> None:
    set_up(robin)
    assert "Remove the second step" in as_manager.get(f"/team/{robin.pk}/").content.decode()
    as_manager.post(f"/team/{robin.pk}/second-step/")
    logged_in(robin.username)
    assert AuditEntry.objects.filter(object_id=robin.pk, changes__second_factor=["set up", None]).count() == 1
    set_up(robin)
    call_command("clinic_admin", robin.username)
    assert not second_factor.is_set_up(robin), "the only manager, whose telephone is lost"


def test_nobody_sets_one_up_for_another_person(robin: User, manager: Actor) -> None:
    with pytest.raises(TypeError):
        second_factor.confirm_app(manager, robin, "1")
    with pytest.raises(TypeError):
        second_factor.new_paper_codes(manager, robin)


def test_the_test_after_a_deploy_has_no_second_step(manager: Actor) -> None:
    setting(manager, second_factor="everybody")
    printed = StringIO()
    call_command("smoke_test_account", stdout=printed)
    account = json.loads(printed.getvalue())
    client = Client()
    assert client.post("/login/", account)["Location"] == "/"
    assert client.get("/api/v1/pets").status_code == 200
    user = User.objects.get(username=account["username"])
    services.update_user(manager, user, role="manager")
    assert client.get("/api/v1/pets").status_code == 403, "somebody made a person's account of it"
