"""The clinic's own settings, one row that the manager saves; a new table, which the release before does not know."""

from decimal import Decimal

import django.core.validators
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("clinic", "0020_till"),
    ]

    operations = [
        migrations.CreateModel(
            name="ClinicSettings",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("created_at", models.DateTimeField(auto_now_add=True, verbose_name="created")),
                ("updated_at", models.DateTimeField(auto_now=True, verbose_name="changed")),
                ("version", models.PositiveIntegerField(default=1, editable=False)),
                ("name", models.CharField(max_length=120, verbose_name="name of the clinic")),
                ("address", models.TextField(max_length=300, verbose_name="address")),
                ("phone", models.CharField(max_length=40, verbose_name="telephone")),
                (
                    "tax_number",
                    models.CharField(
                        blank=True,
                        help_text="Is printed on bills where it is given.",
                        max_length=60,
                        verbose_name="tax number",
                    ),
                ),
                (
                    "vets_may_bill",
                    models.BooleanField(
                        default=False,
                        help_text="Reception and managers always do.",
                        verbose_name="vets issue bills and take money",
                    ),
                ),
                (
                    "void_limit",
                    models.DecimalField(
                        blank=True,
                        decimal_places=2,
                        help_text="Above this amount a manager is needed; empty: no limit, 0: managers only.",
                        max_digits=12,
                        null=True,
                        validators=[django.core.validators.MinValueValidator(Decimal("0"))],
                        verbose_name="void bills up to",
                    ),
                ),
                (
                    "credit_limit",
                    models.DecimalField(
                        blank=True,
                        decimal_places=2,
                        help_text="As above, for each credit note.",
                        max_digits=12,
                        null=True,
                        validators=[django.core.validators.MinValueValidator(Decimal("0"))],
                        verbose_name="credit up to",
                    ),
                ),
                (
                    "refund_limit",
                    models.DecimalField(
                        blank=True,
                        decimal_places=2,
                        help_text="As above, for money given back and payments undone.",
                        max_digits=12,
                        null=True,
                        validators=[django.core.validators.MinValueValidator(Decimal("0"))],
                        verbose_name="give money back up to",
                    ),
                ),
            ],
            options={
                "verbose_name": "settings of the clinic",
                "verbose_name_plural": "settings of the clinic",
            },
        ),
    ]
