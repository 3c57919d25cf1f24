"""What vaccines and prescriptions are billed as, and which visit a line of a bill is for.

The release before this one writes none of it. The columns are empty, so nothing is rewritten: the locks last for the
change of the catalogue and the building of one index each.
"""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("clinic", "0031_money_and_quantities"),
    ]

    operations = [
        migrations.AddField(
            model_name="invoiceline",
            name="visit",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="invoice_lines",
                to="clinic.visit",
                verbose_name="visit",
            ),
        ),
        migrations.AddField(
            model_name="prescription",
            name="product",
            field=models.ForeignKey(
                blank=True,
                help_text="Goes on the bill of the visit, as many as are prescribed; empty: nothing does.",
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="clinic.product",
                verbose_name="billed as",
            ),
        ),
        migrations.AddField(
            model_name="vaccination",
            name="product",
            field=models.ForeignKey(
                blank=True,
                editable=False,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="clinic.product",
                verbose_name="billed as",
            ),
        ),
        migrations.AddField(
            model_name="vaccine",
            name="product",
            field=models.ForeignKey(
                blank=True,
                help_text="Goes on the bill of a visit with this vaccine; empty: nothing does.",
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="clinic.product",
                verbose_name="billed as",
            ),
        ),
    ]
