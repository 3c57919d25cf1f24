"""Prices that include tax, where a clinic has set so.

The release before this one begins bills without it, so PostgreSQL says for them that prices are before tax. A column
with a constant default rewrites nothing.
"""

from django.db import migrations, models

from vetclinic.on_postgresql import on_postgresql


class Migration(migrations.Migration):
    dependencies = [
        ("clinic", "0023_accounts_of_owners"),
    ]

    operations = [
        migrations.AddField(
            model_name="clinicsettings",
            name="prices_include_tax",
            field=models.BooleanField(
                default=False,
                help_text="Of the price list and of new bills; bills that are begun stay as they are.",
                verbose_name="prices include tax",
            ),
        ),
        migrations.AddField(
            model_name="invoice",
            name="prices_include_tax",
            field=models.BooleanField(default=False, editable=False, verbose_name="prices include tax"),
        ),
        on_postgresql(
            "ALTER TABLE clinic_invoice ALTER prices_include_tax SET DEFAULT false",
            "ALTER TABLE clinic_invoice ALTER prices_include_tax DROP DEFAULT",
        ),
    ]
