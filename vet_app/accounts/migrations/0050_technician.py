"""The role of a technician; no column changes."""

from django.db import migrations, models

ROLES = [
    ("reception", "Reception"),
    ("technician", "Technician"),
    ("vet", "Vet"),
    ("manager", "Manager"),
    ("readonly", "Read only"),
]


class Migration(migrations.Migration):
    dependencies = [("accounts", "0040_french")]
    operations = [
        migrations.AlterField(
            "user", "role", models.CharField(choices=ROLES, default="readonly", max_length=20, verbose_name="role")
        ),
    ]
