"""Amounts with three places, so that every currency fits, and prices and quantities with four.

The release before this one reads and writes such columns as it did. On PostgreSQL a table is written anew once for all
of its columns, under a lock of its own that lasts for that long. The steps that Django makes after it find each column
as it is to be and rewrite nothing.
"""

from decimal import Decimal

import django.core.validators
from django.db import migrations, models

from vetclinic.on_postgresql import on_postgresql

COLUMNS = {
    "accountentry": {"amount": (13, 3)},
    "cashcount": {
        "counted": (13, 3),
        "difference": (13, 3),
        "opening": (13, 3),
        "taken": (13, 3),
        "withdrawn": (13, 3),
    },
    "clinicsettings": {
        "cash_coin": (13, 3),
        "credit_limit": (13, 3),
        "discount_limit": (13, 3),
        "refund_limit": (13, 3),
        "void_limit": (13, 3),
    },
    "invoice": {"net": (13, 3), "tax": (13, 3), "total": (13, 3)},
    "invoiceline": {"discount": (13, 3), "quantity": (10, 4), "tax_rounding": (13, 3), "unit_price": (11, 4)},
    "payment": {"amount": (13, 3)},
    "prescription": {"quantity": (10, 4)},
    "product": {"unit_price": (11, 4)},
}
FORWARD = "".join(
    f"ALTER TABLE clinic_{table} "
    + ", ".join(f"ALTER {name} TYPE numeric({digits}, {places})" for name, (digits, places) in columns.items())
    + ";"
    for table, columns in COLUMNS.items()
)


class Migration(migrations.Migration):
    dependencies = [
        ("clinic", "0030_search_contact"),
    ]

    operations = [
        on_postgresql(FORWARD, "SELECT 1;"),
        migrations.AlterField(
            model_name="accountentry",
            name="amount",
            field=models.DecimalField(decimal_places=3, max_digits=13, verbose_name="amount"),
        ),
        migrations.AlterField(
            model_name="cashcount",
            name="counted",
            field=models.DecimalField(
                decimal_places=3,
                max_digits=13,
                validators=[django.core.validators.MinValueValidator(0)],
                verbose_name="counted in the evening",
            ),
        ),
        migrations.AlterField(
            model_name="cashcount",
            name="difference",
            field=models.DecimalField(decimal_places=3, editable=False, max_digits=13, verbose_name="difference"),
        ),
        migrations.AlterField(
            model_name="cashcount",
            name="opening",
            field=models.DecimalField(
                decimal_places=3,
                max_digits=13,
                validators=[django.core.validators.MinValueValidator(0)],
                verbose_name="in the till in the morning",
            ),
        ),
        migrations.AlterField(
            model_name="cashcount",
            name="taken",
            field=models.DecimalField(
                decimal_places=3, editable=False, max_digits=13, verbose_name="cash taken, less cash given back"
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
                verbose_name="carried to the bank",
            ),
        ),
        migrations.AlterField(
            model_name="clinicsettings",
            name="cash_coin",
            field=models.DecimalField(
                blank=True,
                decimal_places=3,
                help_text="Cash is rounded to it, such as 0.05; empty: cash is not rounded.",
                max_digits=13,
                null=True,
                validators=[django.core.validators.MinValueValidator(Decimal("0.001"))],
                verbose_name="smallest coin",
            ),
        ),
        migrations.AlterField(
            model_name="clinicsettings",
            name="credit_limit",
            field=models.DecimalField(
                blank=True,
                decimal_places=3,
                help_text="As above, for each credit note.",
                max_digits=13,
                null=True,
                validators=[django.core.validators.MinValueValidator(Decimal("0"))],
                verbose_name="credit up to",
            ),
        ),
        migrations.AlterField(
            model_name="clinicsettings",
            name="discount_limit",
            field=models.DecimalField(
                blank=True,
                decimal_places=3,
                help_text="As above, for all discounts of a bill together.",
                max_digits=13,
                null=True,
                validators=[django.core.validators.MinValueValidator(Decimal("0"))],
                verbose_name="discount up to",
            ),
        ),
        migrations.AlterField(
            model_name="clinicsettings",
            name="refund_limit",
            field=models.DecimalField(
                blank=True,
                decimal_places=3,
                help_text="As above, for money given back and payments undone.",
                max_digits=13,
                null=True,
                validators=[django.core.validators.MinValueValidator(Decimal("0"))],
                verbose_name="give money back up to",
            ),
        ),
        migrations.AlterField(
            model_name="clinicsettings",
            name="void_limit",
            field=models.DecimalField(
                blank=True,
                decimal_places=3,
                help_text="Above this amount a manager is needed; empty: no limit, 0: managers only.",
                max_digits=13,
                null=True,
                validators=[django.core.validators.MinValueValidator(Decimal("0"))],
                verbose_name="void bills up to",
            ),
        ),
        migrations.AlterField(
            model_name="invoice",
            name="net",
            field=models.DecimalField(
                decimal_places=3, default=Decimal("0"), editable=False, max_digits=13, verbose_name="net"
            ),
        ),
        migrations.AlterField(
            model_name="invoice",
            name="tax",
            field=models.DecimalField(
                decimal_places=3, default=Decimal("0"), editable=False, max_digits=13, verbose_name="tax"
            ),
        ),
        migrations.AlterField(
            model_name="invoice",
            name="total",
            field=models.DecimalField(
                decimal_places=3, default=Decimal("0"), editable=False, max_digits=13, verbose_name="total"
            ),
        ),
        migrations.AlterField(
            model_name="invoiceline",
            name="discount",
            field=models.DecimalField(decimal_places=3, default=Decimal("0"), max_digits=13, verbose_name="discount"),
        ),
        migrations.AlterField(
            model_name="invoiceline",
            name="quantity",
            field=models.DecimalField(decimal_places=4, default=Decimal("1"), max_digits=10, verbose_name="quantity"),
        ),
        migrations.AlterField(
            model_name="invoiceline",
            name="tax_rounding",
            field=models.DecimalField(decimal_places=3, default=Decimal("0"), editable=False, max_digits=13),
        ),
        migrations.AlterField(
            model_name="invoiceline",
            name="unit_price",
            field=models.DecimalField(decimal_places=4, max_digits=11, verbose_name="price"),
        ),
        migrations.AlterField(
            model_name="payment",
            name="amount",
            field=models.DecimalField(decimal_places=3, max_digits=13, verbose_name="amount"),
        ),
        migrations.AlterField(
            model_name="prescription",
            name="quantity",
            field=models.DecimalField(
                decimal_places=4,
                max_digits=10,
                validators=[django.core.validators.MinValueValidator(Decimal("0.0001"))],
                verbose_name="quantity",
            ),
        ),
        migrations.AlterField(
            model_name="product",
            name="unit_price",
            field=models.DecimalField(
                decimal_places=4,
                max_digits=11,
                validators=[django.core.validators.MinValueValidator(0)],
                verbose_name="price",
            ),
        ),
    ]
