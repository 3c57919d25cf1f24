"""The audit trail: complete, in the transaction of the change, and final."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
from django.db import DatabaseError, connection, transaction

from audit.models import AuditEntry, AuditIsFinal
from audit.services import record
from clinic.models import Owner
from clinic.services.owners import PhoneNumber, create_owner, update_owner
from tests.conftest import make_clinic
from vetclinic.errors import Changed


def test_a_change_is_told_field_by_field(clinic: SimpleNamespace) -> None:
    update_owner(
        clinic.actor, clinic.owner.pk, clinic.owner.version, {"first_name": "Marie"}, [PhoneNumber("555-0199")]
    )
    entry = AuditEntry.objects.filter(object_type="owner", action="update").get()
    assert entry.actor == "test-manager"
    assert entry.changes["first_name"] == ["Maren", "Marie"]
    assert entry.changes["phones"] == [None, {"old": ["+1 555-0142"], "new": ["555-0199"]}]


def test_no_change_without_its_entry_and_no_entry_without_its_change(clinic: SimpleNamespace) -> None:
    before = (Owner.objects.count(), AuditEntry.objects.count())
    with pytest.raises(ZeroDivisionError), transaction.atomic():
        create_owner(clinic.actor, {"last_name": "Vale"})
        _ = 1 / 0
    assert (Owner.objects.count(), AuditEntry.objects.count()) == before
    with pytest.raises(Changed):
        update_owner(clinic.actor, clinic.owner.pk, 99, {"first_name": "X"})
    assert AuditEntry.objects.count() == before[1]


def test_the_model_refuses_to_change_entries(clinic: SimpleNamespace) -> None:
    entry = AuditEntry.objects.latest("id")
    for attempt in (
        entry.save,
        entry.delete,
        AuditEntry.objects.all().delete,
        lambda: AuditEntry.objects.update(actor="nobody"),
        lambda: AuditEntry.objects.bulk_update([entry], ["actor"]),
    ):
        with pytest.raises(AuditIsFinal):
            attempt()


@pytest.mark.postgresql
@pytest.mark.parametrize("statement", ["UPDATE audit_auditentry SET actor = 'x'", "DELETE FROM audit_auditentry"])
def test_postgresql_refuses_to_change_entries(clinic: SimpleNamespace, statement: str) -> None:
    with pytest.raises(DatabaseError, match="append only"), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(statement)
    assert AuditEntry.objects.filter(actor="test-manager").exists()


@pytest.mark.postgresql
def test_postgresql_refuses_to_empty_the_table(db: None) -> None:
    with pytest.raises(DatabaseError, match="append only"), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("ALTER TABLE audit_auditentry ENABLE TRIGGER audit_no_truncate")
        cursor.execute("TRUNCATE audit_auditentry")


@pytest.mark.django_db(transaction=True)
def test_an_entry_outside_of_a_transaction_is_a_mistake(transactional_db: None) -> None:
    clinic = make_clinic()
    with pytest.raises(RuntimeError, match="transaction"):
        record(clinic.actor, AuditEntry.Action.VIEW, clinic.owner)
