"""Town, state and postal code of owners apart from the street, and the clinic's logo.

The columns are empty and PostgreSQL fills them for the release before this one; the new table is empty. Nothing is
rewritten.
"""

from django.db import migrations, models

from vetclinic.on_postgresql import on_postgresql

DEFAULTS = (
    ("clinicsettings", "logo_digest", "''"),
    ("owner", "city", "''"),
    ("owner", "postal_code", "''"),
    ("owner", "state", "''"),
)


class Migration(migrations.Migration):
    dependencies = [
        ("clinic", "0041_plain_words"),
    ]

    operations = [
        migrations.CreateModel(
            name="ClinicLogo",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("created_at", models.DateTimeField(auto_now_add=True, verbose_name="created")),
                ("updated_at", models.DateTimeField(auto_now=True, verbose_name="changed")),
                ("content_type", models.CharField(editable=False, max_length=40)),
                ("content", models.BinaryField()),
            ],
            options={
                "verbose_name": "logo of the clinic",
                "verbose_name_plural": "logo of the clinic",
            },
        ),
        migrations.AddField(
            model_name="clinicsettings",
            name="logo_digest",
            field=models.CharField(blank=True, default="", editable=False, max_length=64),
        ),
        migrations.AddField(
            model_name="owner",
            name="city",
            field=models.CharField(blank=True, default="", max_length=80, verbose_name="town"),
        ),
        migrations.AddField(
            model_name="owner",
            name="postal_code",
            field=models.CharField(blank=True, default="", max_length=12, verbose_name="postal code"),
        ),
        migrations.AddField(
            model_name="owner",
            name="state",
            field=models.CharField(blank=True, default="", max_length=40, verbose_name="state"),
        ),
        on_postgresql(
            "".join(f"ALTER TABLE clinic_{table} ALTER {name} SET DEFAULT {value};" for table, name, value in DEFAULTS),
            "".join(f"ALTER TABLE clinic_{table} ALTER {name} DROP DEFAULT;" for table, name, _value in DEFAULTS),
        ),
    ]
