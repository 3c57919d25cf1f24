"""Who and what the demonstration clinic consists of, as plain data."""

from __future__ import annotations

from decimal import Decimal
from typing import List, NamedTuple, Tuple

PASSWORD = "willow-lane-demo"  # noqa: S105 -- of the demonstration only, which production refuses


class DemoUser(NamedTuple):
    """A member of staff."""

    username: str
    first_name: str
    last_name: str
    role: str


class DemoPet(NamedTuple):
    """A pet; `age_days` counts back from today."""

    name: str
    species: str
    breed: str
    sex: str
    age_days: int
    colour: str
    microchip: str = ""
    alert: str = ""


class DemoOwner(NamedTuple):
    """An owner with pets; telephone numbers are from the range that is kept for fiction (555-01xx)."""

    first_name: str
    last_name: str
    phone: str
    pets: Tuple[DemoPet, ...]


class DemoSlot(NamedTuple):
    """An appointment of the day: which vet, which pet, when, for how long, why, and how far it has got."""

    vet: int
    pet: str
    at: str
    minutes: int
    kind: str
    reason: str
    status: str


USERS = [
    DemoUser("reception", "Robin", "Achterberg", "reception"),
    DemoUser("vet", "Imogen", "Farrow", "vet"),
    DemoUser("vet2", "Tomas", "Lindqvist", "vet"),
    DemoUser("technician", "Jules", "Marlow", "technician"),
    DemoUser("manager", "Priya", "Oakes", "manager"),
    DemoUser("accountant", "Noor", "Whitby", "accountant"),
]
VETS = [("vet", "Dr Imogen Farrow", "VET-10442", "teal"), ("vet2", "Dr Tomas Lindqvist", "VET-11873", "plum")]
PRODUCTS: List[Tuple[str, str, str, Decimal, Decimal]] = [
    ("CONS", "Consultation", "service", Decimal("48.00"), Decimal("8.25")),
    ("RECHECK", "Follow-up examination", "service", Decimal("29.50"), Decimal("8.25")),
    ("VACC-R", "Rabies vaccination", "service", Decimal("32.00"), Decimal("8.25")),
    ("VACC-C", "Core vaccination", "service", Decimal("38.50"), Decimal("8.25")),
    ("NAILS", "Nail trim", "service", Decimal("15.00"), Decimal("8.25")),
    ("CHIP", "Microchip with registration", "service", Decimal("42.00"), Decimal("8.25")),
    ("MELOX", "Meloxicam oral suspension 10 ml", "medicine", Decimal("18.75"), Decimal("0.00")),
    ("DEWORM", "Deworming tablet", "medicine", Decimal("6.40"), Decimal("0.00")),
    ("DIET-G", "Gastrointestinal diet, 2 kg", "goods", Decimal("27.90"), Decimal("8.25")),
]
BILLED_AS = [("rabies", "VACC-R"), ("core", "VACC-C")]
OWNERS = [
    DemoOwner(
        "Maren",
        "Holloway",
        "555-0142",
        (
            DemoPet(
                "Biscuit",
                "Dog",
                "Beagle",
                "male",
                1500,
                "tricolour",
                "900000000000101",
                "Bites when his paws are touched",
            ),
            DemoPet("Clementine", "Cat", "Domestic Shorthair", "female", 2900, "orange tabby", "900000000000102"),
        ),
    ),
    DemoOwner(
        "Idris",
        "Vale",
        "555-0117",
        (DemoPet("Pepper", "Dog", "Labrador Retriever", "female", 700, "black", "900000000000103"),),
    ),
    DemoOwner(
        "Saskia",
        "Brandt",
        "555-0163",
        (
            DemoPet(
                "Moss",
                "Dog",
                "Border Collie",
                "male",
                3300,
                "black and white",
                "900000000000104",
                "Allergic to penicillin",
            ),
        ),
    ),
    DemoOwner(
        "Jürgen",
        "Müller-Ashby",
        "555-0128",
        (
            DemoPet("Pixel", "Cat", "Siamese", "male", 1100, "seal point"),
            DemoPet("Waffles", "Rabbit", "Mini Lop", "female", 900, "fawn"),
        ),
    ),
    DemoOwner("Opal", "Nakamura", "555-0189", (DemoPet("Juniper", "Cat", "Maine Coon", "female", 130, "brown tabby"),)),
    DemoOwner(
        "Callum",
        "Reyes",
        "555-0175",
        (
            DemoPet(
                "Otto",
                "Dog",
                "Dachshund",
                "male",
                4100,
                "red",
                "900000000000105",
                "Heart murmur: careful with sedation",
            ),
        ),
    ),
    DemoOwner(
        "Wren", "Okafor", "555-0154", (DemoPet("Tilly", "Dog", "Poodle", "female", 2000, "apricot", "900000000000106"),)
    ),
    DemoOwner("Desmond", "Pryce", "555-0131", (DemoPet("Nugget", "Guinea pig", "", "male", 500, "cream"),)),
]
# pet, vaccine, days ago: some fresh, some due soon, one overdue
VACCINATIONS = [
    ("Biscuit", "Rabies (dog, 1 year)", 350),
    ("Biscuit", "DHPP (dog)", 400),
    ("Clementine", "FVRCP (cat)", 1120),
    ("Pepper", "Rabies (dog, 1 year)", 120),
    ("Moss", "Leptospirosis (dog)", 340),
    ("Moss", "Rabies (dog, 3 years)", 600),
    ("Pixel", "FeLV (cat)", 362),
    ("Otto", "Rabies (dog, 1 year)", 380),
    ("Tilly", "Kennel cough (dog)", 200),
]
# pet, days ago (today's notes are still open), weight, temperature, history, findings, assessment, plan
WEIGHTS = [("Biscuit", 90, "12.2"), ("Moss", 5, "19.1")]  # without a visit: pet, days ago, kilograms

VISITS = [
    (
        "Moss",
        21,
        "19.4",
        "38.6",
        "Scratches his left ear since the weekend.",
        "Left ear canal red, brown wax.",
        "Otitis externa, left.",
        "Ear cleaner daily, check in three weeks.",
    ),
    (
        "Otto",
        60,
        "9.8",
        "38.4",
        "Yearly check.",
        "Systolic murmur grade 3 of 6, lungs clear.",
        "Stable mitral disease.",
        "Same medicine, check in six months.",
    ),
    (
        "Clementine",
        90,
        "4.6",
        "38.7",
        "Drinks more than before.",
        "Mild dental tartar, otherwise normal.",
        "Early kidney disease to be ruled out.",
        "Blood and urine sample, call with the result.",
    ),
    (
        "Biscuit",
        0,
        "12.4",
        "38.9",
        "Limps on the right front leg after a walk in the woods.",
        "Small thorn between the toes, removed. No swelling.",
        "",
        "",
    ),
]
# pet, drug, strength, dose, quantity, unit, instructions
PRESCRIPTIONS = [
    ("Moss", "Ear cleaner", "with salicylic acid", "5 ml into the left ear once a day", 1, "bottle",
     "Massage the ear for a minute, then let him shake his head. Stop and call us if it gets redder."),
    ("Otto", "Pimobendan", "1.25 mg", "1 tablet twice a day", 60, "tablets", "An hour before food."),
]  # fmt: skip
# name, strength, unit, how much came in, from whom
CONTROLLED = [("Ketamine", "100 mg/ml", "ml", "10", "Example Supply, 1 Depot Road, DEA RE0000000")]
# pet, codes of products, how far the bill has got
INVOICES = [
    ("Moss", ("CONS", "MELOX"), "paid"), ("Otto", ("CONS",), "issued"), ("Biscuit", ("CONS", "NAILS"), "draft"),
    ("Clementine", ("CONS", "DIET-G"), "estimate"),
]  # fmt: skip
DAY = [
    DemoSlot(0, "Biscuit", "08:30", 30, "vaccination", "Yearly vaccination", "done"),
    DemoSlot(0, "Moss", "09:15", 30, "follow_up", "Ear check", "with_vet"),
    DemoSlot(0, "Clementine", "10:00", 30, "consult", "Blood results", "arrived"),
    DemoSlot(0, "Pixel", "11:00", 15, "vaccination", "FeLV booster", "confirmed"),
    DemoSlot(0, "", "12:00", 60, "block", "Lunch", "booked"),
    DemoSlot(0, "Tilly", "14:30", 30, "consult", "Limping, right front leg", "booked"),
    DemoSlot(1, "Otto", "08:30", 45, "consult", "Cough at night", "done"),
    DemoSlot(1, "Juniper", "09:30", 90, "surgery", "Spay", "with_vet"),
    DemoSlot(1, "Nugget", "11:15", 15, "consult", "Not eating well", "booked"),
    DemoSlot(1, "", "13:00", 30, "consult", "New client: puppy check, Mr Ellery", "booked"),
    DemoSlot(1, "Waffles", "15:00", 15, "vaccination", "Yearly vaccination", "cancelled"),
    DemoSlot(1, "Pepper", "16:00", 30, "consult", "Weight advice", "booked"),
]
