"""The lots of vaccines that a clinic has. A new table; the release before this one knows nothing of it."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("clinic", "0032_what_visits_are_billed_for"),
    ]

    operations = [
        migrations.CreateModel(
            name="VaccineLot",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("created_at", models.DateTimeField(auto_now_add=True, verbose_name="created")),
                ("updated_at", models.DateTimeField(auto_now=True, verbose_name="changed")),
                ("version", models.PositiveIntegerField(default=1, editable=False)),
                ("number", models.CharField(max_length=40, verbose_name="lot number")),
                ("expires_on", models.DateField(blank=True, null=True, verbose_name="lot expires")),
                ("active", models.BooleanField(default=True, verbose_name="active")),
                (
                    "vaccine",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="lots",
                        to="clinic.vaccine",
                        verbose_name="vaccine",
                    ),
                ),
            ],
            options={
                "verbose_name": "lot of a vaccine",
                "verbose_name_plural": "lots of vaccines",
                "ordering": ["vaccine__name", "expires_on", "number"],
                "constraints": [models.UniqueConstraint(fields=("vaccine", "number"), name="vaccine_lot_once")],
            },
        ),
    ]
