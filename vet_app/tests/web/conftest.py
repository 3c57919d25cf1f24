"""What the tests of the pages share: a browser without pictures for each role, and a visit to work on."""

from __future__ import annotations

import re
from types import SimpleNamespace
from typing import Any, Callable, List

import pytest
from django.test import Client

from accounts.models import User
from accounts.roles import Role
from clinic.models import Visit
from clinic.services.visits import start_visit


@pytest.fixture
def client_of(db: None) -> Callable[[str], Client]:
    """A client that is logged in with a role."""

    def log_in(role: str) -> Client:
        user, _new = User.objects.get_or_create(username=f"test-{role}", defaults={"role": role})
        client = Client()
        client.force_login(user)
        return client

    return log_in


@pytest.fixture
def as_manager(client_of: Callable[[str], Client]) -> Client:
    """The client of somebody who may do everything."""
    return client_of(Role.MANAGER)


@pytest.fixture
def visit(clinic: SimpleNamespace) -> Visit:
    """An open visit of Biscuit."""
    return start_visit(clinic.actor, clinic.pet.pk, {"vet": clinic.vet, "subjective": "Coughs since Monday"})


def beside(page: Any, field: str) -> str:
    """The error that the page shows beside a field, tied to it for screen readers; empty where it shows none."""
    text = page.content.decode()
    match = re.search(rf'<p class="error" id="id_{field}_error">(.*?)</p>', text, re.DOTALL)
    if match is None:
        return ""
    tied = re.search(rf'<[a-z]+[^>]*aria-describedby="[^"]*id_{field}_error[^"]*"[^>]*>', text)
    assert tied, f"the error beside {field} is not tied to it"
    return match[1].strip()


def roles_that_may(client_of: Callable[[str], Client], address: str) -> List[str]:
    """The roles for which a page opens; every other gets 403."""
    answers = {role: client_of(role).get(address).status_code for role in Role.values}
    assert set(answers.values()) <= {200, 403}, answers
    return [role for role, status in answers.items() if status == 200]
