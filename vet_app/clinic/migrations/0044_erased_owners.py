"""Owners whose data was erased, and whom a bill was for when it was issued; consent is asked for, not assumed.

New columns are empty, or PostgreSQL fills them for the release before this one. Nothing is rewritten.
"""

from django.db import migrations, models

from vetclinic.on_postgresql import on_postgresql

DEFAULTS = (("invoice", "recipient", "''"),)


class Migration(migrations.Migration):
    dependencies = [
        ("clinic", "0043_papers_of_three_countries"),
    ]

    operations = [
        migrations.AddField(
            model_name="invoice",
            name="recipient",
            field=models.TextField(blank=True, default="", editable=False, max_length=700, verbose_name="recipient"),
        ),
        migrations.AddField(
            model_name="owner",
            name="erased_on",
            field=models.DateField(blank=True, editable=False, null=True, verbose_name="erased on"),
        ),
        migrations.AlterField(
            model_name="owner",
            name="reminder_consent",
            field=models.BooleanField(default=False, verbose_name="agrees to reminders"),
        ),
        on_postgresql(
            "".join(f"ALTER TABLE clinic_{table} ALTER {name} SET DEFAULT {value};" for table, name, value in DEFAULTS),
            "".join(f"ALTER TABLE clinic_{table} ALTER {name} DROP DEFAULT;" for table, name, _value in DEFAULTS),
        ),
    ]
