"""The first species, breeds and vaccines; a clinic changes them in the administration."""

from django.db import migrations

BREEDS = {
    "Dog": [
        "Mixed breed",
        "Beagle",
        "Border Collie",
        "Dachshund",
        "French Bulldog",
        "German Shepherd",
        "Golden Retriever",
        "Jack Russell Terrier",
        "Labrador Retriever",
        "Poodle",
    ],
    "Cat": ["Domestic Shorthair", "Domestic Longhair", "British Shorthair", "Maine Coon", "Persian", "Siamese"],
    "Rabbit": ["Mixed breed", "Lionhead", "Mini Lop", "Netherland Dwarf"],
    "Guinea pig": [],
    "Hamster": [],
    "Ferret": [],
    "Bird": [],
    "Reptile": [],
    "Other": [],
}
# name, group, species, months until the next; typical intervals, to be set to what the clinic's products say
VACCINES = [
    ("Rabies (dog, 1 year)", "rabies", "Dog", 12),
    ("Rabies (dog, 3 years)", "rabies", "Dog", 36),
    ("DHPP (dog)", "core", "Dog", 36),
    ("Leptospirosis (dog)", "lepto", "Dog", 12),
    ("Kennel cough (dog)", "kennel-cough", "Dog", 12),
    ("Rabies (cat)", "rabies", "Cat", 12),
    ("FVRCP (cat)", "core", "Cat", 36),
    ("FeLV (cat)", "felv", "Cat", 12),
    ("Myxomatosis and RHD (rabbit)", "core", "Rabbit", 12),
    ("Rabies (ferret)", "rabies", "Ferret", 12),
]


def fill(apps, schema_editor):
    """Add what is missing."""
    species, breed, vaccine = (apps.get_model("clinic", name) for name in ("Species", "Breed", "Vaccine"))
    for name, breeds in BREEDS.items():
        row, _ = species.objects.get_or_create(name=name)
        for each in breeds:
            breed.objects.get_or_create(species=row, name=each)
    for name, group, kind, months in VACCINES:
        values = {"group": group, "species": species.objects.get(name=kind), "interval_months": months}
        vaccine.objects.get_or_create(name=name, defaults=values)


class Migration(migrations.Migration):
    dependencies = [("clinic", "0002_postgresql")]
    operations = [migrations.RunPython(fill, migrations.RunPython.noop)]
