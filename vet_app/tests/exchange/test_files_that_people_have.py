"""What spreadsheets and practice programs make of a file: taken as it is meant, or refused with line and remedy."""

from __future__ import annotations

import io
import zipfile
from datetime import date, datetime
from types import SimpleNamespace
from typing import Any, List

import pytest
from django.core.exceptions import ValidationError
from django.test import Client
from openpyxl import Workbook

from accounts.models import User
from clinic.models import Owner, Pet, Vaccination
from clinic.services import owners, pets
from clinic.services.owners import PhoneNumber
from exchange import csv_out, exporting, importing
from exchange.csv_in import encoding_of, unguard
from exchange.models import ImportFile
from exchange.report import Outcome
from tests.exchange.test_import import bring_in, messages, preview

WEST = [("Müller", "Straße 5"), ("Peña", "Calle Ñu"), ("Garçon", "Rue de l’Église")]
CENTRAL = [("Wałęsa", "Świętojańska"), ("Żak", "Łódź"), ("Dvořák", "Říční")]


@pytest.mark.parametrize(
    ("column", "reformatted"),
    [
        ("Microchip", "9.85112E+14"),
        ("Lot", "1.2E+10"),
        ("Phone", "4.92079E+11"),
        ("Tag", "1E+05"),
        ("Owner number", "1.1e+12"),
    ],
)
def test_an_identifier_that_a_spreadsheet_has_spoilt_is_refused_with_line_and_remedy(
    clinic: SimpleNamespace, column: str, reformatted: str
) -> None:
    headings = ["Last name", "Pet", "Species", "Vaccine", "Given on"]
    first = ",".join([*headings, column])
    report = preview(clinic, f"{first}\nVale,Pepper,Dog,Test rabies,2026-01-01,{reformatted}\n")
    (row,) = report.rows
    assert row.outcome is Outcome.ERROR and row.line == 2 and row.problems[0].column == column
    assert "formatted as text" in row.problems[0].message and reformatted in row.problems[0].message


def test_a_whole_number_keeps_its_digits(clinic: SimpleNamespace) -> None:
    bring_in(clinic, "Last name,Pet,Species,Microchip\nVale,Pepper,Dog,985112000000001.0\n")
    assert Pet.objects.get(name="Pepper").microchip == "985112000000001"


@pytest.mark.parametrize(
    "text", ["985112000000001", "0301234567", "12E10", "3-4", "MAR1", "1/2", "007", "12.5.24", "'007"]
)
def test_what_a_spreadsheet_would_change_is_written_as_text(text: str) -> None:
    (written,) = csv_out.pieces([[text]])
    cell = written.decode("utf-8-sig").strip()
    assert cell.startswith("'") and unguard(cell) == text


@pytest.mark.parametrize("text", ["12 Willow Lane", "L2041A", "Ada", "555-0177", "42", "ada@example.com", "2 weeks"])
def test_and_nothing_else_is(text: str) -> None:
    assert csv_out.cell(text) == text


def as_a_spreadsheet_saves_it(content: bytes) -> bytes:
    """Dates in the style of the USA, and numbers of more than twelve digits that no apostrophe guards as 9.85E+14."""
    import csv

    table = list(csv.reader(io.StringIO(content.decode("utf-8-sig"), newline="")))
    for cells in table[1:]:
        for place, text in enumerate(cells):
            if text.isdigit() and len(text) > 11:
                cells[place] = f"{int(text):.5E}"
            elif len(text) == 10 and text[4] == text[7] == "-":
                cells[place] = f"{int(text[5:7])}/{int(text[8:])}/{text[:4]}"
    out = io.StringIO(newline="")
    csv.writer(out).writerows(table)
    return out.getvalue().encode()


def test_our_export_survives_a_spreadsheet_and_a_second_import_doubles_nothing(clinic: SimpleNamespace) -> None:
    owner = owners.create_owner(clinic.actor, {"last_name": "Vale"}, [PhoneNumber("0301234567", "")])
    chip = "985112000000001"
    given = {"species": clinic.species, "microchip": chip, "birth_date": date(2021, 5, 17)}
    kept = pets.create_pet(clinic.actor, owner.pk, {"name": "Pepper", **given})
    content = as_a_spreadsheet_saves_it(b"".join(exporting.clients(clinic.actor)))
    assert chip.encode() in content and b"0301234567" in content
    report = bring_in(clinic, content, dates="mdy")
    assert not report.created, [row for row in report.rows if row.created]
    assert Pet.objects.get(pk=kept.pk).microchip == chip


def test_our_own_pet_number_counts_where_the_chip_was_typed_anew(clinic: SimpleNamespace) -> None:
    row = f"{clinic.pet.pk},Müller,Maren,maren@example.com,Biscuit,Dog,900000000000555"
    headings = "Pet number,Last name,First name,E-mail,Pet,Species,Microchip"
    assert not bring_in(clinic, f"{headings}\n{row}\n").created, "it is the same animal"
    other = row.replace("Biscuit", "Waffle")
    assert dict(bring_in(clinic, f"{headings}\n{other}\n").created) == {"pet": 1}, (
        "another program's number is not ours"
    )


def test_a_pet_that_was_handed_on_is_not_doubled_by_an_older_export(clinic: SimpleNamespace) -> None:
    old = b"".join(exporting.clients(clinic.actor))
    other = owners.create_owner(clinic.actor, {"last_name": "Vale", "email": "vale@example.com"})
    pets.transfer_pet(clinic.actor, clinic.pet.pk, clinic.pet.version, other.pk)
    report = bring_in(clinic, old)
    assert not report.created and Pet.objects.get().owner == other, [row for row in report.rows if row.created]


def test_the_numbers_of_another_program_are_not_those_of_our_pets(clinic: SimpleNamespace) -> None:
    """Another owner's dog of that name and number is another dog."""
    row = f"77,Okafor,Ada,ada@example.com,{clinic.pet.pk},Biscuit,Dog"
    created = bring_in(clinic, f"Owner number,Last name,First name,E-mail,Pet number,Pet,Species\n{row}\n").created
    assert dict(created) == {"owner": 1, "pet": 1}


@pytest.mark.parametrize(
    ("country", "numbers", "warning"),
    [
        ("DE", ["30901820", "8912345678"], True), ("DE", ["030901820", "8912345678"], False),
        ("DE", ["+49 30 901820", "8912345678"], False), ("GB", ["2079460123"], True), ("US", ["2125550123"], False),
        ("FR", ["142278912"], True), ("FR", [], False),
    ],
)  # fmt: skip
def test_lost_zeros_of_telephones_are_told(
    clinic: SimpleNamespace, settings: Any, country: str, numbers: List[str], warning: bool
) -> None:
    settings.COUNTRY = country
    rows = "".join(f"Vale{place},{number}\n" for place, number in enumerate(numbers or [""]))
    notes = preview(clinic, f"Last name,Telephone\n{rows}").notes
    assert any("“Telephone” begins with 0" in note for note in notes) is warning, notes


@pytest.mark.parametrize(
    ("species", "sex", "read"),
    [
        ("Canine", "MN", ("Dog", "male", True)), ("Feline", "FS", ("Cat", "female", True)),
        ("CANINE", "SF", ("Dog", "female", True)), ("Katze", "weiblich", ("Cat", "female", None)),
        ("K9", "M", ("Dog", "male", None)), ("feline", "Male Intact", ("Cat", "male", False)),
        ("Dog", "N/A", ("Dog", "unknown", None)),
    ],
)  # fmt: skip
def test_the_words_of_practice_programs_come_in(clinic: SimpleNamespace, species: str, sex: str, read: Any) -> None:
    headings = (
        "Client ID,Client Last Name,Client First Name,Cell Phone,Patient Name,Patient Species,Patient Sex,DOB,Color"
    )
    bring_in(clinic, f"{headings}\n77,Vale,Ada,555-0177,Pepper,{species},{sex},1899-12-30,N/A\n")
    pet = Pet.objects.get(name="Pepper")
    assert (pet.species.name, pet.sex, pet.neutered) == read
    assert (pet.birth_date, pet.colour, pet.owner.first_name) == (None, "", "Ada")


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("2020/05/01", date(2020, 5, 1)), ("2020-05-01 00:00:00.000", date(2020, 5, 1)), ("5/31/20", date(2020, 5, 31)),
        ("5/31/2020 0:00", date(2020, 5, 31)), ("01.05.20", date(2020, 5, 1)), ("5/31/98", date(1998, 5, 31)),
        ("2020-05-01T00:00:00Z", date(2020, 5, 1)), ("0000-00-00", None), ("NULL", None),
    ],
)  # fmt: skip
def test_dates_of_practice_programs_come_in(clinic: SimpleNamespace, written: str, read: Any) -> None:
    bring_in(clinic, f"Last name,Pet,Species,Birth date\nVale,Pepper,Dog,{written}\n")
    assert Pet.objects.get(name="Pepper").birth_date == read


@pytest.mark.parametrize("total", ["Total,,3", "Total records: 3,,", "Grand total:,,12.50", "Summe,,3"])
def test_a_line_of_totals_is_no_owner(clinic: SimpleNamespace, total: str) -> None:
    bring_in(clinic, f"Last name,Pet,Species\nVale,Pepper,Dog\n{total}\n")
    assert set(Owner.objects.values_list("last_name", flat=True)) == {"Müller", "Vale"}
    bring_in(clinic, "Last name,Phone\nTotal,555-0188\n")
    assert Owner.objects.filter(last_name="Total").exists(), "somebody may be called so"


@pytest.fixture
def as_manager(clinic: SimpleNamespace, client: Client) -> Client:
    """The browser of the clinic's manager."""
    client.force_login(User.objects.get(username="test-manager"))
    return client


def rows(pairs: List[Any]) -> str:
    return "Last name,Address\n" + "".join(f"{name},{address}\n" for name, address in pairs)


@pytest.mark.parametrize(
    ("encoding", "text"),
    [
        ("utf-8", rows(WEST)), ("cp1252", rows(WEST)), ("mac_roman", rows(WEST)), ("cp1250", rows(CENTRAL)),
        ("utf-16-le", rows(WEST)), ("utf-16-be", rows(CENTRAL)),
    ],
)  # fmt: skip
def test_letters_are_read_in_the_encoding_that_a_file_has(clinic: SimpleNamespace, encoding: str, text: str) -> None:
    assert encoding_of(text.encode(encoding)) == encoding
    bring_in(clinic, text.encode(encoding))
    names = set(Owner.objects.exclude(pk=clinic.owner.pk).values_list("last_name", flat=True))
    assert names == {line.split(",")[0] for line in text.splitlines()[1:]}


def test_where_letters_are_a_guess_people_are_asked_with_a_sample(clinic: SimpleNamespace, as_manager: Client) -> None:
    czech = rows([("Dvořák", "Jiří"), ("Novák", "Zdeněk")]).encode("cp1250")
    staged = importing.stage(clinic.actor, "clients.csv", czech)
    page = as_manager.get(f"/exchange/{staged.pk}/").content.decode()
    assert "Are these words right?" in page and "Novák" in page and "Central European" in page
    assert as_manager.post(f"/exchange/{staged.pk}/letters/", {"encoding": "cp1250"}).status_code == 302
    page = as_manager.get(f"/exchange/{staged.pk}/").content.decode()
    assert "Dvořák" in page and "Zdeněk" in page
    as_manager.post(f"/exchange/{staged.pk}/apply/")
    assert Owner.objects.filter(last_name="Dvořák").exists()


def test_one_bad_byte_is_its_lines_problem(clinic: SimpleNamespace) -> None:
    content = rows(WEST).encode() + b"Schr\xf6der,Am Markt\n" + "Weiß,Weg 1\n".encode()
    report = preview(clinic, content)
    wrong = [row.line for row in report.rows if row.outcome is Outcome.ERROR]
    assert wrong == [5], messages(report)
    assert "unreadable character" in messages(report)[0]
    assert {"Müller", "Weiß"} <= {row.owner for row in report.rows}, "the others are read as they are meant"


def workbook(*table: List[Any]) -> bytes:
    book = Workbook()
    for cells in table:
        book.active.append(cells)
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def test_a_workbook_comes_in_as_it_is(clinic: SimpleNamespace, as_manager: Client) -> None:
    headings = [
        "Last name",
        "Phone",
        "Address",
        "Pet",
        "Species",
        "Birth date",
        "Microchip",
        "Vaccine",
        "Given on",
        "Lot",
    ]
    row = ["Vale", "0301234567", "1 Way\nTown", "Pepper", "Dog", datetime(2021, 5, 17), 985112000000001, "Test rabies",
           date(2026, 3, 2), "MAR1"]  # fmt: skip
    content = workbook(headings, row, [None] * 10, ["Total", None, None, 1, None, None, None, None, None, None])
    file = io.BytesIO(content)
    file.name = "clients.xlsx"
    sent = {"file": file, "dates": "auto", "duplicates": "skip"}
    answer = as_manager.post("/exchange/", sent)
    assert answer.status_code == 302, answer.content.decode()
    assert "This file can be imported" in as_manager.get(answer["Location"]).content.decode()
    importing.apply(clinic.actor, ImportFile.objects.latest("pk").pk)
    pet = Pet.objects.get(name="Pepper")
    assert (pet.microchip, pet.birth_date) == ("985112000000001", date(2021, 5, 17))
    assert (pet.owner.phones.get().number, pet.owner.address) == ("0301234567", "1 Way, Town")
    assert Vaccination.objects.get(pet=pet).lot == "MAR1"


def unpacks_to(size: int) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/worksheets/sheet1.xml", b"0" * size)
    return out.getvalue()


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"PK\x03\x04 workbook", "cannot be read"), (unpacks_to(61 * 1024 * 1024), "too large"),
        (unpacks_to(10), "cannot be read"),
    ],
)  # fmt: skip
def test_what_is_no_workbook_or_too_much_is_refused_before_it_is_unpacked(
    clinic: SimpleNamespace, content: bytes, message: str
) -> None:
    with pytest.raises(ValidationError, match=message):
        importing.stage(clinic.actor, "clients.xlsx", content)


def test_a_workbook_with_too_many_rows_is_told_so(clinic: SimpleNamespace) -> None:
    content = workbook(["Last name"], *(["A"] for _row in range(importing.MOST_ROWS + 1)))
    assert "5001 rows" in " ".join(messages(preview(clinic, content)))
