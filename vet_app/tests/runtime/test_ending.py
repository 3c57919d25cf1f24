"""Ending: SIGTERM under load loses no request, with and without a proxy; the clinic outlives its database."""

from __future__ import annotations

import socket
import subprocess
import threading
import time
from collections import Counter
from contextlib import contextmanager
from http.client import HTTPConnection
from pathlib import Path
from typing import Any, Callable, Iterator

import pytest

from tests.postgres import binaries, cluster, server_user
from tests.runtime.browser import Browser
from tests.runtime.conftest import MANAGER, Clinic, Pair
from tests.runtime.servers import HOST, Replica, manage, production, start, until

pytestmark = pytest.mark.postgresql
PEOPLE = 4


@contextmanager
def people(ask: Callable[[], int]) -> Iterator[Counter[Any]]:
    """Several people who click without a pause; gives how their requests ended, once they have stopped."""
    ended: Counter[Any] = Counter()
    stop = threading.Event()

    def click() -> None:
        while not stop.is_set():
            try:
                ended[ask()] += 1
            except Exception as problem:
                ended[repr(problem)] += 1

    threads = [threading.Thread(target=click) for _number in range(PEOPLE)]
    for thread in threads:
        thread.start()
    try:
        yield ended
    finally:
        stop.set()
        for thread in threads:
            thread.join()


@pytest.fixture
def replica(production_clinic: Clinic) -> Iterator[Replica]:
    started = start(production_clinic.environment, production_clinic.folder)
    until(started.ready, "the replica must be ready")
    yield started
    started.process.kill()
    started.process.wait()


def page(replica: Replica, connection: HTTPConnection) -> int:
    connection.request("GET", "/login/", headers={"Host": HOST})
    answer = connection.getresponse()
    answer.read()
    return answer.status


def test_an_ending_replica_answers_until_nobody_sends_requests_any_more(replica: Replica) -> None:
    """People are sent here as a Service does it: as long as the replica says that it is ready."""
    local = threading.local()
    ready = threading.Event()
    ready.set()

    def ask() -> Any:
        if not ready.is_set():
            time.sleep(0.05)
            return "elsewhere"
        if not hasattr(local, "connection"):
            local.connection = HTTPConnection("127.0.0.1", replica.port, timeout=30)
        return page(replica, local.connection)

    with people(ask) as ended:
        until(lambda: ended[200] > 20, "some requests must be answered")
        replica.process.terminate()
        until(lambda: replica.ask("/readyz") == 503, "the replica must say that it ends")
        before = ended[200]
        assert replica.ask("/livez") == 200
        until(lambda: ended[200] > before + PEOPLE, "it must go on answering for a while")
        ready.clear()
        assert replica.process.wait(60) == 0, replica.log.read_text()
    assert set(ended) == {200, "elsewhere"}, ended


def test_a_request_that_has_begun_is_answered(replica: Replica) -> None:
    with socket.create_connection(("127.0.0.1", replica.port), timeout=30) as connection:
        connection.sendall(f"GET /login/ HTTP/1.1\r\nHost: {HOST}\r\n".encode())
        replica.process.terminate()
        until(lambda: replica.ask("/readyz") == 503, "the replica must say that it ends")
        connection.sendall(b"\r\n")
        answer = connection.recv(4096).decode()
    assert answer.startswith("HTTP/1.1 200"), answer
    assert "Connection: close" in answer
    assert replica.process.wait(60) == 0


def test_a_rolling_restart_behind_a_proxy_loses_no_request(pair: Pair, production_clinic: Clinic) -> None:
    local = threading.local()
    session = Browser(pair.port, production_clinic.folder / "tls.pem")
    session.log_in(MANAGER, production_clinic.password)

    def ask() -> int:
        if not hasattr(local, "browser"):
            local.browser = Browser(pair.port, production_clinic.folder / "tls.pem")
            local.browser.cookies = session.cookies
        return int(local.browser.ask("GET", "/").status)

    with people(ask) as ended:
        for number, old in enumerate(list(pair.replicas)):
            before = ended[200]
            assert old.end() == 0, old.log.read_text()
            new = start(production_clinic.environment, production_clinic.folder, port=old.port)
            pair.replicas[number] = new
            until(new.ready, "the new replica must be ready")
            until(lambda so_far=before: ended[200] > so_far + 20, "requests must be answered")  # type: ignore[misc]
    assert set(ended) == {200}, ended


def test_the_clinic_outlives_its_database(tmp_path: Path) -> None:
    with cluster() as database:
        environment = production({**database, "PGDATABASE": "postgres"}, tmp_path)
        assert manage(environment, "migrate_locked").returncode == 0
        replica = start(environment, tmp_path)
        try:
            until(replica.ready, "the replica must be ready")
            control = [str(binaries() / "pg_ctl"), "-D", f"{database['PGHOST']}/data", "-w"]  # type: ignore[operator]
            quiet: Any = {"check": True, "stdout": subprocess.DEVNULL, "cwd": database["PGHOST"], **server_user()}
            subprocess.run([*control, "-m", "immediate", "stop"], **quiet)
            assert (replica.ask("/livez"), replica.ask("/readyz")) == (200, 503)
            log = Path(database["PGHOST"]) / "log"
            subprocess.run(
                [*control, "-l", log, "-o", f"-k {database['PGHOST']} -c listen_addresses=''", "start"], **quiet
            )
            until(replica.ready, "the replica must be ready again, without a restart")
        finally:
            replica.process.kill()
            replica.process.wait()
