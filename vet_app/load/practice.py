"""Years of a practice for the load test: as many visits as asked for, and what belongs to them.

Rows go in in bulk and not through the services, which would take hours; what is derived from others is derived all the
same.
"""

from __future__ import annotations

import random
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, Dict, Iterable, Iterator, List, Sequence, Type

from django.db import connection, models
from django.utils import timezone

from clinic.models import (
    Appointment,
    Invoice,
    InvoiceCounter,
    InvoiceLine,
    Owner,
    Payment,
    Pet,
    Phone,
    Product,
    Reminder,
    Species,
    Vaccination,
    Vaccine,
    Vet,
    Visit,
)

BATCH = 2000
YEARS = 8
PRODUCTS = 409  # as many as the price list of a practice that was asked
VISITS_OF_AN_OWNER, VISITS_OF_A_PET = 8, 5
PRICE, TAX = Decimal("48.00"), Decimal("3.96")
SYLLABLES = ("bar", "chen", "dorf", "es", "fin", "gar", "hol", "is", "jan", "kel", "lund", "mar", "nor", "ost", "pet")


@dataclass
class Practice:
    """What the rows refer to, and how many visits there are to be."""

    visits: int
    turn: random.Random
    now: datetime
    species: Species
    vaccine: Vaccine
    product: Product
    vets: Sequence[Vet]

    def name(self) -> str:
        """A surname of three syllables, of which there are some thousands."""
        return "".join(self.turn.choices(SYLLABLES, k=3)).capitalize()

    def moment(self) -> datetime:
        """Some time in the years before today."""
        return self.now - timedelta(minutes=self.turn.randrange(24 * 60, YEARS * 365 * 24 * 60))


def added(model: Type[Any], rows: Iterable[models.Model]) -> List[Any]:
    """Write rows in bulk, with what is derived, and give them back with their numbers."""
    written: List[Any] = []
    batch: List[models.Model] = []
    for row in rows:
        derive = getattr(row, "derive", None)
        if derive is not None:
            derive()
        batch.append(row)
        if len(batch) == BATCH:
            written += model.objects.bulk_create(batch)
            batch = []
    written += model.objects.bulk_create(batch)
    return written


def people(practice: Practice) -> List[Pet]:
    """Owners with a telephone number, and their pets."""
    count = practice.visits // VISITS_OF_AN_OWNER
    owners = added(Owner, (
        Owner(last_name=practice.name(), first_name=practice.name(), email=f"owner{number}@example.org",
              address=f"{number} Example Street", city="Exampleton", reminder_consent=True)
        for number in range(count)
    ))  # fmt: skip
    added(Phone, (Phone(owner=each, number=f"020 7946 {number:06d}") for number, each in enumerate(owners)))
    return added(Pet, (
        Pet(owner=practice.turn.choice(owners), name=practice.name(), species=practice.species,
            birth_date=practice.moment().date() - timedelta(days=365), microchip=f"9851{number:011d}")
        for number in range(practice.visits // VISITS_OF_A_PET)
    ))  # fmt: skip


def price_list_of(practice: Practice) -> None:
    """Products until there are as many as a practice has; the editor of bills offers them all."""
    added(Product, (
        Product(code=f"L{number:04d}", name=f"{practice.name()} {number}", unit_price=PRICE, tax_rate=Decimal("8.25"))
        for number in range(PRODUCTS - Product.objects.count())
    ))  # fmt: skip


def visits_of(practice: Practice, pets: Sequence[Pet]) -> Iterator[Visit]:
    """Locked visits over the years."""
    for _number in range(practice.visits):
        at = practice.moment()
        yield Visit(
            pet=practice.turn.choice(pets), vet=practice.turn.choice(practice.vets), at=at, locked_at=at,
            weight_kg=Decimal(practice.turn.randrange(2000, 40000)) / 1000, temp_c=Decimal("38.6"),
            subjective="Yearly check.", objective="Nothing abnormal.", assessment="Healthy.", plan="See in a year.",
        )  # fmt: skip


def vaccinations_of(practice: Practice, visits: Sequence[Visit]) -> None:
    """One at every third visit; the last of each pet has a reminder that is pending."""
    vaccinations = added(Vaccination, (
        Vaccination(pet_id=each.pet_id, visit=each, vet_id=each.vet_id, vaccine=practice.vaccine, lot="L1",
                    given_on=each.at.date(), due_on=each.at.date() + timedelta(days=365))
        for each in visits[::3]
    ))  # fmt: skip
    last = {each.pet_id: each for each in sorted(vaccinations, key=lambda each: each.given_on)}
    added(Reminder, (
        Reminder(pet_id=pet, group=practice.vaccine.group, vaccination=each, due_on=each.due_on)
        for pet, each in last.items() if each.due_on > practice.now.date() - timedelta(days=90)
    ))  # fmt: skip


def bills_of(practice: Practice, visits: Sequence[Visit]) -> None:
    """A bill of one line for each visit, paid but for every fiftieth."""
    first = (InvoiceCounter.objects.first() or InvoiceCounter()).last_number + 1
    owner_of = dict(Pet.objects.values_list("pk", "owner_id"))
    bills = added(Invoice, (
        Invoice(owner_id=owner_of[each.pet_id], number=first + place, issued_at=each.at, due_on=each.at.date(),
                status=Invoice.Status.PAID if place % 50 else Invoice.Status.ISSUED,
                net=PRICE, tax=TAX, total=PRICE + TAX, recipient="As recorded then")
        for place, each in enumerate(visits)
    ))  # fmt: skip
    added(InvoiceLine, (
        InvoiceLine(invoice=bill, pet_id=each.pet_id, visit=each, vet_id=each.vet_id, product=practice.product,
                    text=practice.product.name, unit_price=PRICE, tax_rate=Decimal("8.25"), service_on=each.at.date())
        for bill, each in zip(bills, visits)
    ))  # fmt: skip
    added(Payment, (
        Payment(invoice=bill, amount=bill.total, method=("card", "cash")[place % 2], at=bill.issued_at)
        for place, bill in enumerate(bills) if bill.status == Invoice.Status.PAID
    ))  # fmt: skip
    InvoiceCounter.objects.update(last_number=first + len(bills))


def appointments_of(practice: Practice, visits: Sequence[Visit]) -> None:
    """An appointment for every second visit; they may overlap as if booked so on purpose."""
    added(Appointment, (
        Appointment(vet_id=each.vet_id, pet_id=each.pet_id, starts_at=each.at, ends_at=each.at + timedelta(minutes=15),
                    status=Appointment.Status.DONE, done_at=each.at, overbooked=True, overbook_reason="load")
        for each in visits[::2]
    ))  # fmt: skip


def addresses(pet: Pet) -> Dict[str, str]:
    """The pages that people open all day, of a pet that has been there often."""
    visit, bill = pet.visits.first(), pet.owner.invoices.first()
    return {
        "today": "/", "calendar": "/calendar/", "week": "/calendar/week/", "waiting room": "/waiting/",
        "search by name": f"/search/?q={pet.owner.last_name}", "search by telephone": "/search/?q=79460001",
        "search, written wrong": "/search/?q=barchendrof", "owners": "/owners/", "owner": pet.owner.get_absolute_url(),
        "pet": pet.get_absolute_url(), "visit": visit.get_absolute_url() if visit else "/",
        "new visit": f"/pets/{pet.pk}/visits/new/", "new appointment": f"/appointments/new/?pet={pet.pk}",
        "bills": "/invoices/", "bill": bill.get_absolute_url() if bill else "/",
        "new bill": f"/owners/{pet.owner_id}/invoices/new/", "reminders": "/reminders/", "till": "/takings/till/",
        "takings of a day": "/takings/",
    }  # fmt: skip


def fill(count: int) -> Dict[str, str]:
    """Add `count` visits to the demonstration clinic; the addresses of its daily pages, each with records of theirs."""
    practice = Practice(
        visits=count, turn=random.Random(count), now=timezone.now(),  # noqa: S311 -- the same practice each time
        species=Species.objects.get(name="Dog"), vaccine=Vaccine.objects.filter(species__name="Dog")[0],
        product=Product.objects.all()[0], vets=list(Vet.objects.all()),
    )  # fmt: skip
    price_list_of(practice)
    pets = people(practice)
    visits = added(Visit, visits_of(practice, pets))
    vaccinations_of(practice, visits)
    bills_of(practice, visits)
    appointments_of(practice, visits)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")
    return addresses(Pet.objects.get(pk=visits[0].pet_id))
