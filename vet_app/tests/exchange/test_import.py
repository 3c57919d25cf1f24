"""CSV import: what clinics' files look like, what is refused, and that importing twice is importing once."""

from __future__ import annotations

from datetime import date, timedelta
from types import SimpleNamespace
from typing import Any, List

import pytest
from django.core.exceptions import PermissionDenied, ValidationError
from django.utils import timezone

from audit.models import AuditEntry
from clinic.models import Breed, Owner, Pet, Reminder, Vaccination
from clinic.services.pets import mark_deceased
from clinic.services.reminders import refresh_reminder
from exchange import importing
from exchange.models import ImportFile
from exchange.report import Outcome, Report
from vetclinic.errors import Conflict

HEADINGS = "Last name,First name,Phone,Pet,Species,Breed,Birth date,Microchip,Vaccine,Given on,Next due,Lot"
ROW = "Vale,Ada,555-0177,Pepper,dog,Whippet,2021-05-17,900000000000777,Test rabies,2026-03-02,,L1"


def preview(clinic: SimpleNamespace, text: Any, **options: Any) -> Report:
    content = text if isinstance(text, bytes) else text.encode()
    staged = importing.stage(clinic.actor, "clients.csv", content, **options)
    clinic.staged = staged
    return importing.preview(clinic.actor, staged.pk)


def bring_in(clinic: SimpleNamespace, text: Any, **options: Any) -> Report:
    report = preview(clinic, text, **options)
    assert report.ok, (report.problems, [row.problems for row in report.rows])
    return importing.apply(clinic.actor, clinic.staged.pk)


def messages(report: Report) -> List[str]:
    problems = [*report.problems, *(problem for row in report.rows for problem in row.problems)]
    return [f"{problem.column}: {problem.message}" for problem in problems]


def test_a_row_becomes_owner_pet_vaccination_and_reminder_all_audited(clinic: SimpleNamespace) -> None:
    report = bring_in(clinic, f"{HEADINGS}\n{ROW}\n")
    assert (report.applied, dict(report.created)) == (True, {"owner": 1, "pet": 1, "vaccination": 1})
    owner = Owner.objects.get(last_name="Vale")
    pet = owner.pets.get()
    given = pet.vaccinations.get()
    assert (owner.search_name, owner.phones.get().digits, owner.reminder_consent) == ("ada vale", "5550177", False)
    assert (pet.name, pet.species, pet.breed and pet.breed.name) == ("Pepper", clinic.species, "Whippet")
    assert (given.given_on, given.due_on, given.given_elsewhere) == (date(2026, 3, 2), date(2027, 3, 2), True)
    reminder = Reminder.objects.get(pet=pet)
    assert (reminder.status, reminder.due_on) == ("pending", given.due_on)
    for record in (owner, pet, given, reminder):
        entry = AuditEntry.objects.get(object_type=record._meta.model_name, object_id=record.pk, action="create")
        assert entry.actor == "test-manager"
    assert AuditEntry.objects.get(action="import").changes["created"] == [None, dict(report.created)]


def test_a_preview_changes_nothing(clinic: SimpleNamespace) -> None:
    report = preview(clinic, f"{HEADINGS}\n{ROW}\n")
    assert (report.applied, report.rows[0].outcome) == (False, Outcome.NEW)
    assert not Owner.objects.filter(last_name="Vale").exists()
    assert not Breed.objects.filter(name="Whippet").exists()
    assert not AuditEntry.objects.filter(object_type="pet", object_text="Pepper").exists()


def test_importing_twice_is_importing_once(clinic: SimpleNamespace) -> None:
    bring_in(clinic, f"{HEADINGS}\n{ROW}\n")
    again = bring_in(clinic, f"{HEADINGS}\n{ROW}\n")
    assert [row.outcome for row in again.rows] == [Outcome.KNOWN]
    assert not again.created
    assert (Owner.objects.filter(last_name="Vale").count(), Vaccination.objects.count()) == (1, 1)


def test_rows_of_one_owner_and_pet_belong_together(clinic: SimpleNamespace) -> None:
    rows = [
        ROW,
        ROW.replace("2026-03-02", "2025-03-02"),
        "Vale,Ada,+1 555 0177,Salt,Dog,,,,,,,",
        "Vale,Ada,5550177,,,,,,,,,",
    ]
    report = bring_in(clinic, "\n".join([HEADINGS, *rows]))
    assert dict(report.created) == {"owner": 1, "pet": 2, "vaccination": 2}
    assert [row.outcome.value for row in report.rows] == ["new", "new", "new", "known"]
    assert Reminder.objects.get(pet__name="Pepper").due_on == date(2027, 3, 2), "the newest vaccination counts"


def test_a_known_owner_gets_the_new_pet_and_is_not_overwritten(clinic: SimpleNamespace) -> None:
    text = "Name;Vorname;Telefon;E-Mail;Tier;Tierart\nMüller;Maren;555-0142;other@example.com;Pepper;Dog\n"
    report = bring_in(clinic, text)
    assert dict(report.created) == {"pet": 1}
    clinic.owner.refresh_from_db()
    assert clinic.owner.email == "maren@example.com"
    assert set(clinic.owner.pets.values_list("name", flat=True)) == {"Biscuit", "Pepper"}


def test_possible_duplicates_are_named_and_left_out_or_imported_as_told(clinic: SimpleNamespace) -> None:
    text = "Last name,First name,Phone,E-mail\nMuller,Maren,555-9999,\nOther,Person,,MAREN@example.com\n"
    report = preview(clinic, text)
    assert [row.outcome for row in report.rows] == [Outcome.DUPLICATE] * 2
    assert {item.owner_id for row in report.rows for item in row.similar} == {clinic.owner.pk}
    assert importing.apply(clinic.actor, clinic.staged.pk).created == {}
    assert Owner.objects.count() == 1
    report = bring_in(clinic, text, duplicates="create")
    assert dict(report.created) == {"owner": 2}
    assert all(row.similar for row in report.rows)


def test_owner_numbers_keep_namesakes_apart_the_second_time_as_well(clinic: SimpleNamespace) -> None:
    text = "Owner number,Last name,Phone,Pet,Species\n1,Twin,555-0188,A,Dog\n2,Twin,555-0188,A,Dog\n1,Twin,,B,Dog\n"
    assert dict(bring_in(clinic, text).created) == {"owner": 2, "pet": 3}
    assert not bring_in(clinic, text).created
    report = preview(clinic, "Owner number,Last name\n1,Quill\n1,Other\n")
    assert "also used for “Quill”" in messages(report)[0]


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
def test_separators_and_encodings_of_spreadsheets(clinic: SimpleNamespace, delimiter: str, encoding: str) -> None:
    lines = [("Last name", "Address"), ("Müßig", '"1 Example Street; Flat 2, Ex\n"')]
    text = "\r\n".join(delimiter.join(cells) for cells in lines)
    report = bring_in(clinic, text.encode(encoding))
    owner = Owner.objects.get(last_name="Müßig")
    assert owner.address == "1 Example Street; Flat 2, Ex"
    assert any("not in Unicode" in note for note in report.notes) == (encoding == "cp1252")


def test_the_separator_line_of_excel_is_skipped(clinic: SimpleNamespace) -> None:
    report = bring_in(clinic, "sep=;\nLast name;Phone\nVale;555-0177\n")
    assert [row.line for row in report.rows] == [3]


@pytest.mark.parametrize(
    ("written", "order", "read"),
    [
        ("2024-03-05", "auto", date(2024, 3, 5)),
        ("05.03.2024", "auto", date(2024, 3, 5)),
        ("5. 3. 2024", "auto", date(2024, 3, 5)),
        ("05/03/2024", "dmy", date(2024, 3, 5)),
        ("03/05/2024", "mdy", date(2024, 3, 5)),
        ("31/12/2024", "auto", date(2024, 12, 31)),
        ("12/31/2024", "auto", date(2024, 12, 31)),
    ],
)
def test_dates(clinic: SimpleNamespace, written: str, order: str, read: date) -> None:
    bring_in(clinic, f"Last name,Pet,Species,Birth date\nVale,Pepper,Dog,{written}\n", dates=order)
    assert Pet.objects.get(name="Pepper").birth_date == read


@pytest.mark.parametrize("written", ["05/03/2024", "30.02.2024", "2024-13-01", "yesterday", "45000"])
def test_a_date_that_is_no_date_or_two_is_refused(clinic: SimpleNamespace, written: str) -> None:
    report = preview(clinic, f"Last name,Pet,Species,Born\nVale,Pepper,Dog,{written}\n")
    assert [message.split(":")[0] for message in messages(report)] == ["Born"], messages(report)


@pytest.mark.parametrize("cell", ["=cmd|' /C calc'!A0", "=HYPERLINK(1)", "@SUM(1)", " =1+1"])
def test_formulas_are_refused(clinic: SimpleNamespace, cell: str) -> None:
    report = preview(clinic, f'Last name,Address\nVale,"{cell}"\n')
    assert "formula" in messages(report)[0], messages(report)


def test_what_excel_marks_as_text_is_text(clinic: SimpleNamespace) -> None:
    bring_in(clinic, 'Last name,Phone,Address\nVale,"=""0555 0177""",\'=1 Street\n')
    owner = Owner.objects.get(last_name="Vale")
    assert (owner.phones.get().number, owner.address) == ("0555 0177", "=1 Street")


@pytest.mark.parametrize(
    ("row", "column"),
    [
        (",Ada,,,,,,,,,,", "Last name"),
        ("Vale,,x,,,,,,,,,", "Phone"),
        ("Vale,,,Pepper,Unicorn,,,,,,,", "Species"),
        ("Vale,,,,Dog,,,,,,,", "Pet"),
        ("Vale,,,Pepper,Dog,,2999-01-01,,,,,", "Birth date"),
        ("Vale,,,Pepper,Dog,,,900 000 000 000 101,,,,", "Microchip"),
        ("Vale,,,Pepper,Dog,,,,Sunshine,2026-01-01,,", "Vaccine"),
        ("Vale,,,Pepper,Cat,,,,Test rabies,2026-01-01,,", "Vaccine"),
        ("Vale,,,Pepper,Dog,,,,Test rabies,,,", "Given on"),
        ("Vale,,,Pepper,Dog,,,,Test rabies,2999-01-01,,", "Given on"),
        ("Vale,,,Pepper,Dog,,,,Test rabies,2026-01-01,2025-01-01,", "Next due"),
        ("Vale,,,,,,,,,,,,surplus", ""),
        ("V\x00le,,,,,,,,,,,", "Last name"),
    ],
)
def test_an_error_is_named_by_line_and_column_and_stops_the_whole_file(
    clinic: SimpleNamespace, row: str, column: str
) -> None:
    report = preview(clinic, "\n".join([HEADINGS, ROW, row]))
    if "\x00" in row and report.problems:
        return  # Python 3.9 and 3.10 refuse to read such a file at all
    assert [item.outcome for item in report.rows] == [Outcome.NEW, Outcome.ERROR]
    assert report.rows[1].line == 3
    assert column in {problem.column for problem in report.rows[1].problems}, messages(report)
    assert importing.apply(clinic.actor, clinic.staged.pk).applied is False
    assert not Owner.objects.filter(last_name="Vale").exists()


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"a,b\n1,2\n", "Last name"),
        (b"Last name,Surname\nA,B\n", "Two columns"),
        (b"Last name\n", "no rows"),
        (b'Last name\n"open', "Line 2"),
        (b"\xff\xfeL", "not a text file"),
        (b"Last name\n" + b"A\n" * (importing.MOST_ROWS + 1), "5001 rows"),
    ],
)
def test_a_file_that_is_no_table_is_refused_as_a_whole(clinic: SimpleNamespace, content: bytes, message: str) -> None:
    report = preview(clinic, content)
    assert not report.ok
    assert message in " ".join(messages(report)), messages(report)


def test_limits_and_rights(clinic: SimpleNamespace, actor_with: Any) -> None:
    for content, message in ((b" \n", "empty"), (b"x" * (importing.MOST_BYTES + 1), "larger than 2 MB")):
        with pytest.raises(ValidationError, match=message):
            importing.stage(clinic.actor, "x.csv", content)
    for role in ("reception", "vet", "readonly"):
        with pytest.raises(PermissionDenied):
            importing.stage(actor_with(role), "x.csv", b"Last name\nVale\n")
        with pytest.raises(PermissionDenied):
            importing.apply(actor_with(role), 1)


def test_a_second_click_imports_nothing_and_the_content_is_gone(clinic: SimpleNamespace) -> None:
    bring_in(clinic, f"{HEADINGS}\n{ROW}\n")
    for again in (importing.preview, importing.apply, importing.discard):
        with pytest.raises(Conflict, match="already"):
            again(clinic.actor, clinic.staged.pk)
    assert bytes(ImportFile.objects.get().content) == b""


def test_what_was_not_previewed_or_has_changed_since_is_not_imported(clinic: SimpleNamespace) -> None:
    staged = importing.stage(clinic.actor, "x.csv", f"{HEADINGS}\n{ROW}\n".encode())
    with pytest.raises(Conflict, match="preview"):
        importing.apply(clinic.actor, staged.pk)
    importing.preview(clinic.actor, staged.pk)
    bring_in(clinic, "Last name,First name,Phone\nVale,Ada,555-0177\n")
    with pytest.raises(Conflict, match="changed since"):
        importing.apply(clinic.actor, staged.pk)
    assert not Pet.objects.filter(name="Pepper").exists()


def test_forgotten_files_are_discarded_after_a_day(clinic: SimpleNamespace) -> None:
    preview(clinic, f"{HEADINGS}\n{ROW}\n")
    assert importing.forget_old(clinic.actor) == 0
    ImportFile.objects.update(created_at=timezone.now() - timedelta(days=2))
    assert importing.forget_old(clinic.actor) == 1
    assert (ImportFile.objects.get().status, bytes(ImportFile.objects.get().content)) == ("discarded", b"")


def test_a_pending_reminder_follows_an_imported_newer_vaccination(clinic: SimpleNamespace) -> None:
    row = "Müller,Maren,555-0142,Biscuit,Dog,,,,Test rabies,{},,"
    bring_in(clinic, f"{HEADINGS}\n{row.format('2024-01-10')}\n")
    bring_in(clinic, f"{HEADINGS}\n{row.format('2025-01-10')}\n{row.format('2023-01-10')}\n")
    assert list(Reminder.objects.order_by("due_on").values_list("status", "due_on")) == [
        ("completed", date(2025, 1, 10)),
        ("pending", date(2026, 1, 10)),
    ]
    before = AuditEntry.objects.count()
    refresh_reminder(clinic.actor, clinic.pet, "rabies")
    assert AuditEntry.objects.count() == before, "the import and the service disagree about the reminder"


def test_no_reminder_for_the_dead(clinic: SimpleNamespace) -> None:
    mark_deceased(clinic.actor, clinic.pet.pk, clinic.pet.version, timezone.localdate())
    bring_in(clinic, f"{HEADINGS}\nMüller,Maren,555-0142,Biscuit,Dog,,,,Test rabies,2026-01-10,,\n")
    assert clinic.pet.vaccinations.count() == 1
    assert not Reminder.objects.exists()


def test_the_template_can_be_imported(clinic: SimpleNamespace) -> None:
    report = preview(clinic, importing.template())
    assert report.ok, messages(report)
    assert (dict(report.created), list(report.ignored)) == ({"owner": 1, "pet": 1, "vaccination": 1, "weight": 1}, [])
