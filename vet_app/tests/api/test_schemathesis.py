"""schemathesis reads the API's document and sends what it allows and what it forbids: nothing may crash.

Ids are mostly turned into ones that exist, because random ones would never get past 404 to the services.
"""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, Dict, Iterator

import pytest
from django.core.signals import request_finished, request_started
from django.core.wsgi import get_wsgi_application
from django.db import close_old_connections
from hypothesis import HealthCheck, Phase, settings

from api.application import api
from clinic.models import Breed
from clinic.services import billing, booking, visits
from tests.api.conftest import program_of
from tests.conftest import at, make_clinic

schemathesis = pytest.importorskip("schemathesis", reason="schemathesis needs Python 3.10 or newer: run `make test`")
checks = pytest.importorskip("schemathesis.checks")

EXAMPLES = 5
WANTED = [
    checks.not_a_server_error,
    checks.status_code_conformance,
    checks.content_type_conformance,
    checks.response_schema_conformance,
    checks.ignored_auth,
]
document = schemathesis.openapi.from_dict(api.get_openapi_schema(path_prefix="/api/v1/"))
document.app = get_wsgi_application()


@pytest.fixture
def one_connection() -> Iterator[None]:
    """Keep the test's transaction: a real request would close its connection at the end."""
    for signal in (request_started, request_finished):
        signal.disconnect(close_old_connections)
    yield
    for signal in (request_started, request_finished):
        signal.connect(close_old_connections)


@pytest.fixture
def known(db: None, one_connection: None, settings: Any) -> Dict[str, Any]:
    """A clinic with one record of each kind, by the names that documents have for their ids."""
    settings.ALLOWED_HOSTS = ["*"]
    clinic: SimpleNamespace = make_clinic()
    appointment = booking.book(clinic.actor, clinic.vet.pk, at(0), at(30), {"pet": clinic.pet})
    visit = visits.start_visit(clinic.actor, clinic.pet.pk, {"vet": clinic.vet})
    invoice = billing.draft_invoice(clinic.actor, clinic.owner.pk, [billing.Line(product=clinic.product)])
    ids = {"owner": clinic.owner, "pet": clinic.pet, "vet": clinic.vet, "species": clinic.species,
           "appointment": appointment, "visit": visit, "invoice": invoice, "product": clinic.product,
           "vaccine": clinic.vaccine, "breed": Breed.objects.first()}  # fmt: skip
    return {f"{name}_id": row for name, row in ids.items() if row is not None}


def exist(values: Any, known: Dict[str, Any], version: int) -> None:
    """Turn ids and versions of a document into those that exist, three of four times."""
    pairs: Any = values.items() if isinstance(values, dict) else enumerate(values)
    for name, value in pairs:
        if isinstance(value, (dict, list)):
            exist(value, known, version)
        elif isinstance(value, int) and value % 4:
            values[name] = known[name].pk if name in known else version if name == "version" else value


def current_version(path_parameters: Any, known: Dict[str, Any]) -> int:
    """The version of the record that the path names."""
    for name in path_parameters or ():
        row = known.get(name)
        if row is not None and type(row).objects.filter(pk=row.pk).exists():
            row.refresh_from_db()
            return int(getattr(row, "version", 1))
    return 1


@document.parametrize()
@settings(
    max_examples=EXAMPLES,
    deadline=None,
    derandomize=True,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)
def test_nothing_crashes_and_all_answers_are_as_described(case: Any, known: Dict[str, Any]) -> None:
    secret = program_of("manager").client.defaults["HTTP_AUTHORIZATION"]
    version = current_version(case.path_parameters, known)
    for part in (case.path_parameters, case.query, case.body):
        if isinstance(part, (dict, list)):
            exist(part, known, version)
    case.call_and_validate(headers={"Authorization": secret}, checks=WANTED)
