"""The commands that let people and programs in."""

from __future__ import annotations

import json
from io import StringIO
from typing import Any

import pytest
from django.contrib.auth import authenticate
from django.core.management import CommandError, call_command

from accounts.models import User
from audit.models import AuditEntry
from tests.api.conftest import Program


def printed(*command: str) -> str:
    out = StringIO()
    call_command(*command, stdout=out, stderr=StringIO())
    return out.getvalue().strip()


def test_a_token_is_printed_once_and_opens_the_api(manager: Any) -> None:
    secret = printed("api_token", manager.name, "laboratory", "--days", "7")
    assert Program(secret)("GET", "/reference/me")["username"] == manager.name
    entry = AuditEntry.objects.get(object_type="apitoken")
    assert (entry.actor, secret in str(entry.changes)) == ("system:api_token", False)


@pytest.mark.parametrize(
    ("arguments", "why"), [(["nobody", "x"], "nobody"), (["test-manager", "x", "--days=0"], "--days")]
)
def test_a_wrong_token_request_says_why(manager: Any, arguments: Any, why: str) -> None:
    with pytest.raises(CommandError, match=why):
        call_command("api_token", *arguments)


def test_the_first_manager_logs_in_and_may_be_let_in_again(db: None) -> None:
    first = printed("clinic_admin", "Anna@clinic.example")
    user = User.objects.get(username="anna@clinic.example")
    assert (user.role, user.must_change_password) == ("manager", True)
    assert authenticate(None, username=user.username, password=first) == user
    second = printed("clinic_admin", "anna@clinic.example")
    assert authenticate(None, username=user.username, password=first) is None
    assert authenticate(None, username=user.username, password=second) == user
    assert set(AuditEntry.objects.exclude(action="login").values_list("actor", flat=True)) == {"system:clinic_admin"}


def test_what_is_no_address_makes_no_manager(db: None) -> None:
    with pytest.raises(CommandError, match="not an e-mail address"):
        call_command("clinic_admin", "anna")
    assert not User.objects.exists()


def test_the_account_of_the_smoke_test_may_only_read_and_is_one_for_all_tests(db: None) -> None:
    first, second = (json.loads(printed("smoke_test_account")) for _ in range(2))
    assert first["username"] == second["username"]
    user = User.objects.get(username=first["username"])
    assert (user.role, user.must_change_password, user.is_active) == ("readonly", False, True)
    assert authenticate(None, username=user.username, password=first["password"]) is None
    assert authenticate(None, username=user.username, password=second["password"]) == user


def test_a_closed_account_of_the_smoke_test_lets_nobody_in(db: None) -> None:
    account = json.loads(printed("smoke_test_account"))
    assert not printed("smoke_test_account", "--close")
    assert authenticate(None, username=account["username"], password=account["password"]) is None
    assert not printed("smoke_test_account", "--close"), "closing it again is no mistake"
    assert set(AuditEntry.objects.exclude(action="login").values_list("actor", flat=True)) == {"system:smoke_test"}
