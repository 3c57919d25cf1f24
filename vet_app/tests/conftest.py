"""What tests share: people with each role and a small clinic."""

from __future__ import annotations

import os
import subprocess
from datetime import datetime, timedelta, timezone
from decimal import Decimal
from types import SimpleNamespace
from typing import Any, Callable, Dict, Iterator, List

import pytest
from django.conf import settings
from django.db import connection
from django.utils import translation

from accounts.models import User
from accounts.roles import Role
from audit.actor import Actor
from clinic.models import PaymentMethod, Product, Species, Vaccine, Vet
from clinic.models.account import FIRST
from clinic.selectors.settings import _last_known
from clinic.services.owners import PhoneNumber, create_owner
from clinic.services.pets import create_pet

PSQL = ["psql", "--no-psqlrc", "--quiet", "--set", "ON_ERROR_STOP=1", "--dbname", "postgres", "--command"]
NINE = datetime(2030, 3, 5, 9, 0, tzinfo=timezone.utc)


QUICK_HASH = ["django.contrib.auth.hashers.MD5PasswordHasher"]


def pytest_configure() -> None:
    """Hash passwords quickly: the tests log in often, and what they test is not the hash."""
    settings.PASSWORD_HASHERS = QUICK_HASH


@pytest.fixture(scope="session")
def django_db_modify_db_settings(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Test SQLite in a file, as it is used; threads cannot wait for each other on a database in memory."""
    if connection.vendor == "sqlite":
        connection.settings_dict["TEST"]["NAME"] = str(tmp_path_factory.mktemp("database") / "test.sqlite3")


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup: None, django_db_blocker: Any) -> Iterator[None]:
    """Let Django empty the tables between transactional tests; test_audit.py turns this guard on again to test it.

    At the end no other session keeps PostgreSQL from dropping the database: threads of servers that tests start may
    still be closing theirs.
    """
    assert settings.PASSWORD_HASHERS == QUICK_HASH, (
        "A test module has read the settings again, so each log-in takes half a second"
    )
    if connection.vendor == "postgresql":
        with django_db_blocker.unblock(), connection.cursor() as cursor:
            cursor.execute("ALTER TABLE audit_auditentry DISABLE TRIGGER audit_no_truncate")
    yield
    if connection.vendor == "postgresql":
        with django_db_blocker.unblock(), connection.cursor() as cursor:
            cursor.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )


@pytest.fixture(autouse=True)
def _postgresql_only(request: pytest.FixtureRequest) -> None:
    if request.node.get_closest_marker("postgresql") and connection.vendor != "postgresql":
        pytest.skip("needs --database postgresql, which `make test` runs as well")


@pytest.fixture(autouse=True)
def _language_of_the_clinic() -> None:
    """A page in German leaves its language on the thread: no test depends on the one before it."""
    translation.deactivate()


@pytest.fixture(autouse=True)
def _no_name_of_another_clinic() -> None:
    """The process remembers the clinic's name for pages without a database: not that of the test before."""
    _last_known.clear()


@pytest.fixture(scope="session")
def new_database() -> Iterator[Any]:
    """Make an empty database beside the one of Django's tests."""
    if "PGHOST" not in os.environ:
        pytest.skip("needs --database postgresql, which `make test` runs as well")
    names: List[str] = []

    def create(name: str) -> Dict[str, str]:
        subprocess.run([*PSQL, f"CREATE DATABASE {name}"], check=True)
        names.append(name)
        return {"PGDATABASE": name}

    yield create
    for name in names:
        subprocess.run([*PSQL, f"DROP DATABASE {name} WITH (FORCE)"], check=True)


def make_actor(role: str) -> Actor:
    """An actor of a new user with the role."""
    user, _new = User.objects.get_or_create(username=f"test-{role}", defaults={"role": role})
    return Actor.of_user(user)


@pytest.fixture
def actor_with(db: None) -> Callable[[str], Actor]:
    """Make an actor with a role."""
    return make_actor


@pytest.fixture
def manager(db: None) -> Actor:
    """Somebody who may do everything."""
    return make_actor(Role.MANAGER)


def make_clinic() -> SimpleNamespace:
    """A vet, an owner with a dog, a rabies vaccine and a product; works after the tables were emptied as well."""
    actor = make_actor(Role.MANAGER)
    species, _new = Species.objects.get_or_create(name="Dog")
    Species.objects.get_or_create(name="Cat")
    vaccine, _new = Vaccine.objects.get_or_create(
        name="Test rabies", defaults={"group": "rabies", "species": species, "interval_months": 12}
    )
    for code, name in FIRST.items():
        PaymentMethod.objects.get_or_create(code=code, defaults={"name": name, "is_cash": code == "cash"})
    owner = create_owner(
        actor,
        {"first_name": "Maren", "last_name": "Müller", "email": "maren@example.com", "reminder_consent": True},
        [PhoneNumber("+1 555-0142", "mobile")],
    )
    return SimpleNamespace(
        actor=actor,
        vet=Vet.objects.create(name="Dr Test"),
        owner=owner,
        species=species,
        pet=create_pet(actor, owner.pk, {"name": "Biscuit", "species": species, "microchip": "900 000 000 000 101"}),
        vaccine=vaccine,
        product=Product.objects.create(code="T", name="Test", unit_price=Decimal("10.00"), tax_rate=Decimal(10)),
    )


@pytest.fixture
def clinic(db: None) -> SimpleNamespace:
    """The small clinic."""
    return make_clinic()


def at(minutes: int) -> datetime:
    """A time that many minutes after nine."""
    return NINE + timedelta(minutes=minutes)
