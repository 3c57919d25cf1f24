"""Weights without a visit, who gave a vaccination on a vet's order, and who takes whole records."""

import django.core.validators
import django.db.models.deletion
import django.utils.timezone
from django.db import migrations, models

from vetclinic.on_postgresql import defaults_for_the_old_release


class Migration(migrations.Migration):
    dependencies = [
        ("clinic", "0044_erased_owners"),
    ]

    operations = [
        migrations.AddField(
            model_name="clinicsettings",
            name="readonly_may_take_records",
            field=models.BooleanField(
                default=False,
                help_text="Vets, technicians and managers always may.",
                verbose_name="read-only users may print and download whole records",
            ),
        ),
        defaults_for_the_old_release("clinic_clinicsettings", readonly_may_take_records="false"),
        migrations.AddField(
            model_name="vaccination",
            name="given_by",
            field=models.CharField(blank=True, default="", editable=False, max_length=150, verbose_name="given by"),
        ),
        defaults_for_the_old_release("clinic_vaccination", given_by="''"),
        migrations.CreateModel(
            name="Weighing",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("created_at", models.DateTimeField(auto_now_add=True, verbose_name="created")),
                ("updated_at", models.DateTimeField(auto_now=True, verbose_name="changed")),
                ("at", models.DateTimeField(default=django.utils.timezone.now, verbose_name="at")),
                (
                    "weight_kg",
                    models.DecimalField(
                        decimal_places=3,
                        max_digits=6,
                        validators=[
                            django.core.validators.MinValueValidator(0.001),
                            django.core.validators.MaxValueValidator(999),
                        ],
                        verbose_name="weight (kg)",
                    ),
                ),
                ("by", models.CharField(editable=False, max_length=150, verbose_name="by")),
                (
                    "entered_in_error",
                    models.BooleanField(default=False, editable=False, verbose_name="entered in error"),
                ),
                (
                    "error_reason",
                    models.CharField(blank=True, editable=False, max_length=200, verbose_name="reason"),
                ),
                (
                    "pet",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="weighings",
                        to="clinic.pet",
                        verbose_name="pet",
                    ),
                ),
            ],
            options={
                "verbose_name": "weight",
                "verbose_name_plural": "weights",
                "ordering": ["-at", "-id"],
            },
        ),
    ]
