"""Plainer names of amounts; no column changes."""

from decimal import Decimal

import django.core.validators
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("clinic", "0056_what_is_not_to_be_billed"),
    ]

    operations = [
        migrations.AlterField(
            model_name="cashcount",
            name="counted",
            field=models.DecimalField(
                decimal_places=3,
                max_digits=13,
                validators=[django.core.validators.MinValueValidator(0)],
                verbose_name="cash counted",
            ),
        ),
        migrations.AlterField(
            model_name="cashcount",
            name="opening",
            field=models.DecimalField(
                decimal_places=3,
                max_digits=13,
                validators=[django.core.validators.MinValueValidator(0)],
                verbose_name="opening cash",
            ),
        ),
        migrations.AlterField(
            model_name="cashcount",
            name="withdrawn",
            field=models.DecimalField(
                decimal_places=3,
                default=0,
                max_digits=13,
                validators=[django.core.validators.MinValueValidator(0)],
                verbose_name="bank deposit",
            ),
        ),
        migrations.AlterField(
            model_name="clinicsettings",
            name="discount_limit",
            field=models.DecimalField(
                blank=True,
                decimal_places=3,
                help_text="As above, for all discounts of a bill together, prices below the price list included.",
                max_digits=13,
                null=True,
                validators=[django.core.validators.MinValueValidator(Decimal("0"))],
                verbose_name="discount up to",
            ),
        ),
    ]
