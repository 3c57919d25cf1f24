"""Import with its preview, and export."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, Callable

from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from audit.models import AuditEntry
from clinic.models import Owner
from exchange.importing import MOST_BYTES
from exchange.models import ImportFile
from tests.web.conftest import beside, roles_that_may

HEADINGS = "Last name,First name,Phone,Pet,Species"
GOOD = f"{HEADINGS}\nVale,Ada,555-0177,Pepper,dog\n"
BAD = f"{HEADINGS}\nVale,Ada,555-0177,Pepper,dog\nLark,Bo,555-0178,Nib,dragon\n"


def upload(client: Client, text: Any, **options: Any) -> Any:
    content = text if isinstance(text, bytes) else text.encode()
    file = SimpleUploadedFile("clients.csv", content, "text/csv")
    return client.post("/exchange/", {"file": file, "dates": "auto", "duplicates": "skip", **options}, follow=True)


def staged() -> ImportFile:
    return ImportFile.objects.latest("pk")


def test_only_managers_import_and_export(client_of: Callable[[str], Client]) -> None:
    for address in ("/exchange/", "/exchange/example.csv", "/exchange/clients.csv"):
        assert roles_that_may(client_of, address) == ["manager"], address
    for address in ("/exchange/1/apply/", "/exchange/1/discard/"):
        assert client_of("reception").post(address).status_code == 403, address


def test_a_file_is_shown_first_and_imported_on_a_second_word(clinic: SimpleNamespace, as_manager: Client) -> None:
    page = upload(as_manager, GOOD)
    text = page.content.decode()
    assert page.redirect_chain and "1 owner, 1 pet, 0 vaccinations" in text and "Pepper" in text
    assert not Owner.objects.filter(last_name="Vale").exists(), "a preview must not record anything"
    done = as_manager.post(f"/exchange/{staged().pk}/apply/", follow=True).content.decode()
    assert "Imported: 1 owner, 1 pet, 0 vaccinations." in done
    assert Owner.objects.filter(last_name="Vale").count() == 1


def test_errors_are_told_by_line_and_column_and_nothing_is_imported(
    clinic: SimpleNamespace, as_manager: Client
) -> None:
    text = upload(as_manager, BAD).content.decode()
    assert "Rows with errors" in text and "dragon" in text and "<strong>Species:</strong>" in text
    assert 'data-label="Line">3</td>' in text, "the line as an editor counts it"
    assert "Import now" not in text
    assert as_manager.post(f"/exchange/{staged().pk}/apply/").status_code == 422, "the button may be old"
    assert not Owner.objects.filter(last_name__in=["Vale", "Lark"]).exists()


def test_somebody_who_looks_known_is_shown_with_a_link(clinic: SimpleNamespace, as_manager: Client) -> None:
    text = upload(as_manager, f"{HEADINGS}\nMüller,Maren,555-9999,Pepper,dog\n").content.decode()
    assert "looks like" in text and f'href="/owners/{clinic.owner.pk}/"' in text


def test_empty_and_too_large_files_are_refused_beside_the_field(as_manager: Client) -> None:
    empty = upload(as_manager, b"")
    assert (empty.status_code, beside(empty, "file")) == (422, "This file is empty.")
    large = upload(as_manager, b"x" * (MOST_BYTES + 1))
    assert large.status_code == 422 and "larger than 2 MB" in beside(large, "file")
    missing = as_manager.post("/exchange/", {"dates": "auto", "duplicates": "skip"})
    assert missing.status_code == 422 and "required" in beside(missing, "file")
    wrong = upload(as_manager, GOOD, dates="never")
    assert wrong.status_code == 422 and "valid choice" in beside(wrong, "dates")


def test_a_second_click_and_a_discarded_file_are_refused_with_a_sentence(
    clinic: SimpleNamespace, as_manager: Client
) -> None:
    upload(as_manager, GOOD)
    pk = staged().pk
    assert f"/exchange/{pk}/discard/" in as_manager.get("/exchange/").content.decode()
    assert "discarded" in as_manager.post(f"/exchange/{pk}/discard/", follow=True).content.decode()
    again = as_manager.post(f"/exchange/{pk}/apply/")
    assert again.status_code == 409 and "imported or discarded already" in again.content.decode()
    assert as_manager.get("/exchange/999999/").status_code == 404


def test_the_export_holds_the_clients_and_is_audited(clinic: SimpleNamespace, as_manager: Client) -> None:
    comma = as_manager.get("/exchange/clients.csv").getvalue().decode("utf-8-sig")
    semicolon = as_manager.get("/exchange/clients.csv?separator=semicolon").getvalue()
    assert "Müller,Maren" in comma and "Müller;Maren".encode() in semicolon
    assert AuditEntry.objects.filter(action="export", object_text="clients.csv").count() == 2


def test_the_example_file_can_be_imported(clinic: SimpleNamespace, as_manager: Client) -> None:
    text = upload(as_manager, as_manager.get("/exchange/example.csv").content).content.decode()
    assert "This file can be imported" in text
