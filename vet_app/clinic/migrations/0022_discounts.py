"""Discounts of bills, and credit notes over a part of one.

The release before this one writes none of it while the new one rolls out, so PostgreSQL fills the columns with what
they meant until now. Columns with a constant default and empty ones rewrite nothing.
"""

from decimal import Decimal

import django.core.validators
import django.db.models.deletion
from django.db import migrations, models

from vetclinic.on_postgresql import on_postgresql

DEFAULTS = {("clinic_invoiceline", "discount"): "0", ("clinic_invoiceline", "tax_rounding"): "0",
            ("clinic_invoice", "discount_reason"): "''"}  # fmt: skip
SET = "ALTER TABLE {} ALTER {} SET DEFAULT {};"
DROP = "ALTER TABLE {} ALTER {} DROP DEFAULT;"


class Migration(migrations.Migration):
    dependencies = [
        ("clinic", "0021_clinic_settings"),
    ]

    operations = [
        migrations.AddField(
            model_name="clinicsettings",
            name="discount_limit",
            field=models.DecimalField(
                blank=True,
                decimal_places=2,
                help_text="As above, for all discounts of a bill together.",
                max_digits=12,
                null=True,
                validators=[django.core.validators.MinValueValidator(Decimal("0"))],
                verbose_name="discount up to",
            ),
        ),
        migrations.AddField(
            model_name="invoice",
            name="discount_reason",
            field=models.CharField(blank=True, default="", max_length=200, verbose_name="reason for the discount"),
        ),
        migrations.AddField(
            model_name="invoiceline",
            name="credits",
            field=models.ForeignKey(
                blank=True,
                editable=False,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="credited_by",
                to="clinic.invoiceline",
            ),
        ),
        migrations.AddField(
            model_name="invoiceline",
            name="discount",
            field=models.DecimalField(decimal_places=2, default=Decimal("0"), max_digits=12, verbose_name="discount"),
        ),
        migrations.AddField(
            model_name="invoiceline",
            name="tax_rounding",
            field=models.DecimalField(decimal_places=2, default=Decimal("0"), editable=False, max_digits=12),
        ),
        on_postgresql(
            "".join(SET.format(*column, value) for column, value in DEFAULTS.items()),
            "".join(DROP.format(*column) for column in DEFAULTS),
        ),
    ]
