"""Columns and words that a person explains, remembered; weights, visits, open balances and price lists come in."""

from __future__ import annotations

from decimal import Decimal
from types import SimpleNamespace
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.utils import translation

from accounts.models import User
from audit.models import AuditEntry
from clinic import reference
from clinic.models import AccountEntry, Owner, Pet, Product, Vaccine, Visit, Weighing
from clinic.selectors.invoices import Due, balance_of, owed_before
from clinic.services import billing
from exchange import columns, importing
from exchange.models import HeadingMapping, ImportFile
from exchange.values import number
from tests.exchange.test_import import bring_in, messages, preview
from vetclinic.errors import Locked

STRANGE = "Cust,Given,Patient,Kind of animal,Shots,Vacc date\nVale,Ada,Rex,Hound,RAB-1,2026-03-02\n"


@pytest.fixture
def desk(clinic: SimpleNamespace) -> Client:
    client = Client()
    client.force_login(User.objects.get(username=clinic.actor.name))
    return client


def upload(desk: Client, text: str, **fields: str) -> str:
    file = SimpleUploadedFile("old program.csv", text.encode())
    answer = desk.post("/exchange/", {"file": file, "dates": "auto", "duplicates": "skip", **fields})
    assert answer.status_code == 302, answer.content
    return str(answer["Location"])


def chosen(page: Any, **answers: str) -> Any:
    """What a person sends who changes some of the choices: names of fields by the labels that the page shows."""
    form = page.context["form"]
    sent = {name: form[name].value() or "" for name in form.fields if name != "version"}
    labels = {form.fields[name].label: name for name in form.fields}
    return {**sent, **{labels[label]: value for label, value in answers.items()}}


def test_headings_and_words_are_explained_once_for_each_program(desk: Client, clinic: SimpleNamespace) -> None:
    where = upload(desk, STRANGE)
    page = desk.get(where).content.decode()
    assert "No column is named “Last name”" in page and "Map columns and values" in page
    explained = desk.get(f"{where}columns/")
    assert "Hound" in explained.content.decode(), "samples help to choose"
    sent = chosen(explained, Cust="last_name", Given="first_name", **{"Kind of animal": "species"},
                  Shots="vaccine", **{"Vacc date": "given_on"})  # fmt: skip
    twice = desk.post(f"{where}columns/", {**sent, "heading_1": "last_name"})
    assert twice.status_code == 422 and "is already mapped to this field" in twice.content.decode()
    assert desk.post(f"{where}columns/", sent)["Location"] == where
    assert "“Hound” is not known here" in desk.get(where).content.decode()
    words = chosen(desk.get(f"{where}columns/"), **{"Species: Hound": "Dog", "Vaccine: RAB-1": "Test rabies"})
    desk.post(f"{where}columns/", words)
    page = desk.get(where).content.decode()
    assert "This file can be imported" in page, page
    desk.post(f"{where}apply/")
    pet = Pet.objects.get(name="Rex")
    assert (pet.species, pet.vaccinations.get().vaccine) == (clinic.species, clinic.vaccine)
    second = upload(desk, STRANGE.replace("Ada,Rex", "Bea,Max"))
    assert "This file can be imported" in desk.get(second).content.decode(), "the same program again"
    assert HeadingMapping.objects.count() == 1


def test_yes_and_no_in_other_words_are_explained_once(desk: Client, clinic: SimpleNamespace) -> None:
    where = upload(
        desk, "Last name,Reminders,Pet,Species,Neutered\nVale,opted in,Rex,Dog,Spayed\nRoe,never,Tom,Cat,chem.\n"
    )
    assert "neither yes nor no" in desk.get(where).content.decode()
    shown = desk.get(f"{where}columns/")
    labels = {field.label for field in shown.context["form"].fields.values()}
    assert "Neutered: Spayed" not in labels, "that is known"
    answers = {"Agrees to reminders: opted in": "yes", "Agrees to reminders: never": "no", "Neutered: chem.": "yes"}
    desk.post(f"{where}columns/", chosen(shown, **answers))
    assert "This file can be imported" in desk.get(where).content.decode()
    desk.post(f"{where}apply/")
    assert [Owner.objects.get(last_name=name).reminder_consent for name in ("Vale", "Roe")] == [True, False]
    assert Pet.objects.get(name="Rex").neutered is True is Pet.objects.get(name="Tom").neutered


def test_kinds_of_a_price_list_are_explained_and_nothing_is_a_service_unsaid(
    desk: Client, clinic: SimpleNamespace
) -> None:
    where = upload(desk, "Code,Name,Kind,Price\nA,Pills,Rx item,5.00\nB,Exam,service,9.00\n", kind="prices")
    page = desk.get(where).content.decode()
    assert "not known and become services: Rx item" in page and "This file can be imported" in page
    desk.post(f"{where}columns/", chosen(desk.get(f"{where}columns/"), **{"Kind: Rx item": "medicine"}))
    assert "become services" not in desk.get(where).content.decode()
    desk.post(f"{where}apply/")
    assert (Product.objects.get(code="A").kind, Product.objects.get(code="B").kind) == ("medicine", "service")


def test_the_example_files_have_every_column_and_can_be_imported(desk: Client, clinic: SimpleNamespace) -> None:
    for kind, wanted in (("clients", columns.READ), ("prices", columns.PRICES)):
        text = desk.get(f"/exchange/example.csv?kind={kind}").content.decode("utf-8-sig")
        assert text.splitlines()[0].split(",") == [column.heading for column in wanted]
        assert "This file can be imported" in desk.get(upload(desk, text, kind=kind)).content.decode(), kind


def test_a_column_may_be_left_out(desk: Client, clinic: SimpleNamespace) -> None:
    where = upload(desk, "Last name,Notes,Pet,Species\nVale,secret,Rex,Dog\n")
    desk.post(f"{where}columns/", chosen(desk.get(f"{where}columns/"), Notes=""))
    desk.get(where)
    desk.post(f"{where}apply/")
    assert Pet.objects.get(name="Rex").notes == ""


def test_weights_visits_and_open_balances_come_in_once(clinic: SimpleNamespace) -> None:
    text = (
        "Last name,Open balance,Pet,Species,Weight,Weighed on,Visit on,Visit vet,Findings,Diagnosis\n"
        'Vale,"$1,250.50",Rex,Dog,27 lbs,2024-05-01,2024-05-01,Dr Test,Ear red,Otitis\n'
        "Vale,,Rex,Dog,12.9 kg,2025-05-01,2025-05-01,Dr Test,,Healthy\n"
        "Roe,(20.00),Tom,Cat,,,,,,\n"
    )
    report = bring_in(clinic, text)
    assert dict(report.created) == {"owner": 2, "pet": 2, "balance": 2, "weight": 2, "visit": 2}
    rex = Pet.objects.get(name="Rex")
    assert [each.weight_kg for each in rex.weighings.all()] == [Decimal("12.900"), Decimal("12.247")]
    visit = rex.visits.get(assessment="Otitis")
    assert (visit.vet, visit.objective, visit.is_locked) == (clinic.vet, "Ear red", True)
    visit.plan = "changed"
    with pytest.raises(Locked):
        visit.save()
    assert balance_of(Owner.objects.get(last_name="Vale")) == Decimal("1250.50")
    assert balance_of(Owner.objects.get(last_name="Roe")) == Decimal("-20.00")
    assert owed_before() == Due(1, Decimal("1250.50"))
    assert AccountEntry.objects.filter(method="").count() == 2, "no money has changed hands here"
    assert AuditEntry.objects.filter(object_type="visit", action="create").count() == 2
    again = bring_in(clinic, text)
    assert not again.created and (Visit.objects.count(), Weighing.objects.count()) == (2, 2)
    assert balance_of(Owner.objects.get(last_name="Vale")) == Decimal("1250.50")


def test_the_balance_of_a_known_owner_comes_in_once_as_well(clinic: SimpleNamespace) -> None:
    text = "Last name,First name,E-mail,Open balance,Pet,Species\nMüller,Maren,maren@example.com,80.00,Biscuit,Dog\n"
    text += "Müller,Maren,maren@example.com,80.00,Rex,Dog\n"
    assert bring_in(clinic, text).created["balance"] == 1, "the file repeats it for each pet"
    assert not bring_in(clinic, text).created
    assert balance_of(clinic.owner) == Decimal("80.00")


@pytest.mark.parametrize(
    ("cells", "text"),
    [("a lot,2024-05-01,,,", "Weight: “a lot” is not a number"), ("4000 kg,2024-05-01,,,", "Weight: "),
     ("12,2199-01-01,,,", "Weighed on: This date is in the future"), (",,2024-05-01,,Otitis", "Whose visit"),
     (",,2024-05-01,Dr Who,Otitis", "Visit vet: No vet"), (",,,Dr Test,Otitis", "When was it?")],
)  # fmt: skip
def test_what_no_record_can_hold_is_told_beside_its_column(clinic: SimpleNamespace, cells: str, text: str) -> None:
    head = "Last name,Pet,Species,Weight,Weighed on,Visit on,Visit vet,Diagnosis"
    report = preview(clinic, f"{head}\nVale,Rex,Dog,{cells}\n")
    assert not report.ok and any(text in message for message in messages(report)), messages(report)


@pytest.mark.parametrize(
    ("text", "value"),
    [("1,234.50", "1234.50"), ("1.234,50", "1234.50"), ("12,5", "12.5"), ("1,234", "1234"), ("$ 9.99", "9.99"),
     ("(20.00)", "-20.00"), ("-3", "-3"), ("1.234.567", "1234567"), ("0.125", "0.125"), ("€ 1 234,50", "1234.50")],
)  # fmt: skip
def test_numbers_as_people_write_them(text: str, value: str) -> None:
    assert number(text) == Decimal(value)


def test_a_price_list_adds_and_changes_prices_and_no_bill(clinic: SimpleNamespace, desk: Client) -> None:
    bill = billing.draft_invoice(clinic.actor, clinic.owner.pk, [billing.Line(product=clinic.product)])
    text = 'Item,Description,Category,Unit price,VAT\nT,,,"12,50",\nFOOD1,Diet food 2 kg,Retail,30.00,7\n'
    where = upload(desk, text, kind="prices")
    page = desk.get(where).content.decode()
    assert "10.00 → 12.50" in page and "Diet food" in page, page
    assert Product.objects.get(code="T").unit_price == 10
    desk.post(f"{where}apply/")
    product = Product.objects.get(code="T")
    assert (product.unit_price, product.name) == (Decimal("12.50"), "Test")
    assert product.tax_rate == Decimal(10), "the rest stays"
    food = Product.objects.get(code="FOOD1")
    assert (food.kind, food.tax_rate) == ("goods", Decimal(7))
    assert bill.lines.get().unit_price == 10
    assert AuditEntry.objects.filter(object_type="product", action="update").count() == 1
    again = desk.get(upload(desk, text, kind="prices")).content.decode()
    assert "Known already: 2" in again


def test_a_price_that_cannot_be_is_told_and_nothing_changes(clinic: SimpleNamespace) -> None:
    text = "Code,Name,Price\nA,One,free\nB,Two,-1\nC,Three,\nB,Twice,2\n,None,3\nD,,4\n"
    staged = importing.stage(clinic.actor, "p.csv", text.encode(), kind=ImportFile.Kind.PRICES)
    problems = messages(importing.preview(clinic.actor, staged.pk))
    assert len(problems) == 6, problems
    assert not Product.objects.filter(code__in="ABCD").exists()


@pytest.mark.parametrize("language", ["de", "en", "fr"])
def test_a_name_in_any_language_needs_no_explanation(desk: Client, clinic: SimpleNamespace, language: str) -> None:
    Vaccine.objects.get_or_create(
        name="Kennel cough (dog)", defaults={"species": clinic.species, "group": "kennel cough"}
    )
    with translation.override(language):
        species, vaccine = reference.translated_name("Dog"), reference.translated_name("Kennel cough (dog)")
    where = upload(desk, STRANGE.replace("Hound", species).replace("RAB-1", vaccine))
    sent = chosen(desk.get(f"{where}columns/"), Cust="last_name", Given="first_name", Shots="vaccine",
                  **{"Kind of animal": "species", "Vacc date": "given_on"})  # fmt: skip
    assert desk.post(f"{where}columns/", sent)["Location"] == where
    asked = [name for name in desk.get(f"{where}columns/").context["form"].fields if name.startswith("word")]
    assert not asked, f"{species} and {vaccine} are names that every clinic begins with"
