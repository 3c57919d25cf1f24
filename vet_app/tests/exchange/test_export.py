"""Export: what goes out comes back the same, cells are never formulas, and one patient's record is complete."""

from __future__ import annotations

import csv
import io
import json
import os
import tracemalloc
import zipfile
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from types import SimpleNamespace
from typing import Any, Dict, List

import pytest
from django.core.exceptions import PermissionDenied
from django.core.management import CommandError, call_command
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from accounts.models import User
from audit.models import AuditEntry
from clinic.models import Owner, Pet, Phone, Reminder, Vaccination
from clinic.services import attachments, owners, pets, prescriptions, visits
from clinic.services import vaccination as vaccinations
from clinic.services.reminders import refresh_reminder
from exchange import csv_in, csv_out, exporting, importing
from exchange.report import Outcome

FORMULA_STARTS = set("=+-@\t\r\n＝＋－＠")


def table(content: bytes) -> List[List[str]]:
    return list(csv.reader(io.StringIO(content.decode("utf-8-sig"), newline="")))


def export(clinic: SimpleNamespace) -> bytes:
    return b"".join(exporting.clients(clinic.actor))


@given(text=st.text(st.characters(blacklist_categories=["Cs"], blacklist_characters="\x00"), max_size=30))
def test_a_guarded_cell_is_no_formula_and_reads_back(text: str) -> None:
    written = csv_out.cell(text)
    assert written.lstrip(" ")[:1] not in FORMULA_STARTS, f"{written!r} would be run"
    assert csv_in.unguard(written) == text


words = st.text(
    st.characters(blacklist_categories=["Cs", "Cc", "Cf", "Zl", "Zp"]), min_size=1, max_size=20
).map(str.strip).filter(bool)  # fmt: skip
risky = st.sampled_from(["=cmd|' /C calc'!A0", "+1", "-x", "@home", "'=quoted", '="00"', "a;b,c\td", 'a "b"', "x\ny"])
texts = st.one_of(st.just(""), words, risky)
names = st.one_of(words, risky)
days = st.dates(date(2001, 1, 1), date(2020, 1, 1))
phones = st.lists(
    st.tuples(st.from_regex(r"\+?[0-9]{8,12}", fullmatch=True), words), max_size=3, unique_by=lambda pair: pair[0][-7:]
)
jabs = st.lists(st.tuples(days, st.one_of(st.none(), st.integers(1, 900)), texts), max_size=3, unique_by=lambda x: x[0])
animals = st.lists(st.tuples(names, st.sampled_from(["Dog", "Cat"]), texts, st.booleans(), days, jabs), max_size=2)
people = st.lists(st.tuples(names, texts, texts, st.booleans(), phones, animals), max_size=3)


def enter(clinic: SimpleNamespace, crowd: Any) -> None:
    """Record people through the services, as at the desk."""
    for last, first, notes, consent, numbers, herd in crowd:
        fields = {"last_name": last, "first_name": first, "notes": notes, "reminder_consent": consent}
        owner = owners.create_owner(clinic.actor, fields, [owners.PhoneNumber(*pair) for pair in numbers])
        for name, species, alert, neutered, born, doses in herd:
            kind = clinic.kinds[species]
            about = {"name": name, "species": kind, "alert": alert, "neutered": neutered, "birth_date": born}
            pet = pets.create_pet(clinic.actor, owner.pk, about, another=True)
            for on, due_after, lot in doses if species == "Dog" else []:
                row = vaccinations.record_vaccination(
                    clinic.actor, pet.pk, clinic.vaccine.pk, on, {"given_elsewhere": True, "lot": lot}
                )
                due_on = on + timedelta(days=due_after) if due_after else None
                vaccinations.change_due_date(clinic.actor, row.pk, row.version, due_on)


def empty() -> None:
    """Remove all clients, as only a test may."""
    for model in (Reminder, Vaccination, Pet, Phone, Owner):
        model._base_manager.all().delete()


def without_numbers(content: bytes) -> List[Dict[str, str]]:
    rows = table(content)
    kept = [dict(zip(rows[0], row)) for row in rows[1:]]
    for row in kept:
        del row["Owner number"], row["Pet number"]
    return kept


@pytest.mark.parametrize("name", ["Nil", "None", "Null", "NA", "k.A.", "'Null"])
def test_somebody_with_a_name_that_means_nothing_comes_back(clinic: SimpleNamespace, name: str) -> None:
    empty()
    enter(clinic, [(name, "Christopher", "none", False, [], [])])
    content = export(clinic)
    empty()
    staged = importing.stage(clinic.actor, "back.csv", content, duplicates="create")
    assert importing.preview(clinic.actor, staged.pk).ok
    importing.apply(clinic.actor, staged.pk)
    (owner,) = Owner.objects.all()
    assert (owner.last_name, owner.notes) == (name, "none")


@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
@given(crowd=people)
def test_what_is_exported_comes_back_the_same(clinic: SimpleNamespace, crowd: Any) -> None:
    """Into an empty clinic everything comes back, reminders included; into the same clinic nothing is added."""
    clinic.kinds = {"Dog": clinic.species, "Cat": clinic.species.__class__.objects.get(name="Cat")}
    with transaction.atomic():
        empty()
        enter(clinic, crowd)
        content = export(clinic)
        pending = sorted(Reminder.objects.filter(status="pending").values_list("pet__name", "group", "due_on"))
        staged = importing.stage(clinic.actor, "same.csv", content, duplicates="create")
        if crowd:
            report = importing.preview(clinic.actor, staged.pk)
            assert {row.outcome for row in report.rows} == {Outcome.KNOWN}, report
            empty()
            staged = importing.stage(clinic.actor, "back.csv", content, duplicates="create")
            report = importing.preview(clinic.actor, staged.pk)
            assert report.ok, report
            importing.apply(clinic.actor, staged.pk)
            assert without_numbers(export(clinic)) == without_numbers(content)
            assert sorted(Reminder.objects.values_list("pet__name", "group", "due_on")) == pending
            entries = AuditEntry.objects.count()
            for pet in Pet.objects.all():
                refresh_reminder(clinic.actor, pet, "rabies")
            assert AuditEntry.objects.count() == entries, "the import's reminders are not those of the service"
        transaction.set_rollback(True)


def test_an_export_is_audited_before_a_byte_is_read_and_refused_to_most(
    clinic: SimpleNamespace, actor_with: Any
) -> None:
    exporting.clients(clinic.actor)
    assert AuditEntry.objects.get(action="export").object_text == "clients.csv"
    for role in ("reception", "vet", "readonly"):
        with pytest.raises(PermissionDenied):
            exporting.clients(actor_with(role))
    with pytest.raises(PermissionDenied):
        exporting.reminders_due(actor_with("readonly"), timezone.localdate())
    with pytest.raises(PermissionDenied):
        exporting.patient_record(actor_with("reception"), clinic.pet.pk)
    assert AuditEntry.objects.filter(action="export").count() == 1


def test_an_export_asks_few_questions_however_many_there_are(clinic: SimpleNamespace) -> None:
    for number in range(30):
        owner = owners.create_owner(clinic.actor, {"last_name": f"Owner {number}"})
        pets.create_pet(clinic.actor, owner.pk, {"name": f"Pet {number}", "species": clinic.species})
    with CaptureQueriesContext(
        connection,
    ) as queries:
        assert len(table(export(clinic))) == 32
    assert len(queries) < 12, [query["sql"][:80] for query in queries]


def test_entered_in_error_and_merged_stay_at_home(clinic: SimpleNamespace) -> None:
    wrong = vaccinate(clinic)
    vaccinations.mark_entered_in_error(clinic.actor, wrong.pk, wrong.version, "wrong pet")
    rows = table(export(clinic))
    assert len(rows) == 2
    assert rows[1][rows[0].index("Given on")] == ""


def vaccinate(clinic: SimpleNamespace) -> Vaccination:
    today = timezone.localdate()
    details = {"vet": clinic.vet, "lot": "L1"}
    return vaccinations.record_vaccination(clinic.actor, clinic.pet.pk, clinic.vaccine.pk, today, details)


def test_the_reminders_due_name_whom_to_write_to(clinic: SimpleNamespace) -> None:
    row = vaccinate(clinic)
    assert row.due_on is not None
    rows = table(b"".join(exporting.reminders_due(clinic.actor, row.due_on, delimiter=",")))
    assert rows[1][:2] == [row.due_on.isoformat(), "Biscuit"]
    assert "'+1 555-0142 (mobile)" in rows[1], "a telephone number must not be computed"
    assert len(table(b"".join(exporting.reminders_due(clinic.actor, row.due_on - timedelta(days=1))))) == 1


def test_the_record_of_a_patient_is_complete_and_readable(clinic: SimpleNamespace) -> None:
    vaccinate(clinic)
    visit = visits.start_visit(clinic.actor, clinic.pet.pk, {"vet": clinic.vet, "weight_kg": Decimal("12.4")})
    visit = visits.update_visit(clinic.actor, visit.pk, visit.version, {"plan": "Rest <b>now</b>"})
    fields = {"drug": "Meloxicam", "dose": "0.1 mg/kg", "quantity": Decimal(1), "instructions": "With food"}
    prescriptions.prescribe(clinic.actor, visit.pk, fields)
    visits.lock_visit(clinic.actor, visit.pk, visit.version)
    visits.amend_visit(clinic.actor, visit.pk, "Walks again")
    kept = attachments.attach(clinic.actor, clinic.pet.pk, "../../etc/scan.exe", b"%PDF-1.7 ...")
    with zipfile.ZipFile(io.BytesIO(b"".join(exporting.patient_record(clinic.actor, clinic.pet.pk)))) as archive:
        assert archive.testzip() is None
        names = set(archive.namelist())
        document = json.loads(archive.read("record.json"))
        page = archive.read("record.html").decode()
        file = document["attachments"][0]["file"]
        assert archive.read(file) == b"%PDF-1.7 ..."
    assert names == {"record.html", "record.json", "vaccinations.csv", file}
    assert file == f"attachments/{kept.pk}-etcscan.pdf"
    assert document["pet"]["microchip"] == "900000000000101"
    assert document["visits"][0]["plan"] == "Rest <b>now</b>"
    assert document["visits"][0]["amendments"][0]["text"] == "Walks again"
    assert (document["vaccinations"][0]["lot"], document["prescriptions"][0]["drug"]) == ("L1", "Meloxicam")
    for text in ("Biscuit", "Müller", "Rest &lt;b&gt;now", "Walks again", "Meloxicam", "L1"):
        assert text in page, text
    assert "http" not in page.replace("http-equiv", ""), "the page must not load anything from outside"
    entry = AuditEntry.objects.get(action="export")
    assert (entry.object_type, entry.object_id) == ("pet", str(clinic.pet.pk))


def test_the_commands_write_private_files_and_overwrite_none(
    clinic: SimpleNamespace, tmp_path: Path, capsys: Any
) -> None:
    file = tmp_path / "clients.csv"
    call_command("export_csv", str(file))
    assert file.stat().st_mode & 0o777 == 0o600
    with pytest.raises(CommandError, match="exists already"):
        call_command("export_csv", str(file))
    call_command("export_record", str(clinic.pet.pk), str(tmp_path / "record.zip"))
    with pytest.raises(CommandError, match="no pet number 0"):
        call_command("export_record", "0", str(tmp_path / "none.zip"))
    call_command("import_csv", str(file))
    assert "1 known already" in capsys.readouterr().out


def test_the_import_command_is_a_dry_run_unless_told(clinic: SimpleNamespace, tmp_path: Path, capsys: Any) -> None:
    file = tmp_path / "new.csv"
    file.write_text("Last name,Pet,Species\nVale,Pepper,Dog\nMuller,,\n")
    call_command("import_csv", str(file))
    shown = capsys.readouterr().out
    assert "dry run" in shown and not Pet.objects.filter(name="Pepper").exists()
    call_command("import_csv", str(file), "--apply")
    assert Pet.objects.filter(name="Pepper").exists()
    file.write_text("Last name,Pet,Species\nVale,Pepper,Unicorn\n")
    with pytest.raises(CommandError, match="Nothing was imported"):
        call_command("import_csv", str(file), "--apply")
    assert "Line 2 (Vale): Species" in capsys.readouterr().out
    with pytest.raises(CommandError, match="cannot be read"):
        call_command("import_csv", str(tmp_path / "missing.csv"))


def test_a_record_of_many_files_needs_the_memory_of_one(clinic: SimpleNamespace) -> None:
    size, many = 1024 * 1024, 24
    noise = os.urandom(size)  # does not shrink
    for number in range(many):
        attachments.attach(clinic.actor, clinic.pet.pk, f"{number}.pdf", b"%PDF-" + noise[number:])
    tracemalloc.start()
    try:
        read = sum(len(piece) for piece in exporting.patient_record(clinic.actor, clinic.pet.pk))
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert read > (many - 1) * size, "all of them are in it"
    assert peak < 8 * size, f"{peak / size:.0f} MiB for files of one"


def test_that_a_record_left_is_written_down_before_its_first_byte(clinic: SimpleNamespace, client: Any) -> None:
    client.force_login(User.objects.get(username="test-manager"))
    answer = client.post(f"/pets/{clinic.pet.pk}/record.zip")
    assert answer.streaming and AuditEntry.objects.filter(action="export", object_type="pet").count() == 1
    with zipfile.ZipFile(io.BytesIO(b"".join(answer.streaming_content))) as archive:
        assert archive.testzip() is None and "record.json" in archive.namelist()
