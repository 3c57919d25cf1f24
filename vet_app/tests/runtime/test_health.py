"""The probes of the kubelet, the log lines and the measurements."""

from __future__ import annotations

import json
import logging
import sys
from types import SimpleNamespace
from typing import Any, Iterator

import pytest
from django.db import OperationalError, connection, transaction
from django.test import Client
from prometheus_client import REGISTRY

from accounts.models import User
from clinic.services.owners import create_owner
from tests.conftest import make_actor
from vetclinic import health, metrics
from vetclinic.logs import JsonFormatter, RequestIdFilter

POD = "10.42.0.17:8000"  # the kubelet's Host header


@pytest.fixture(autouse=True)
def fresh_state() -> Iterator[None]:
    health._migrated.clear()
    yield
    health._migrated.clear()
    health.draining.clear()


def probe(path: str) -> Any:
    return Client(HTTP_HOST=POD).get(path)


@pytest.fixture
def production(settings: Any) -> None:
    settings.ALLOWED_HOSTS, settings.SECURE_SSL_REDIRECT = ["clinic.example.com"], True


@pytest.mark.parametrize("path", ["/livez", "/livez/"])
def test_liveness_asks_neither_host_nor_database(production: None, path: str) -> None:
    """Without the `db` fixture any query fails."""
    answer = probe(path)
    assert (answer.status_code, answer.json()) == (200, {"status": "ok"})


@pytest.mark.parametrize("path", ["/readyz", "/readyz/"])
def test_readiness_asks_the_database(db: None, production: None, path: str, django_assert_max_num_queries: Any) -> None:
    assert probe(path).status_code == 200
    with django_assert_max_num_queries(1):
        assert probe(path).status_code == 200


def test_readiness_names_a_database_that_does_not_answer(db: None, monkeypatch: Any) -> None:
    def refuse(*_arguments: Any) -> None:
        raise OperationalError("no route")

    monkeypatch.setattr(connection, "close", lambda: None)  # it holds the test's transaction
    with connection.execute_wrapper(refuse):
        answer = probe("/readyz")
        assert (answer.status_code, answer.json()["reasons"]) == (503, ["the database does not answer"])
        assert probe("/livez").status_code == 200
    assert probe("/readyz").status_code == 200, "it must recover by itself"


def test_readiness_waits_for_migrations(db: None, monkeypatch: Any) -> None:
    with monkeypatch.context() as patch:
        patch.setattr("vetclinic.health.MigrationExecutor.migration_plan", lambda *_arguments: ["one"])
        assert probe("/readyz").json()["reasons"] == ["the database waits for migrations"]
    assert probe("/readyz").status_code == 200


def test_readiness_ends_first_when_the_process_is_told_to_end(db: None) -> None:
    health.draining.set()
    assert (probe("/readyz").status_code, probe("/livez").status_code) == (503, 200)


def test_a_request_is_one_line_with_its_id_and_without_what_was_searched(clinic: SimpleNamespace, caplog: Any) -> None:
    client = Client()
    client.force_login(User.objects.get(pk=clinic.actor.user_id))
    with caplog.at_level(logging.INFO, logger="vetclinic.access"):
        client.get("/?q=M%C3%BCller+555-0142", headers={"X-Request-ID": "from-the-proxy-1"})
    record = next(record for record in caplog.records if record.name == "vetclinic.access")
    RequestIdFilter().filter(record)
    line = JsonFormatter().format(record)
    assert "555" not in line and "ller" not in line
    entry = json.loads(line)
    assert (entry["method"], entry["route"], entry["status"], entry["user"]) == ("GET", "/", 200, clinic.actor.user_id)
    assert entry["queries"] > 0


def test_the_id_of_a_request_is_on_every_line_and_on_the_answer(db: None, monkeypatch: Any) -> None:
    seen = []

    def watch(_request: Any) -> bool:
        record = logging.makeLogRecord({"msg": "inside"})
        RequestIdFilter().filter(record)
        seen.append(json.loads(JsonFormatter().format(record))["request_id"])
        return False

    monkeypatch.setattr("vetclinic.metrics.route", watch)
    answer = Client().get("/login/", headers={"X-Request-ID": "from-the-proxy-2"})
    assert (seen, answer["X-Request-ID"]) == (["from-the-proxy-2"], "from-the-proxy-2")


def test_an_error_keeps_its_traceback_in_one_line() -> None:
    try:
        _ = 1 / 0
    except ZeroDivisionError:
        record = logging.LogRecord("x", logging.ERROR, __file__, 1, "failed: %s", ("a",), sys.exc_info())
    line = JsonFormatter().format(record)
    assert "\n" not in line
    assert "ZeroDivisionError" in json.loads(line)["exception"]


def value(name: str, **labels: str) -> float:
    return REGISTRY.get_sample_value(name, labels) or 0


def test_requests_are_counted_by_route_and_never_by_address(db: None) -> None:
    labels = {"method": "GET", "route": "/login/", "status": "200"}
    before = value("vet_http_requests_total", **labels)
    Client().get("/login/?next=/owners/4711")
    Client().get("/no/such/address/4711")
    assert value("vet_http_requests_total", **labels) == before + 1
    names = {label for metric in REGISTRY.collect() for sample in metric.samples for label in sample.labels.values()}
    assert not [name for name in names if "4711" in name]


@pytest.mark.django_db(transaction=True)
def test_events_are_counted_when_they_are_committed(transactional_db: None, monkeypatch: Any) -> None:
    metrics.count_events()
    actor = make_actor("manager")
    before = value("vet_events_total", record="owner", action="create")
    create_owner(actor, {"last_name": "Vale"})
    with pytest.raises(ZeroDivisionError), transaction.atomic():
        create_owner(actor, {"last_name": "Void"})
        _ = 1 / 0
    assert value("vet_events_total", record="owner", action="create") == before + 1
