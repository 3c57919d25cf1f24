"""Plainer labels and help, and French. They are of the forms alone: the database is not changed."""

from decimal import Decimal

import django.core.validators
import django.db.models.deletion
from django.db import migrations, models

import clinic.holidays
import clinic.opening


class Migration(migrations.Migration):
    dependencies = [
        ("clinic", "0040_estimates"),
    ]

    operations = [
        migrations.AlterModelOptions(
            name="invoice",
            options={"ordering": ["-id"], "verbose_name": "bill", "verbose_name_plural": "bills"},
        ),
        migrations.AlterModelOptions(
            name="invoiceline",
            options={"ordering": ["id"], "verbose_name": "line of a bill", "verbose_name_plural": "lines of bills"},
        ),
        migrations.AlterModelOptions(
            name="paymentmethod",
            options={"ordering": ["id"], "verbose_name": "payment method", "verbose_name_plural": "payment methods"},
        ),
        migrations.AlterField(
            model_name="cashcount",
            name="taken",
            field=models.DecimalField(
                decimal_places=3, editable=False, max_digits=13, verbose_name="cash received less cash refunded"
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
                verbose_name="taken to the bank",
            ),
        ),
        migrations.AlterField(
            model_name="clinicsettings",
            name="cash_coin",
            field=models.DecimalField(
                blank=True,
                decimal_places=3,
                help_text="Cash amounts are rounded to it, for example 0.05. Leave empty for no rounding.",
                max_digits=13,
                null=True,
                validators=[django.core.validators.MinValueValidator(Decimal("0.001"))],
                verbose_name="smallest coin",
            ),
        ),
        migrations.AlterField(
            model_name="clinicsettings",
            name="holidays",
            field=models.CharField(
                blank=True,
                help_text=(
                    "A country, or a country and region, such as US-CA or DE-BY. Bookings on a holiday show a warning."
                ),
                max_length=10,
                validators=[clinic.holidays.check],
                verbose_name="public holidays",
            ),
        ),
        migrations.AlterField(
            model_name="clinicsettings",
            name="hours",
            field=models.CharField(
                blank=True,
                help_text=(
                    "For example: Mo-Fr 08:00-12:00, 14:00-18:00; Sa 09:00-12:00. If empty, the"
                    " hours of the environment apply."
                ),
                max_length=200,
                validators=[clinic.opening.check],
                verbose_name="opening hours",
            ),
        ),
        migrations.AlterField(
            model_name="clinicsettings",
            name="language",
            field=models.CharField(
                blank=True,
                choices=[
                    ("", "The language of each browser"),
                    ("en", "English"),
                    ("en-us", "English (USA)"),
                    ("en-gb", "English (United Kingdom)"),
                    ("de", "German"),
                    ("fr", "French"),
                ],
                help_text=(
                    "For pages, dates, and everything that is printed or sent. Each person can"
                    " choose another language for their own pages."
                ),
                max_length=10,
                verbose_name="language",
            ),
        ),
        migrations.AlterField(
            model_name="clinicsettings",
            name="prices_include_tax",
            field=models.BooleanField(
                default=False,
                help_text="Applies to the price list and to new bills. Existing drafts do not change.",
                verbose_name="prices include tax",
            ),
        ),
        migrations.AlterField(
            model_name="clinicsettings",
            name="refund_limit",
            field=models.DecimalField(
                blank=True,
                decimal_places=3,
                help_text="As above, for refunds and reversed payments.",
                max_digits=13,
                null=True,
                validators=[django.core.validators.MinValueValidator(Decimal("0"))],
                verbose_name="refund up to",
            ),
        ),
        migrations.AlterField(
            model_name="clinicsettings",
            name="tax_number",
            field=models.CharField(blank=True, help_text="Printed on bills.", max_length=60, verbose_name="tax number"),
        ),
        migrations.AlterField(
            model_name="clinicsettings",
            name="temperature_unit",
            field=models.CharField(
                choices=[("c", "degrees Celsius (°C)"), ("f", "degrees Fahrenheit (°F)")],
                default="c",
                max_length=1,
                verbose_name="temperature unit",
            ),
        ),
        migrations.AlterField(
            model_name="clinicsettings",
            name="vets_may_bill",
            field=models.BooleanField(
                default=False,
                help_text="Reception and managers always may.",
                verbose_name="vets may issue bills and take payments",
            ),
        ),
        migrations.AlterField(
            model_name="clinicsettings",
            name="void_limit",
            field=models.DecimalField(
                blank=True,
                decimal_places=3,
                help_text="Above this amount only a manager may do it. Empty: no limit. 0: managers only.",
                max_digits=13,
                null=True,
                validators=[django.core.validators.MinValueValidator(Decimal("0"))],
                verbose_name="void bills up to",
            ),
        ),
        migrations.AlterField(
            model_name="clinicsettings",
            name="weight_unit",
            field=models.CharField(
                choices=[("kg", "kilograms (kg)"), ("lb", "pounds (lb)")],
                default="kg",
                max_length=2,
                verbose_name="weight unit",
            ),
        ),
        migrations.AlterField(
            model_name="daysoff",
            name="vet",
            field=models.ForeignKey(
                blank=True,
                help_text="Leave empty if the whole clinic is closed.",
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="days_off",
                to="clinic.vet",
                verbose_name="vet",
            ),
        ),
        migrations.AlterField(
            model_name="invoiceline",
            name="invoice",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="lines",
                to="clinic.invoice",
                verbose_name="bill",
            ),
        ),
        migrations.AlterField(
            model_name="payment",
            name="invoice",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="payments",
                to="clinic.invoice",
                verbose_name="bill",
            ),
        ),
        migrations.AlterField(
            model_name="paymentmethod",
            name="is_cash",
            field=models.BooleanField(default=False, verbose_name="is kept in the till"),
        ),
        migrations.AlterField(
            model_name="prescription",
            name="product",
            field=models.ForeignKey(
                blank=True,
                help_text="Added to the bill of the visit in the prescribed quantity. Leave empty to bill nothing.",
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="clinic.product",
                verbose_name="billed as",
            ),
        ),
        migrations.AlterField(
            model_name="reminderrun",
            name="sent",
            field=models.PositiveIntegerField(default=0, verbose_name="owners contacted"),
        ),
        migrations.AlterField(
            model_name="vaccine",
            name="product",
            field=models.ForeignKey(
                blank=True,
                help_text="Added to the bill of a visit with this vaccine. Leave empty to bill nothing.",
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="clinic.product",
                verbose_name="billed as",
            ),
        ),
        migrations.AlterField(
            model_name="vet",
            name="hours",
            field=models.CharField(
                blank=True,
                help_text=(
                    "For example: Mo-Th 08:00-12:00, 13:00-17:00; Fr 08:00-12:00. Leave empty for the clinic's hours."
                ),
                max_length=200,
                validators=[clinic.opening.check],
                verbose_name="hours of work",
            ),
        ),
    ]
