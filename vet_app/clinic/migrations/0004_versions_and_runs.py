"""Versions for the entries of the lists, and the row that says how the last sending of reminders went.

The release before this one knows no versions and still adds entries while the new one rolls out, so PostgreSQL itself
fills them in.
"""

import django.utils.timezone
from django.db import migrations, models

from vetclinic.on_postgresql import on_postgresql

VERSIONED = ("breed", "product", "species", "vaccine", "vet")


class Migration(migrations.Migration):
    dependencies = [("clinic", "0003_reference_data")]
    operations = [
        migrations.CreateModel(
            name="ReminderRun",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("created_at", models.DateTimeField(auto_now_add=True, verbose_name="created")),
                ("updated_at", models.DateTimeField(auto_now=True, verbose_name="changed")),
                ("started_by", models.CharField(max_length=150, verbose_name="started by")),
                ("started_at", models.DateTimeField(default=django.utils.timezone.now, verbose_name="started")),
                ("finished_at", models.DateTimeField(blank=True, null=True, verbose_name="finished")),
                ("sent", models.PositiveIntegerField(default=0, verbose_name="owners written to")),
                ("failed", models.PositiveIntegerField(default=0, verbose_name="failed")),
            ],
            options={
                "verbose_name": "sending of reminders",
                "verbose_name_plural": "sendings of reminders",
            },
        ),
        *[
            migrations.AddField(name, "version", models.PositiveIntegerField(default=1, editable=False))
            for name in VERSIONED
        ],
        on_postgresql(
            "".join(f"ALTER TABLE clinic_{name} ALTER COLUMN version SET DEFAULT 1;" for name in VERSIONED),
            "".join(f"ALTER TABLE clinic_{name} ALTER COLUMN version DROP DEFAULT;" for name in VERSIONED),
        ),
    ]
