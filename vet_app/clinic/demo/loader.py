"""Load the demonstration through the services, as people at the desk would.

So it obeys every rule and is in the audit trail.
"""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from decimal import Decimal

from django.db import transaction
from django.utils import timezone

from accounts.models import User
from accounts.services import create_user
from audit.actor import Actor
from clinic.demo import data
from clinic.models import Appointment, Breed, ControlledDrug, DrugEntry, Owner, Pet, Product, Species, Vaccine, Vet
from clinic.services import (
    billing,
    booking,
    drug_log,
    estimates,
    owners,
    payments,
    pets,
    prescriptions,
    vaccination,
    visits,
    weighing,
)

ACTOR = Actor.system("demo")
WAY = {"confirmed": ["confirmed"], "arrived": ["arrived"], "with_vet": ["arrived", "with_vet"],
       "done": ["arrived", "with_vet", "done"], "cancelled": ["cancelled"], "booked": []}  # fmt: skip


@transaction.atomic
def load_people() -> None:
    """Staff, prices, owners, pets and their past; does nothing where they exist."""
    if User.objects.filter(username=data.USERS[0].username).exists():
        return
    for person in data.USERS:
        create_user(
            ACTOR, person.username, data.PASSWORD, person.role, first_name=person.first_name, last_name=person.last_name
        )
    for username, name, licence, colour in data.VETS:
        Vet.objects.create(user=User.objects.get(username=username), name=name, licence=licence, colour=colour)
    for code, name, kind, price, tax in data.PRODUCTS:
        Product.objects.create(code=code, name=name, kind=kind, unit_price=price, tax_rate=tax)
    for group, code in data.BILLED_AS:
        Vaccine.objects.filter(group=group).update(product=Product.objects.get(code=code))
    for owner in data.OWNERS:
        _load_owner(owner)
    _load_past()
    _load_controlled_drugs()


def _load_owner(demo_owner: data.DemoOwner) -> None:
    fields = {
        "first_name": demo_owner.first_name,
        "last_name": demo_owner.last_name,
        "email": f"{demo_owner.first_name}.{demo_owner.last_name}@example.com".lower().replace("ü", "ue"),
        "address": f"{len(demo_owner.last_name)} Example Street",
        "city": "Exampleton",
        "reminder_consent": True,
    }
    owner = owners.create_owner(ACTOR, fields, [owners.PhoneNumber(demo_owner.phone, "mobile")])
    for pet in demo_owner.pets:
        pets.create_pet(
            ACTOR,
            owner.pk,
            {
                "name": pet.name,
                "species": Species.objects.get(name=pet.species),
                "breed": Breed.objects.filter(species__name=pet.species, name=pet.breed).first(),
                "sex": pet.sex,
                "neutered": pet.age_days > 365,
                "birth_date": timezone.localdate() - timedelta(days=pet.age_days),
                "colour": pet.colour,
                "microchip": pet.microchip,
                "alert": pet.alert,
            },
        )


def _load_past() -> None:
    today = timezone.localdate()
    vet = Vet.objects.first()
    for name, vaccine, days in data.VACCINATIONS:
        details = {"vet": vet, "lot": f"L{days:04d}A", "manufacturer": "Fictovax"}
        given_on = today - timedelta(days=days)
        vaccination.record_vaccination(ACTOR, _pet(name).pk, Vaccine.objects.get(name=vaccine).pk, given_on, details)
    for name, days, weight, temperature, subjective, objective, assessment, plan in data.VISITS:
        notes = {
            "vet": vet, "at": timezone.now() - timedelta(days=days), "weight_kg": Decimal(weight),
            "temp_c": Decimal(temperature), "subjective": subjective, "objective": objective, "assessment": assessment,
            "plan": plan,
        }  # fmt: skip
        visit = visits.start_visit(ACTOR, _pet(name).pk, notes)
        if days:
            visits.lock_visit(ACTOR, visit.pk, visit.version)
    for name, days, weight in data.WEIGHTS:
        weighing.weigh(ACTOR, _pet(name).pk, Decimal(weight), at=timezone.now() - timedelta(days=days))
    for name, drug, strength, dose, quantity, unit, instructions in data.PRESCRIPTIONS:
        fields = {"drug": drug, "strength": strength, "dose": dose, "quantity": quantity, "unit": unit}
        first = _pet(name).visits.earliest("at")
        prescriptions.prescribe(ACTOR, first.pk, {**fields, "instructions": instructions})
    for name, codes, state in data.INVOICES:
        pet = _pet(name)
        lines = [billing.Line(product=Product.objects.get(code=code), pet_id=pet.pk) for code in codes]
        until = today + estimates.HOLDS_FOR if state == "estimate" else None
        invoice = billing.draft_invoice(ACTOR, pet.owner_id, lines, valid_until=until)
        if state in ("issued", "paid"):
            invoice = billing.issue_invoice(ACTOR, invoice.pk, invoice.version)
        if state == "paid":
            payments.take_payment(ACTOR, invoice.pk, invoice.total, "card")


def _load_controlled_drugs() -> None:
    for name, strength, unit, quantity, supplier in data.CONTROLLED:
        drug = ControlledDrug.objects.create(name=name, strength=strength, unit=unit)
        drug_log.enter(ACTOR, drug.pk, DrugEntry.Kind.RECEIVED, Decimal(quantity), whom=supplier)


@transaction.atomic
def load_day(day: date) -> None:
    """The calendar of a day, where it has no appointments yet."""
    vets = [Vet.objects.get(user__username=username) for username, *_rest in data.VETS]
    start = timezone.make_aware(datetime.combine(day, time.min))
    if Appointment.objects.filter(vet__in=vets, starts_at__gte=start, starts_at__lt=start + timedelta(days=1)).exists():
        return
    for slot in data.DAY:
        begins = timezone.make_aware(datetime.combine(day, time.fromisoformat(slot.at)))
        details = {"kind": slot.kind, "reason": slot.reason, "pet": _pet(slot.pet) if slot.pet else None}
        if not slot.pet and slot.kind != "block":
            details["client_note"], details["reason"] = slot.reason, ""
        ends = begins + timedelta(minutes=slot.minutes)
        appointment = booking.book(ACTOR, vets[slot.vet].pk, begins, ends, details)
        for status in WAY[slot.status]:
            appointment = booking.change_status(ACTOR, appointment.pk, appointment.version, status)


def _pet(name: str) -> Pet:
    demo_owners = Owner.objects.filter(email__endswith="@example.com")
    return Pet.objects.get(name=name, owner__in=demo_owners)
