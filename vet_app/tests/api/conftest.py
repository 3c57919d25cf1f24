"""A program that talks to the API with a token."""

from __future__ import annotations

import json
from types import SimpleNamespace
from typing import Any, Callable

import pytest
from django.core.cache import cache
from django.test import Client

from accounts.models import User
from accounts.roles import Role
from accounts.services import issue_token
from audit.actor import Actor
from tests.conftest import make_actor


class Program:
    """Sends JSON and a token."""

    def __init__(self, secret: str = "") -> None:
        self.client = Client()
        if secret:
            self.client.defaults["HTTP_AUTHORIZATION"] = f"Bearer {secret}"

    def __call__(self, method: str, path: str, document: Any = None, status: int = 200, **headers: Any) -> Any:
        """The answer's document; fails where the status is another."""
        body = "" if document is None else json.dumps(document, default=str)
        answer = self.client.generic(method, f"/api/v1{path}", body, "application/json", headers=headers)
        assert answer.status_code == status, f"{method} {path}: {answer.status_code} {answer.content[:500]!r}"
        if status >= 400:
            assert answer["Content-Type"] == "application/problem+json"
        return json.loads(answer.content) if answer.content else None


def program_of(role: str) -> Program:
    """A program with a token of a user with the role."""
    actor = make_actor(role)
    _token, secret = issue_token(Actor.system("test"), User.objects.get(username=actor.name), "test")
    return Program(secret)


@pytest.fixture(autouse=True)
def _forget_counts() -> None:
    cache.clear()


@pytest.fixture
def program(db: None) -> Callable[[str], Program]:
    """Make a program with a role."""
    return program_of


@pytest.fixture
def call(clinic: SimpleNamespace) -> Program:
    """A manager's program at the small clinic."""
    return program_of(Role.MANAGER)
