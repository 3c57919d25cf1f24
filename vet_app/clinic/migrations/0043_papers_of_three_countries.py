"""What the papers of Germany, the USA and France say, and the log of controlled drugs.

New columns are empty, or PostgreSQL fills them for the release before this one; the new tables are empty. Nothing is
rewritten.
"""

from decimal import Decimal

import django.core.validators
import django.db.models.deletion
from django.db import migrations, models

from vetclinic.constraints import check
from vetclinic.on_postgresql import on_postgresql

DEFAULTS = (
    ("clinicsettings", "legal_details", "''"),
    ("invoice", "diagnosis", "''"),
    ("invoiceline", "fee_code", "''"),
    ("prescription", "cautions", "''"),
    ("prescription", "duration", "''"),
    ("prescription", "route", "''"),
    ("prescription", "withdrawal", "''"),
    ("product", "fee_code", "''"),
    ("vaccination", "trade_name", "''"),
    ("vaccine", "trade_name", "''"),
)


class Migration(migrations.Migration):
    dependencies = [
        ("clinic", "0042_addresses_and_logo"),
    ]

    operations = [
        migrations.CreateModel(
            name="ControlledDrug",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("created_at", models.DateTimeField(auto_now_add=True, verbose_name="created")),
                ("updated_at", models.DateTimeField(auto_now=True, verbose_name="changed")),
                ("version", models.PositiveIntegerField(default=1, editable=False)),
                ("name", models.CharField(max_length=120, verbose_name="name")),
                ("strength", models.CharField(blank=True, max_length=80, verbose_name="strength and form")),
                ("unit", models.CharField(default="ml", max_length=30, verbose_name="unit")),
                ("active", models.BooleanField(default=True, verbose_name="active")),
            ],
            options={
                "verbose_name": "controlled drug",
                "verbose_name_plural": "controlled drugs",
                "ordering": ["name", "strength"],
            },
        ),
        migrations.AddField(
            model_name="clinicsettings",
            name="legal_details",
            field=models.TextField(
                blank=True,
                default="",
                help_text=(
                    "At the foot of bills, such as the legal form, the register, SIRET, the bank account, a mediator."
                ),
                max_length=500,
                verbose_name="legal details",
            ),
        ),
        migrations.AddField(
            model_name="invoice",
            name="diagnosis",
            field=models.CharField(blank=True, default="", max_length=300, verbose_name="diagnosis"),
        ),
        migrations.AddField(
            model_name="invoiceline",
            name="fee_code",
            field=models.CharField(blank=True, default="", max_length=20, verbose_name="GOT number"),
        ),
        migrations.AddField(
            model_name="invoiceline",
            name="fee_factor",
            field=models.DecimalField(
                blank=True,
                decimal_places=2,
                max_digits=4,
                null=True,
                validators=[
                    django.core.validators.MinValueValidator(Decimal("0.01")),
                    django.core.validators.MaxValueValidator(4),
                ],
                verbose_name="GOT factor",
            ),
        ),
        migrations.AddField(
            model_name="invoiceline",
            name="service_on",
            field=models.DateField(blank=True, null=True, verbose_name="date of service"),
        ),
        migrations.AddField(
            model_name="prescription",
            name="cautions",
            field=models.CharField(blank=True, default="", max_length=200, verbose_name="cautions"),
        ),
        migrations.AddField(
            model_name="prescription",
            name="duration",
            field=models.CharField(blank=True, default="", max_length=60, verbose_name="duration"),
        ),
        migrations.AddField(
            model_name="prescription",
            name="number",
            field=models.PositiveBigIntegerField(blank=True, editable=False, null=True, verbose_name="number"),
        ),
        migrations.AddField(
            model_name="prescription",
            name="route",
            field=models.CharField(blank=True, default="", max_length=40, verbose_name="route"),
        ),
        migrations.AddField(
            model_name="prescription",
            name="withdrawal",
            field=models.CharField(
                blank=True,
                default="",
                help_text="For animals that give food.",
                max_length=80,
                verbose_name="withdrawal time",
            ),
        ),
        migrations.AddField(
            model_name="product",
            name="fee_code",
            field=models.CharField(
                blank=True,
                default="",
                help_text="In Germany: the number in the fee schedule for vets. The price is then that of factor 1.",
                max_length=20,
                verbose_name="GOT number",
            ),
        ),
        migrations.AddField(
            model_name="vaccination",
            name="first_dose",
            field=models.BooleanField(
                blank=True,
                choices=[(None, "as recorded here"), (True, "first dose"), (False, "booster")],
                null=True,
                verbose_name="first dose",
            ),
        ),
        migrations.AddField(
            model_name="vaccination",
            name="trade_name",
            field=models.CharField(blank=True, default="", max_length=80, verbose_name="product name"),
        ),
        migrations.AddField(
            model_name="vaccine",
            name="trade_name",
            field=models.CharField(blank=True, default="", max_length=80, verbose_name="product name"),
        ),
        migrations.CreateModel(
            name="DrugEntry",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("created_at", models.DateTimeField(auto_now_add=True, verbose_name="created")),
                ("updated_at", models.DateTimeField(auto_now=True, verbose_name="changed")),
                (
                    "kind",
                    models.CharField(
                        choices=[
                            ("received", "Received"),
                            ("dispensed", "Dispensed or given"),
                            ("wasted", "Wasted or destroyed"),
                            ("counted", "Counted"),
                        ],
                        max_length=10,
                        verbose_name="kind",
                    ),
                ),
                ("change", models.DecimalField(decimal_places=4, max_digits=10, verbose_name="change")),
                (
                    "balance",
                    models.DecimalField(
                        decimal_places=4,
                        max_digits=10,
                        validators=[django.core.validators.MinValueValidator(0)],
                        verbose_name="balance",
                    ),
                ),
                ("at", models.DateTimeField(verbose_name="at")),
                ("whom", models.CharField(blank=True, max_length=300, verbose_name="from whom or for whom")),
                ("reference", models.CharField(blank=True, max_length=80, verbose_name="reference")),
                ("reason", models.CharField(blank=True, max_length=200, verbose_name="reason")),
                ("by", models.CharField(editable=False, max_length=150, verbose_name="by")),
                ("witness", models.CharField(blank=True, editable=False, max_length=150, verbose_name="witness")),
                (
                    "drug",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="entries",
                        to="clinic.controlleddrug",
                        verbose_name="drug",
                    ),
                ),
                (
                    "prescription",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="drug_entries",
                        to="clinic.prescription",
                        verbose_name="prescription",
                    ),
                ),
            ],
            options={
                "verbose_name": "entry of the drug log",
                "verbose_name_plural": "entries of the drug log",
                "ordering": ["-id"],
            },
        ),
        migrations.AddConstraint(
            model_name="controlleddrug",
            constraint=models.UniqueConstraint(fields=("name", "strength"), name="controlled_drug_once"),
        ),
        migrations.AddConstraint(
            model_name="drugentry",
            constraint=check(models.Q(("balance__gte", 0)), "drug_entry_balance"),
        ),
        on_postgresql(
            "".join(f"ALTER TABLE clinic_{table} ALTER {name} SET DEFAULT {value};" for table, name, value in DEFAULTS),
            "".join(f"ALTER TABLE clinic_{table} ALTER {name} DROP DEFAULT;" for table, name, _value in DEFAULTS),
        ),
    ]
