"""Two animals of one name are told apart wherever they stand in a list, and the bill editor stays quick."""

from __future__ import annotations

from datetime import timedelta
from types import SimpleNamespace
from typing import Any, Dict, List

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from clinic.models import Appointment, Pet, Product, Reminder, Species, Vaccination
from clinic.services import billing, booking
from clinic.services.owners import create_owner
from clinic.services.pets import create_pet
from tests.web.conftest import beside


@pytest.fixture
def twin(clinic: SimpleNamespace) -> Pet:
    """Another Biscuit, a cat of another owner."""
    other = create_owner(clinic.actor, {"first_name": "Omar", "last_name": "Vale"}, [])
    return create_pet(clinic.actor, other.pk, {"name": "Biscuit", "species": Species.objects.get(name="Cat")})


def arrive(clinic: SimpleNamespace, pet: Pet, minutes: int) -> Appointment:
    start = timezone.now().replace(hour=12, minute=0, second=0, microsecond=0) + timedelta(minutes=minutes)
    booked = booking.book(clinic.actor, clinic.vet.pk, start, start + timedelta(minutes=15), {"pet": pet})
    return booking.change_status(clinic.actor, booked.pk, booked.version, "arrived")


@pytest.mark.parametrize(
    "address", ["/", "/waiting/", "/calendar/", "/search/?q=biscuit", "/appointments/new/?find=bisc"]
)
def test_two_animals_of_one_name_are_told_apart(
    clinic: SimpleNamespace, twin: Pet, as_manager: Client, address: str
) -> None:
    arrive(clinic, clinic.pet, 0)
    arrive(clinic, twin, 20)
    page = as_manager.get(address).content.decode()
    for pet in (clinic.pet, twin):
        for word in (str(pet.species), pet.owner.last_name, f"no. {pet.pk}"):
            assert word in page, f"{address} does not say {word} of {pet.name} {pet.pk}"


@pytest.mark.parametrize(
    ("address", "animals"),
    [
        ("/owners/", "both"), ("/search/?q=omar", "twin"), ("/owners/{owner}/merge/?q=vale", "twin"),
        ("/owners/{owner}/merge/?with={other}", "both"), ("/appointments/{appointment}/move/", "first"),
        ("/appointments/{appointment}/edit/", "first"), ("/appointments/{appointment}/", "first"),
        ("/reminders/imported/", "both"),
    ],
)  # fmt: skip
def test_an_animal_is_named_with_species_and_number(
    clinic: SimpleNamespace, twin: Pet, as_manager: Client, address: str, animals: str
) -> None:
    expected = arrive(clinic, clinic.pet, 0)
    for pet in (clinic.pet, twin):
        day, due_on = (timezone.localdate() + timedelta(days=days) for days in (-300, 65))
        jab = Vaccination.objects.create(
            pet=pet, vaccine=clinic.vaccine, given_on=day, given_elsewhere=True, due_on=due_on
        )
        Reminder.objects.create(pet=pet, group="rabies", vaccination=jab, due_on=due_on, held=True)
    where = address.format(owner=clinic.owner.pk, other=twin.owner_id, appointment=expected.pk)
    page = as_manager.get(where).content.decode()
    wanted = {"both": [clinic.pet, twin], "twin": [twin], "first": [clinic.pet]}[animals]
    for pet in wanted:
        assert str(pet.species) in page and f"no. {pet.pk}" in page, f"{where}: {pet.species} {pet.pk}"
    if address == "/owners/":
        assert f"no. {clinic.owner.pk}" in page and f"no. {twin.owner_id}" in page


def test_possible_twins_of_an_owner_are_told_by_their_animals(clinic: SimpleNamespace, as_manager: Client) -> None:
    form = {"last_name": "Müller", "first_name": "Maren", "phones": "555-0142", "contact_preference": "any"}
    page = as_manager.post("/owners/new/", form).content.decode()
    assert "Is it one of these?" in page and "Dog" in page and f"no. {clinic.pet.pk}" in page


def lines(**first: Any) -> Dict[str, Any]:
    return {"lines-TOTAL_FORMS": 1, "lines-INITIAL_FORMS": 0, **{f"lines-0-{name}": it for name, it in first.items()}}


def test_a_product_is_typed_by_name_or_code_in_any_case(clinic: SimpleNamespace, as_manager: Client) -> None:
    Product.objects.create(code="T2", name="Twin", unit_price="1.00")
    Product.objects.create(code="T3", name="Twin", unit_price="2.00")
    new = f"/owners/{clinic.owner.pk}/invoices/new/"
    shown = as_manager.get(new).content.decode()
    assert shown.count('<option value="Test"') == 1, "the price list stands in the page once, not once a line"
    for typed, product in (("test", "T"), ("t3", "T3"), ("Twin · T2", "T2")):
        assert as_manager.post(new, lines(product=typed)).status_code == 302, typed
        assert clinic.owner.invoices.latest("pk").lines.get().product.code == product
    for unknown in ("Twin", str(clinic.product.pk), "Tes"):
        refused = as_manager.post(new, lines(product=unknown))
        assert refused.status_code == 422, f"{unknown} names none of them, or more than one"
        assert (
            "is not on the price list" in refused.content.decode() and f'value="{unknown}"' in refused.content.decode()
        )


def test_a_draft_keeps_a_product_that_is_no_longer_sold(clinic: SimpleNamespace, as_manager: Client) -> None:
    draft = billing.draft_invoice(
        clinic.actor, clinic.owner.pk, [billing.Line(product=clinic.product, vet_id=clinic.vet.pk)]
    )
    Product.objects.filter(pk=clinic.product.pk).update(active=False)
    type(clinic.vet).objects.filter(pk=clinic.vet.pk).update(active=False)
    form = as_manager.get(f"/invoices/{draft.pk}/edit/").context["lines"].forms[0]
    assert (form["product"].value(), form["vet"].value()) == ("Test", clinic.vet.pk)


def asked(client: Client, address: str) -> int:
    with CaptureQueriesContext(connection) as queries:
        assert client.get(address).status_code == 200
    return len(queries)


def test_the_bill_editor_asks_as_much_for_twenty_lines_as_for_one(clinic: SimpleNamespace, as_manager: Client) -> None:
    counts: List[int] = []
    for number in (1, 20):
        lines: List[Any] = [billing.Line(product=clinic.product, pet_id=clinic.pet.pk)] * number
        draft = billing.draft_invoice(clinic.actor, clinic.owner.pk, lines)
        counts.append(asked(as_manager, f"/invoices/{draft.pk}/edit/"))
    assert counts[0] == counts[1] <= 12, f"queries for 1 and for 20 lines: {counts}"


def test_a_refused_amount_stands_beside_its_field(clinic: SimpleNamespace, as_manager: Client) -> None:
    refused = as_manager.post(f"/owners/{clinic.owner.pk}/invoices/new/", lines(product="Test", discount="ten"))
    assert refused.status_code == 422 and not beside(refused, "discount")
    assert "Enter an amount" in refused.content.decode()
