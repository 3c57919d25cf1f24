"""A session in one browser: its length, the locked screen, the password asked once more, and a forgotten password."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any, Callable, Dict

import pytest
from django.core import mail
from django.test import Client
from django.utils import timezone

from accounts import forgotten, services
from accounts.models import LoginAttempt, User
from accounts.sessions import CONFIRMED_FOR
from audit.actor import Actor
from audit.models import AuditEntry
from clinic.models import ClinicSettings
from clinic.services.settings import change_settings
from tests.web.conftest import beside
from tests.web.test_settings_page import WHO

PASSWORD = "a long test password"


@pytest.fixture
def robin(manager: Actor) -> User:
    return services.create_user(manager, "robin", PASSWORD, "manager", email="robin@example.com", first_name="Robin")


@pytest.fixture
def ada(manager: Actor) -> User:
    return services.create_user(manager, "ada", PASSWORD, "vet", first_name="Ada")


def logged_in(name: str, client: Any = None) -> Client:
    client = client or Client()
    answer = client.post("/login/", {"username": name, "password": PASSWORD})
    assert answer.status_code == 302, answer.content
    return client  # type: ignore[no-any-return]


def age(client: Client, **seconds: int) -> None:
    """Put the clocks of a session back by so many seconds."""
    session = client.session
    for name, value in seconds.items():
        session[name] -= value
    session.save()


def setting(manager: Actor, **fields: Any) -> None:
    saved = ClinicSettings.objects.first()
    change_settings(manager, saved.version if saved else 0, {**WHO, **fields})


def test_a_session_ends_after_the_hours_that_the_clinic_sets_however_busy_it_is(manager: Actor, robin: User) -> None:
    setting(manager, session_hours=2)
    client = logged_in("robin")
    first = client.session.get_expiry_date()
    assert abs(first - timezone.now() - timedelta(hours=2)) < timedelta(minutes=1), first
    age(client, seen_at=300)
    client.get("/")
    assert client.session.get_expiry_date() == first, "a click does not make it longer"


def test_nobody_there_locks_the_screen_and_a_page_that_refreshes_itself_is_nobody(robin: User) -> None:
    client = logged_in("robin")
    age(client, seen_at=29 * 60)
    assert client.get("/waiting/", HTTP_HX_REQUEST="true", HTTP_X_UNATTENDED="yes").status_code == 200
    age(client, seen_at=2 * 60)
    for answer in (client.get("/owners/?page=2"), client.post("/owners/new/", {"last_name": "Typed"})):
        assert answer["Location"].startswith("/locked/?next="), answer["Location"]
    assert client.get("/waiting/", HTTP_HX_REQUEST="true").headers["HX-Refresh"] == "true"
    page = client.get("/locked/?next=/owners/").content.decode()
    assert "Robin" in page and "Owners and pets" not in page and 'name="q"' not in page, "nothing else is on it"
    assert client.get("/api/v1/owners").status_code == 403
    assert client.post("/still-here/").status_code == 401
    assert "neither" in beside(client.post("/locked/", {"person": robin.pk, "secret": "wrong"}), "secret")
    assert client.get("/owners/").status_code == 302
    back = client.post("/locked/?next=/owners/", {"person": robin.pk, "secret": PASSWORD})
    assert back["Location"] == "/owners/" and client.get("/owners/").status_code == 200
    assert AuditEntry.objects.filter(action="login", user=robin, changes__has_key="unlocked").count() == 1


def test_whoever_is_busy_is_not_locked_out_and_a_clinic_may_do_without(manager: Actor, robin: User) -> None:
    client = logged_in("robin")
    for _half in range(3):
        age(client, seen_at=20 * 60)
        assert client.post("/still-here/").status_code == 204
    setting(manager, idle_minutes=None)
    age(client, seen_at=10 * 3600)
    assert client.get("/owners/").status_code == 200


def comes_back(client: Client, person: User, secret: str, following: str = "/") -> Any:
    """Unlock the screen."""
    assert client.post("/lock/", {"next": following})["Location"].startswith("/locked/?next=")
    return client.post(f"/locked/?next={following}", {"person": person.pk, "secret": secret})


def test_a_shared_workstation_changes_hands(robin: User, ada: User) -> None:
    """Each logs in here once; then each comes back in the other's place, to Today instead of the other's page."""
    services.set_pin(Actor.of_user(ada), ada, "2580")
    client = logged_in("robin")
    assert client.post("/lock/", {"next": "/team/?x=1&y=2"})["Location"] == "/locked/?next=/team/%3Fx%3D1%26y%3D2"
    assert comes_back(client, ada, "2580").status_code == 422, "Ada has not logged in here yet"
    assert 'name="username"' in client.get("/login/").content.decode(), "a locked screen lets somebody else log in"
    logged_in("ada", client)
    assert comes_back(client, ada, "2580", "/owners/")["Location"] == "/owners/", "her own page"
    assert comes_back(client, robin, PASSWORD, "/owners/")["Location"] == "/", "the page was Ada's"
    assert "Robin" in client.get("/").content.decode() and client.get("/team/").status_code == 200
    assert comes_back(client, ada, "2580", "/team/")["Location"] == "/"
    assert "Ada" in client.get("/").content.decode() and client.get("/team/").status_code == 403
    client.post("/logout/")
    assert client.get("/locked/")["Location"].startswith("/login/")
    logged_in("robin", client)
    assert comes_back(client, ada, "2580").status_code == 422, "who logs out leaves nobody behind"


def with_pin(person: User) -> User:
    services.set_pin(Actor.of_user(person), person, "2580")
    return person


def test_a_pin_opens_the_screen_and_no_sensitive_page(robin: User) -> None:
    client = logged_in(with_pin(robin).username)
    assert comes_back(client, robin, "2580", "/owners/")["Location"] == "/owners/"
    assert client.get("/owners/").status_code == 200
    for page in ("/team/new/", "/settings/", "/exchange/clients.csv", "/second-step/", "/pin/"):
        assert "confirm_password" in client.get(page).content.decode(), page
    comes_back(client, robin, PASSWORD)
    assert "confirm_password" not in client.get("/settings/").content.decode(), "the password was typed"


def test_a_pin_does_not_make_a_session_longer(manager: Actor, robin: User, ada: User) -> None:
    """Neither one's own, nor by way of a colleague's turn; the password begins a new one."""
    setting(manager, session_hours=2)
    client = logged_in(with_pin(robin).username)
    first = client.session.get_expiry_date()
    setting(manager, session_hours=9)
    comes_back(client, robin, "2580")
    assert client.session.get_expiry_date() == first
    client.post("/lock/")
    logged_in(with_pin(ada).username, client)
    assert client.session.get_expiry_date() > first
    comes_back(client, robin, "2580")
    assert client.session.get_expiry_date() == first, "it is still the log-in of before"
    comes_back(client, robin, PASSWORD)
    assert client.session.get_expiry_date() > first


def test_where_the_log_in_has_ended_a_pin_asks_for_the_password(robin: User, ada: User) -> None:
    client = logged_in(with_pin(robin).username)
    client.post("/lock/")
    logged_in("ada", client)
    session = client.session
    session["ends"] = {**session["ends"], str(robin.pk): (timezone.now() - timedelta(minutes=1)).isoformat()}
    session.save()
    assert "Your log-in has ended" in beside(comes_back(client, robin, "2580"), "secret")
    assert comes_back(client, robin, PASSWORD)["Location"] == "/"
    assert client.get("/").status_code == 200


def test_who_has_another_password_now_is_known_here_no_more(manager: Actor, robin: User, ada: User) -> None:
    services.set_pin(Actor.of_user(ada), ada, "2580")
    client = logged_in("ada")
    client.post("/lock/")
    logged_in("robin", client)
    client.post("/lock/")
    assert "Ada" in client.get("/locked/").content.decode()
    services.set_password(manager, ada, "quite another password")
    assert "Ada" not in client.get("/locked/").content.decode()
    assert comes_back(client, ada, "2580").status_code == 422
    assert ada.pin == ""


def test_pins_are_guessed_five_times_at_most(robin: User) -> None:
    services.set_pin(Actor.of_user(robin), robin, "2580")
    client = logged_in("robin")
    client.post("/lock/")
    for _try in range(5):
        client.post("/locked/", {"person": robin.pk, "secret": "0000"})
    closed = client.post("/locked/", {"person": robin.pk, "secret": "2580"})
    assert closed.status_code == 422 and "Too many failed attempts" in closed.content.decode()


@pytest.mark.parametrize("pin", ["1", "123456789", "1111", "1234", "8765", "12a4"])
def test_a_pin_that_everybody_would_try_is_refused(robin: User, pin: str) -> None:
    client = logged_in("robin")
    answer = client.post("/pin/", {"pin": pin})
    assert answer.status_code == 422 and beside(answer, "pin")
    robin.refresh_from_db()
    assert robin.pin == ""


def test_sensitive_pages_ask_for_the_password_once_more_and_lose_nothing(robin: User) -> None:
    client = logged_in("robin")
    assert client.get("/team/new/").status_code == 200, "it was given a moment ago"
    age(client, confirmed_at=CONFIRMED_FOR + 1)
    pages = (
        "/team/new/", f"/team/{robin.pk}/", "/settings/", "/exchange/clients.csv", "/second-step/", "/pin/",
        "/reminders/list.csv",
    )  # fmt: skip
    for page in pages:
        assert "confirm_password" in client.get(page).content.decode(), page
    new: Dict[str, Any] = {"username": "eve", "first_name": "Eve", "role": "vet"}
    asked = client.post("/team/new/", new).content.decode()
    assert 'name="first_name" value="Eve"' in asked and not User.objects.filter(username="eve").exists()
    wrong = client.post("/team/new/", {**new, "carries": "yes", "confirm_password": "wrong"})
    assert "not your current password" in beside(wrong, "confirm_password") and 'value="Eve"' in wrong.content.decode()
    done = client.post("/team/new/", {**new, "carries": "yes", "confirm_password": PASSWORD})
    assert done.status_code == 200 and User.objects.get(username="eve").first_name == "Eve"
    assert (
        client.get("/settings/").status_code == 200
        and "confirm_password" not in client.get("/settings/").content.decode()
    )
    age(client, confirmed_at=CONFIRMED_FOR + 1)
    assert client.post("/settings/", {"confirm_password": PASSWORD})["Location"] == "/settings/"


def test_guessing_there_is_throttled_like_the_log_in(robin: User) -> None:
    client = logged_in("robin")
    age(client, confirmed_at=CONFIRMED_FOR + 1)
    for _try in range(6):
        answer = client.post("/settings/", {"confirm_password": "wrong"})
    assert "Too many failed attempts" in answer.content.decode()


@pytest.fixture
def with_mail(settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Mail is on, and sent before the page answers."""
    settings.EMAIL_ENABLED = True
    settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
    monkeypatch.setattr("accounts.forgotten.threading.Thread", Now)


class Now:
    """A thread that has ended once it was started."""

    def __init__(self, target: Callable[..., None], args: Any, **_named: Any) -> None:
        self.who, self.language = args

    def start(self) -> None:
        """Do it at once."""
        forgotten.send_links(self.who, self.language)


def link_in(text: str) -> str:
    match = re.search(r"http://localhost:8000(/login/reset/\S+)", text)
    assert match, text
    return match[1]


def test_a_forgotten_password_is_replaced_by_a_link_which_ends_the_wait(robin: User, with_mail: None) -> None:
    for _try in range(6):
        Client().post("/login/", {"username": "robin", "password": "wrong"})
    assert Client().post("/login/", {"username": "robin", "password": PASSWORD}).status_code == 429
    text = Client().post("/login/forgotten/", {"who": "ROBIN@example.com"}).content.decode()
    unknown = Client().post("/login/forgotten/", {"who": "nobody"}).content.decode()
    token = re.compile(r'name="csrfmiddlewaretoken" value="[^"]+"')
    assert token.sub("", text) == token.sub("", unknown), "the page tells nobody who is known"
    (letter,) = mail.outbox
    assert letter.to == ["robin@example.com"] and PASSWORD not in letter.body
    link = link_in(str(letter.body))
    page = Client().post(link, {"new": "short", "again": "short"})
    assert page.status_code == 422 and beside(page, "new")
    new = {"new": "three unlike words", "again": "three unlike words"}
    assert Client().post(link, new)["Location"] == "/login/"
    again = Client().get(link)
    assert again.status_code == 410 and "used or has expired" in again.content.decode()
    client = Client()
    assert client.post("/login/", {"username": "robin", "password": "three unlike words"})["Location"] == "/"
    assert AuditEntry.objects.filter(object_type="user", object_id=robin.pk, changes__has_key="password").exists()


def test_no_link_for_who_has_left_or_asks_too_often_or_without_mail(
    robin: User, with_mail: None, manager: Actor, settings: Any
) -> None:
    for _try in range(8):
        Client().post("/login/forgotten/", {"who": "robin"})
    assert len(mail.outbox) == 5, len(mail.outbox)
    LoginAttempt.objects.all().delete()
    services.update_user(manager, robin, is_active=False)
    Client().post("/login/forgotten/", {"who": "robin"})
    assert len(mail.outbox) == 5
    assert Client().get(link_in(str(mail.outbox[0].body))).status_code == 410
    settings.EMAIL_ENABLED = False
    assert Client().get("/login/forgotten/").status_code == 404
    assert Client().get("/login/reset/!!/x/").status_code == 410


def test_a_form_sent_after_the_session_ended_leads_back_to_its_page(db: None) -> None:
    """The page, not the address that only takes a POST: there the browser gives back what was typed."""
    sent = Client().post("/visits/7/amend/", {"text": "x"}, HTTP_REFERER="http://testserver/visits/7/?a=b")
    assert sent["Location"] == "/login/?next=/visits/7/%3Fa%3Db"
    elsewhere = Client().post("/visits/7/amend/", {"text": "x"}, HTTP_REFERER="http://evil.example/visits/7/")
    assert elsewhere["Location"] == "/login/?next=/"
