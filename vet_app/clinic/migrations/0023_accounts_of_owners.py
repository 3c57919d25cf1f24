"""Ways to pay that a clinic names, cash rounding, and the money that a clinic holds for its owners.

The release before this one takes payments by the same three codes as until now, so it goes on while the new one rolls
out. New tables and empty columns rewrite nothing.
"""

from decimal import Decimal

import django.core.validators
import django.db.models.deletion
from django.db import migrations, models

from vetclinic.constraints import check

FIRST = {
    "cash": "Cash",
    "card": "Card",
    "transfer": "Bank transfer",
    "cheque": "Cheque",
    "financing": "Third-party financing",
}


def fill(apps, schema_editor):
    """The ways to pay that every clinic starts with."""
    ways = apps.get_model("clinic", "PaymentMethod").objects.using(schema_editor.connection.alias)
    ways.bulk_create(ways.model(code=code, name=name, is_cash=code == "cash") for code, name in FIRST.items())


class Migration(migrations.Migration):
    dependencies = [
        ("clinic", "0022_discounts"),
    ]

    operations = [
        migrations.CreateModel(
            name="PaymentMethod",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("created_at", models.DateTimeField(auto_now_add=True, verbose_name="created")),
                ("updated_at", models.DateTimeField(auto_now=True, verbose_name="changed")),
                ("version", models.PositiveIntegerField(default=1, editable=False)),
                ("code", models.CharField(blank=True, editable=False, max_length=10, unique=True)),
                ("name", models.CharField(max_length=60, verbose_name="name")),
                ("is_cash", models.BooleanField(default=False, verbose_name="is in the till")),
                ("active", models.BooleanField(default=True, verbose_name="active")),
            ],
            options={
                "verbose_name": "way to pay",
                "verbose_name_plural": "ways to pay",
                "ordering": ["id"],
            },
        ),
        migrations.AddField(
            model_name="clinicsettings",
            name="cash_coin",
            field=models.DecimalField(
                blank=True,
                decimal_places=2,
                help_text="Cash is rounded to it, such as 0.05; empty: cash is not rounded.",
                max_digits=6,
                null=True,
                validators=[django.core.validators.MinValueValidator(Decimal("0.01"))],
                verbose_name="smallest coin",
            ),
        ),
        migrations.AddField(
            model_name="payment",
            name="rounds",
            field=models.OneToOneField(
                blank=True,
                editable=False,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="rounding",
                to="clinic.payment",
            ),
        ),
        migrations.AlterField(
            model_name="payment",
            name="method",
            field=models.CharField(default="card", max_length=10, verbose_name="method"),
        ),
        migrations.CreateModel(
            name="AccountEntry",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("created_at", models.DateTimeField(auto_now_add=True, verbose_name="created")),
                ("updated_at", models.DateTimeField(auto_now=True, verbose_name="changed")),
                ("amount", models.DecimalField(decimal_places=2, max_digits=12, verbose_name="amount")),
                ("method", models.CharField(blank=True, max_length=10, verbose_name="method")),
                ("at", models.DateTimeField(verbose_name="at")),
                ("reference", models.CharField(blank=True, max_length=80, verbose_name="reference")),
                ("reason", models.CharField(blank=True, max_length=200, verbose_name="reason")),
                (
                    "key",
                    models.CharField(
                        blank=True, editable=False, max_length=64, null=True, unique=True, verbose_name="key"
                    ),
                ),
                (
                    "owner",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="account",
                        to="clinic.owner",
                        verbose_name="owner",
                    ),
                ),
                (
                    "payment",
                    models.OneToOneField(
                        blank=True,
                        editable=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="account_entry",
                        to="clinic.payment",
                    ),
                ),
            ],
            options={
                "verbose_name": "entry of an owner's account",
                "verbose_name_plural": "entries of owners' accounts",
                "ordering": ["-at", "-id"],
                "constraints": [
                    check(models.Q(("amount", 0), _negated=True), "account_entry_not_zero"),
                ],
            },
        ),
        migrations.RunPython(fill, migrations.RunPython.noop),
    ]
