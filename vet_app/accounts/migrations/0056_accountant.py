"""The role of an accountant; no column changes."""

from django.db import migrations, models

ROLES = [
    ("reception", "Reception"),
    ("technician", "Technician"),
    ("vet", "Vet"),
    ("manager", "Manager"),
    ("readonly", "Read only"),
    ("accountant", "Accountant"),
]


class Migration(migrations.Migration):
    dependencies = [("accounts", "0051_pins_and_passkeys")]
    operations = [
        migrations.AlterField(
            "user", "role", models.CharField(choices=ROLES, default="readonly", max_length=20, verbose_name="role")
        ),
    ]
