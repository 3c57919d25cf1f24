"""One patient's record from a backup: what goes back, what is only shown, and what is refused."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Iterator

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import connection, connections
from django.utils import timezone

from audit.models import AuditEntry
from clinic.models import Appointment, Reminder, Vaccination, Visit
from clinic.services import booking, vaccination, visits
from exchange.recovery import BACKUP, compare, recover
from tests.conftest import at, make_clinic
from tests.operations.drill import run


@pytest.fixture
def backed_up(transactional_db: None, tmp_path: Path) -> Iterator[SimpleNamespace]:
    """A clinic with one patient's record, and a backup of it that is open as well."""
    if connection.vendor != "sqlite":
        pytest.skip("the drill does this on PostgreSQL")
    clinic = make_clinic()
    clinic.visit = visits.start_visit(clinic.actor, clinic.pet.pk, {"vet": clinic.vet, "plan": "Rest"})
    details = {"vet": clinic.vet, "lot": "L1"}
    clinic.vaccination = vaccination.record_vaccination(
        clinic.actor, clinic.pet.pk, clinic.vaccine.pk, timezone.localdate(), details
    )
    clinic.appointment = booking.book(clinic.actor, clinic.vet.pk, at(0), at(30), {"pet": clinic.pet})
    clinic.file = tmp_path / "backup.sqlite3"
    connection.ensure_connection()
    with closing(sqlite3.connect(clinic.file)) as copy:
        connection.connection.backup(copy)
    beside = connection.copy(BACKUP)
    beside.settings_dict["NAME"] = str(clinic.file)
    beside.connect()  # before Django knows of it, because its test cases forbid databases that they did not make
    connections.databases[BACKUP] = beside.settings_dict
    connections[BACKUP] = beside
    yield clinic
    connections[BACKUP].close()
    del connections.databases[BACKUP]
    del connections[BACKUP]


def lose(*rows: Any) -> None:
    for row in rows:
        type(row).objects.filter(pk=row.pk)._raw_delete("default")


def test_what_is_lost_goes_back_with_number_and_times_and_its_reminder(backed_up: SimpleNamespace) -> None:
    Reminder.objects.all().delete()
    lose(backed_up.vaccination, backed_up.visit)
    findings = recover(backed_up.actor, backed_up.pet.pk, "deleted by hand")
    assert [type(finding.row) for finding in findings] == [Visit, Vaccination]
    visit = Visit.objects.get(pk=backed_up.visit.pk)
    assert (visit.plan, visit.created_at) == ("Rest", backed_up.visit.created_at)
    assert Reminder.objects.get(status="pending").vaccination_id == backed_up.vaccination.pk
    entries = AuditEntry.objects.filter(action="recover")
    assert [entry.changes["reason"] for entry in entries] == [[None, "deleted by hand"]] * 2
    assert compare(backed_up.pet.pk) == []


def test_what_was_changed_since_is_shown_and_set_back_only_on_demand(backed_up: SimpleNamespace) -> None:
    visits.update_visit(backed_up.actor, backed_up.visit.pk, backed_up.visit.version, {"plan": "Wrong patient"})
    (finding,) = compare(backed_up.pet.pk)
    assert "plan is 'Wrong patient', was 'Rest'" in str(finding)
    assert recover(backed_up.actor, backed_up.pet.pk, "look") == []
    recover(backed_up.actor, backed_up.pet.pk, "wrong patient", changed=True)
    visit = Visit.objects.get(pk=backed_up.visit.pk)
    assert (visit.plan, visit.version) == ("Rest", 3)
    assert AuditEntry.objects.get(action="recover").changes["plan"] == ["Wrong patient", "Rest"]


def test_an_appointment_whose_time_was_given_away_is_double_booked(backed_up: SimpleNamespace) -> None:
    lose(backed_up.appointment)
    booking.book(backed_up.actor, backed_up.vet.pk, at(0), at(30), {"client_note": "somebody new"})
    recover(backed_up.actor, backed_up.pet.pk, "deleted by hand")
    assert Appointment.objects.get(pk=backed_up.appointment.pk).overbook_reason == "deleted by hand"


def test_nothing_goes_back_while_something_stands_in_the_way(backed_up: SimpleNamespace) -> None:
    Reminder.objects.all().delete()
    lose(backed_up.visit, backed_up.vaccination)
    Visit.objects.create(pk=backed_up.visit.pk, pet=backed_up.pet, vet=backed_up.vet)
    with pytest.raises(ValidationError, match="another record"):
        recover(backed_up.actor, backed_up.pet.pk, "deleted by hand")
    assert not Vaccination.objects.exists()
    assert not AuditEntry.objects.filter(action="recover").exists()


def test_only_a_manager_recovers_and_only_with_a_reason(backed_up: SimpleNamespace, actor_with: Any) -> None:
    with pytest.raises(PermissionDenied):
        recover(actor_with("vet"), backed_up.pet.pk, "deleted by mistake")
    with pytest.raises(ValidationError, match="reason"):
        recover(backed_up.actor, backed_up.pet.pk, " ")


@pytest.mark.long
@pytest.mark.once
@pytest.mark.postgresql
def test_the_drill_passes(capsys: Any) -> None:
    """Backup, restore and recovery by the commands that people type."""
    run()
    assert "people can work" in capsys.readouterr().out
