"""One production database, migrated and with a manager, for all tests of the running clinic."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any, Dict, Iterator, List, NamedTuple

import pytest

from tests.runtime.servers import Replica, manage, production, start, tls_proxy, until

MANAGER = "manager@example.com"
# The manager keeps the first password; every page would ask for another one.
KEPT = "from accounts.models import User; User.objects.update(must_change_password=False)"


class Clinic(NamedTuple):
    """How to start replicas, and a log-in."""

    environment: Dict[str, str]
    password: str
    folder: Path


class Pair(NamedTuple):
    """Two replicas and the port of the proxy in front."""

    replicas: List[Replica]
    port: int


@pytest.fixture(scope="session")
def production_clinic(new_database: Any, tmp_path_factory: pytest.TempPathFactory) -> Clinic:
    """A migrated database with a manager, and the static files of the release."""
    folder = tmp_path_factory.mktemp("production")
    environment = production(new_database("running"), folder / "static")
    for command in (["migrate_locked"], ["collectstatic", "--no-input"]):
        done = manage(environment, *command)
        assert done.returncode == 0, done.stderr
    password = manage(environment, "clinic_admin", MANAGER).stdout.strip()
    done = manage(environment, "shell", "-c", KEPT)
    assert done.returncode == 0, done.stderr
    return Clinic(environment, password, folder)


@pytest.fixture(scope="session")
def pair(production_clinic: Clinic) -> Iterator[Pair]:
    """Two replicas behind nginx with TLS."""
    if not (shutil.which("nginx") or Path("/usr/sbin/nginx").exists()) or not shutil.which("openssl"):
        pytest.skip("nginx or openssl is missing. On Debian or Ubuntu: apt-get install nginx-light openssl")
    folder = production_clinic.folder
    replicas = [start(production_clinic.environment, folder) for _number in range(2)]
    try:
        for replica in replicas:
            until(replica.ready, f"the replica must be ready: {replica.log}")
        with tls_proxy(replicas, folder) as port:
            yield Pair(replicas, port)
    finally:
        for replica in replicas:
            replica.process.kill()
            replica.process.wait()
