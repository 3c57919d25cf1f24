"""The count of the till, which PostgreSQL keeps as it was written, and whose work a line of a bill is.

The release before this one writes lines without a vet. The new column is empty, so nothing is rewritten: the lock on
the lines lasts for the change of the catalogue and the building of one index.
"""

import django.core.validators
import django.db.models.deletion
from django.db import migrations, models

from vetclinic.on_postgresql import on_postgresql

FORWARD = """
CREATE FUNCTION cash_count_is_final() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION 'A cash count is final.' USING ERRCODE = 'insufficient_privilege';
END $$;
CREATE TRIGGER cash_count_no_change BEFORE UPDATE OR DELETE ON clinic_cashcount
  FOR EACH ROW EXECUTE FUNCTION cash_count_is_final();
"""
BACKWARD = """
DROP TRIGGER cash_count_no_change ON clinic_cashcount;
DROP FUNCTION cash_count_is_final();
"""


class Migration(migrations.Migration):
    dependencies = [
        ("clinic", "0006_payment_keys"),
    ]

    operations = [
        migrations.AddField(
            model_name="invoiceline",
            name="vet",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="clinic.vet",
                verbose_name="vet",
            ),
        ),
        migrations.CreateModel(
            name="CashCount",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("created_at", models.DateTimeField(auto_now_add=True, verbose_name="created")),
                ("updated_at", models.DateTimeField(auto_now=True, verbose_name="changed")),
                ("day", models.DateField(verbose_name="day")),
                (
                    "opening",
                    models.DecimalField(
                        decimal_places=2,
                        max_digits=12,
                        validators=[django.core.validators.MinValueValidator(0)],
                        verbose_name="in the till in the morning",
                    ),
                ),
                (
                    "taken",
                    models.DecimalField(
                        decimal_places=2, editable=False, max_digits=12, verbose_name="cash taken, less cash given back"
                    ),
                ),
                (
                    "withdrawn",
                    models.DecimalField(
                        decimal_places=2,
                        default=0,
                        max_digits=12,
                        validators=[django.core.validators.MinValueValidator(0)],
                        verbose_name="carried to the bank",
                    ),
                ),
                (
                    "counted",
                    models.DecimalField(
                        decimal_places=2,
                        max_digits=12,
                        validators=[django.core.validators.MinValueValidator(0)],
                        verbose_name="counted in the evening",
                    ),
                ),
                (
                    "difference",
                    models.DecimalField(decimal_places=2, editable=False, max_digits=12, verbose_name="difference"),
                ),
                ("reason", models.CharField(blank=True, max_length=200, verbose_name="reason")),
                ("counted_by", models.CharField(editable=False, max_length=150, verbose_name="by")),
                (
                    "corrects",
                    models.OneToOneField(
                        blank=True,
                        editable=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="corrected_by",
                        to="clinic.cashcount",
                    ),
                ),
            ],
            options={
                "verbose_name": "cash count",
                "verbose_name_plural": "cash counts",
                "ordering": ["-day", "-id"],
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("corrects__isnull", True)), fields=("day",), name="cash_count_once"
                    )
                ],
            },
        ),
        on_postgresql(FORWARD, BACKWARD),
    ]
